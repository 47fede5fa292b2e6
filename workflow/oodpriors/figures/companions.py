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
NAME = 30  # characters in a line of a model's name


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Companion scores of the configuration's models, see :mod:`oodpriors.figures.sheet`."""
    plot_companions(chosen(read_table(files["table"]), about["entry"]), note, paths)


def plot_companions(table: pd.DataFrame, note: str, paths: list[Path]) -> None:
    """Heat maps of the AUROC, a panel for each set out of distribution, models from left to right.

    Args:
        table: a row per model, set and score: ``architecture``, ``prior``,
            ``training_data``, ``out_of_distribution``, ``score`` with its ``title``, and
            ``auroc``, empty where a model has no such score.
        note, paths: see :func:`oodpriors.figures.histograms.plot_histograms`.
    """
    labels = model_labels(table)
    panels = dict([*table.groupby("out_of_distribution", sort=False)])
    widths = [panel["model"].nunique() for panel in panels.values()]
    height = MARGIN + ROW * table["score"].nunique()
    figure, (axes,) = sheet(1, len(panels), height, note, width_ratios=widths, sharey=True)
    names = dict(zip(table["score"], table["title"], strict=True))
    for axis, (title, panel) in zip(axes, panels.items(), strict=True):
        values = panel.pivot_table("auroc", "score", "model", sort=False, dropna=False)
        values = values.reindex([*names])
        image = axis.imshow(values, vmin=0, vmax=1, cmap="RdBu", aspect="auto")
        wrapped = [textwrap.fill(labels[model], NAME) for model in values]
        axis.set_xticks(range(len(wrapped)), wrapped, rotation=90)
        axis.set_yticks(range(len(names)), names.values())
        axis.set(title=in_panel(title, len(panels)), facecolor="0.9")  # of scores that are missing
        axis.tick_params(length=0)
        for (row, column), value in np.ndenumerate(values.to_numpy()):
            colour = "white" if abs(value - 0.5) > 0.3 else "black"
            text = "–" if np.isnan(value) else f"{value:.2f}"
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=6)
    figure.colorbar(image, ax=list(axes), label="AUROC", shrink=0.5)
    save(figure, paths)
