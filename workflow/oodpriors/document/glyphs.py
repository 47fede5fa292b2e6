"""Characters that LaTeX's fonts lack, each as a page of a PDF that stands in a line of text."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.font_manager import findfont, get_font

from oodpriors.figures.sheet import FONT, style
from oodpriors.io.files import atomic

SIZE = 10  # points
ABOVE, BELOW = 1.05, 0.3  # the base line, in units of SIZE; main.tex has their sum in x-heights


def draw_glyphs(numbers: Sequence[str], path: Path) -> None:
    """Draw each character on a page of its own."""
    style()
    font = get_font(findfont(FONT))
    font.set_size(SIZE, 72)
    with atomic(path) as temporary, PdfPages(temporary, metadata={"CreationDate": None}) as pages:
        for number in numbers:
            character = chr(int(number, 16))
            width = font.load_char(ord(character)).linearHoriAdvance / 2**16
            figure = plt.figure(figsize=(width / 72, (ABOVE + BELOW) * SIZE / 72))
            figure.text(0, BELOW / (ABOVE + BELOW), character, size=SIZE, va="baseline")
            pages.savefig(figure)
            plt.close(figure)
