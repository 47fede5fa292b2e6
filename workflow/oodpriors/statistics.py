"""Statistics of score files, with bootstrap errors over images and seeds.

Out-of-distribution is the positive class and -log p the score, so an AUROC of 0.5 is
blind and less than 0.5 is the phenomenon: higher likelihood out of distribution.

A resample is a row of multiplicities: how often it holds each image. Row 0 holds each
image once, so that the value on all images and its replicates come from one formula.
Shapes: R = 1 + n_bootstrap rows, n images of a set.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from oodpriors.files import atomic

__all__ = [
    "CURVE_FUNCTIONS",
    "OPERATIONS",
    "STATISTICS",
    "Estimate",
    "Measure",
    "ScoreTable",
    "auroc",
    "estimate",
    "load_stored",
    "multiplicities",
    "read_scores",
    "save_stored",
    "seed_multiplicities",
]

CAUGHT = (19, 20)  # fpr95 catches 19 of 20 out of distribution
NEAR = 5.0  # standard deviations: what `within` counts as near
BINS = 50  # of overlap
BLOCK = 2**19  # multiplicities that are worked on at once: as many as caches hold


def auroc(in_distribution: np.ndarray, out_of_distribution: np.ndarray) -> float:
    """P(log p in distribution > log p out of distribution), ties counting one half.

    By ranks, so that shifting or scaling the scores changes nothing.

    >>> auroc(np.array([-1.0, -2.0]), np.array([-3.0, -4.0]))
    1.0
    """
    n_in, n_out = len(in_distribution), len(out_of_distribution)
    ranks = rankdata(np.concatenate([in_distribution, out_of_distribution]))
    return float((ranks[:n_in].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out))


# Score files


@dataclass(frozen=True)
class ScoreTable:
    """Scores of one model: one table per seed, all of the same images.

    Attributes:
        tables: one per seed; the column ``set`` is train, test or ood, and
            ``images`` names what the set was cut from. Models that share images are
            resampled together, so that their differences are paired.
        seeds: of the tables, in their order.
    """

    tables: Sequence[pd.DataFrame]
    seeds: Sequence[int] = ()

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

    def values(self, run: int, which: str, column: str = "log_prob") -> np.ndarray:
        """A column of one set in the table of one seed, (n,).

        Raises:
            ValueError: the table has no such set or column.
        """
        return _pick(_pick(self._values[run], which, "set"), column, "column")

    def size(self, which: str) -> int:
        """Number of images of a set."""
        return len(next(iter(self._values[0][which].values())))


def read_scores(
    runs: Sequence[tuple[str, int]], paths: Sequence[str | Path]
) -> dict[str, ScoreTable]:
    """Score tables by model, from the file of each run, which is a model and a seed."""
    grouped: dict[str, list] = {}
    for (model, seed), path in zip(runs, paths, strict=True):
        grouped.setdefault(model, []).append((pd.read_parquet(path), seed))
    return {model: ScoreTable(*zip(*entries, strict=True)) for model, entries in grouped.items()}


def _pick(known: Mapping, name: str, what: str):
    if name not in known:
        there = ", ".join(map(str, known)) or "none"
        raise ValueError(f"{what} {name!r} is unknown; there are {there}")
    return known[name]


# Resamples


@lru_cache(maxsize=64)
def multiplicities(images: str, size: int, n_bootstrap: int, seed: int) -> np.ndarray:
    """How often each resample holds each image, uint8 (R, size); row 0 is all ones.

    Equal images are resampled equally, whoever asks: that pairs the models.
    """
    rng = np.random.default_rng([seed, crc32(images.encode())])
    counts = np.ones((1 + n_bootstrap, size), np.uint8)
    for row in counts[1:]:
        row[:] = np.bincount(rng.integers(size, size=size), minlength=size)
    counts.flags.writeable = False  # it is shared by all who ask
    return counts


def seed_multiplicities(n_seeds: int, n_bootstrap: int, seed: int) -> np.ndarray:
    """How often each resample holds each of n seeds, (R, n); row 0 is all ones.

    n - 1 of n seeds are drawn (Rao and Wu 1988): the mean of m draws varies by
    (n - 1) / n s² / m, which is the unbiased s² / n for m = n - 1, but a third too small
    for m = n = 3. A single seed is always drawn, and adds nothing to the error.
    """
    drawn = max(1, n_seeds - 1)
    rng = np.random.default_rng([seed, n_seeds])
    rows = rng.multinomial(drawn, np.full(n_seeds, 1 / n_seeds), size=n_bootstrap)
    return np.concatenate([np.ones((1, n_seeds), int), rows])


@dataclass(frozen=True, eq=False)
class _Sample:
    """Values of a set in rising order, (n,), and their multiplicities, (R, n)."""

    ordered: np.ndarray
    weights: np.ndarray

    def part(self, rows: slice) -> "_Sample":
        """Some of the resamples."""
        return _Sample(self.ordered, self.weights[rows])

    @cached_property
    def total(self) -> np.ndarray:
        """Number of images in each resample, (R,)."""
        return self.weights.sum(1, dtype=np.int64)

    @cached_property
    def cumulated(self) -> np.ndarray:
        """Number of images among the k lowest values, k = 0 .. n: (R, n + 1)."""
        counts = np.zeros((len(self.weights), len(self.ordered) + 1), np.int32)
        np.cumsum(self.weights, axis=1, dtype=np.int32, out=counts[:, 1:])
        return counts

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of anything by image, (n,) -> (R,)."""
        return self.weights @ values.astype(float) / self.total

    def below(self, limits: np.ndarray, side: str = "left") -> np.ndarray:
        """Number of images below limits (right: or at them), (k,) -> (R, k)."""
        return self.cumulated.take(np.searchsorted(self.ordered, limits, side), axis=1)

    def share_below(self, limit: np.ndarray, side: str = "left") -> np.ndarray:
        """Share of images below each resample's own limit, (R,) -> (R,)."""
        place = np.searchsorted(self.ordered, limit, side)
        share = self.cumulated[np.arange(len(place)), place] / self.total
        return np.where(np.isnan(limit), np.nan, share)

    def ranked(self, rank: np.ndarray) -> np.ndarray:
        """Value of a rank (from 0) in each resample, (R,) -> (R,); NaN of no images."""
        place = (self.cumulated <= rank[:, None]).sum(1) - 1
        return np.append(self.ordered, np.nan)[place]

    def quantile(self, share: float) -> np.ndarray:
        """As numpy.quantile of each resample, (R,)."""
        place = share * np.maximum(self.total - 1, 0)
        low, high = (self.ranked(whole(place)) for whole in (np.floor, np.ceil))
        return low + (high - low) * (place % 1)


# Statistics of one set


def _mean(of: _Sample) -> np.ndarray:
    return of.mean(of.ordered)


def _median(of: _Sample) -> np.ndarray:
    return of.quantile(0.5)


def _nll(of: _Sample) -> np.ndarray:
    return -_mean(of)


def _std(of: _Sample) -> np.ndarray:
    deviation = of.ordered - of.ordered.mean()
    variance = of.mean(deviation**2) - of.mean(deviation) ** 2
    return np.sqrt(np.maximum(variance, 0) * of.total / (of.total - 1))


def _within(of: _Sample) -> np.ndarray:
    return of.mean(np.abs(of.ordered) <= NEAR)


# Statistics of the in-distribution test images and one set


def _gap(test: _Sample, of: _Sample) -> np.ndarray:
    return _mean(test) - _mean(of)


def _auroc(test: _Sample, of: _Sample) -> np.ndarray:
    twice = of.below(test.ordered) + of.below(test.ordered, "right")
    return (test.weights * twice).sum(1) / (2 * test.total * of.total)


def _aupr(test: _Sample, of: _Sample) -> np.ndarray:
    """Average precision: that of every catch with all that ties with it, averaged."""
    caught, alarms = (sample.below(of.ordered, "right") for sample in (of, test))
    precision = caught / np.maximum(caught + alarms, 1)
    return (of.weights * precision).sum(1) / of.total


def _fpr95(test: _Sample, of: _Sample) -> np.ndarray:
    rank = -(-CAUGHT[0] * of.total // CAUGHT[1]) - 1  # of the last that has to be caught
    return test.share_below(of.ranked(np.maximum(rank, 0)), "right")


def _overlap(test: _Sample, of: _Sample) -> np.ndarray:
    """Histogram intersection, over bins between the 0.5 % and 99.5 % quantiles of both.

    Two samples of one distribution stay below 1, for n images each by up to
    sqrt(BINS / (pi n)), 0.13 for 1,000; resampling doubles their variance and lowers it
    again. So compare overlaps of equal numbers of images, by their differences.
    """
    low, high = np.quantile(np.concatenate([test.ordered, of.ordered]), [0.005, 0.995])
    inner = np.linspace(low, high, BINS + 1)[1:-1]
    shares = []
    for sample in (test, of):
        ends = sample.total[:, None]
        counts = np.hstack([0 * ends, sample.below(inner), ends])
        shares.append(np.diff(counts, axis=1) / ends)
    return np.minimum(*shares).sum(1)


def _in_band(test: _Sample, of: _Sample) -> np.ndarray:
    low, high = test.quantile(0.025), test.quantile(0.975)
    return of.share_below(high, "right") - of.share_below(low)


ONE_SET = {"mean": _mean, "median": _median, "nll": _nll, "std": _std, "within": _within}
TWO_SETS = {
    "auroc": _auroc,
    "gap": _gap,
    "aupr": _aupr,
    "fpr95": _fpr95,
    "overlap": _overlap,
    "in_band": _in_band,
}
STATISTICS = ONE_SET | TWO_SETS


# Estimates


@dataclass(frozen=True)
class Estimate:
    """A number with its bootstrap.

    Attributes:
        value: on all images, averaged over seeds.
        replicates: the same on resampled images and seeds, (n_bootstrap,); NaN where a
            resample has none of the images that it is about; empty for a number that
            is known without error.
    """

    value: float
    replicates: np.ndarray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, row: np.ndarray) -> "Estimate":
        """From the value and the replicates in one row, (R,)."""
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
        """Itself, a number that is known without error as equal replicates."""
        exact = not self.replicates.size
        return Estimate(self.value, np.full(n_bootstrap, self.value)) if exact else self

    def __sub__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.value - other.value, self.replicates - other.replicates)


def estimate(
    scores: ScoreTable,
    statistic: str,
    which: str = "ood",
    column: str = "log_prob",
    n_bootstrap: int = 1000,
    seed: int = 0,
    component: int | None = None,
) -> Estimate:
    """A statistic of one model, with bootstrap replicates.

    Args:
        scores: of the model.
        statistic: one of STATISTICS. Of one set: ``mean``, ``median``, ``nll`` (minus
            the mean), ``std``, ``within`` (share of values within ±5). Of the
            in-distribution test images and the set: ``gap`` (difference of their
            means), ``auroc``, ``aupr`` (average precision), ``fpr95`` (share of the test
            images called out of distribution by the threshold that catches 95 % of the
            set), ``overlap`` (of their histograms), ``in_band`` (share of the set in the
            central 95 % of the test images).
        which: set that it is about.
        column: of the score table.
        n_bootstrap: replicates; each draws n of n images, the same for every seed, and
            n - 1 of n seeds (one seed: images alone).
        seed: of the bootstrap. Equal seeds resample equal images, and equal numbers of
            seeds, equally.
        component: only the images whose ``nearest_component`` it is; None takes all.

    Raises:
        ValueError: unknown statistic, set or column.
    """
    compute = _pick(STATISTICS, statistic, "statistic")
    sets = ("test", which) if statistic in TWO_SETS else (which,)
    rows = []
    for run in range(len(scores.tables)):
        samples = [_sample(scores, run, s, column, component, n_bootstrap, seed) for s in sets]
        rows.append(_in_blocks(compute, samples))
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
) -> _Sample:
    values = scores.values(run, which, column)
    weights = multiplicities(scores.images[which], len(values), n_bootstrap, seed)
    rising = np.argsort(values, kind="stable")
    if component is not None:
        nearest = scores.values(run, which, "nearest_component")
        rising = rising[nearest[rising] == component]
    return _Sample(values[rising], weights.take(rising, axis=1))


def _in_blocks(compute, samples: list[_Sample]) -> np.ndarray:
    n_rows, sizes = len(samples[0].weights), [len(sample.ordered) for sample in samples]
    if min(sizes) == 0 or any(np.isnan(sample.ordered).any() for sample in samples):
        return np.full(n_rows, np.nan)
    step = max(1, BLOCK // max(sizes))
    blocks = [slice(start, start + step) for start in range(0, n_rows, step)]
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample without an image
        parts = [compute(*(sample.part(rows) for sample in samples)) for rows in blocks]
    return np.concatenate(parts)


# Quantities


def _difference(rows: np.ndarray) -> np.ndarray:
    left, right = rows
    return left - right


def _ratio(rows: np.ndarray) -> np.ndarray:
    left, right = rows
    with np.errstate(divide="ignore", invalid="ignore"):
        return left / right


# Each takes the rows of its quantities, (k, R).
OPERATIONS = {
    "difference": _difference,
    "ratio": _ratio,
    "largest": lambda rows: rows.max(0),
    "smallest": lambda rows: rows.min(0),
}


def _spearman(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    x = rankdata(distances)[:, None]
    y = rankdata(heights, axis=0, nan_policy="propagate")
    x, y = x - x.mean(), y - y.mean(0)
    with np.errstate(invalid="ignore"):  # a flat curve has no rank correlation
        return (x * y).sum(0) / np.sqrt((x**2).sum() * (y**2).sum(0))


def _range(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    return np.ptp(heights, axis=0)


def _turning_distance(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    return np.where(heights[0] >= 0.5, 0.0, _first_at_zero(distances, heights - 0.5))


def _distance_at_drop(distances: np.ndarray, heights: np.ndarray, drop: float | None) -> np.ndarray:
    if drop is None or not drop > 0:
        raise ValueError(f"distance_at_drop: drop must be a number above 0, got {drop}")
    return _first_at_zero(distances, heights[0] - heights - drop)


def _first_at_zero(distances: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Where heights (k, R) first rise to 0 from below, the last distance if nowhere: (R,)."""
    reached, columns = heights >= 0, np.arange(heights.shape[1])
    after = np.where(reached.any(0), reached.argmax(0), len(distances) - 1)
    before = np.maximum(after - 1, 0)
    low, high = heights[before, columns], heights[after, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(reached.any(0) & (after > 0), -low / (high - low), 1.0)
    found = distances[before] + part * (distances[after] - distances[before])
    return np.where(np.isnan(heights).any(0), np.nan, found)


# Each takes the distances of a grid, (k,), the statistic there, (k, R), and drop.
CURVE_FUNCTIONS = {
    "spearman": _spearman,
    "range": _range,
    "turning_distance": _turning_distance,
    "distance_at_drop": _distance_at_drop,
}


class Measure:
    """Estimates of quantities, each computed once.

    A quantity is a number, or a mapping of one of these forms:

    - ``model`` and ``statistic``, and optionally ``set`` (ood), ``column`` (log_prob)
      and ``component`` (all): see :func:`estimate`.
    - ``stored``: the name of a stored estimate.
    - ``difference`` or ``ratio`` of two quantities, ``largest`` or ``smallest`` of some.
    - ``curve`` and ``function``: of a statistic (by default ``auroc``; ``set``,
      ``column`` and ``component`` as above) along a grid of models, one per distance:
      ``spearman`` (rank correlation with the distance), ``range`` (largest minus
      smallest), ``turning_distance`` (smallest distance at which the AUROC reaches 0.5:
      0 if it starts there) and ``distance_at_drop`` (smallest distance at which it has
      fallen by ``drop`` from its first value). Distances between those of the grid are
      interpolated; one that is never reached is the grid's largest.

    Args:
        scores: by model.
        n_bootstrap: replicates.
        seed: of the bootstrap.
        stored: estimates by name, see :func:`load_stored`.
        curves: grids by name, of (distance, model).
    """

    def __init__(
        self,
        scores: Mapping[str, ScoreTable],
        n_bootstrap: int,
        seed: int = 0,
        stored: Mapping[str, Estimate] | None = None,
        curves: Mapping[str, Sequence[tuple[float, str]]] | None = None,
    ) -> None:
        self.scores, self.n_bootstrap, self.seed = scores, n_bootstrap, seed
        self.stored, self.curves = stored or {}, curves or {}
        self._known: dict[str, Estimate] = {}
        combined = dict.fromkeys(OPERATIONS, self._of_operation)
        self._forms = {
            "model": self._of_model,
            "stored": self._of_stored,
            "curve": self._of_curve,
            **combined,
        }

    def __call__(self, quantity: Mapping | float) -> Estimate:
        """The estimate of a quantity.

        Raises:
            ValueError: a form or a name that is unknown, or stored replicates of
                another number than n_bootstrap.
        """
        if isinstance(quantity, int | float):
            return Estimate(float(quantity)).over(self.n_bootstrap)
        form = next((key for key in self._forms if key in quantity), None)
        if form is None:
            raise ValueError(f"quantity {dict(quantity)}: needs one of {', '.join(self._forms)}")
        whole = {"set": "ood", "column": "log_prob"} | dict(quantity)
        key = json.dumps(whole, sort_keys=True)
        if key not in self._known:
            self._known[key] = self._forms[form](whole)
        return self._known[key]

    def _of_model(self, quantity: Mapping) -> Estimate:
        return estimate(
            _pick(self.scores, quantity["model"], "model"),
            quantity.get("statistic"),
            quantity["set"],
            quantity["column"],
            self.n_bootstrap,
            self.seed,
            quantity.get("component"),
        )

    def _of_stored(self, quantity: Mapping) -> Estimate:
        name = quantity["stored"]
        found = _pick(self.stored, name, "stored estimate").over(self.n_bootstrap)
        if len(found.replicates) != self.n_bootstrap:
            raise ValueError(
                f"stored estimate {name!r} has {len(found.replicates)} replicates, the bootstrap "
                f"{self.n_bootstrap}: delete {name.split('/')[0]}.csv and run again"
            )
        return found

    def _of_operation(self, quantity: Mapping) -> Estimate:
        name = next(key for key in OPERATIONS if key in quantity)
        return Estimate.of(OPERATIONS[name](np.stack([self(q).row for q in quantity[name]])))

    def _of_curve(self, quantity: Mapping) -> Estimate:
        grid = sorted(_pick(self.curves, quantity["curve"], "curve"))
        function = _pick(CURVE_FUNCTIONS, quantity.get("function"), "function of a curve")
        about = {"statistic": "auroc"} | dict(quantity)
        about = {k: about[k] for k in ("statistic", "set", "column", "component") if k in about}
        heights = np.stack([self({"model": model, **about}).row for _, model in grid])
        distances = np.array([float(distance) for distance, _ in grid])
        return Estimate.of(function(distances, heights, quantity.get("drop")))


# Stored estimates


def save_stored(path: Path | str, estimates: Mapping[str, Estimate]) -> None:
    """Estimates as a table: a column each, row 0 the value, then the replicates.

    Numbers that are known without error need no replicates; beside others they repeat.
    """
    longest = max((len(found.replicates) for found in estimates.values()), default=0)
    columns = {name: found.over(longest).row for name, found in estimates.items()}
    with atomic(path) as temporary:
        pd.DataFrame(columns).rename_axis("replicate").to_csv(temporary)


def load_stored(paths: Sequence[Path | str]) -> dict[str, Estimate]:
    """Stored estimates by ``<file>/<column>``, the file's name without its suffix."""
    stored = {}
    for path in map(Path, paths):
        table = pd.read_csv(path, index_col="replicate")
        for column, values in table.sort_index().items():
            stored[f"{path.stem}/{column}"] = Estimate.of(values.to_numpy())
    return stored
