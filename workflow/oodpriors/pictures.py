"""Figures of pixels and images: distances to means, decoded images, clusters."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from oodpriors.figures import COLOURS, LINES
from oodpriors.panels import (
    bottom_legend,
    draw_steps,
    inner_legend,
    plain_axis,
    save,
    sheet,
)

__all__ = [
    "decoded_rows",
    "pixel_titles",
    "plot_clusters",
    "plot_decoded",
    "plot_pixel_distances",
]

BINS = 40
DWARFED = 3  # times as high as all others is too high
GAP = 2  # pixels between images
IMAGES_A_LINE, MOST_LINES = 10, 2
CLUSTERS = ("#56B4E9", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#D55E00")


def pixel_titles(table: pd.DataFrame, names: Mapping[str, str]) -> dict[str, str]:
    """Legends of the columns of :func:`plot_pixel_distances`.

    Args:
        table: see there.
        names: of the sets, by test and ood.
    """
    variances = {f"variance_{which}": name for which, name in names.items()}
    distances = [column for column in table if column.startswith("distance_")]
    components = {c: f"component {int(c.split('_')[-1]) + 1}" for c in distances}
    return components | variances


def plot_pixel_distances(
    table: pd.DataFrame, titles: Mapping[str, str], note: str, paths: list[Path]
) -> None:
    """Histograms over pixels: distances to the components' mean images, and variances (Figure 7).

    Where the first bin, of pixels that hardly vary, would dwarf all others, it is cut
    off and its legend says how far it goes. Panels (a) and (b) have equal axes.

    Args:
        table: a row per pixel: ``distance_<set>_<k>`` and ``variance_<set>``, where the
            set out of distribution is ``ood``; NaN where a component has no image.
        titles: legend of each column to draw.
        note, paths: see :func:`plot_topology`.
    """
    distances = [column for column in titles if column.startswith("distance")]
    inside, outside = ([c for c in distances if ("_ood" in c) == out] for out in (False, True))
    variances = [column for column in titles if column not in distances]
    figure, ((first, second, third),) = sheet(1, 3, 2.4, note)
    for axis, columns, alike in (
        (first, inside, distances),
        (second, outside, distances),
        (third, variances, variances),
    ):
        _draw_pixels(axis, table[alike], {column: titles[column] for column in columns})
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
    tone = int(column.rsplit("_", 1)[1]) % len(LINES) if column.startswith("distance") else 0
    which = "ood" if "_ood" in column else "test"
    return {"color": COLOURS[which, tone], "linestyle": LINES[tone]}


def decoded_rows(
    name: str, decoded: Mapping[str, np.ndarray], images: np.ndarray, components: np.ndarray
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Rows of :func:`plot_decoded` of one model.

    Args:
        name: of the model.
        decoded: ``means`` (K, C, H, W) and ``samples`` (n, C, H, W) in [0, 1].
        images: training images, (N, H, W) or (N, H, W, 3) in [0, 1].
        components: their assigned components, (N,).
    """
    means, samples = (_channels_last(decoded[which]) for which in ("means", "samples"))
    if len(means) == 1:
        return [(name, means, samples)]
    return [
        (f"{name}, component {k + 1}", means[k : k + 1], images[components == k][: len(samples)])
        for k in range(len(means))
    ]


def _channels_last(images: np.ndarray) -> np.ndarray:
    return images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)


def plot_decoded(
    rows: Sequence[tuple[str, np.ndarray, np.ndarray]],
    headings: tuple[str, str],
    note: str,
    paths: list[Path],
) -> None:
    """Images of means beside data or samples, a row for each component (Figures 11, 12).

    Args:
        rows: label, images on the left and images on the right, each (n, H, W) or
            (n, H, W, 3) in [0, 1]; of those on the right, as many as fill two lines.
        headings: of the left and the right images.
        note, paths: see :func:`plot_topology`.
    """
    left = max(len(images) for _, images, _ in rows)
    right = min(max(len(images) for _, _, images in rows), max(1, IMAGES_A_LINE - left))
    rows = [(label, means, images[: MOST_LINES * right]) for label, means, images in rows]
    lines = [max(1, -(-len(images) // right)) for _, _, images in rows]
    height = min(5.5 / (left + right), 0.8) * sum(lines) + 0.08 * len(rows) + 0.6
    wide = np.shape(rows[0][1])[2] + GAP
    ratios = {"width_ratios": [left * wide - GAP, right * wide - GAP], "height_ratios": lines}
    figure, axes = sheet(len(rows), 2, height, note, **ratios)
    for (label, *images), pair in zip(rows, axes, strict=True):
        for axis, pictures, columns in zip(pair, images, (left, right), strict=True):
            _show(axis, pictures, columns)
        pair[0].set_ylabel(textwrap.fill(label, 18), rotation=0, ha="right", va="center")
    for axis, heading in zip(axes[0], headings, strict=True):
        axis.set_title(heading)
    save(figure, paths)


def _show(axis, images: np.ndarray, columns: int) -> tuple[int, int]:
    """Draw images in lines of so many, on white; the size of a place, with its gap."""
    pictures = _rgb(images)
    n, height, width, _ = pictures.shape
    tall, wide = height + GAP, width + GAP
    canvas = np.ones((max(1, -(-n // columns)) * tall - GAP, columns * wide - GAP, 3))
    for i, picture in enumerate(pictures):
        top, left = i // columns * tall, i % columns * wide
        canvas[top : top + height, left : left + width] = picture
    axis.imshow(canvas, interpolation="nearest")
    axis.set(xticks=[], yticks=[], anchor="NW")
    axis.spines[:].set_visible(False)
    return tall, wide


def _rgb(images: np.ndarray) -> np.ndarray:
    pictures = np.asarray(images, dtype=float)
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    if pictures.ndim != 4 or pictures.shape[-1] not in (1, 3):
        raise ValueError(f"images must be (n, H, W) or (n, H, W, 3), got {np.shape(images)}")
    return np.broadcast_to(pictures.clip(0, 1), (*pictures.shape[:3], 3))


def plot_clusters(
    samples: Mapping[str, Sequence[np.ndarray]],
    variances: pd.DataFrame,
    used: int,
    note: str,
    paths: list[Path],
) -> None:
    """Images of each cluster, and variances of its dimensions (Figure 13).

    Args:
        samples: images of each cluster in turn, (n, H, W) or (n, H, W, 3) in [0, 1], by
            label.
        variances: ``label``, ``cluster`` (a number from 0, or all), ``dimension`` and
            ``variance``.
        used: number of the cluster that models learn.
        note, paths: see :func:`plot_topology`.
    """
    height = 2.0 * len(samples) + 0.6
    figure, axes = sheet(len(samples), 2, height, note, width_ratios=[1.3, 1])
    letters, handles = iter("abcdefgh"), {}
    for (label, clusters), (left, right) in zip(samples.items(), axes, strict=True):
        _show_clusters(left, clusters, used)
        own = variances[variances["label"].astype(str) == str(label)]
        handles |= _draw_variances(right, own, used)
        for axis, what in ((left, "images"), (right, "variances")):
            axis.set_title(f"({next(letters)}) label {label}: {what}")
        right.set(xlabel="variance of a dimension", ylabel="dimensions")
    bottom_legend(figure, handles)
    save(figure, paths)


def _show_clusters(axis, clusters: Sequence[np.ndarray], used: int) -> None:
    """A row of images for each cluster; a frame around those of the used one."""
    columns = max(len(images) for images in clusters)
    padded = [
        np.concatenate([_rgb(x), np.ones((columns - len(x), *_rgb(x).shape[1:]))]) for x in clusters
    ]
    tall, wide = _show(axis, np.concatenate(padded), columns)
    names = [f"cluster {k + 1}" + (" (used)" if k == used else "") for k in range(len(clusters))]
    axis.set_yticks([(k + 0.5) * tall - GAP / 2 for k in range(len(clusters))], names)
    axis.tick_params(left=False)
    corner = (-GAP / 2 - 0.5, used * tall - GAP / 2 - 0.5)
    frame = {"edgecolor": _cluster_colour(used), "facecolor": "none", "linewidth": 1.5}
    axis.add_patch(Rectangle(corner, columns * wide, tall, clip_on=False, **frame))


def _cluster_colour(number: int) -> str:
    return CLUSTERS[number % len(CLUSTERS)]


def _draw_variances(axis, table: pd.DataFrame, used: int) -> dict:
    """Histograms of the clusters and of the whole label; their handles by name."""
    edges = np.linspace(0, table["variance"].max() or 1, BINS + 1)
    handles = {}
    for cluster, part in table.groupby(table["cluster"].astype(str)):
        look = {"label": "whole label", "color": "black", "linestyle": "--", "alpha": 0}
        if cluster != "all":
            number = int(cluster)
            look = {"label": f"cluster {number + 1}", "color": _cluster_colour(number)}
            look["alpha"] = 0.25 if number == used else 0
        handles[look["label"]] = draw_steps(axis, part["variance"], edges, **look)
    axis.set(xlim=(0, edges[-1]), ylim=(0, None))
    plain_axis(axis.xaxis)
    plain_axis(axis.yaxis)
    return handles
