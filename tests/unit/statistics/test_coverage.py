"""Intervals cover the truth, and decisions are seldom false, when trainings differ.

Simulated first: image i scores image_i + training_j + noise_ij. The truth is the mean over the
populations of images and trainings, which is 0. Spreads of trainings are in standard
errors over images.
"""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from oodpriors.statistics.bootstrap import STATISTICS, Sample, multiplicities
from oodpriors.statistics.claims import judge
from oodpriors.statistics.estimates import SHARE, Estimate, over_trainings
from oodpriors.tables.ranking import RANKINGS

N_IMAGES, N_SETS, NOISE = 100, 1500, 0.3
SEEDS, SPREADS = [3, 5, 10], [0, 1, 6]


def rows_of(scores):
    """The mean of scores (..., N), and replicates whose spread is its standard error.

    It is the limit of many resamples. Differences of replicates are paired.
    """
    means = scores.mean(-1, keepdims=True)
    return np.concatenate([means, means + (scores - means) / np.sqrt(N_IMAGES)], -1)


def model(rng, images, n_trainings, spread, name):
    """An estimate of each of the sets of images, (N_SETS, 1, N_IMAGES)."""
    shape = (N_SETS, n_trainings, N_IMAGES)
    trainings = rng.normal(0, spread / np.sqrt(N_IMAGES), (*shape[:2], 1))
    rows = rows_of(images + trainings + NOISE * rng.normal(size=shape))
    return [over_trainings(own, name, {"drawn": N_IMAGES}) for own in rows]


def drawn_images(seed):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(N_SETS, 1, N_IMAGES))


@cache
def one_model(n_trainings, spread):
    """Means of one model."""
    return model(*drawn_images(0), n_trainings, spread, "a")


@cache
def two_models(n_trainings, spread, other=1.0):
    """Differences of two models on the same images; the spread of one is multiplied by other."""
    rng, images = drawn_images(1)
    left = model(rng, images, n_trainings, spread, "a")
    right = model(rng, images, n_trainings, other * spread, "b")
    return [a - b for a, b in zip(left, right, strict=True)]


def unequal(n_trainings, spread):
    """Differences of two models of which one varies ten times as much."""
    return two_models(n_trainings, spread, 0.1)


MADE = [one_model, two_models, unequal]


def coverage(estimates, half_width):
    return np.mean([abs(found.value) <= half_width(found) for found in estimates])


def normal_half_width(found):
    """The rule of large samples, for comparison."""
    return stats.norm.isf(0.025) * found.std_error


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("n_trainings", SEEDS)
def test_the_interval_covers_the_truth(n_trainings, spread, made):
    covered = coverage(made(n_trainings, spread), Estimate.half_width)
    assert covered >= 0.94 - 0.012  # twice the error of 1,500 sets
    assert covered <= 0.999  # wider ones would decide too little


@pytest.mark.parametrize("other", [0.1, 1])
def test_it_covers_the_difference_of_models_of_other_spreads(other):
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(8_000, 2, 3, 1)) * np.array([1, other])[:, None, None]
    found = [over_trainings(a, "a") - over_trainings(b, "b") for a, b in rows]
    assert 0.94 <= coverage(found, Estimate.half_width) <= 0.97


@pytest.mark.parametrize("made", MADE)
def test_a_normal_interval_does_not(made):
    assert coverage(made(3, 6), normal_half_width) < 0.9


def test_one_t_quantile_for_both_errors_does_not():
    def half_width(found):
        share = (found.training_error / found.std_error) ** 2
        return stats.t.isf(0.025, found.degrees_of_freedom / share**2) * found.std_error

    assert coverage(one_model(3, 4), half_width) < 0.94


def at_most_one_in_twenty(half_width):
    """Whether about no difference, of all simulated sets, at most 5 % of decisions are made."""
    missed = [1 - coverage(f(n, s), half_width) for f in MADE for n in SEEDS for s in SPREADS]
    return np.mean(missed) <= 0.05


def test_at_most_one_in_twenty_decisions_about_no_difference_is_made():
    assert at_most_one_in_twenty(Estimate.half_width)
    assert not at_most_one_in_twenty(normal_half_width)


def above_zero(estimates):
    """The comparisons that each estimate is above 0, and their measure."""
    comparisons = [
        {"left": {"model": str(k), "statistic": "mean"}, "relation": ">", "right": 0}
        for k in range(len(estimates))
    ]

    def measure(quantity):
        return estimates[int(quantity["model"])] if isinstance(quantity, dict) else Estimate(0.0)

    return comparisons, measure


def verdicts(estimates):
    """Verdicts on the claims that each estimate is above 0."""
    comparisons, measure = above_zero(estimates)
    claims = [{"id": "C", "where": "", "text": "", "comparisons": [c]} for c in comparisons]
    return judge(claims, [], measure)["verdict"]


def test_a_claim_is_decided_where_the_interval_leaves_its_margin_out():
    estimates = two_models(3, 6)[:300]
    misses = [abs(found.value) > found.half_width() for found in estimates]
    assert verdicts(estimates).isin(["holds", "fails"]).tolist() == misses
    assert 0 < sum(misses) < 0.06 * len(misses)


@pytest.mark.parametrize("n_trainings", [1, 2])
def test_fewer_than_three_trainings_decide_nothing(n_trainings):
    assert not verdicts(two_models(n_trainings, 6)[:300]).isin(["holds", "fails"]).any()


def test_the_error_over_images_of_one_training_would_decide_falsely():
    estimates = two_models(1, 3)
    assert coverage(estimates, lambda found: 1.96 * found.image_error) < 0.25


def test_a_true_difference_is_found():
    shifted = [found - Estimate(-1.0) for found in two_models(5, 1)[:300]]
    assert (verdicts(shifted) == "holds").mean() > 0.95


# many comparisons in a claim


def claim_of(estimates):
    """The verdict on the claim that every estimate is above 0."""
    comparisons, measure = above_zero(estimates)
    claim = {"id": "C", "where": "", "text": "", "comparisons": comparisons}
    return judge([claim], [], measure)["verdict"][0]


def test_a_claim_of_sixteen_true_comparisons_seldom_fails():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(200, 16))  # each at its margin, with a standard error of 1
    found = [claim_of([Estimate(v, v + np.array([-1.0, 0, 1])) for v in row]) for row in values]
    unadjusted = (values < -stats.norm.isf(0.025)).any(axis=1).mean()
    assert found.count("fails") / len(found) <= 0.05
    assert unadjusted > 0.25


# statistics of ranks: scores are N(0, 1) in distribution and N(shift, 1) out of distribution

FEW = [(50, 50, 2.5), (50, 50, 0.0), (60, 40, -1.0)]
MANY = [(200, 200, -2.0), (200, 200, 2.0)]
N_RANKED = 500


def population(statistic, n_test, n_ood, shift):
    """Its value for infinitely many images in this ratio."""
    inside, outside = stats.norm(), stats.norm(shift)
    if statistic == "auroc":
        return stats.norm.cdf(-shift / np.sqrt(2))
    if statistic == "fpr95":
        return inside.cdf(outside.ppf(0.95))
    detected = (np.arange(10_000) + 0.5) / 10_000
    alarms = n_test * inside.cdf(outside.ppf(detected))
    return np.mean(n_ood * detected / (n_ood * detected + alarms))


@cache
def ranked(n_test, n_ood, shift):
    """Estimates of simulated sets by statistic, each with resamples of its own."""
    rng, images = np.random.default_rng(0), {"test": n_test, "ood": n_ood}
    found = {name: [] for name in RANKINGS}
    for seed in range(N_RANKED):
        samples = [
            Sample(np.sort(rng.normal(place, 1, n)), multiplicities(name, n, 200, seed))
            for (name, n), place in zip(images.items(), (0, shift), strict=True)
        ]
        for name, estimates in found.items():
            row = STATISTICS[name](*samples)
            estimates.append(over_trainings([row], "m", images, SHARE))
    return found


@pytest.mark.parametrize(
    ("statistic", "drawn"),
    [
        *((name, drawn) for name in ("auroc", "aupr") for drawn in FEW + MANY),
        *(("fpr95", drawn) for drawn in MANY),
    ],
)
def test_the_interval_of_a_ranking_covers_that_of_the_population(statistic, drawn):
    truth = population(statistic, *drawn)
    ends = [found.interval for found in ranked(*drawn)[statistic]]
    assert np.mean([low <= truth <= high for low, high in ends]) >= 0.93 - 0.012  # its error
    values = [found.value for found in ranked(*drawn)[statistic]]
    assert all(low <= value <= high for value, (low, high) in zip(values, ends, strict=True))


@pytest.mark.parametrize("drawn", FEW[:1] + MANY[1:])
def test_an_fpr95_of_1_is_not_certain(drawn):
    found = ranked(*drawn)["fpr95"]
    covered = [e.interval[0] <= population("fpr95", *drawn) <= e.interval[1] for e in found]
    assert np.mean([e.image_error == 0 for e in found]) > 0.5
    assert np.mean(covered) >= 0.93


def test_replicates_of_the_average_precision_alone_would_not_cover():
    drawn = (50, 50, 3.3)  # an AUROC of 0.01
    found, truth = ranked(*drawn)["aupr"], population("aupr", *drawn)
    percentiles = [np.quantile(e.replicates, [0.025, 0.975]) for e in found]
    inside = [low <= e.value <= high for e, (low, high) in zip(found, percentiles, strict=True)]
    assert np.mean(inside) < 0.9
    assert np.mean([abs(e.value - truth) <= 2 * e.replicates.std() for e in found]) < 0.9
