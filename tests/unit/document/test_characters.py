"""What can be printed is in the font of the figures."""

import unicodedata

import pytest
from matplotlib.font_manager import findfont, get_font

from oodpriors.document.characters import described, paragraphs, printable
from oodpriors.figures.sheet import FONT


def test_the_font_has_all_that_can_be_printed():
    able = [chr(number) for number in range(0x110000) if printable(chr(number))]
    assert len(able) > 2500
    assert set(map(ord, able)) <= set(get_font(findfont(FONT)).get_charmap())
    # each has a place of its own, from left to right
    assert not [c for c in able if unicodedata.category(c)[0] in "CM"]
    assert not {unicodedata.bidirectional(c) for c in able} & {"R", "AL", "AN"}


@pytest.mark.parametrize("character", "aÉßΩяѢ∞≈√≤→“–€²✓♥😀 ~\\")
def test_what_many_texts_need_can_be_printed(character):
    assert printable(character)


@pytest.mark.parametrize("character", "フ中\n\t\0\x7f\xa0\xad\u0301\u200b\u200fא\ud800🚀")
def test_what_figures_lack_cannot(character):
    assert not printable(character)


def test_a_character_is_named():
    assert described("中") == "'中' (U+4E2D, CJK UNIFIED IDEOGRAPH-4E2D)"
    assert described("\0") == r"'\x00' (U+0000)"


def test_paragraphs_stand_between_empty_lines():
    assert paragraphs(" a\nb \n \n\nc\n") == ["a b", "c"]
