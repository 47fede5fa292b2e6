"""Likelihoods over the distance of two components (Figure 6)."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from oodpriors.figures.sheet import (
    SETS,
    apart,
    bottom_legend,
    in_panel,
    log_axis,
    look_of,
    save,
    sheet,
)
from oodpriors.tables.cells import read_table

TURNING = "AUROC of 0.5, at the turning distance"
FEW = 3  # trainings, from which a marker is filled
HOLLOW = f"hollow: fewer than {FEW} trainings"
MARKERS = {"ood": "osP", "test": "^v*"}
REFINED = {"marker": "x", "linestyle": "-.", "linewidth": 0.9}


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Curves of the configuration, see :mod:`oodpriors.figures.sheet`."""
    table = read_table(files["table"])
    table = table[table["curve"].isin(about["entry"]["curves"])]
    if table.drop_duplicates("curve").duplicated(["architecture", "component"]).any():
        table = table.assign(component=table["curve_title"])
    plot_curves(table, note, paths)


def plot_curves(table: pd.DataFrame, note: str, paths: list[Path]) -> None:
    """Median log-likelihoods, and AUROC, over the distance of two components (Figure 6).

    Means are not drawn, since few images with very low likelihoods can decide them.

    Args:
        table: a row per model: ``curve``, ``architecture`` (a column of panels),
            ``component`` (its kind), ``distance``, ``trainings`` (their number),
            ``midpoint_charge`` (what a Gaussian charges a point midway, d^2 / 8 nats);
            ``median_ood``, ``lower_quartile_ood`` and ``upper_quartile_ood``, and those of
            test; ``auroc``, also with ``_low`` and ``_high``; and ``turning_distance``, where
            the curve's AUROC reaches 0.5 (NaN: nowhere); ``median_ood_refined`` and
            ``auroc_refined`` are drawn where there are any.
        note, paths: see :func:`oodpriors.figures.histograms.plot_histograms`.
    """
    architectures = list(dict.fromkeys(table["architecture"]))
    components = list(dict.fromkeys(table["component"]))
    options = {"sharex": True, "sharey": "row", "height_ratios": [1.6, 1]}
    figure, axes = sheet(2, len(architectures), 4.6, note, **options)
    handles: dict = {}
    for column, architecture in enumerate(architectures):
        rows = table[table["architecture"] == architecture]
        curves = {n: rows[rows["component"] == n].sort_values("distance") for n in components}
        title = f"({chr(ord('a') + column)}) {architecture}"
        axes[0, column].set_title(in_panel(title, len(architectures)))
        handles |= _draw_medians(axes[0, column], curves) | _draw_aurocs(axes[1, column], curves)
        axes[1, column].set_xlabel("distance d (square-root scale)")
    if (table["trainings"] < FEW).any():
        look: dict = {"marker": "o", "linestyle": "none", "markerfacecolor": "white"}
        handles[HOLLOW] = plt.Line2D([], [], color="0.3", markersize=4, **look)
    _scale_curves(axes, table)
    bottom_legend(figure, {name: handles[name] for name in sorted(handles, key=_column)})
    save(figure, paths)


def _column(label: str) -> bool:
    """The left column of the legend is about the set out of distribution."""
    return label.endswith(SETS["test"]) or label in (TURNING, HOLLOW)


def _marked(number: int, which: str) -> dict:
    marker = MARKERS[which][number % len(MARKERS[which])]
    return look_of(which, number) | {"marker": marker, "markersize": 4, "linewidth": 1.1}


def _draw_markers(axis, curve: pd.DataFrame, name: str, **look):
    """A line with a marker for each model, hollow for one of few trainings."""
    few = curve["trainings"] < FEW
    (line,) = axis.plot(curve["distance"], curve[name], **look)
    hollow = look | {"linestyle": "none", "markerfacecolor": "white"}
    axis.plot(curve["distance"][few], curve[name][few], **hollow)
    return line


def _draw_medians(axis, curves: Mapping[str, pd.DataFrame]) -> dict:
    """Medians of both sets between quartiles, and the first start less the charge, by label."""
    handles = {}
    for number, (name, curve) in enumerate(curves.items()):
        for which in SETS:
            look = _marked(number, which)
            quartiles = (curve[f"{end}_quartile_{which}"] for end in ("lower", "upper"))
            band: dict = {"color": look["color"], "alpha": 0.15, "linewidth": 0}
            axis.fill_between(curve["distance"], *quartiles, **band)
            handles[f"{name}, {SETS[which]}"] = _draw_markers(
                axis, curve, f"median_{which}", **look
            )
        if len(refined := _refined(curve)):
            look = _marked(number, "ood") | REFINED
            (line,) = axis.plot(refined["distance"], refined["median_ood_refined"], **look)
            handles[f"{name}, refined posterior, {SETS['ood']}"] = line
    name, first = next(iter(curves.items()))
    if len(first):
        start = f"{name} at d = {first['distance'].iloc[0]:g}, less d²/8"
        guide = first["median_ood"].iloc[0] - first["midpoint_charge"]
        handles[start] = axis.plot(first["distance"], guide, color="0.3", linestyle=":")[0]
    return handles


def _refined(curve: pd.DataFrame) -> pd.DataFrame:
    """The models with refined posteriors."""
    has = "auroc_refined" in curve
    return curve.dropna(subset="auroc_refined") if has else curve.head(0)


def _draw_aurocs(axis, curves: Mapping[str, pd.DataFrame]) -> dict:
    """AUROCs with intervals, and where they turn; the handle of that by label."""
    diamond: dict = {"marker": "D", "markersize": 5, "linestyle": "none"}
    axis.axhline(0.5, color="0.6", linewidth=0.8)
    handles: dict = {}
    for number, curve in enumerate(curves.values()):
        look = _marked(number, "ood")
        ends = (curve["auroc_low"], curve["auroc_high"])
        axis.vlines(curve["distance"], *ends, color=look["color"], linewidth=1)
        _draw_markers(axis, curve, "auroc", **look)
        refined = _refined(curve)
        if len(refined):
            axis.plot(refined["distance"], refined["auroc_refined"], **look | REFINED)
        # 0 where the curve starts above 0.5
        for turning in curve["turning_distance"].head(1).loc[lambda place: place > 0]:
            axis.vlines(turning, 0, 0.5, color=look["color"], linestyle=":", linewidth=1)
            axis.plot(
                turning, 0.5, color=look["color"], zorder=4, markeredgecolor="black", **diamond
            )
            handles[TURNING] = plt.Line2D([], [], color="0.6", markeredgecolor="black", **diamond)
    return handles


def _scale_curves(axes: np.ndarray, table: pd.DataFrame) -> None:
    """Logarithmic likelihoods over square roots of distances, which are dense near 0."""
    quartiles = table.filter(regex=r"^(lower|upper)_quartile_(ood|test)$")
    medians = table.filter(regex=r"^median_")
    lowest = min(quartiles.min().min(), medians.min().min())
    # an upper end can be above 0, where there is no logarithmic axis: it is cut off
    log_axis(axes[0, 0].yaxis, 1.4 * lowest, medians.max().max() / 1.4)
    axes[0, 0].set_ylabel("median log-likelihood\n(nats per image, log scale)")
    axes[1, 0].set(ylabel="AUROC", ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
    roots = np.unique(np.sqrt(table["distance"]))
    ticks = _square(apart(roots, 0.05 * roots[-1]))
    axes[1, 0].set_xscale("function", functions=(_root, _square))
    axes[1, 0].set_xlim(_square(np.array([-0.03, 1.03]) * roots[-1]))
    axes[1, 0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[1, 0].xaxis.set_minor_locator(plt.NullLocator())


def _root(distance: np.ndarray) -> np.ndarray:
    return np.sign(distance) * np.sqrt(np.abs(distance))


def _square(root: np.ndarray) -> np.ndarray:
    return root * np.abs(root)
