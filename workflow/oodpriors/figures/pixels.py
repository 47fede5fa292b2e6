"""Distances to mean images and variances, pixel by pixel (Figure 7)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from oodpriors.figures.sheet import (
    draw_steps,
    inner_legend,
    look_of,
    plain_axis,
    save,
    sheet,
)

BINS = 40
DWARFED = 3  # times as high as all others is too high


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Pixels of the configuration's model, see :mod:`oodpriors.figures.sheet`."""
    plot_pixel_distances(pd.read_csv(files["table"]), about["sets"], note, paths)


def plot_pixel_distances(
    table: pd.DataFrame, names: Mapping[str, str], note: str, paths: list[Path]
) -> None:
    """Histograms over pixels: distances to the components' mean images, and variances (Figure 7).

    Where the first bin, of pixels that hardly vary, would dwarf all others, it is cut
    off and its legend says how far it goes. Panels (a) and (b) have equal axes.

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
        axis.set(xlabel="mean squared distance", ylim=(0, _top(first, second)))
    third.set(title="(c) variance", xlabel="variance")
    first.set(title="(a) in distribution", ylabel="pixels")
    second.set_title("(b) out of distribution")
    for axis in (first, second, third):
        _say_what_is_cut(axis)
    save(figure, paths)


def _draw_pixels(axis, table: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Histograms of the named columns, on axes that suit all columns of the table."""
    edges = np.linspace(0, table.max().max() or 1, BINS + 1)
    counts = np.stack([np.histogram(column.dropna(), edges)[0] for _, column in table.items()])
    rest, highest = counts[:, 1:].max(), counts.max()
    handles = {
        label: draw_steps(axis, table[column].dropna(), edges, **_look(column))
        for column, label in titles.items()
    }
    axis.set(xlim=(0, edges[-1]), ylim=(0, rest if highest > DWARFED * rest > 0 else highest))
    inner_legend(axis, handles, 3, "upper right", " ")
    plain_axis(axis.xaxis)


def _top(*axes) -> float:
    return max(axis.get_ylim()[1] for axis in axes)


def _say_what_is_cut(axis) -> None:
    firsts = [int(patch.get_data()[0][0]) for patch in axis.patches]
    heading = f"cut off; first bins: {', '.join(f'{count:,}' for count in firsts)}"
    axis.get_legend().set_title(heading if max(firsts) > _top(axis) else None)


def _look(column: str) -> dict:
    component = int(column.rsplit("_", 1)[1]) if column.startswith("distance") else 0
    return look_of("ood" if "_ood" in column else "test", component)
