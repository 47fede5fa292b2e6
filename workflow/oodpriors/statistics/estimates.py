"""Statistics of score files, with bootstrap errors over images and seeds.

Out-of-distribution is the positive class and -log p the score. An AUROC of 0.5 is
chance; below 0.5, likelihoods are higher out of distribution, as the paper describes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from oodpriors.io.errors import UserError
from oodpriors.statistics.bootstrap import (
    STATISTICS,
    TWO_SETS,
    Sample,
    multiplicities,
    seed_multiplicities,
)

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
    """

    tables: Sequence[pd.DataFrame]
    seeds: Sequence[int] = ()

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
        grouped.setdefault(model, []).append((pd.read_parquet(path), seed))
    return {model: ScoreTable(*zip(*entries, strict=True)) for model, entries in grouped.items()}


def pick(known: Mapping, name: str | None, what: str):
    """The entry with this name; raises a UserError that lists the names if unknown."""
    if name not in known:
        there = ", ".join(map(str, known)) or "none"
        raise UserError(f"{what} {name!r} is unknown; there are {there}")
    return known[name]


@dataclass(frozen=True)
class Estimate:
    """A number with its bootstrap.

    Attributes:
        value: value on all images, averaged over seeds.
        replicates: the same on resampled images and seeds, (n_bootstrap,); NaN if a
            resample contains none of the images in question; empty for a number that
            is known without error.
    """

    value: float
    replicates: np.ndarray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, row: np.ndarray) -> "Estimate":
        """Make an estimate from the value and the replicates in one row, (R,)."""
        return cls(float(row[0]), np.asarray(row[1:], float))

    @property
    def row(self) -> np.ndarray:
        """The value and the replicates, (R,)."""
        return np.concatenate([[self.value], self.replicates])

    @property
    def _finite(self) -> np.ndarray:
        return self.replicates[np.isfinite(self.replicates)]

    @property
    def std_error(self) -> float:
        """Standard deviation of the replicates."""
        if not self.replicates.size:
            return 0.0
        return float(self._finite.std(ddof=1)) if len(self._finite) > 1 else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Percentile interval of 95 %."""
        if not self.replicates.size:
            return self.value, self.value
        if not self._finite.size:
            return float("nan"), float("nan")
        low, high = np.quantile(self._finite, [0.025, 0.975])
        return float(low), float(high)

    def over(self, n_bootstrap: int) -> "Estimate":
        """The same estimate; a number without error gets n_bootstrap equal replicates."""
        exact = not self.replicates.size
        return Estimate(self.value, np.full(n_bootstrap, self.value)) if exact else self

    def __sub__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.value - other.value, self.replicates - other.replicates)


def estimate(
    scores: ScoreTable,
    statistic: str | None,
    which: str = "ood",
    column: str = "log_prob",
    n_bootstrap: int = 1000,
    seed: int = 0,
    component: int | None = None,
) -> Estimate:
    """Estimate a statistic of one model, with bootstrap replicates.

    Args:
        scores: scores of the model.
        statistic: one of STATISTICS. For one set: ``mean``, ``median``, ``nll`` (minus
            the mean), ``std``, ``within`` (share of values within ±5). For the test
            images and the set: ``gap`` (difference of their means), ``auroc``, ``aupr``
            (average precision), ``fpr95`` (share of the test images classified as out of
            distribution by the threshold that detects 95 % of the set), ``overlap`` (of
            their histograms), ``in_band`` (share of the set in the central 95 % of the
            test images).
        which: the set.
        column: column of the score table.
        n_bootstrap: number of replicates; each draws n of n images, the same for every
            seed, and n - 1 of n seeds (with one seed, only images).
        seed: seed of the bootstrap; the same seed gives the same resamples of the same
            images and of the same number of seeds.
        component: use only images with this ``nearest_component``; None uses all.

    Raises:
        UserError: unknown statistic, set or column.
    """
    compute = pick(STATISTICS, statistic, "statistic")
    sets = ("test", which) if statistic in TWO_SETS else (which,)
    rows = []
    for run in range(len(scores.tables)):
        samples = [_sample(scores, run, s, column, component, n_bootstrap, seed) for s in sets]
        rows.append(_in_blocks(compute, samples))
    return over_seeds(rows, n_bootstrap, seed)


def over_seeds(rows: Sequence[np.ndarray], n_bootstrap: int, seed: int) -> Estimate:
    """Average over seeds, with resampled seeds.

    Args:
        rows: for each seed, the value and its replicates over images, (R,), or only the
            value, (1,), if no image is drawn.
        n_bootstrap: number of replicates.
        seed: seed of the bootstrap.
    """
    drawn = seed_multiplicities(len(rows), n_bootstrap, seed)
    return Estimate.of((drawn * np.transpose(rows)).sum(1) / drawn.sum(1))


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
