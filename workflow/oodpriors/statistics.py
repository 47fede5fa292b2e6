"""Statistics of score files, with bootstrap errors over images (and seeds).

Out-of-distribution is the positive class and -log p the score, so an AUROC of 0.5 is
blind and less than 0.5 is the phenomenon: higher likelihood out of distribution.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.stats import rankdata

__all__ = ["STATISTICS", "Estimate", "Measure", "ScoreTable", "auroc", "estimate", "read_scores"]


def auroc(in_distribution: np.ndarray, out_of_distribution: np.ndarray) -> float:
    """P(log p in distribution > log p out of distribution), ties counting one half.

    By ranks, so that shifting or scaling the scores changes nothing.

    >>> auroc(np.array([-1.0, -2.0]), np.array([-3.0, -4.0]))
    1.0
    """
    n_in, n_out = len(in_distribution), len(out_of_distribution)
    ranks = rankdata(np.concatenate([in_distribution, out_of_distribution]))
    return float((ranks[:n_in].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out))


@dataclass(frozen=True)
class ScoreTable:
    """Scores of one model: one table per seed.

    Attributes:
        tables: one per seed; the column ``set`` is train, test or ood, and
            ``images`` names what the set was cut from. Models that share images are
            resampled together, so that their differences are paired.
    """

    tables: Sequence[pd.DataFrame]

    @cached_property
    def images(self) -> dict[str, str]:
        """Name of the images behind each set."""
        return self.tables[0].groupby("set")["images"].first().to_dict()

    @cached_property
    def _values(self) -> list[dict[str, dict[str, np.ndarray]]]:
        return [
            {
                name: {c: part[c].to_numpy() for c in part.select_dtypes("number").columns}
                for name, part in table.groupby("set")
            }
            for table in self.tables
        ]

    def values(self, seed: int, which: str, column: str = "log_prob") -> np.ndarray:
        """A column of one set, (N,)."""
        return self._values[seed][which][column]

    def size(self, which: str) -> int:
        """Number of images of a set."""
        return len(next(iter(self._values[0][which].values())))


def read_scores(models: list[str], paths: list[str]) -> dict[str, ScoreTable]:
    """Score tables by model, from the files of all seeds of each model in turn."""
    per_model = len(paths) // len(models)
    return {
        model: ScoreTable([pd.read_parquet(p) for p in paths[i * per_model : (i + 1) * per_model]])
        for i, model in enumerate(models)
    }


def _mean(get, which: str, column: str) -> float:
    return float(get(which, column).mean())


def _median(get, which: str, column: str) -> float:
    return float(np.median(get(which, column)))


def _nll(get, which: str, column: str) -> float:
    return -_mean(get, which, column)


def _auroc(get, which: str, column: str) -> float:
    return auroc(get("test", column), get(which, column))


def _gap(get, which: str, column: str) -> float:
    return _mean(get, "test", column) - _mean(get, which, column)


# Each takes get(set, column), which gives the values of a resample.
STATISTICS = {"mean": _mean, "median": _median, "nll": _nll, "auroc": _auroc, "gap": _gap}


@dataclass(frozen=True)
class Estimate:
    """A statistic with its bootstrap.

    Attributes:
        value: on all images, averaged over seeds.
        replicates: the same on resampled images (and seeds), (n_bootstrap,).
    """

    value: float
    replicates: np.ndarray

    @property
    def std_error(self) -> float:
        """Standard deviation of the replicates."""
        return float(self.replicates.std(ddof=1))

    @property
    def interval(self) -> tuple[float, float]:
        """Percentile interval of 95 %."""
        low, high = np.quantile(self.replicates, [0.025, 0.975])
        return float(low), float(high)

    def __sub__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.value - other.value, self.replicates - other.replicates)


def estimate(
    scores: ScoreTable,
    statistic: str,
    which: str = "ood",
    column: str = "log_prob",
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Estimate:
    """A statistic of one model, with bootstrap replicates.

    Args:
        scores: of the model.
        statistic: one of STATISTICS.
        which: set that it is about; ``auroc`` and ``gap`` compare it with ``test``.
        column: of the score table.
        n_bootstrap: replicates; each draws images, and seeds where there are several.
        seed: of the bootstrap. Equal seeds resample equal images equally.

    Raises:
        ValueError: unknown statistic.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"statistic {statistic!r} is unknown; there are {', '.join(STATISTICS)}")
    compute = STATISTICS[statistic]
    runs = range(len(scores.tables))

    def averaged(seeds, index: dict[str, np.ndarray]) -> float:
        def getter(run):
            return lambda name, c: scores.values(run, name, c)[index.get(name, slice(None))]

        return float(np.mean([compute(getter(run), which, column) for run in seeds]))

    draws = {name: _draws(scores, name, n_bootstrap, seed) for name in {which, "test"}}
    seeds = np.random.default_rng(seed).integers(len(runs), size=(n_bootstrap, len(runs)))
    replicates = [
        averaged(seeds[b], {name: drawn[b] for name, drawn in draws.items()})
        for b in range(n_bootstrap)
    ]
    return Estimate(averaged(runs, {}), np.asarray(replicates))


class Measure:
    """Estimates of quantities, each computed once.

    A quantity is a number, or a mapping with ``model`` and ``statistic`` and
    optionally ``set`` (ood) and ``column`` (log_prob).

    Args:
        scores: by model.
        n_bootstrap: replicates.
        seed: of the bootstrap.
    """

    def __init__(self, scores: Mapping[str, ScoreTable], n_bootstrap: int, seed: int = 0) -> None:
        self.scores, self.n_bootstrap, self.seed = scores, n_bootstrap, seed
        self._known: dict[tuple, Estimate] = {}

    def __call__(self, quantity: Mapping | float) -> Estimate:
        if isinstance(quantity, int | float):
            return Estimate(float(quantity), np.full(self.n_bootstrap, float(quantity)))
        key = (
            quantity["model"],
            quantity["statistic"],
            quantity.get("set", "ood"),
            quantity.get("column", "log_prob"),
        )
        if key not in self._known:
            scores = self.scores[key[0]]
            self._known[key] = estimate(scores, *key[1:], self.n_bootstrap, self.seed)
        return self._known[key]


def _draws(scores: ScoreTable, which: str, n_bootstrap: int, seed: int) -> np.ndarray:
    size = scores.size(which)
    rng = np.random.default_rng([seed, crc32(scores.images[which].encode())])
    return rng.integers(size, size=(n_bootstrap, size), dtype=np.int32)
