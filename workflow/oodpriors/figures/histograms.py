"""Histograms of scores, drawn from stored scores only."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from oodpriors.figures.sheet import (
    LINE,
    SETS,
    bottom_legend,
    draw_steps,
    in_panel,
    inner_legend,
    log_axis,
    look_of,
    plain_axis,
    save,
    sheet,
)
from oodpriors.statistics.estimates import ScoreTable, read_scores

SEQUENCES = {"test": ("viridis_r", 0.15, 1.0), "ood": ("inferno_r", 0.2, 0.95)}
SHOWN = 0.995
MOST_BINS = 60
LOG_RATIO = 10  # of a panel's medians, from which axes are logarithmic
UNITS = {"toy": "point"}


class Series(NamedTuple):
    """One column of one set under one model.

    Attributes:
        label: in the legend.
        scores: of the model.
        which: test or ood.
        model: architecture/subset/prior.
        column: of the score table.
        tone: number of its look; 0 for the unimodal prior.
        place: in a sequence of models, from 0 to 1; else None.
        inferred: whether latents are means of posteriors.
    """

    label: str
    scores: ScoreTable
    which: str
    model: str
    column: str = "log_prob"
    tone: int = 0
    place: float | None = None
    inferred: bool = False

    @property
    def finite(self) -> np.ndarray:
        """The column of all seeds together, as far as it is finite."""
        values = self.all_values(self.column)
        return values[np.isfinite(values)]

    def all_values(self, column: str) -> np.ndarray:
        """A column of all seeds together."""
        runs = range(len(self.scores.tables))
        return np.concatenate([self._of_run(run, column) for run in runs])

    def _of_run(self, run: int, column: str) -> np.ndarray:
        scored = self.scores.scored(run, self.which, column)
        return self.scores.values(run, self.which, column)[scored]

    @property
    def look(self) -> dict:
        """Colour, line and opacity."""
        if self.place is not None:
            name, first, last = SEQUENCES[self.which]
            colour = plt.get_cmap(name)(first + (last - first) * self.place)
            return {"color": colour, "linestyle": "-", "alpha": 0.03}
        return look_of(self.which, self.tone) | {"alpha": 0.25}

    @property
    def quantity(self) -> str:
        """Name of the column, for the axis."""
        if self.column == "log_prob":
            return f"log-likelihood (nats per {UNITS.get(self.model.split('/')[0], 'image')})"
        if self.column == "log_prob_refined":
            return "log-likelihood, refined posterior (nats per image)"
        if self.column == "latent_first_refined":
            return "first latent coordinate (mean of the refined posterior)"
        name = "first latent coordinate"
        if self.column == "latent_farthest":
            numbers = np.unique(self.all_values("latent_farthest_index")) + 1
            many = "s" if len(numbers) > 1 else ""
            name = f"latent coordinate{many} {', '.join(map(str, numbers))}"
        return name + (" (posterior mean)" if self.inferred else "")


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Histograms of the configuration, see :mod:`oodpriors.figures.sheet`."""
    panels = histogram_panels(about, read_scores(about["runs"], files["scores"]))
    plot_histograms(panels, note, paths)


def histogram_panels(about: Mapping, scores: Mapping[str, ScoreTable]) -> dict[str, list[Series]]:
    """A column of the sets of each model, named by prior and images.

    With one set and more than two models in a panel, models are a sequence: shaded by
    the distance of their components and named by it.

    Args:
        about: ``entry``, ``titles``, ``components``, ``distances`` and ``infers``, see
            :mod:`oodpriors.figures.sheet`.
        scores: by model; all seeds are drawn together.
    """
    entry, panels, sets = about["entry"], about["entry"]["panels"], about["entry"]["sets"]
    models = dict.fromkeys(model for panel in panels.values() for model in panel)
    names = {model: about["titles"]["priors"][model.split("/")[2]] for model in models}
    sequential = len(sets) == 1 and any(len(panel) > 2 for panel in panels.values())
    tones = _tones(names, about["components"])
    places: dict[str, float] = {}
    if sequential:
        names, places = _sequence(names, about["distances"])

    def series(title: str, model: str, which: str) -> Series:
        shown = entry["columns"].get(title, entry["column"])
        name, table = names[model], scores[model]
        label = name if sequential else f"{name}, {_images(table, which, about['titles'])}"
        look = (tones[model], places.get(model), model.split("/")[0] in about["infers"])
        return Series(label, table, which, model, shown, *look)

    return {
        title: [series(title, model, which) for model in panel for which in sets]
        for title, panel in panels.items()
    }


def _images(table: ScoreTable, which: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    return titles["subsets"].get(table.images[which].split(".")[0], SETS[which])


def _tones(names: Mapping[str, str], components: Mapping[str, int]) -> dict[str, int]:
    """A number for each prior of another name: 0 for the unimodal one, then in their order."""
    priors = {model: (components[model] > 1, name) for model, name in names.items()}
    several = list(dict.fromkeys(prior for prior in priors.values() if prior[0]))
    first, *others = dict.fromkeys(prior for prior in priors.values() if not prior[0]) or [None]
    order = [first, *several, *others]
    return {model: order.index(prior) for model, prior in priors.items()}


def _sequence(
    names: Mapping[str, str], distances: Mapping[str, float]
) -> tuple[dict[str, str], dict[str, float]]:
    """Label and place of each model: by its distance, or where one has none in their order."""
    ordered = (
        sorted(names, key=distances.__getitem__) if names.keys() <= distances.keys() else names
    )
    labels = {m: f"d = {distances[m]:g}" if m in distances else names[m] for m in ordered}
    order = list(dict.fromkeys(labels.values()))
    places = {m: order.index(label) / max(1, len(order) - 1) for m, label in labels.items()}
    return labels, places


def plot_histograms(panels: Mapping[str, list[Series]], note: str, paths: list[Path]) -> None:
    """Histograms, one panel for each title (Figures 4, 5, 8, 9, 10 and 14 to 19).

    At most half a per cent of a set is not shown: the lowest of its log-likelihoods, or
    both ends of its latents. All panels are logarithmic where one spans too much.

    Args:
        panels: series by the panel's title.
        note: which data and which scale, above the panels.
        paths: files to write; the format follows the suffix.
    """
    columns = 2 if len(panels) in (2, 4) else min(len(panels), 3)
    rows, characters = -(-len(panels) // columns), LINE // columns  # of a line in a panel
    every = [one for series in panels.values() for one in series]
    figure, axes = sheet(rows, columns, 2.0 * rows + 0.6, note + _remarks(every))
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    logarithmic, shared = _spans_much(panels.values()), _one_legend(every)
    compared = _compared(panels.values())
    handles: dict = {}
    for axis, (title, series) in zip(axes.flat, panels.items(), strict=False):
        drawn = _draw(axis, series, _range(compared[_subject(series)], logarithmic), logarithmic)
        handles |= drawn
        axis.set_title(in_panel(title, columns))
        axis.set_xlabel(_two_lines(series[0].quantity, characters))
        if not shared:
            inner_legend(axis, drawn, columns)
    for axis in axes[:, 0]:
        axis.set_ylabel("density per decade" if logarithmic else "density")
    if shared:
        bottom_legend(figure, {one.label: handles[one.label] for one in sorted(every, key=_rank)})
    save(figure, paths)


def _two_lines(label: str, characters: int) -> str:
    return label if len(label) <= characters else label.replace(" (", "\n(")


def _rank(one: Series) -> tuple:
    return one.place or 0, one.which != "test", one.tone


def _remarks(every: list[Series]) -> str:
    """What the note says of the seeds, and of values that cannot be drawn."""
    seeds = sorted({len(one.scores.tables) for one in every})
    lost = sum(len(one.all_values(one.column)) - len(one.finite) for one in every)
    pooled = f"; {' or '.join(map(str, seeds))} seeds pooled" if seeds[-1] > 1 else ""
    return pooled + (f"; {lost:,} values are not finite and left out" if lost else "")


def _spans_much(panels: Iterable[list[Series]]) -> bool:
    """Whether the medians of a panel differ by orders of magnitude, and all is below -1."""
    values = [[one.finite for one in series] for series in panels]
    if max(v.max() for panel in values for v in panel) >= -1:
        return False
    medians = [[np.median(v) for v in panel] for panel in values]
    return max(min(panel) / max(panel) for panel in medians) > LOG_RATIO


def _one_legend(every: list[Series]) -> bool:
    """Whether a label means one look and a look one label in all panels."""
    looks = {(one.label, *one.look.values()) for one in every}
    return len(looks) == len({look[0] for look in looks}) == len({look[1:] for look in looks})


def _subject(series: list[Series]) -> tuple:
    """What panels have in common that show one quantity of the same models by two estimates."""
    return tuple(one.model for one in series), series[0].column.split("_")[0]


def _compared(panels: Iterable[list[Series]]) -> dict[tuple, list[Series]]:
    """All series of the panels with one subject, whose axes have the same limits."""
    found: dict[tuple, list[Series]] = {}
    for series in panels:
        found.setdefault(_subject(series), []).extend(series)
    return found


def _range(series: list[Series], logarithmic: bool) -> tuple[float, float]:
    """Limits that show all but half a per cent of each set."""
    likelihood = series[0].column.startswith("log_prob")
    ends = (1 - SHOWN, 1) if likelihood else ((1 - SHOWN) / 2, (1 + SHOWN) / 2)
    limits = np.array([np.quantile(one.finite, ends) for one in series])
    low, high = float(limits[:, 0].min()), float(limits[:, 1].max())
    margin = 0.02 * (high - low) or 0.5
    return (1.05 * low, high / 1.05) if logarithmic else (low - margin, high + margin)


def _draw(axis, series: list[Series], limits: tuple[float, float], logarithmic: bool) -> dict:
    """Histograms with common bins; their handles by label."""
    low, high = limits
    bins = min(MOST_BINS, round(2 * np.sqrt(min(len(one.finite) for one in series))))
    edges = np.linspace(low, high, bins + 1)
    widths = np.diff(edges)
    if logarithmic:
        edges = -np.geomspace(-low, -high, 2 * bins + 1)
        widths = -np.diff(np.log10(-edges))
    handles = {}
    for one in series:
        density = len(one.finite) * widths
        drawn = draw_steps(axis, one.finite, edges, density, label=one.label, **one.look)
        handles[one.label] = drawn
    axis.set_ylim(0, 1.05 * max(drawn.get_data()[0].max() for drawn in handles.values()))
    plain_axis(axis.yaxis)
    axis.set_xlim(low, high)
    if logarithmic:
        log_axis(axis.xaxis, low, high)
    else:
        plain_axis(axis.xaxis)
    return handles
