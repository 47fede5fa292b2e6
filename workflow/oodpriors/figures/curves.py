"""Likelihoods over the distance of two components (Figure 6)."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from oodpriors.figures.sheet import SETS, bottom_legend, in_panel, log_axis, look_of, save, sheet
from oodpriors.tables.cells import read_table

TURNING = "AUROC of 0.5, at the turning distance"
MARKERS = "os^vP*"
REFINED = {"markerfacecolor": "white", "linestyle": "-."}


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Curves of the configuration, see :mod:`oodpriors.figures.sheet`."""
    table = read_table(files["table"])
    table = table[table["curve"].isin(about["entry"]["curves"])]
    if table.drop_duplicates("curve").duplicated(["architecture", "component"]).any():
        table = table.assign(component=table["curve_title"])
    plot_curves(table, note, paths)


def plot_curves(table: pd.DataFrame, note: str, paths: list[Path]) -> None:
    """Mean log-likelihoods, and AUROC, over the distance of two components (Figure 6).

    Args:
        table: a row per model: ``curve``, ``architecture`` (a column of panels),
            ``component`` (its kind), ``distance``, ``midpoint_charge`` (what a Gaussian
            charges a point midway, d^2 / 8 nats), ``mean_ood``, ``mean_test`` and
            ``auroc``, each also with ``_low`` and ``_high``, and ``turning_distance``,
            where the curve's AUROC reaches 0.5 (NaN: nowhere); ``mean_ood_refined`` and
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
        handles |= _draw_means(axes[0, column], curves) | _draw_aurocs(axes[1, column], curves)
        axes[1, column].set_xlabel("distance d between the two components")
    _scale_curves(axes, table)
    bottom_legend(figure, {name: handles[name] for name in sorted(handles, key=_column)})
    save(figure, paths)


def _column(label: str) -> bool:
    """The left column of the legend is about the set out of distribution."""
    return label.endswith(SETS["test"]) or label == TURNING


def _interval(axis, curve: pd.DataFrame, name: str, **look):
    low, high = curve[name] - curve[f"{name}_low"], curve[f"{name}_high"] - curve[name]
    look = {"markersize": 3.5, "linewidth": 1.1, "elinewidth": 1, "capsize": 2} | look
    return axis.errorbar(curve["distance"], curve[name], np.maximum([low, high], 0), **look)


def _marked(number: int, which: str) -> dict:
    return look_of(which, number) | {"marker": MARKERS[number % len(MARKERS)]}


def _draw_means(axis, curves: Mapping[str, pd.DataFrame]) -> dict:
    """Means of both sets, and the first curve's start less the charge; handles by label."""
    handles = {}
    for number, (name, curve) in enumerate(curves.items()):
        for which, opacity in (("ood", 1), ("test", 0.5)):
            look = _marked(number, which) | {"alpha": opacity}
            handles[f"{name}, {SETS[which]}"] = _interval(axis, curve, f"mean_{which}", **look)
        look = _marked(number, "ood") | REFINED
        if drawn := _refined_interval(axis, curve, "mean_ood", **look):
            handles[f"{name}, refined, {SETS['ood']}"] = drawn
    name, first = next(iter(curves.items()))
    if len(first):
        start = f"{name} at d = {first['distance'].iloc[0]:g}, less d²/8"
        guide = first["mean_ood"].iloc[0] - first["midpoint_charge"]
        handles[start] = axis.plot(first["distance"], guide, color="0.3", linestyle=":")[0]
    return handles


def _refined_interval(axis, curve: pd.DataFrame, name: str, **look):
    """The same number with refined posteriors, where the curve has it; None if nowhere."""
    column = f"{name}_refined"
    rows = curve.dropna(subset=column) if column in curve else curve.head(0)
    return _interval(axis, rows, column, **look) if len(rows) else None


def _draw_aurocs(axis, curves: Mapping[str, pd.DataFrame]) -> dict:
    """AUROCs, and where they turn; the handle of that by label."""
    diamond: dict = {
        "marker": "D",
        "markersize": 5,
        "linestyle": "none",
        "markerfacecolor": "white",
    }
    axis.axhline(0.5, color="0.6", linewidth=0.8)
    for number, curve in enumerate(curves.values()):
        look = _marked(number, "ood")
        _interval(axis, curve, "auroc", **look)
        _refined_interval(axis, curve, "auroc", **look | REFINED)
        for turning in curve["turning_distance"].dropna().head(1):
            axis.vlines(turning, 0, 0.5, color=look["color"], linestyle=":", linewidth=1)
            axis.plot(turning, 0.5, color=look["color"], zorder=4, **diamond)
    return {TURNING: plt.Line2D([], [], color="0.3", **diamond)}


def _scale_curves(axes: np.ndarray, table: pd.DataFrame) -> None:
    """Logarithmic means over square roots of distances, which are dense near 0."""
    # an upper end can be above 0, where there is no logarithmic axis: it is cut off
    means = table.filter(regex=r"^mean_\w+$")
    lows, values = means.filter(like="_low"), means.filter(regex="_(ood|test|refined)$")
    log_axis(axes[0, 0].yaxis, 1.4 * lows.min().min(), values.max().max() / 1.4)
    axes[0, 0].set_ylabel("mean log-likelihood\n(nats per image)")
    axes[1, 0].set(ylabel="AUROC", ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
    roots = np.unique(np.sqrt(table["distance"]))
    ticks = _square(_apart(roots, 0.05 * roots[-1]))
    axes[1, 0].set_xscale("function", functions=(_root, _square))
    axes[1, 0].set_xlim(_square(np.array([-0.03, 1.03]) * roots[-1]))
    axes[1, 0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[1, 0].xaxis.set_minor_locator(plt.NullLocator())


def _root(distance: np.ndarray) -> np.ndarray:
    return np.sign(distance) * np.sqrt(np.abs(distance))


def _square(root: np.ndarray) -> np.ndarray:
    return root * np.abs(root)


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Those places, from the first on, between which labels fit."""
    kept = [places[0]]
    for place in places[1:]:
        if place - kept[-1] > gap:
            kept.append(place)
    return np.array(kept)
