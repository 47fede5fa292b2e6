"""The densities of the two kinds of components (Figure 3)."""

from collections.abc import Mapping
from pathlib import Path

from oodpriors.figures.sheet import COLOURS, LINES, save, sheet
from oodpriors.io.tables import read_csv


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """See :mod:`oodpriors.figures.sheet`; no note, since the scale does not matter.

    The table has ``x``, ``gaussian`` and ``generalized_gaussian`` (of beta = 4).
    """
    table = read_csv(files["table"])
    figure, axes = sheet(1, 1, 2.5, "")
    names = {
        "gaussian": "standard Gaussian",
        "generalized_gaussian": "generalised Gaussian, β = 4, of variance 1",
    }
    for (column, name), colour, line in zip(names.items(), COLOURS.values(), LINES, strict=False):
        axes[0, 0].plot(table["x"], table[column], color=colour, linestyle=line, label=name)
    axes[0, 0].set(xlabel="z", ylabel="density", xlim=(table["x"].min(), table["x"].max()))
    axes[0, 0].set_ylim(0, 1.4 * table[list(names)].max().max())
    axes[0, 0].legend(loc="upper left")
    save(figure, paths)
