"""Bootstrap resamples as multiplicities, and statistics of resampled sets.

A resample is a row of multiplicities: how often it contains each image. Row 0 contains
each image once, so that one formula gives the value on all images and its replicates.
Shapes: R = 1 + n_bootstrap rows, n images in a set.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal
from zlib import crc32

import numpy as np

CAUGHT = (19, 20)  # fpr95 detects 19 of 20 out of distribution
NEAR = 5.0  # standard deviations; limit of `within`
BINS = 50  # bins of overlap
Side = Literal["left", "right"]


@lru_cache(maxsize=64)
def multiplicities(images: str, size: int, n_bootstrap: int, seed: int) -> np.ndarray:
    """How often each resample contains each image, uint8 (R, size); row 0 is all ones.

    The same images are resampled identically for every model, so models are paired.
    """
    rng = np.random.default_rng([seed, crc32(images.encode())])
    counts = np.ones((1 + n_bootstrap, size), np.uint8)
    for row in counts[1:]:
        row[:] = np.bincount(rng.integers(size, size=size), minlength=size)
    counts.flags.writeable = False  # the cache shares it between callers
    return counts


@dataclass(frozen=True, eq=False)
class Sample:
    """Values of a set in increasing order, (n,), and their multiplicities, (R, n)."""

    ordered: np.ndarray
    weights: np.ndarray

    def part(self, rows: slice) -> "Sample":
        """The sample with only these resamples."""
        return Sample(self.ordered, self.weights[rows])

    @cached_property
    def total(self) -> np.ndarray:
        """Number of images in each resample, (R,)."""
        return self.weights.sum(1, dtype=np.int64)

    @cached_property
    def cumulated(self) -> np.ndarray:
        """Number of images among the k lowest values, k = 0 ... n: (R, n + 1)."""
        counts = np.zeros((len(self.weights), len(self.ordered) + 1), np.int32)
        np.cumsum(self.weights, axis=1, dtype=np.int32, out=counts[:, 1:])
        return counts

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of values given per image, (n,) -> (R,)."""
        return self.weights @ values.astype(float) / self.total

    def below(self, limits: np.ndarray, side: Side = "left") -> np.ndarray:
        """Number of images below the limits (right: below or equal), (k,) -> (R, k)."""
        return self.cumulated.take(np.searchsorted(self.ordered, limits, side), axis=1)

    def share_below(self, limit: np.ndarray, side: Side = "left") -> np.ndarray:
        """Share of images below a limit for each resample, (R,) -> (R,)."""
        place = np.searchsorted(self.ordered, limit, side)
        share = self.cumulated[np.arange(len(place)), place] / self.total
        return np.where(np.isnan(limit), np.nan, share)

    def ranked(self, rank: np.ndarray) -> np.ndarray:
        """Value with a rank (from 0) in each resample, (R,) -> (R,); NaN without images."""
        place = (self.cumulated <= rank[:, None]).sum(1) - 1
        return np.append(self.ordered, np.nan)[place]

    def quantile(self, share: float) -> np.ndarray:
        """The same as numpy.quantile for each resample, (R,)."""
        place = share * np.maximum(self.total - 1, 0)
        low, high = (self.ranked(whole(place)) for whole in (np.floor, np.ceil))
        return low + (high - low) * (place % 1)


# Statistics of one set


def _mean(of: Sample) -> np.ndarray:
    return of.mean(of.ordered)


def _median(of: Sample) -> np.ndarray:
    return of.quantile(0.5)


def _lower_quartile(of: Sample) -> np.ndarray:
    return of.quantile(0.25)


def _upper_quartile(of: Sample) -> np.ndarray:
    return of.quantile(0.75)


def _nll(of: Sample) -> np.ndarray:
    return -_mean(of)


def _std(of: Sample) -> np.ndarray:
    deviation = of.ordered - of.ordered.mean()
    variance = of.mean(deviation**2) - of.mean(deviation) ** 2
    return np.sqrt(np.maximum(variance, 0) * of.total / (of.total - 1))


def _within(of: Sample) -> np.ndarray:
    return of.mean(np.abs(of.ordered) <= NEAR)


# Statistics of the in-distribution test images and one set


def _gap(test: Sample, of: Sample) -> np.ndarray:
    return _mean(test) - _mean(of)


def _auroc(test: Sample, of: Sample) -> np.ndarray:
    twice = of.below(test.ordered) + of.below(test.ordered, "right")
    return (test.weights * twice).sum(1) / (2 * test.total * of.total)


def _aupr(test: Sample, of: Sample) -> np.ndarray:
    """Average precision: mean precision at each image of the set; ties count as detected.

    An image counts itself, so that n images give more than their population by about 1 / n
    of it. In a resample its repeats count as well, which adds as much again.
    """
    caught, alarms = (sample.below(of.ordered, "right") for sample in (of, test))
    precision = caught / np.maximum(caught + alarms, 1)
    return (of.weights * precision).sum(1) / of.total


def _fpr95(test: Sample, of: Sample) -> np.ndarray:
    rank = -(-CAUGHT[0] * of.total // CAUGHT[1]) - 1  # rank of the last image to detect
    return test.share_below(of.ranked(np.maximum(rank, 0)), "right")


def _overlap(test: Sample, of: Sample) -> np.ndarray:
    """Histogram intersection with bins between the 0.5 % and 99.5 % quantiles of both sets.

    For two samples of one distribution it is less than 1, for n images each by up to
    sqrt(BINS / (pi n)) (0.13 for 1,000). Resampling lowers it further, by about half as much.
    So value and interval are too low, and the interval may miss the truth.
    """
    values = np.concatenate([test.ordered, of.ordered])
    bounded = values[~np.isinf(values)]  # infinite ones are in the first or the last bin
    low, high = np.quantile(bounded, [0.005, 0.995]) if len(bounded) else (0.0, 0.0)
    inner = np.linspace(low, high, BINS + 1)[1:-1]
    counts = []
    for sample, other in ((test, of), (of, test)):
        ends = sample.total[:, None]
        below = np.hstack([0 * ends, sample.below(inner), ends])
        counts.append(np.diff(below, axis=1) * other.total[:, None])
    return np.minimum(*counts).sum(1) / (test.total * of.total)


def _in_band(test: Sample, of: Sample) -> np.ndarray:
    low, high = test.quantile(0.025), test.quantile(0.975)
    return of.share_below(high, "right") - of.share_below(low)


ONE_SET = {
    "mean": _mean,
    "median": _median,
    "lower_quartile": _lower_quartile,
    "upper_quartile": _upper_quartile,
    "nll": _nll,
    "std": _std,
    "within": _within,
}
TWO_SETS = {
    "auroc": _auroc,
    "gap": _gap,
    "aupr": _aupr,
    "fpr95": _fpr95,
    "overlap": _overlap,
    "in_band": _in_band,
}
STATISTICS = ONE_SET | TWO_SETS
SHARES = {"within", *TWO_SETS} - {"gap"}  # all of these are in [0, 1]
