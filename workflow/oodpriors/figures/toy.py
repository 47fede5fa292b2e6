"""Flows in two dimensions (Figures 1 and 2)."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch

from oodpriors.figures.sheet import COLOURS, SETS, bottom_legend, in_panel, plain_axis, save, sheet
from oodpriors.io.files import load_json
from oodpriors.io.tables import read_parquet

SPACES = {"latent": ("z", "latent space"), "data": ("x", "data space")}
DENSITIES = {"prior": "prior_log_prob", "data": "log_prob_true"}
COLOURS_OF = {"prior": ("0.3", "0.7"), "data": ("#D55E00", "#F0E442")}
HATCHES = ("////", "....")
TOLERANCE = 0.5  # nats, of typical sets
FLATNESS = 0.7  # height of a panel over its width


class Plane(NamedTuple):
    """A flow of two dimensions on a grid of either space.

    Attributes:
        data: ``x_1``, ``x_2``, ``log_prob_true`` and ``prior_log_prob``.
        latent: ``z_1``, ``z_2``, ``log_prob_true`` and ``prior_log_prob``.
        entropy: of the prior, nats.
    """

    data: pd.DataFrame
    latent: pd.DataFrame
    entropy: float


def draw_topology(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Typical sets of the configuration's flows, see :mod:`oodpriors.figures.sheet`."""
    facts = [load_json(path) for path in files["facts"]]
    tables = [[read_parquet(path) for path in files[n]] for n in ("densities", "latents")]
    entropies = [each["prior_entropy"] for each in facts]
    planes = map(Plane, *tables, entropies)
    titled = dict(zip(_titles(about), planes, strict=True))
    plot_topology(titled, -facts[0]["exact_test"], note, paths)


def draw_contours(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Densities of the configuration's flows, see :mod:`oodpriors.figures.sheet`."""
    tables = [read_parquet(path) for path in files["densities"]]
    points = read_parquet(files["scores"][0])
    lowest, highest = about["entry"]["levels"]
    titled = dict(zip(_titles(about), tables, strict=True))
    true = load_json(files["contours"][0])["lowest_true"]
    plot_contours(titled, points, range(lowest, highest + 1), true, note, paths)


def _titles(about: Mapping) -> list[str]:
    titles = [about["titles"]["priors"][model.split("/")[2]] for model in about["models"]]
    return titles if len(set(titles)) == len(titles) else about["models"]


def _surface(table: pd.DataFrame, axes: str, values: str) -> tuple[np.ndarray, ...]:
    """A column on its grid, (n,), (n,) and (n, n)."""
    square = table.pivot_table(index=f"{axes}_2", columns=f"{axes}_1", values=values)
    return square.columns.to_numpy(), square.index.to_numpy(), square.to_numpy()


def plot_topology(
    planes: Mapping[str, Plane], data_entropy: float, note: str, paths: list[Path]
) -> None:
    r"""Where a flow takes the typical sets of the prior and of the data (Figure 1).

    A row for each prior: latent space, with the way back of the data's areas, and data
    space, with the way there of the prior's. The typical set of a density p with
    entropy H is :math:`|-\log p - H| < \epsilon` with an :math:`\epsilon` of TOLERANCE, and
    what is likelier still is the high-likelihood area.

    Args:
        planes: by the prior's title.
        data_entropy: of the data, nats.
        note: which data and which scale, above the panels.
        paths: files to write; the format follows the suffix.
    """
    figure, axes = sheet(len(planes), 2, 2.5 * len(planes) + 0.7, note)
    reaches = []
    letters = iter("abcdefgh")
    for row, (title, plane) in zip(axes, planes.items(), strict=True):
        entropies = {"prior": plane.entropy, "data": data_entropy}
        for axis, (space, (letter, name)) in zip(row, SPACES.items(), strict=True):
            reaches.append(_draw_areas(axis, getattr(plane, space), letter, entropies))
            axis.set_title(in_panel(f"({next(letters)}) {title}: {name}", 2))
    # all data spaces are one space, and all latent spaces are others
    reaches[1::2] = [max(reaches[1::2])] * len(planes)
    for axis, width in zip(axes.flat, reaches, strict=True):
        axis.set(xlim=(-width, width), ylim=(-FLATNESS * width, FLATNESS * width))
    bottom_legend(figure, _area_handles())
    save(figure, paths)


def _draw_areas(axis, table: pd.DataFrame, letter: str, entropies: Mapping[str, float]) -> float:
    """The areas at home in this space as surfaces, and those of the other hatched over them.

    Returns:
        Half the width of a panel that shows them.
    """
    shown = np.zeros(len(table), dtype=bool)
    for whose in ("prior", "data") if letter == "z" else ("data", "prior"):
        log_prob = table[DENSITIES[whose]]
        below, above = -entropies[whose] - TOLERANCE, -entropies[whose] + TOLERANCE
        levels = [below, above, max(above, log_prob.max()) + 1]
        surface = _surface(table, letter, DENSITIES[whose])
        if not shown.any():
            axis.contourf(*surface, levels, colors=COLOURS_OF[whose], antialiased=True)
        else:
            hatched = axis.contourf(*surface, levels, colors="none", hatches=HATCHES)
            hatched.set(edgecolor=COLOURS_OF[whose], linewidth=0)
            axis.contour(*surface, levels[:2], colors=COLOURS_OF[whose], linewidths=1.2)
        shown |= log_prob > below
    reach = table.loc[shown, [f"{letter}_1", f"{letter}_2"]].abs().max() * 1.1
    axis.set(aspect="equal", xlabel=f"{letter}₁", ylabel=f"{letter}₂")
    plain_axis(axis.xaxis)
    plain_axis(axis.yaxis)
    return max(reach.iloc[0], reach.iloc[1] / FLATNESS)


def _area_handles() -> dict[str, Patch]:
    areas = {
        f"{whose}: {kind}": Patch(facecolor=colour)
        for whose, colours in COLOURS_OF.items()
        for kind, colour in zip(("typical set", "high-likelihood area"), colours, strict=True)
    }
    mapped: dict = {"facecolor": "white", "edgecolor": "0.3", "linewidth": 0}
    kinds = ("typical set, mapped by the flow", "high-likelihood area, mapped")
    hatched = {kind: Patch(hatch=h, **mapped) for kind, h in zip(kinds, HATCHES, strict=True)}
    return areas | hatched


def plot_contours(
    grids: Mapping[str, pd.DataFrame],
    points: pd.DataFrame,
    levels: range,
    true: float,
    note: str,
    paths: list[Path],
) -> None:
    """Log-likelihoods of flows on a plane, and the points of both sets (Figure 2).

    Args:
        grids: ``x_1``, ``x_2``, ``log_prob`` and ``log_prob_true``, by the prior's title.
        points: ``set`` (test or ood), ``x_1`` and ``x_2``.
        levels: the contours, nats.
        true: contour of the true density, nats.
        note, paths: see :func:`plot_topology`.
    """
    figure, axes = sheet(1, len(grids) + 1, 3.2, note, sharex=True, sharey=True)
    colours = ListedColormap(plt.get_cmap("viridis_r")(np.linspace(0.1, 1, len(levels))))
    norm = BoundaryNorm(np.arange(levels.start - 0.5, levels.stop), len(levels))
    lines = {"levels": levels, "cmap": colours, "norm": norm, "linewidths": 0.9}
    for axis, grid in zip(axes.flat, grids.values(), strict=False):
        axis.contour(*_surface(grid, "x", "log_prob"), **lines)
    mappable = plt.cm.ScalarMappable(norm, colours)
    bar = figure.colorbar(mappable, ax=axes, location="bottom", ticks=levels, aspect=70)
    bar.set_label("contours (a, b): log-likelihood (nats per point)")
    bar.ax.xaxis.set_major_formatter("{x:.0f}")
    bar.ax.tick_params(which="both", length=0)
    for which, name in SETS.items():
        chosen = points[points["set"] == which]
        look = {"s": 3, "linewidths": 0, "color": COLOURS[which, 0], "label": name}
        axes[0, -1].scatter(chosen["x_1"], chosen["x_2"], rasterized=True, **look)
    line: dict = {"colors": "0.5", "linestyles": "--", "linewidths": 0.9}
    for axis in axes.flat:
        axis.contour(*_surface(next(iter(grids.values())), "x", "log_prob_true"), [true], **line)
    axes[0, -1].plot([], [], color="0.5", linestyle="--", label="99 % of the true probability")
    axes[0, -1].legend(loc="upper center", markerscale=3, ncols=1)
    for letter, axis, title in zip("abcdefgh", axes.flat, [*grids, "points"], strict=False):
        axis.set(xlabel="x₁", aspect="equal")
        axis.set_title(in_panel(f"({letter}) {title}", len(grids) + 1))
    axes[0, 0].set_ylabel("x₂")
    plain_axis(axes[0, 0].xaxis)
    plain_axis(axes[0, 0].yaxis)
    save(figure, paths)
