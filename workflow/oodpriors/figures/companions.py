"""AUROC of companion scores by model."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from oodpriors.figures.sheet import in_panel, save, sheet
from oodpriors.statistics.companions import chosen, model_labels
from oodpriors.tables.cells import read_table

ROW, MARGIN = 0.16, 2.4  # inches: height of a row, and of what is above and below all rows
NAME = 36  # characters in a line of a model's name
# Columns by what has a row: its name, and those of a row and of a panel.
LAYOUT = {
    "scores": ("score", "title", "out_of_distribution"),
    "sets": ("out_of_distribution", "out_of_distribution", "title"),
}


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Companion scores of the configuration's models, see :mod:`oodpriors.figures.sheet`."""
    entry = about["entry"]
    rows = entry.get("rows", "scores")
    plot_companions(chosen(read_table(files["table"]), entry), note, paths, rows)


def plot_companions(
    table: pd.DataFrame, note: str, paths: list[Path], rows: str = "scores"
) -> None:
    """Heat maps of the AUROC, models from left to right.

    Args:
        table: a row per model, set and score: ``architecture``, ``prior``,
            ``training_data``, ``out_of_distribution``, ``score`` with its ``title``, and
            ``auroc``, empty where a model has no such score.
        note, paths: see :func:`oodpriors.figures.histograms.plot_histograms`.
        rows: ``scores``, with a panel for each set out of distribution, or ``sets``, with a
            panel for each score.
    """
    labels, (row, name, panel) = model_labels(table, "\n"), LAYOUT[rows]
    panels = dict([*table.groupby(panel, sort=False)])
    widths = [part["model"].nunique() for part in panels.values()]
    height = MARGIN + ROW * table[row].nunique()
    figure, (axes,) = sheet(1, len(panels), height, note, width_ratios=widths, sharey=True)
    names = dict(zip(table[row], table[name], strict=True))
    for axis, (title, part) in zip(axes, panels.items(), strict=True):
        values = part.pivot_table("auroc", row, "model", sort=False, dropna=False)
        values = values.reindex([*names])
        image = axis.imshow(values, vmin=0, vmax=1, cmap="RdBu", aspect="auto")
        wrapped = ["\n".join(map(_filled, labels[model].splitlines())) for model in values]
        axis.set_xticks(range(len(wrapped)), wrapped, rotation=90)
        axis.set_yticks(range(len(names)), names.values())
        axis.set(title=in_panel(title, len(panels)), facecolor="0.9")  # of scores that are missing
        axis.tick_params(length=0)
        for (i, j), value in np.ndenumerate(values.to_numpy()):
            colour = "white" if abs(value - 0.5) > 0.3 else "black"
            text = "–" if np.isnan(value) else f"{value:.2f}"
            axis.text(j, i, text, ha="center", va="center", color=colour, fontsize=6)
    figure.colorbar(image, ax=list(axes), label="AUROC", shrink=0.5)
    save(figure, paths)


def _filled(line: str) -> str:
    return textwrap.fill(line, NAME)
