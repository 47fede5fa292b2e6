"""Figures, drawn from stored scores only."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from oodpriors.files import atomic
from oodpriors.statistics import ScoreTable

__all__ = ["Series", "histogram_panels", "plot_histograms", "save", "style"]

# Okabe and Ito's colour-blind-safe palette: blue and vermilion, and a light tone of each.
COLOURS = {
    ("test", 0): "#0072B2",
    ("ood", 0): "#D55E00",
    ("test", 1): "#56B4E9",
    ("ood", 1): "#E69F00",
}
LINES = ("-", "--", "-.", ":")
SHOWN = 0.995
MOST_BINS = 60
HEADROOM = 1.55  # for the legend


class Series(NamedTuple):
    """One set under one model."""

    label: str
    scores: ScoreTable
    which: str
    model: int

    @property
    def values(self) -> np.ndarray:
        """Log-likelihoods of all seeds together."""
        runs = range(len(self.scores.tables))
        return np.concatenate([self.scores.values(run, self.which) for run in runs])


def style() -> None:
    """Fonts and lines of all figures."""
    sns.set_theme(
        context="paper",
        style="ticks",
        rc={
            "font.size": 9,
            "axes.labelsize": 9,
            "axes.titlesize": 9,
            "legend.fontsize": 7.5,
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "pdf.fonttype": 42,
            "savefig.dpi": 200,
        },
    )


def histogram_panels(
    panels: Mapping[str, list[str]], scores: Mapping[str, ScoreTable], titles: Mapping
) -> dict[str, list[Series]]:
    """Log-likelihoods of both sets of each model, named by prior and images.

    Args:
        panels: models by the panel's title, in the order of the legend.
        scores: by model; all seeds are drawn together.
        titles: names to show of subsets and priors.
    """
    return {
        title: [
            Series(_label(model, scores[model], which, titles), scores[model], which, number)
            for number, model in enumerate(models)
            for which in ("test", "ood")
        ]
        for title, models in panels.items()
    }


def _label(model: str, table: ScoreTable, which: str, titles: Mapping) -> str:
    images = table.images[which].split(".")[0]
    return f"{titles['priors'][model.split('/')[2]]}, {titles['subsets'][images]}"


def _range(series: list[Series]) -> tuple[float, float]:
    """Limits that show all but the lowest half per cent of each set."""
    low = min(np.quantile(s.values, 1 - SHOWN) for s in series)
    high = max(s.values.max() for s in series)
    margin = 0.02 * (high - low)
    return float(low - margin), float(high + margin)


def plot_histograms(
    panels: Mapping[str, list[Series]], note: str, paths: list[Path], label: str
) -> None:
    """Histograms, one panel for each title, two or three in a row (Figures 4, 8, 9 and 16).

    Args:
        panels: series by the panel's title.
        note: which data and which scale, above the panels.
        paths: files to write; the format follows the suffix.
        label: of the horizontal axis.
    """
    style()
    columns = 2 if len(panels) == 4 else min(len(panels), 3)
    rows = -(-len(panels) // columns)
    size = (3.5 * columns, 2.6 * rows + 0.3)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis, (title, series) in zip(axes.flat, panels.items(), strict=False):
        _draw(axis, title, series, label)
    for axis in axes[:, 0]:
        axis.set_ylabel("density")
    figure.suptitle("\n".join(textwrap.wrap(note, 64 * columns)), fontsize=6.5, color="0.35")
    save(figure, paths)


def _draw(axis, title: str, series: list[Series], label: str) -> None:
    low, high = _range(series)
    bins = min(MOST_BINS, round(2 * np.sqrt(min(len(s.values) for s in series))))
    edges = np.linspace(low, high, bins + 1)
    for one in series:
        colour = COLOURS[one.which, one.model % 2]
        sns.histplot(
            x=one.values,
            bins=edges,
            stat="density",
            element="step",
            alpha=0.25,
            color=colour,
            linestyle=LINES[one.model % len(LINES)],
            linewidth=1.2,
            label=one.label,
            ax=axis,
        )
    axis.set(title=title, xlabel=label, ylabel="", xlim=(low, high))
    axis.set_ylim(top=HEADROOM * axis.get_ylim()[1])
    axis.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    axis.xaxis.set_major_locator(plt.MaxNLocator(5))
    axis.legend(loc="upper left")


def save(figure: plt.Figure, paths: list[Path]) -> None:
    """Write a figure in every format, whole or not at all, with no date inside."""
    for path in map(Path, paths):
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else {}
        with atomic(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
    plt.close(figure)
