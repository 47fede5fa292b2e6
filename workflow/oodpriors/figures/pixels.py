"""Distances to mean images and variances, pixel by pixel (Figure 7)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from oodpriors.figures.sheet import (
    draw_steps,
    look_of,
    plain_axis,
    save,
    sheet,
)
from oodpriors.io.tables import read_csv

BINS = 40


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Pixels of the configuration's model, see :mod:`oodpriors.figures.sheet`."""
    plot_pixel_distances(read_csv(files["table"]), about["sets"], note, paths)


def plot_pixel_distances(
    table: pd.DataFrame, names: Mapping[str, str], note: str, paths: list[Path]
) -> None:
    """Histograms over pixels: distances to the components' mean images, and variances (Figure 7).

    Counts are on a logarithmic axis, since most pixels hardly vary. Panels (a) and (b) have
    equal axes.

    Args:
        table: a row per pixel: ``distance_<set>_<k>`` and ``variance_<set>``, where the
            set out of distribution is ``ood``; NaN where a component has no image.
        names: of the sets, by test and ood.
        note, paths: see :func:`oodpriors.figures.toy.plot_topology`.
    """
    distances, variances = (table.filter(like=kind) for kind in ("distance_", "variance_"))
    components = {c: f"component {int(c.rsplit('_', 1)[1]) + 1}" for c in map(str, distances)}
    outside = {c: label for c, label in components.items() if "_ood" in c}
    inside = {c: label for c, label in components.items() if c not in outside}
    figure, ((first, second, third),) = sheet(1, 3, 2.4, note)
    _draw_pixels(first, distances, inside)
    _draw_pixels(second, distances, outside)
    _draw_pixels(third, variances, {f"variance_{which}": name for which, name in names.items()})
    for axis in (first, second):
        axis.set(xlabel="mean squared distance")
    third.set(title="(c) variance", xlabel="variance")
    first.set(title="(a) in distribution", ylabel="pixels (log scale)")
    second.set_title("(b) out of distribution")
    save(figure, paths)


def _draw_pixels(axis, table: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Histograms of the named columns, on axes that suit all columns of the table."""
    edges = np.linspace(0, table.max().max() or 1, BINS + 1)
    highest = max(np.histogram(column.dropna(), edges)[0].max() for _, column in table.items())
    handles: dict = {}
    for column, label in titles.items():
        values = table[column].dropna()
        name = label if len(values) else f"{label}: no image"
        opacity = 0 if handles else 0.25
        handles[name] = draw_steps(axis, values, edges, alpha=opacity, **_look(column))
    lowest = 0.7  # below a count of one
    axis.set(xlim=(0, 1.02 * edges[-1]), yscale="log", ylim=(lowest, 8 * highest))
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.yaxis.set_minor_formatter("")
    axis.legend(handles.values(), handles, loc="upper right")
    plain_axis(axis.xaxis)


def _look(column: str) -> dict:
    component = int(column.rsplit("_", 1)[1]) if column.startswith("distance") else 0
    return look_of("ood" if "_ood" in column else "test", component)
