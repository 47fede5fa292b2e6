"""Characters as small PDFs."""

from oodpriors.document.glyphs import draw_glyphs
from oodpriors.document.tex import escape


def test_each_character_that_the_text_needs_is_drawn_once(tmp_path):
    draw_glyphs([escape("Ωя é"), escape("Ω😀")], tmp_path)
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == ["glyph03A9.pdf", "glyph044F.pdf", "glyph1F600.pdf"]
    pages = {name: (tmp_path / name).read_bytes() for name in drawn}
    assert all(page.startswith(b"%PDF") and b"DejaVuSans" in page for page in pages.values())
    assert len(set(pages.values())) == len(drawn)


def test_text_of_latin_letters_needs_none(tmp_path):
    draw_glyphs([escape("a_b & č $")], tmp_path)
    assert list(tmp_path.iterdir()) == []
