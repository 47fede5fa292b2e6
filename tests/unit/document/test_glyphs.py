"""Characters as pages of a PDF."""

from oodpriors.document.glyphs import draw_glyphs
from oodpriors.document.tex import escape, glyph_pages, glyphs_of


def test_each_character_that_the_text_needs_is_drawn_once(tmp_path):
    numbers = glyphs_of([escape("Ωя é"), escape("Ω😀")])
    assert numbers == ["03A9", "044F", "1F600"]
    draw_glyphs(numbers, tmp_path / "glyphs.pdf")
    content = (tmp_path / "glyphs.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"DejaVuSans" in content
    assert content.count(b"/Type /Page ") + content.count(b"/Type /Page\n") == 3


def test_the_same_characters_give_the_same_bytes(tmp_path):
    for name in ("a.pdf", "b.pdf"):
        draw_glyphs(["03A9"], tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_text_of_latin_letters_needs_a_blank_alone():
    assert glyphs_of([escape("a_b & č $")]) == ["0020"]


def test_pages_are_counted_from_one():
    assert glyph_pages(["03A9", "1F600"]) == (
        "\\expandafter\\def\\csname glyph03A9\\endcsname{1}\n"
        "\\expandafter\\def\\csname glyph1F600\\endcsname{2}\n"
    )
