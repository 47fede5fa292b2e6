"""Clusters of each label and their variances (Figure 13)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from oodpriors.data.datasets import load_arrays
from oodpriors.figures.images import GAP, rgb, show_images
from oodpriors.figures.pixels import BINS
from oodpriors.figures.sheet import LINES, bottom_legend, draw_steps, plain_axis, save, sheet
from oodpriors.io.tables import read_csv

CLUSTERS = ("#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Clusters of the configuration's subset, see :mod:`oodpriors.figures.sheet`."""
    pictures = load_arrays(files["pictures"])
    samples = {name.removeprefix("label_"): [*images] for name, images in pictures.items()}
    table = read_csv(files["table"])
    plot_clusters(samples, table, about["keep"], about["classes"], note, paths)


def plot_clusters(
    samples: Mapping[str, Sequence[np.ndarray]],
    variances: pd.DataFrame,
    used: int | None,
    classes: Mapping[str, str],
    note: str,
    paths: list[Path],
) -> None:
    """Images of each cluster, and variances of its dimensions (Figure 13).

    Args:
        samples: images of each cluster in turn, (n, H, W) or (n, H, W, 3) in [0, 1], by
            label.
        variances: ``label``, ``cluster`` (a number from 0, or all), ``dimension`` and
            ``variance``.
        used: number of the cluster that models learn; None if they learn all.
        classes: names of labels; others keep their numbers.
        note, paths: see :func:`oodpriors.figures.toy.plot_topology`.
    """
    height = 1.8 * len(samples) + 0.6
    figure, axes = sheet(len(samples), 2, height, note, width_ratios=[1.8, 1])
    handles: dict = {}
    letters = iter("abcdefgh")
    for (label, clusters), (left, right) in zip(samples.items(), axes, strict=True):
        _show_clusters(left, clusters, used)
        own = variances[variances["label"].astype(str) == str(label)]
        handles |= _draw_variances(right, own, used)
        for axis, what in ((left, "images"), (right, "variances")):
            axis.set_title(f"({next(letters)}) {classes.get(label, f'label {label}')}: {what}")
        right.set(xlabel="variance of a dimension", ylabel="dimensions")
    bottom_legend(figure, handles)
    save(figure, paths)


def _show_clusters(axis, clusters: Sequence[np.ndarray], used: int | None) -> None:
    """A row of images for each cluster; a frame around those of the used one, if any."""
    columns = max(len(images) for images in clusters)
    padded = [
        np.concatenate([rgb(x), np.ones((columns - len(x), *rgb(x).shape[1:]))]) for x in clusters
    ]
    tall, wide = show_images(axis, np.concatenate(padded), columns)
    names = [f"cluster {k + 1}" + (" (used)" if k == used else "") for k in range(len(clusters))]
    axis.set_yticks([(k + 0.5) * tall - GAP / 2 for k in range(len(clusters))], names)
    axis.tick_params(left=False)
    if used is None:
        return
    corner = (-GAP / 2 - 0.5, used * tall - GAP / 2 - 0.5)
    frame: dict = {"edgecolor": _cluster_colour(used), "facecolor": "none", "linewidth": 1.5}
    axis.add_patch(Rectangle(corner, columns * wide, tall, clip_on=False, **frame))


def _cluster_colour(number: int) -> str:
    return CLUSTERS[number % len(CLUSTERS)]


def _draw_variances(axis, table: pd.DataFrame, used: int | None) -> dict:
    """Histograms of the clusters and of the whole label; their handles by name."""
    edges = np.linspace(0, table["variance"].max() or 1, BINS + 1)
    handles = {}
    for cluster, part in table.groupby(table["cluster"].astype(str)):
        look: dict = {"label": "whole label", "color": "black", "linewidth": 1.6, "alpha": 0}
        if cluster != "all":
            number = int(cluster)
            look = {"label": f"cluster {number + 1}", "color": _cluster_colour(number)}
            look["linestyle"] = LINES[number % len(LINES)]
            look["alpha"] = 0.25 if number == used else 0
        handles[look["label"]] = draw_steps(axis, part["variance"], edges, **look)
    axis.set(xlim=(0, edges[-1]), ylim=(0, None))
    plain_axis(axis.xaxis)
    plain_axis(axis.yaxis)
    return handles
