"""Texts are printed as they are written, or refused with their key."""

import pytest
from tests.unit.config.conftest import changed, every_scale

from oodpriors.config.schema import ConfigError
from oodpriors.config.texts import check_claims, check_texts

PRINTED = [
    "Ελληνικά русский ∞ ≈ √",
    r"$x$ \\ % _ # & ~ ^ {} \"a\" 'b'",
    "NA",
    "075",
    "a < b",
    "é😀",
]
REFUSED = {
    "ファッション": "'フ' (U+30D5, KATAKANA LETTER HU) cannot be printed: write it with",
    "שלום": "'ש' (U+05E9, HEBREW LETTER SHIN) cannot be printed: write it with",
    "a\x07": r"'\x07' (U+0007) cannot be printed: write it with",
    "<script>alert(1)</script>": "'<s' begins a tag of HTML: put a blank after <",
    "a </SCRIPT": "'</' begins a tag of HTML",
    "<!-- a": "'<!' begins a tag of HTML",
    "a" * 3000: "3,000 characters; there is room for ",
}
LINES = ["two\n\nparagraphs", " a", "a ", "a  b", "a\tb", "a\u00a0b", " "]
PLACES = {
    "subsets.x.title": lambda text: {"subsets": {"x": {"title": text}}},
    "models.vae.title": lambda text: {"models": {"vae": {"title": text}}},
    "curves.x.component": lambda text: {"curves": {"x": {"component": text}}},
    "toy.where": lambda text: {"toy": {"where": text}},
    "figures.x.caption": lambda text: {"figures": {"x": {"caption": text}}},
    "figures.x.panels": lambda text: {"figures": {"x": {"panels": {text: ["a/b/c"]}}}},
}


@every_scale
def test_the_texts_of_the_project_can_be_printed(scale):
    check_texts(changed({}, scale))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", PRINTED)
def test_a_text_that_can_be_printed_is_taken(place, text):
    check_texts(PLACES[place](text))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", REFUSED)
def test_a_text_that_cannot_be_printed_is_refused_in_one_line(place, text):
    with pytest.raises(ConfigError) as caught:
        check_texts(PLACES[place](text))
    message = str(caught.value)
    assert message.startswith(f"config: {place}: {REFUSED[text]}")
    assert message.isprintable()


@pytest.mark.parametrize("text", LINES)
def test_only_a_caption_has_more_than_a_line(text):
    with pytest.raises(ConfigError, match=r"figures.x.panels: write it in one line, with no blank"):
        check_texts(PLACES["figures.x.panels"](text))
    if text.isascii() and "\t" not in text:
        check_texts(PLACES["figures.x.caption"](text))


@pytest.mark.parametrize("title", [75, True, None, 1.5])
def test_the_title_of_a_panel_is_text(title):
    with pytest.raises(ConfigError, match=f"panels: {title} is no text: write it in quotes"):
        check_texts(PLACES["figures.x.panels"](title))


def test_every_mistake_is_told():
    entry = {"x": {"where": " a", "caption": "中"}}
    with pytest.raises(ConfigError) as caught:
        check_texts({"figures": entry, "tables": entry})
    told = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert told == [f"{t}.x.{key}" for t in ("figures", "tables") for key in ("where", "caption")]


def test_what_a_claim_quotes_and_means_is_text_if_it_is_there():
    check_claims([{"id": "A"}, {"id": "B", "quote": "<b> & $x_1$"}])
    claims = [{"id": "A", "quote": 3.5}, {"id": "B", "means": "so"}, {"id": "C", "means": None}]
    with pytest.raises(ConfigError) as caught:
        check_claims(claims)
    assert str(caught.value).splitlines() == [
        "config: claims.yaml: A: quote: 3.5 is no text: write it in quotes",
        "config: claims.yaml: C: means: None is no text: write it in quotes",
    ]
