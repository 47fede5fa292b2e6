"""Statistics of score files, with errors over images and over trainings.

Out-of-distribution is the positive class and -log p the score. An AUROC of 0.5 is
chance; below 0.5, likelihoods are higher out of distribution, as the paper describes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import stdtrit
from scipy.stats import rankdata

from oodpriors.io.errors import UserError
from oodpriors.io.tables import read_parquet
from oodpriors.statistics.bootstrap import (
    SHARES,
    STATISTICS,
    TWO_SETS,
    Sample,
    multiplicities,
)

OF_THE_DATA = ("x_", "log_prob_true")  # beginnings of columns that no training changes
SHARE = (0.0, 1.0)  # limits of a share
LEVEL = 0.05  # two-sided, of intervals and verdicts
SMALLEST_LEVEL = 1e-30  # below it a p-value is 0
BLOCK = 2**19  # multiplicities that are processed at once: as many as fit in the caches


def auroc(in_distribution: np.ndarray, out_of_distribution: np.ndarray) -> float:
    """P(log p in distribution > log p out of distribution); ties count one half.

    It uses ranks, so that shifting or scaling the scores changes nothing.

    >>> auroc(np.array([-1.0, -2.0]), np.array([-3.0, -4.0]))
    1.0
    """
    n_in, n_out = len(in_distribution), len(out_of_distribution)
    ranks = rankdata(np.concatenate([in_distribution, out_of_distribution]))
    return float((ranks[:n_in].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out))


@dataclass(frozen=True)
class ScoreTable:
    """Scores of one model: one table per seed, all of the same images.

    Attributes:
        tables: one per seed; the column ``set`` is train, test or ood, and ``images``
            names the source of the set. Models with the same images are resampled
            together, so that their differences are paired.
        seeds: seeds of the tables, in their order.
        model: its name. Estimates of equal names share their trainings.
    """

    tables: Sequence[pd.DataFrame]
    seeds: Sequence[int] = ()
    model: str = ""

    @cached_property
    def images(self) -> dict[str, str]:
        """Name of the images of each set."""
        names = self.tables[0].groupby("set")["images"].first()
        return {str(which): name for which, name in names.items()}

    @cached_property
    def _values(self) -> list[dict[str, dict[str, np.ndarray]]]:
        return [
            {str(which): _columns(part) for which, part in table.groupby("set")}
            for table in self.tables
        ]

    def values(self, run: int, which: str, column: str = "log_prob") -> np.ndarray:
        """A column of one set in the table of one seed, (n,).

        In addition to the table's columns there are ``log_prob_nearest``, the largest
        ``log_prob_component_k``, and for the images with a refined posterior
        ``log_prob_unrefined``, their ``log_prob``, and ``refined_change``, the refined
        estimate minus this.

        Raises:
            UserError: the table has no such set or column.
        """
        return pick(pick(self._values[run], which, "set"), column, "column")

    def scored(self, run: int, which: str, column: str) -> np.ndarray:
        """Which images of a set have this column, (n,) bool: all, or those that were refined."""
        values, columns = self.values(run, which, column), self._values[run][which]
        refined = columns.get("refined", np.ones(len(values))).astype(bool)
        return refined if np.isnan(values[~refined]).all() else np.ones_like(refined)

    @property
    def refined(self) -> bool:
        """Whether there are likelihoods with refined posteriors."""
        return "refined" in self.tables[0]

    def size(self, which: str) -> int:
        """Number of images of a set."""
        return len(next(iter(self._values[0][which].values())))


def _columns(part: pd.DataFrame) -> dict[str, np.ndarray]:
    kept = part.select_dtypes(["number", "bool"])
    columns = {name: kept[name].to_numpy() for name in kept.columns}
    components = [columns[name] for name in columns if name.startswith("log_prob_component_")]
    if components:
        columns["log_prob_nearest"] = np.maximum.reduce(components)
    if "refined" in columns:
        encoder = np.where(columns["refined"], columns["log_prob"], np.nan)
        columns["log_prob_unrefined"] = encoder
        columns["refined_change"] = columns["log_prob_refined"] - encoder
    return columns


def read_scores(
    runs: Sequence[tuple[str, int]], paths: Sequence[str | Path]
) -> dict[str, ScoreTable]:
    """Read score tables by model; each run is a model and a seed, and has a file."""
    grouped: dict[str, list] = {}
    for (model, seed), path in zip(runs, paths, strict=True):
        grouped.setdefault(model, []).append((read_parquet(path), seed))
    return {
        model: ScoreTable([table for table, _ in entries], [seed for _, seed in entries], model)
        for model, entries in grouped.items()
    }


def pick(known: Mapping, name: str | None, what: str):
    """The entry with this name; raises a UserError that lists the names if unknown."""
    if name not in known:
        there = ", ".join(map(str, known)) or "none"
        raise UserError(f"{what} {name!r} is unknown; there are {there}")
    return known[name]


@dataclass(frozen=True)
class Estimate:
    """A number with its errors over images and over trainings.

    Attributes:
        value: value on all images, averaged over trainings.
        replicates: the same on resampled images with all trainings, (n_bootstrap,); NaN
            if a resample contains none of the images in question; empty for a number in
            which no image is drawn.
        without: for each model, the value without each of its n trainings, (n,) (the
            jackknife). Without a model's only training it is the value itself.
        images: number of images by their source, the smallest over trainings.
        limits: the smallest and the largest possible value.
    """

    value: float
    replicates: np.ndarray = field(default_factory=lambda: np.empty(0))
    without: Mapping[str, np.ndarray] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    limits: tuple[float, float] = (-np.inf, np.inf)

    @classmethod
    def of(cls, row: np.ndarray, images: Mapping[str, int] | None = None) -> "Estimate":
        """Make an estimate from the value and the replicates in one row, (R,)."""
        return cls(float(row[0]), np.asarray(row[1:], float), images=images or {})

    @property
    def row(self) -> np.ndarray:
        """The value and the replicates, (R,)."""
        return np.concatenate([[self.value], self.replicates])

    @property
    def trainings(self) -> dict[str, int]:
        """Number of trainings of each model."""
        return {model: len(values) for model, values in self.without.items()}

    @cached_property
    def image_error(self) -> float:
        """Standard error over images: standard deviation and bias of the replicates.

        Replicates are as far from the value as the value from the truth. Some statistics
        (the average precision) have a larger bias than spread. It counts as an error, and
        the root of the sum of both squares is used. One image shows no error: it is NaN.
        """
        finite = self.replicates[np.isfinite(self.replicates)]
        if not self.replicates.size:
            return 0.0
        if len(finite) < 2 or self._fewest_images < 2:
            return float("nan")
        bias = finite.mean() - self.value if np.isfinite(self.value) else 0.0
        return float(np.hypot(finite.std(ddof=1), bias))

    @cached_property
    def _training_variances(self) -> np.ndarray:
        """Variance over the trainings of each model by the jackknife (Tukey 1958).

        For a mean over n trainings it is s² / n.
        """
        with np.errstate(invalid="ignore"):
            return np.array([v.var() * (len(v) - 1) for v in self.without.values()])

    @property
    def _errors(self) -> tuple[float, float]:
        return self.image_error, self.training_error

    @property
    def training_error(self) -> float:
        """Standard error over trainings; 0 if every model has one, which shows no spread."""
        return float(np.sqrt(self._training_variances.sum()))

    @property
    def std_error(self) -> float:
        """Standard error over images and trainings."""
        return float(np.hypot(*self._errors))

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Effective degrees of freedom of the error over trainings (Satterthwaite 1946).

        The trainings of different models are independent, each with n - 1. Infinite if
        there is no such error.
        """
        variances = self._training_variances
        if not variances.sum() > 0:
            return float("inf")
        freedom = np.maximum([n - 1 for n in self.trainings.values()], 1)
        return float(variances.sum() ** 2 / (variances**2 / freedom).sum())

    def half_width(self, level: float = LEVEL) -> float:
        """Half the width of the interval that misses the truth with this probability.

        The errors over images and over trainings are each multiplied by a quantile of
        Student's t with their own degrees of freedom, and their squares are added
        (Banerjee 1960). One quantile for the whole error (Welch 1947) covers 92 % instead
        of 95 % with three trainings and a moderate error over images: a spread that is
        small by chance then counts as one of many degrees of freedom.
        """
        return float(np.hypot(*(self._quantiles(level) * self._errors)))

    def _quantiles(self, level: float) -> np.ndarray:
        """Upper quantiles of Student's t for the errors over images and over trainings, (2,)."""
        freedom = np.maximum([self._fewest_images - 1, self.degrees_of_freedom], 1)
        return -stdtrit(freedom, level / 2)

    @property
    def _fewest_images(self) -> float:
        return min(self.images.values(), default=np.inf)

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of 95 %, over images and trainings, within the limits; it has the value.

        A share has less spread near 0 and 1: over images it has the interval of Wilson
        (1927), for as many images as would give its error. A share of exactly 0 or 1 has no
        error, and the interval is that of its number of images. Distances to the ends of this
        interval and those over trainings are added as squares (Zou and Donner 2008).
        """
        images, trainings = self._quantiles(LEVEL) * self._errors
        below = above = images
        if self.limits == SHARE:
            variance = self.value * (1 - self.value)
            exact = self._quantiles(LEVEL)[0] ** 2 / self._fewest_images
            known = variance > 0 and self._fewest_images > 1
            ratio = images**2 / variance if known else exact
            half = np.sqrt(ratio * variance + ratio**2 / 4)
            shift = ratio * (0.5 - self.value)  # towards 1/2
            below, above = (half - shift) / (1 + ratio), (half + shift) / (1 + ratio)
        ends = self.value + np.hypot([below, above], trainings) * [-1, 1]
        low, high = np.clip(ends, *self.limits)
        return float(low), float(high)

    def by_training(self, model: str) -> np.ndarray:
        """The value of each of the model's n trainings, (n,), if the value is their mean."""
        n = len(self.without[model])
        return n * self.value - (n - 1) * np.asarray(self.without[model])

    def p_value(self, distance: float) -> float:
        """Level at which half the interval is as wide as this distance; NaN if unknown."""
        if np.isnan(distance) or not np.isfinite(self.std_error):
            return float("nan")
        if abs(distance) >= self.half_width(SMALLEST_LEVEL):
            return 1.0 if distance == 0 else 0.0

        def excess(log_level: float) -> float:
            return self.half_width(np.exp(log_level)) - abs(distance)

        return float(np.exp(brentq(excess, np.log(SMALLEST_LEVEL), 0)))

    def __sub__(self, other: "Estimate") -> "Estimate":
        return combine(lambda rows: rows[0] - rows[1], [self, other])


def combine(function: Callable[[np.ndarray], np.ndarray], parts: Sequence[Estimate]) -> Estimate:
    """An estimate that is a function of others.

    It is evaluated for the values, for each resample of images, and without each
    training, so that the result is paired where its parts share images or trainings.

    Args:
        function: of the parts' values, (k, R) -> (R,), for every column by itself.
        parts: the k estimates.

    Raises:
        ValueError: parts have other numbers of replicates, or of trainings of one model.
    """
    replicates = max((len(part.replicates) for part in parts), default=0)
    trainings = {model: n for part in parts for model, n in part.trainings.items()}
    counts = [item for part in parts for item in part.images.items()]
    images = {name: min(n for other, n in counts if other == name) for name, _ in counts}
    row = function(np.stack([_aligned(part, replicates, trainings) for part in parts]))
    ends = np.cumsum([1, replicates, *trainings.values()])[:-1]
    value, resampled, *without = np.split(row, ends)
    return Estimate(float(value[0]), resampled, dict(zip(trainings, without, strict=True)), images)


def _aligned(part: Estimate, replicates: int, trainings: Mapping[str, int]) -> np.ndarray:
    """Value, replicates, and values without each training: the value itself where none differs."""
    pieces = [part.replicates if len(part.replicates) else np.full(replicates, part.value)]
    pieces += [part.without.get(model, np.full(n, part.value)) for model, n in trainings.items()]
    if [len(piece) for piece in pieces] != [replicates, *trainings.values()]:
        raise ValueError("estimates have other numbers of replicates or trainings")
    return np.concatenate([[part.value], *pieces])


def estimate(
    scores: ScoreTable,
    statistic: str | None,
    which: str = "ood",
    column: str = "log_prob",
    n_bootstrap: int = 1000,
    seed: int = 0,
    component: int | None = None,
) -> Estimate:
    """Estimate a statistic of one model, averaged over its trainings.

    Args:
        scores: scores of the model.
        statistic: one of STATISTICS. For one set: ``mean``, ``median``,
            ``lower_quartile``, ``upper_quartile``, ``nll`` (minus the mean), ``std``,
            ``within`` (share of values within ±5). For the test
            images and the set: ``gap`` (difference of their means), ``auroc``, ``aupr``
            (average precision), ``fpr95`` (share of the test images classified as out of
            distribution by the threshold that detects 95 % of the set), ``overlap`` (of
            their histograms), ``in_band`` (share of the set in the central 95 % of the
            test images).
        which: the set.
        column: column of the score table.
        n_bootstrap: number of replicates; each draws n of n images, the same for every
            training.
        seed: seed of the bootstrap; the same seed gives the same resamples of the same
            images.
        component: use only images with this ``nearest_component``; None uses all.

    Raises:
        UserError: unknown statistic, set or column.
    """
    compute = pick(STATISTICS, statistic, "statistic")
    sets = ("test", which) if statistic in TWO_SETS else (which,)
    rows, sizes = [], []
    for run in range(len(scores.tables)):
        samples = [_sample(scores, run, s, column, component, n_bootstrap, seed) for s in sets]
        rows.append(_in_blocks(compute, samples))
        sizes.append([len(sample.ordered) for sample in samples])
    images = [scores.images[name] for name in sets]
    drawn = dict(zip(images, map(int, np.min(sizes, axis=0)), strict=True))
    if column.startswith(OF_THE_DATA):
        return Estimate.of(np.mean(rows, axis=0), drawn)
    limits = SHARE if statistic in SHARES else (-np.inf, np.inf)
    averaged = over_trainings(rows, scores.model, drawn, limits)
    at_limit = limits == SHARE and averaged.value in SHARE and n_bootstrap > 0
    return _with_spread(averaged, seed) if at_limit else averaged


def _with_spread(share: Estimate, seed: int) -> Estimate:
    """A share of exactly 0 or 1 with replicates that have the error of its interval.

    Resamples show no spread, but a claim about it, or about a difference from it, has an
    error: that by which the interval of :attr:`Estimate.interval` is as wide. Models have
    replicates of their own, so that the errors of two such shares do not cancel.
    """
    fewest = share._fewest_images
    quantile = share._quantiles(LEVEL)[0]
    error = quantile / (fewest + quantile**2)
    rng = np.random.default_rng([seed, crc32(repr(list(share.without)).encode())])
    away = rng.exponential(size=len(share.replicates))
    away *= (1 - 2 * share.value) * error / np.sqrt(np.mean(away**2))
    return replace(share, replicates=share.replicates + away)


def over_trainings(
    rows: Sequence[np.ndarray],
    model: str,
    images: Mapping[str, int] | None = None,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Average over the trainings of a model.

    Args:
        rows: for each training, the value and its replicates over images, (R,), or only
            the value, (1,), if no image is drawn.
        model: its name.
        images: number of images by their source.
        limits: the smallest and the largest possible value.
    """
    table = np.asarray(rows, float)
    mean, n = table.mean(0), len(table)
    with np.errstate(invalid="ignore"):  # infinite values
        others = (table[:, 0].sum() - table[:, 0]) / (n - 1) if n > 1 else mean[:1]
    return Estimate(float(mean[0]), mean[1:], {model: others}, images or {}, limits)


def _sample(
    scores: ScoreTable,
    run: int,
    which: str,
    column: str,
    component: int | None,
    n_bootstrap: int,
    seed: int,
) -> Sample:
    values = scores.values(run, which, column)
    weights = multiplicities(scores.images[which], len(values), n_bootstrap, seed)
    rising = np.argsort(values, kind="stable")
    rising = rising[scores.scored(run, which, column)[rising]]
    if component is not None:
        nearest = scores.values(run, which, "nearest_component")
        rising = rising[nearest[rising] == component]
    return Sample(values[rising], weights.take(rising, axis=1))


def _in_blocks(compute, samples: list[Sample]) -> np.ndarray:
    n_rows, sizes = len(samples[0].weights), [len(sample.ordered) for sample in samples]
    if min(sizes) == 0 or any(np.isnan(sample.ordered).any() for sample in samples):
        return np.full(n_rows, np.nan)
    step = max(1, BLOCK // max(sizes))
    blocks = [slice(start, start + step) for start in range(0, n_rows, step)]
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample may have no image
        parts = [compute(*(sample.part(rows) for sample in samples)) for rows in blocks]
    return np.concatenate(parts)
