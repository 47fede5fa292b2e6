"""Histograms of scores, drawn from stored scores only."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

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
from oodpriors.statistics.estimates import ScoreTable, estimate, read_scores

SHOWN = 0.995
MOST_BINS = 100
MARGIN = 0.02  # of the axis, beyond the first and the last bin
DENSEST = 0.25  # share of a sample, whose width is that of a sample's narrowest mode
LOG_RATIO = 10  # of a panel's medians, from which axes are logarithmic
UNITS = {"toy": "point"}
MARKS: dict[str, dict] = {
    "mean in the paper": {"marker": 10, "linestyle": "none", "markersize": 6},
    "means of the components": {"color": "0.3", "linestyle": ":", "linewidth": 1},
}
PAPER, MEANS = MARKS


class Series(NamedTuple):
    """One column of one set under one model.

    Attributes:
        prior: its title.
        images: title of the set.
        scores: of the model.
        which: test or ood.
        model: architecture/subset/prior.
        column: of the score table.
        tone: number of its look; 0 for the unimodal prior.
        inferred: whether latents are means of posteriors.
        means: first coordinates of the means of several components.
        published: the paper's mean of the column, if it prints one.
    """

    prior: str
    images: str
    scores: ScoreTable
    which: str
    model: str
    column: str = "log_prob"
    tone: int = 0
    inferred: bool = False
    means: Sequence[float] = ()
    published: float | None = None

    @property
    def label(self) -> str:
        """The series in the legend."""
        return f"{self.prior}, {self.images}"

    @property
    def likelihood(self) -> bool:
        """Whether the column is a log-likelihood, and no latent coordinate."""
        return self.column.startswith("log_prob")

    @property
    def samples(self) -> list[np.ndarray]:
        """What is drawn: finite likelihoods of all trainings together, latents of each.

        Trainings have no latent coordinate in common but the one along which components differ.
        """
        each = [values[np.isfinite(values)] for values in map(self._of_run, self._runs)]
        return [np.concatenate(each)] if self.likelihood else each

    @property
    def finite(self) -> np.ndarray:
        """The samples in one array."""
        return np.concatenate(self.samples)

    @property
    def lost(self) -> int:
        """Number of values that are not finite."""
        return sum(map(len, map(self._of_run, self._runs))) - len(self.finite)

    @property
    def _runs(self) -> range:
        return range(len(self.scores.tables))

    def _of_run(self, run: int) -> np.ndarray:
        scored = self.scores.scored(run, self.which, self.column)
        return self._sign(run) * self.scores.values(run, self.which, self.column)[scored]

    def _sign(self, run: int) -> float:
        """That makes the mean of the farthest coordinate out of distribution positive."""
        if self.column != "latent_farthest":
            return 1.0
        return float(np.copysign(1, self.scores.values(run, "ood", self.column).mean()))

    @property
    def auroc(self) -> float:
        """Of the column, averaged over trainings."""
        return estimate(self.scores, "auroc", "ood", self.column, n_bootstrap=0).value

    @property
    def look(self) -> dict:
        """Colour, line and opacity: an area in distribution, an outline out of it."""
        return look_of(self.which, self.tone) | {"alpha": 0.25 if self.which == "test" else 0}

    @property
    def quantity(self) -> str:
        """Name of the column, for the axis."""
        if self.column == "log_prob":
            return f"log-likelihood (nats per {UNITS.get(self.model.split('/')[0], 'image')})"
        if self.column == "log_prob_refined":
            return "log-likelihood, refined posterior (nats per image)"
        if self.column == "latent_first_refined":
            return "first latent coordinate (mean of the refined posterior)"
        name, remarks = "first latent coordinate", ["posterior mean"] if self.inferred else []
        if self.column == "latent_farthest":
            index = int(self.scores.values(0, "ood", "latent_farthest_index")[0])
            name = f"{'minus ' if self._sign(0) < 0 else ''}latent coordinate {index + 1}"
            remarks.insert(0, f"seed {self.scores.seeds[0]}")
        return name + (f" ({', '.join(remarks)})" if remarks else "")


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Histograms of the configuration, see :mod:`oodpriors.figures.sheet`."""
    scores = read_scores(about["runs"], files["scores"])
    plot_histograms(histogram_panels(about, scores, about["entry"]["sets"]), note, paths)


def histogram_panels(
    about: Mapping, scores: Mapping[str, ScoreTable], sets: Iterable[str]
) -> dict[str, list[Series]]:
    """A column of these sets of each model, by the panel's title.

    Args:
        about: ``entry``, ``titles``, ``means``, ``infers`` and ``published``, see
            :mod:`oodpriors.figures.sheet`.
        scores: by model.
        sets: test, ood or both.
    """
    entry, panels, titles = about["entry"], about["entry"]["panels"], about["titles"]
    models = dict.fromkeys(model for panel in panels.values() for model in panel)
    names = {model: titles["priors"][model.split("/")[2]] for model in models}
    tones = _tones(names, about["means"])

    def series(title: str, model: str, which: str) -> Series:
        column = entry.get("columns", {}).get(title, entry["column"])
        images = titles["subsets"].get(scores[model].images[which].split(".")[0], SETS[which])
        means = about["means"][model] if column.startswith("latent_first") else []
        published = about["published"].get(model, {}).get(which) if column == "log_prob" else None
        return Series(
            *(names[model], images, scores[model], which, model, column, tones[model]),
            inferred=model.split("/")[0] in about["infers"],
            means=means if len(means) > 1 else [],
            published=published,
        )

    return {
        title: [series(title, model, which) for model in panel for which in sets]
        for title, panel in panels.items()
    }


def _tones(names: Mapping[str, str], means: Mapping[str, Sequence[float]]) -> dict[str, int]:
    """A number for each prior of another name: 0 for the unimodal one, then in their order."""
    priors = {model: (len(means[model]) > 1, name) for model, name in names.items()}
    several = list(dict.fromkeys(prior for prior in priors.values() if prior[0]))
    first, *others = dict.fromkeys(prior for prior in priors.values() if not prior[0]) or [None]
    order = [first, *several, *others]
    return {model: order.index(prior) for model, prior in priors.items()}


def plot_histograms(panels: Mapping[str, list[Series]], note: str, paths: list[Path]) -> None:
    """Histograms, one panel for each title (Figures 4, 5, 8, 9, 10 and 16 to 19).

    At most half a per cent of a set is not shown: the lowest of its log-likelihoods, or
    both ends of its latents. All likelihoods are logarithmic where one spans too much. Each
    series has its own bins and is as high as the others, since all have the same area.

    Args:
        panels: series by the panel's title.
        note: which data and which scale, above the panels.
        paths: files to write; the format follows the suffix.
    """
    columns = 2 if len(panels) in (2, 4) else min(len(panels), 3)
    rows, characters = -(-len(panels) // columns), LINE // columns  # of a line in a panel
    every = [one for series in panels.values() for one in series]
    figure, axes = sheet(rows, columns, 2.1 * rows + 0.6, note + remarks(every))
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    much, shared = spans_much(panels.values()), _one_legend(every)
    compared = _compared(panels.values())
    handles: dict = {}
    for axis, (title, series) in zip(axes.flat, panels.items(), strict=False):
        logarithmic = much and series[0].likelihood
        limits = limits_of(compared[_subject(series)], logarithmic)
        drawn = _draw(axis, series, limits, logarithmic)
        handles |= drawn
        lines = [title, *_aurocs(series, characters)]
        axis.set_title("\n".join(in_panel(line, columns) for line in lines))
        label_axis(axis, series[0], limits, logarithmic, characters)
        if not shared:
            inner_legend(axis, drawn, columns)
    for axis in axes[:, 0]:
        axis.set_ylabel("density, scaled to its peak")
    if shared:
        labels = [*(one.label for one in sorted(every, key=_rank)), *MARKS]
        bottom_legend(figure, {label: handles[label] for label in labels if label in handles})
    save(figure, paths)


def label_axis(
    axis, one: Series, limits: tuple[float, float], logarithmic: bool, characters: int
) -> None:
    """Limits, ticks and name of the horizontal axis of a panel with lines of so many characters."""
    axis.set_xlim(limits)
    name = one.quantity.replace(")", ", log scale)") if logarithmic else one.quantity
    axis.set_xlabel(name if len(name) <= characters else name.replace(" (", "\n("))
    if logarithmic:
        log_axis(axis.xaxis, *limits)
    else:
        plain_axis(axis.xaxis)


def _aurocs(series: list[Series], characters: int) -> list[str]:
    """The AUROC of each prior where both sets are drawn, in one line of so many or in several."""
    models = {one.model: one for one in series if one.likelihood}
    if {one.which for one in series} < set(SETS) or not models:
        return []
    found = [f"AUROC of {one.prior}: {one.auroc:.2f}" for one in models.values()]
    line = "; ".join([found[0], *(each.removeprefix("AUROC of ") for each in found[1:])])
    return [line] if len(line) <= characters else found


def _rank(one: Series) -> tuple:
    return one.which != "test", one.tone


def remarks(every: list[Series]) -> str:
    """What the note says of trainings, and of values that cannot be drawn."""
    trainings = sorted({len(one.scores.tables) for one in every})
    said = f"; {' or '.join(map(str, trainings))} training{'s' * (trainings[-1] > 1)}"
    if trainings[-1] > 1 and not all(one.likelihood for one in every):
        said += ", latents of the first (thin lines: of the others)"
    lost = sum(one.lost for one in every)
    return said + (f"; {lost:,} values are not finite and left out" if lost else "")


def spans_much(panels: Iterable[list[Series]]) -> bool:
    """Whether medians of likelihoods in a panel differ by orders of magnitude, all below -1."""
    values = [[one.finite for one in series if one.likelihood] for series in panels]
    values = [panel for panel in values if panel]
    if not values or max(v.max() for panel in values for v in panel) >= -1:
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


def _scaled(values: np.ndarray, logarithmic: bool) -> np.ndarray:
    """In decades, on a logarithmic axis of negative numbers."""
    return -np.log10(-values) if logarithmic else values


def _unscaled(values: np.ndarray, logarithmic: bool) -> np.ndarray:
    return -(10.0**-values) if logarithmic else values


def _ends(one: Series) -> tuple[float, float]:
    return (1 - SHOWN, 1) if one.likelihood else ((1 - SHOWN) / 2, (1 + SHOWN) / 2)


def limits_of(series: list[Series], logarithmic: bool) -> tuple[float, float]:
    """Limits that show all but half a per cent of each sample, and the marks."""
    shown = [np.quantile(x, _ends(one)) for one in series for x in one.samples]
    marks = [one.published for one in series if one.published is not None]
    marks += [mean for one in series for mean in one.means]
    places = _scaled(np.concatenate([*shown, marks]), logarithmic)
    margin = MARGIN * np.ptp(places) or 0.5
    low, high = _unscaled(places.min() - margin, logarithmic), places.max() + margin
    return float(low), float(_unscaled(high, logarithmic))


def bins_of(
    values: np.ndarray, one: Series, limits: tuple[float, float], logarithmic: bool
) -> np.ndarray:
    """Edges of a sample's own bins, by the rule of Freedman and Diaconis (1981).

    So a narrow sample beside a wide one has bins. Their interquartile range, of which a
    sample of two modes has much, is that of a Gaussian with an equally wide densest quarter.
    """
    x, frame = (np.sort(_scaled(np.asarray(each), logarithmic)) for each in (values, limits))
    low, high = np.quantile(x, _ends(one))
    if low == high:
        low, high = low - 0.005 * np.ptp(frame), high + 0.005 * np.ptp(frame)
    quarter = min(max(1, int(DENSEST * len(x))), len(x) - 1)
    densest = (x[quarter:] - x[: len(x) - quarter]).min()
    interquartile = densest * norm.ppf(0.75) / norm.ppf((1 + DENSEST) / 2)
    narrowest = (high - low) / min(MOST_BINS, len(x))
    width = max(2 * interquartile / len(x) ** (1 / 3), narrowest)
    return _unscaled(np.linspace(low, high, round((high - low) / width + 0.5) + 1), logarithmic)


def _draw(axis, series: list[Series], limits: tuple[float, float], logarithmic: bool) -> dict:
    """Histograms and marks; their handles by label."""
    handles = {}
    for one in series:
        first, *others = one.samples
        for values in others:
            edges, look = bins_of(values, one, limits, logarithmic), one.look
            draw_steps(axis, values, edges, 1, **look | {"alpha": 0, "linewidth": 0.5})
        edges = bins_of(first, one, limits, logarithmic)
        handles[one.label] = draw_steps(axis, first, edges, 1, label=one.label, **one.look)
        if one.published is not None:
            place: dict = {"clip_on": False, "zorder": 5, "color": one.look["color"]}
            axis.plot(one.published, 0, **MARKS[PAPER], **place)
            handles[PAPER] = plt.Line2D([], [], color="0.3", **MARKS[PAPER])
    for mean in {mean for one in series for mean in one.means}:
        handles[MEANS] = axis.axvline(mean, zorder=0, **MARKS[MEANS])
    axis.set(ylim=(0, 1.05), yticks=[])
    return handles
