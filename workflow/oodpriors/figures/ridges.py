"""Histograms of a sequence of models, in rows one below the other (Figures 14 and 15)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from oodpriors.figures.histograms import (
    Series,
    bins_of,
    histogram_panels,
    label_axis,
    limits_of,
    remarks,
    spans_much,
)
from oodpriors.figures.sheet import (
    LINE,
    SETS,
    bottom_legend,
    draw_steps,
    in_panel,
    look_of,
    save,
    sheet,
)
from oodpriors.statistics.estimates import read_scores

HIGHEST = 0.85  # of the distance between rows
MEDIANS: dict[str, dict] = {
    "median": {"color": "black", "linewidth": 1.5},
    "median of the first row": {"color": "0.3", "linewidth": 0.8, "linestyle": ":"},
}


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Rows of the configuration, see :mod:`oodpriors.figures.sheet`."""
    panels = histogram_panels(about, read_scores(about["runs"], files["scores"]), SETS)
    plot_ridges(panels, about["distances"], about["entry"]["set"], note, paths)


def plot_ridges(
    panels: Mapping[str, list[Series]],
    distances: Mapping[str, float],
    which: str,
    note: str,
    paths: list[Path],
) -> None:
    """A row for each model, by the distance of its components where all models have one.

    Axes show both sets of all models of a panel. So they are equal in two figures, of one set each.

    Args:
        panels: series of both sets by the panel's title.
        distances: of the two components, by model.
        which: set that is drawn, test or ood.
        note, paths: see :func:`oodpriors.figures.histograms.plot_histograms`.
    """
    columns = 1 if len(panels) == 1 else 2
    lines, most = -(-len(panels) // columns), max(map(len, panels.values())) // len(SETS)
    every = [one for series in panels.values() for one in series if one.which == which]
    height = lines * (0.22 * most + 0.8) + 0.5
    figure, axes = sheet(lines, columns, height, note + remarks(every))
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    logarithmic = spans_much(panels.values())
    for axis, (title, series) in zip(axes.flat, panels.items(), strict=False):
        limits, rows = limits_of(series, logarithmic), [one for one in series if one.which == which]
        if all(one.model in distances for one in rows):
            rows.sort(key=lambda one: distances[one.model])
        handles = _draw_rows(axis, rows, limits, logarithmic)
        names = [
            f"d = {distances[m]:g}" if (m := one.model) in distances else one.prior for one in rows
        ]
        axis.set_yticks(-np.arange(len(rows)), names)
        axis.set_title(in_panel(title, columns))
        label_axis(axis, rows[0], limits, logarithmic, LINE // columns)
    bottom_legend(figure, handles)
    save(figure, paths)


def _draw_rows(axis, rows: list[Series], limits: tuple[float, float], logarithmic: bool) -> dict:
    """A histogram in each row, with its median; handles of the medians by label."""
    row, first = MEDIANS
    handles = {first: axis.axvline(np.median(rows[0].finite), zorder=0, **MEDIANS[first])}
    for place, one in enumerate(rows):
        edges = bins_of(one.finite, one, limits, logarithmic)
        look = look_of(one.which, 0) | {"alpha": 0.3, "baseline": -place, "zorder": place + 1}
        draw_steps(axis, one.finite, edges, HIGHEST, **look)
        ends = [-place, HIGHEST - place]
        (handles[row],) = axis.plot([np.median(one.finite)] * 2, ends, zorder=99, **MEDIANS[row])
    axis.set_ylim(-len(rows) + 0.8, 1)
    return {row: handles[row], first: handles[first]}
