"""Resamples of images, and their statistics."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_curve
from tests.unit.statistics.conftest import by_sklearn, frame, scores, table

from oodpriors.statistics import estimates as statistics
from oodpriors.statistics.bootstrap import (
    BINS,
    NEAR,
    SHARES,
    STATISTICS,
    multiplicities,
)
from oodpriors.statistics.estimates import (
    ScoreTable,
    estimate,
)

# statistics, against their definitions


def truth_and_score(inside, outside):
    """Out-of-distribution is the positive class, -log p the score."""
    return np.repeat([0, 1], [len(inside), len(outside)]), -np.concatenate([inside, outside])


def fpr95_by_sklearn(inside, outside):
    false, true, _ = roc_curve(*truth_and_score(inside, outside), drop_intermediate=False)
    return false[np.argmax(true >= 0.95)]


def bins_of(inside, outside):
    low, high = np.quantile(np.concatenate([inside, outside]), [0.005, 0.995])
    return np.linspace(low, high, BINS + 1)


def overlap_of(inside, outside, bins):
    shares = [
        np.histogram(np.clip(v, bins[0], bins[-1]), bins)[0] / len(v) for v in (inside, outside)
    ]
    return np.minimum(*shares).sum()


def in_band_of(inside, outside):
    low, high = np.quantile(inside, [0.025, 0.975])
    return np.mean((outside >= low) & (outside <= high))


# Functions of the resampled values in and out of distribution, and the original bins.
DEFINITIONS = {
    "mean": lambda i, o, _: o.mean(),
    "median": lambda i, o, _: np.median(o),
    "lower_quartile": lambda i, o, _: np.quantile(o, 0.25),
    "upper_quartile": lambda i, o, _: np.quantile(o, 0.75),
    "nll": lambda i, o, _: -o.mean(),
    "std": lambda i, o, _: o.std(ddof=1),
    "within": lambda i, o, _: np.mean(np.abs(o) <= NEAR),
    "auroc": lambda i, o, _: by_sklearn(i, o),
    "gap": lambda i, o, _: i.mean() - o.mean(),
    "aupr": lambda i, o, _: average_precision_score(*truth_and_score(i, o)),
    "fpr95": lambda i, o, _: fpr95_by_sklearn(i, o),
    "overlap": overlap_of,
    "in_band": lambda i, o, _: in_band_of(i, o),
}


def with_ties(n=60):
    """Integers around the limit of `within`, with many ties."""
    rng = np.random.default_rng(2)
    return rng.integers(-9, 9, n).astype(float), rng.integers(-12, 6, n + 20).astype(float)


def test_every_statistic_has_a_definition():
    assert DEFINITIONS.keys() == STATISTICS.keys()


@pytest.mark.parametrize("data", [scores, with_ties])
@pytest.mark.parametrize("statistic", STATISTICS)
def test_value_and_replicates_are_those_of_the_resampled_images(statistic, data, monkeypatch):
    monkeypatch.setattr(statistics, "BLOCK", 700)  # so that there are several blocks
    inside, outside = data()
    found = estimate(table(test=inside, ood=outside), statistic, n_bootstrap=40, seed=5)
    rows = [
        multiplicities(f"{n}.images", len(v), 40, 5)
        for n, v in (("test", inside), ("ood", outside))
    ]
    expected = [
        DEFINITIONS[statistic](
            np.repeat(inside, i), np.repeat(outside, o), bins_of(inside, outside)
        )
        for i, o in zip(*rows, strict=True)
    ]
    assert_rows(statistic, found, expected)


def assert_rows(statistic, found, expected):
    """Value and replicates; a share of 0 or 1 has others, with the error of its interval."""
    replaced = statistic in SHARES and found.value in (0, 1)
    compared = slice(1 if replaced else None)
    np.testing.assert_allclose(found.row[compared], expected[compared], rtol=1e-10, atol=1e-12)


# the bootstrap over images


def test_a_resample_draws_as_many_images_as_there_are():
    rows = multiplicities("a", 500, 300, 0)
    assert rows.shape == (301, 500)
    assert (rows[0] == 1).all()
    assert (rows.sum(1) == 500).all()
    # each image is drawn binomially, with mean 1 and variance 1 - 1 / 500
    assert rows[1:].var() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(rows[1:].mean(0), 1, atol=5 / np.sqrt(300))


def test_only_equal_images_are_drawn_equally():
    first = multiplicities("a", 50, 10, 0)
    assert multiplicities("a", 50, 10, 0) is first
    for name, seed in (("b", 0), ("a", 1)):
        assert not np.array_equal(multiplicities(name, 50, 10, seed), first)


# one component


def by_component(test, ood):
    """Log-likelihoods and nearest components of both sets."""
    data = frame(test=test[0], ood=ood[0])
    return ScoreTable([data.assign(nearest_component=np.concatenate([test[1], ood[1]]))])


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_component_has_the_images_that_are_nearest_to_it(statistic):
    inside, outside = scores()
    near = [np.arange(len(values)) % 3 for values in (inside, outside)]
    data = by_component((inside, near[0]), (outside, near[1]))
    found = estimate(data, statistic, n_bootstrap=20, component=2)
    kept = [inside[near[0] == 2], outside[near[1] == 2]]
    rows = [
        multiplicities(f"{n}.images", len(v), 20, 0)[:, v == 2]
        for n, v in zip(("test", "ood"), near, strict=True)
    ]
    expected = [
        DEFINITIONS[statistic](np.repeat(kept[0], i), np.repeat(kept[1], o), bins_of(*kept))
        for i, o in zip(*rows, strict=True)
    ]
    assert_rows(statistic, found, expected)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_component_without_an_image_gives_no_number(statistic):
    data = by_component(([0.0, 1], [0, 0]), ([2.0, 3], [0, 0]))
    assert np.isnan(estimate(data, statistic, n_bootstrap=5, component=1).row).all()


@pytest.mark.parametrize(
    "statistic", ["mean", "median", "auroc", "aupr", "fpr95", "overlap", "in_band"]
)
def test_a_resample_without_the_component_is_left_out(statistic):
    data = by_component(([0.0, 1, 2], [1, 1, 1]), ([0.5, 1.5, 4], [1, 1, 0]))
    found = estimate(data, statistic, n_bootstrap=300, component=1)
    drawn = multiplicities("ood.images", 3, 300, 0)[:, :2].any(1)
    np.testing.assert_array_equal(np.isfinite(found.row), drawn)
    assert np.isfinite([found.std_error, *found.interval]).all()
