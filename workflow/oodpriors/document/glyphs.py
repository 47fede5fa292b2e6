"""Characters that LaTeX's fonts lack, each as a small PDF that stands in a line of text."""

import re
from collections.abc import Iterable
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.font_manager import findfont, get_font

from oodpriors.figures.sheet import FONT, save, style

SIZE = 10  # points
ABOVE, BELOW = 1.05, 0.3  # the base line, in units of SIZE; main.tex has their sum in x-heights


def draw_glyphs(texts: Iterable[str], folder: Path) -> None:
    r"""Draw each character that texts have as \glyph{number} in ``glyph<number>.pdf``.

    Args:
        texts: LaTeX of :func:`oodpriors.document.tex.escape`.
        folder: where the files go.
    """
    style()
    font = get_font(findfont(FONT))
    font.set_size(SIZE, 72)
    for number in sorted(set(re.findall(r"\\glyph\{(\w+)\}", "".join(texts)))):
        character = chr(int(number, 16))
        width = font.load_char(ord(character)).linearHoriAdvance / 2**16
        figure = plt.figure(figsize=(width / 72, (ABOVE + BELOW) * SIZE / 72))
        figure.text(0, BELOW / (ABOVE + BELOW), character, size=SIZE, va="baseline")
        save(figure, [folder / f"glyph{number}.pdf"])
