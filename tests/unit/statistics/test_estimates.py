"""Statistics equal their definitions, and their bootstrap has the right spread."""

import math
from dataclasses import replace
from itertools import product as pairs_of

import numpy as np
import pytest
from scipy import stats
from scipy.stats import norm
from tests.unit.statistics.conftest import by_sklearn, constant, difference, frame, scores, table

from oodpriors.statistics.estimates import (
    Estimate,
    ScoreTable,
    auroc,
    combine,
    estimate,
    over_trainings,
    read_scores,
)


def test_the_nearest_component_is_the_one_that_likes_an_image_best():
    data = frame(ood=[-3.0, -1.0]).assign(
        log_prob_component_0=[-5, -1], log_prob_component_1=[-2, -4]
    )
    assert ScoreTable([data]).values(0, "ood", "log_prob_nearest").tolist() == [-2, -1]


# auroc


def by_pairs(inside, outside):
    wins = [(a > b) + 0.5 * (a == b) for a, b in pairs_of(inside, outside)]
    return sum(wins) / len(wins)


@pytest.mark.parametrize("oracle", [by_pairs, by_sklearn])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("values", [3, 10, 10**6], ids="of {} values".format)
def test_auroc_is_the_share_of_pairs(oracle, seed, values):
    rng = np.random.default_rng(seed)
    inside, outside = rng.integers(values, size=30), rng.integers(values, size=41)
    assert auroc(inside, outside) == pytest.approx(oracle(inside, outside), abs=1e-12)


@pytest.mark.parametrize(
    ("inside", "outside", "value"),
    [
        ([-1], [-2], 1.0),
        ([-2], [-1], 0.0),
        ([-1], [-1], 0.5),
        ([5, 5, 5], [5, 5], 0.5),
        ([1, 2], [1, 3], 0.375),  # a tie, a loss, a win, a loss
    ],
)
def test_ties_count_half(inside, outside, value):
    assert auroc(np.asarray(inside), np.asarray(outside)) == value


@pytest.mark.parametrize("seed", range(3))
def test_auroc_out_of_the_other_distribution_is_the_complement(seed):
    inside, outside = scores(seed=seed)
    assert auroc(inside, outside) + auroc(outside, inside) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("scale", [0.25, 1.0, 1024.0])
@pytest.mark.parametrize("shift", [-2048.0, 0.0, 512.0])
def test_auroc_does_not_depend_on_shift_and_scale(scale, shift):
    inside, outside = scores()
    assert auroc(scale * inside + shift, scale * outside + shift) == auroc(inside, outside)


def test_tiny_differences_of_large_likelihoods_count():
    rng = np.random.default_rng(0)
    inside, outside = rng.integers(50, size=100), rng.integers(50, size=80)
    # 1e-12 of the likelihood itself
    found = auroc(-3000 + 3e-9 * inside, -3000 + 3e-9 * outside)
    assert found == pytest.approx(by_pairs(inside, outside), abs=1e-12)


@pytest.mark.parametrize(
    ("statistic", "shift", "expected"),
    [
        ("auroc", 1.0, norm.cdf(-1 / np.sqrt(2))),
        ("overlap", 1.0, 2 * norm.cdf(-0.5)),
        ("overlap", 20.0, 0.0),
        ("in_band", 1.5, norm.cdf(1.96 - 1.5) - norm.cdf(-1.96 - 1.5)),
        ("fpr95", -1.0, norm.cdf(norm.ppf(0.95) - 1)),
        ("within", 4.0, norm.cdf(1) - norm.cdf(-9)),
        ("std", 3.0, 1.0),
    ],
)
def test_statistics_of_two_normals_are_the_exact_ones(statistic, shift, expected):
    rng = np.random.default_rng(0)
    data = table(test=rng.normal(0, 1, 100_000), ood=rng.normal(shift, 1, 100_000))
    # the overlap of n values is too small by up to sqrt(BINS / (pi n)), here 0.013
    assert estimate(data, statistic, n_bootstrap=1).value == pytest.approx(expected, abs=0.01)


def test_a_set_overlaps_itself_and_its_blind_rankings_are_known():
    values = scores()[0]
    data = table(test=values, ood=values)
    found = {
        name: estimate(data, name, n_bootstrap=1).value for name in ("overlap", "auroc", "fpr95")
    }
    assert found == {"overlap": 1.0, "auroc": 0.5, "fpr95": 0.95}


def test_equal_values_overlap_altogether():
    assert estimate(table(test=np.ones(5), ood=np.ones(9)), "overlap", n_bootstrap=9).value == 1


@pytest.mark.parametrize("n_infinite", [1, 5, 200])
def test_images_of_no_likelihood_overlap_with_none_of_a_likelihood(n_infinite):
    rng = np.random.default_rng(0)
    outside = rng.normal(-50, 1, 200)
    outside[:n_infinite] = -np.inf
    data = table(test=rng.normal(0, 1, 200), ood=outside)
    assert estimate(data, "overlap", n_bootstrap=3).value <= 0.01


@pytest.mark.parametrize("statistic", ["auroc", "median", "mean", "overlap"])
def test_scores_that_are_no_numbers_give_none(statistic):
    data = table(test=np.zeros(4), ood=np.array([1.0, np.nan, 2.0]))
    assert np.isnan(estimate(data, statistic, n_bootstrap=3).row).all()


@pytest.mark.parametrize("which", ["train", "test", "ood"])
def test_a_statistic_is_about_its_set(which):
    sets = {"train": np.array([1.0, 2]), "test": np.array([5.0, 6]), "ood": np.array([8.0, 9])}
    found = estimate(table(**sets), "mean", which, n_bootstrap=100)
    assert found.value == sets[which].mean()
    assert sets[which].min() <= found.replicates.min() <= found.replicates.max()
    assert found.replicates.max() <= sets[which].max()


def test_a_statistic_is_of_its_column():
    data = frame(test=np.zeros(4), ood=np.zeros(4)).assign(bits_per_dim=[1, 2, 3, 4, 5, 6, 7, 8])
    found = estimate(ScoreTable([data]), "mean", "ood", "bits_per_dim", n_bootstrap=100)
    assert found.value == 6.5


@pytest.mark.parametrize("statistic", ["mean", "nll"])
def test_the_standard_error_of_a_mean_is_the_textbook_one(statistic):
    inside, outside = scores(n=300)
    found = estimate(table(test=inside, ood=outside), statistic, n_bootstrap=3000)
    assert found.std_error == pytest.approx(outside.std() / np.sqrt(len(outside)), rel=0.05)


def test_the_standard_error_of_a_gap_adds_those_of_both_sets():
    inside, outside = scores(n=300)
    found = estimate(table(test=inside, ood=outside), "gap", n_bootstrap=3000)
    expected = np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
    assert found.std_error == pytest.approx(expected, rel=0.05)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    inside, outside = scores(n=300)
    low, high = estimate(table(test=inside, ood=outside), "mean", n_bootstrap=3000).interval
    half = 1.96 * outside.std() / np.sqrt(len(outside))
    assert low == pytest.approx(outside.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(outside.mean() + half, abs=0.1 * half)


def test_the_interval_of_an_auroc_covers_the_truth():
    rng, truth, hits = np.random.default_rng(0), norm.cdf(1 / np.sqrt(2)), 0
    for _ in range(60):
        data = table(test=rng.normal(1, 1, 100), ood=rng.normal(0, 1, 100))
        low, high = estimate(data, "auroc", n_bootstrap=200).interval
        hits += low < truth < high
    assert 0.87 * 60 <= hits <= 60


def test_equal_seeds_give_equal_replicates():
    data = table(test=scores()[0], ood=scores()[1])
    first, again, other = (estimate(data, "auroc", n_bootstrap=100, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.replicates, again.replicates)
    assert not np.array_equal(first.replicates, other.replicates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mode"], "statistic 'mode' is unknown; there are mean, median, lower_quartile"),
        (["mean", "svhn"], "set 'svhn' is unknown; there are ood, test"),
        (["mean", "ood", "kl"], "column 'kl' is unknown; there are log_prob"),
    ],
)
def test_an_unknown_name_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        estimate(table(test=np.zeros(3), ood=np.zeros(3)), *arguments)


def test_models_that_share_images_are_resampled_together():
    inside, outside = scores()
    found = difference(table(test=inside, ood=outside + 3), table(test=inside, ood=outside))
    assert found.value == pytest.approx(3)
    assert found.std_error == pytest.approx(0, abs=1e-9)


def test_the_error_of_a_paired_difference_is_that_of_the_differences():
    rng = np.random.default_rng(1)
    inside, outside = scores(n=300)
    change = rng.normal(3, 1, len(outside))
    found = difference(table(test=inside, ood=outside + change), table(test=inside, ood=outside))
    assert found.std_error == pytest.approx(change.std() / np.sqrt(len(change)), rel=0.05)


def test_models_with_other_images_are_resampled_apart():
    inside, outside = scores(n=300)
    found = difference(
        table({"ood": "svhn"}, test=inside, ood=outside),
        table({"ood": "mnist"}, test=inside, ood=outside),
    )
    error = outside.std() / np.sqrt(len(outside))
    assert found.value == 0
    assert found.std_error == pytest.approx(np.sqrt(2) * error, rel=0.05)


def test_sets_of_one_model_are_resampled_apart():
    values = scores(n=300)[1]
    found = estimate(table(test=values, ood=values), "gap", n_bootstrap=3000)
    assert found.std_error == pytest.approx(np.sqrt(2 / len(values)) * values.std(), rel=0.05)


def test_the_aurocs_of_equal_models_do_not_differ():
    inside, outside = scores()
    found = difference(
        table(test=inside, ood=outside), table(test=2 * inside, ood=2 * outside), "auroc"
    )
    assert (found.value, found.std_error) == (0, 0)


@pytest.mark.parametrize("values", [(4,), (1, 3), (1, 2, 6)])
def test_seeds_are_averaged(values):
    assert estimate(constant(*values), "mean", n_bootstrap=100).value == np.mean(values)


@pytest.mark.parametrize("values", [(0, 2), (1, 2, 6), (0, 1, 5, 5, 9)])
def test_the_error_over_trainings_is_the_textbook_one(values):
    found = estimate(constant(*values), "mean", n_bootstrap=5)
    assert found.std_error == pytest.approx(stats.sem(values), rel=1e-12)
    assert found.degrees_of_freedom == pytest.approx(len(values) - 1)


@pytest.mark.parametrize("values", [(0, 2), (1, 2, 6), (0, 1, 5, 5, 9)])
def test_without_an_error_over_images_the_interval_is_that_of_students_t(values):
    found = estimate(constant(*values), "mean", n_bootstrap=5)
    t = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose(found.interval, t, rtol=1e-9)
    assert found.p_value(found.value) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_one_training_adds_no_error():
    found = estimate(constant(7, model="m"), "mean", n_bootstrap=100)
    assert (found.std_error, found.degrees_of_freedom) == (0, math.inf)
    assert found.trainings == {"m": 1}


@pytest.mark.parametrize("right", [(1, 3, 6), (0, 9, 2, 2, 1)])
def test_the_difference_of_two_models_is_that_of_welchs_test(right):
    left = (0, 2, 5)
    models = constant(*left, model="a"), constant(*right, model="b")
    found = difference(*models)
    welch = stats.ttest_ind(left, right, equal_var=False)
    assert found.degrees_of_freedom == pytest.approx(welch.df)
    np.testing.assert_allclose(found.interval, welch.confidence_interval(), rtol=1e-9)
    assert found.trainings == {"a": 3, "b": len(right)}


def test_quantities_of_one_model_share_its_trainings():
    found = difference(constant(0, 2, 5, model="a"), constant(1, 3, 6, model="a"))
    assert (found.value, found.std_error) == (-1, pytest.approx(0, abs=1e-12))


def test_the_errors_over_images_and_trainings_are_added():
    rng = np.random.default_rng(3)
    images, seeds = rng.normal(0, 1, 400), np.array([-0.2, 0.0, 0.3])
    data = ScoreTable([frame(test=images, ood=images + shift) for shift in seeds])
    found = estimate(data, "mean", n_bootstrap=3000)
    assert found.image_error == pytest.approx(images.std() / 20, rel=0.05)
    assert found.training_error == pytest.approx(stats.sem(seeds))
    assert found.std_error == pytest.approx(np.hypot(found.image_error, found.training_error))
    quantiles = stats.t.isf(0.025, [399, 2])
    half = np.hypot(*(quantiles * [found.image_error, found.training_error]))
    assert found.half_width() == pytest.approx(half)


@pytest.mark.parametrize(("statistic", "high"), [("auroc", 1), ("within", 1), ("mean", math.inf)])
def test_the_interval_of_a_share_ends_where_shares_do(statistic, high):
    data = ScoreTable([frame(test=np.full(9, 3.0), ood=[0.0, x, x, x]) for x in (0, 4, 9)])
    found = estimate(data, statistic, n_bootstrap=9)
    assert found.value + found.half_width() > 1
    assert found.interval[1] == min(found.value + found.half_width(), high)
    assert (found - found).limits == (-math.inf, math.inf)


def test_an_estimate_tells_its_images():
    data = table({"ood": "mnist.test"}, test=np.zeros(4), ood=np.zeros(6))
    assert estimate(data, "mean", n_bootstrap=3).images == {"mnist.test": 6}
    assert estimate(data, "auroc", n_bootstrap=3).images == {"test.images": 4, "mnist.test": 6}


@pytest.mark.parametrize(
    ("column", "trainings"), [("log_prob", {"m": 3}), ("x_1", {}), ("log_prob_true", {})]
)
def test_a_column_of_the_data_needs_no_training(column, trainings):
    data = frame(test=np.arange(5.0), ood=np.arange(7.0)).assign(
        x_1=np.arange(12.0), log_prob_true=np.arange(12.0)
    )
    found = estimate(ScoreTable([data] * 3, range(3), "m"), "mean", "ood", column, 50)
    assert found.trainings == trainings
    assert found.std_error > 0


# reading


def test_scores_are_grouped_by_model_with_their_seeds(tmp_path):
    runs = [("vae/a/uni", 0), ("vae/a/uni", 1), ("glow/a/uni", 4), ("vae/a/uni", 2)]
    paths = [str(tmp_path / f"{i}.parquet") for i in range(len(runs))]
    for i, path in enumerate(paths):
        frame(test=np.full(3, float(i)), ood=np.full(2, -float(i))).to_parquet(path, index=False)
    read = read_scores(runs, paths)
    assert {model: list(found.seeds) for model, found in read.items()} == {
        "vae/a/uni": [0, 1, 2],
        "glow/a/uni": [4],
    }
    assert [read["vae/a/uni"].values(run, "test")[0] for run in range(3)] == [0, 1, 3]
    assert read["glow/a/uni"].values(0, "ood").tolist() == [-2, -2]


def test_a_table_knows_its_images_and_sizes():
    data = table({"ood": "mnist.test"}, train=np.zeros(4), test=np.zeros(2), ood=np.zeros(3))
    assert data.images == {"train": "train.images", "test": "test.images", "ood": "mnist.test"}
    assert [data.size(which) for which in ("train", "test", "ood")] == [4, 2, 3]


# estimates by hand


@pytest.mark.parametrize("bias", [0.0, -400.0, 2000.0])
def test_the_error_over_images_is_the_spread_and_the_bias_of_the_replicates(bias):
    found = Estimate(500 - bias, np.arange(1001.0))
    # of the integers 0 .. n, with n in the denominator: sqrt(n (n + 1) (n + 2) / 12 / n)
    assert found.std_error == pytest.approx(np.hypot(np.sqrt(1001 * 1002 / 12), bias))
    half = 1.959964 * found.std_error
    assert found.interval == pytest.approx((found.value - half, found.value + half))


def test_an_infinite_value_keeps_the_error_of_its_finite_replicates():
    finite = np.array([1.0, 2, 3])
    assert Estimate(-np.inf, np.append(finite, -np.inf)).std_error == finite.std(ddof=1)


@pytest.mark.parametrize(("value", "n"), [(0.0, 50), (0.02, 400), (0.5, 50), (0.97, 80), (1.0, 7)])
def test_the_interval_of_a_share_is_wilsons(value, n):
    replicates = value + np.sqrt(value * (1 - value) / n) * np.array([-1.0, 0, 1])
    found = Estimate(value, replicates, images={"m": n}, limits=(0.0, 1.0))
    t = stats.t.isf(0.025, n - 1)
    # the shares from which the value is t standard errors away
    ends = np.roots([1 + t**2 / n, -2 * value - t**2 / n, value**2])
    assert found.interval == pytest.approx(sorted(ends), abs=1e-12)


@pytest.mark.parametrize("inside", [0.0, -9.0], ids=["AUROC 1", "AUROC 0"])
@pytest.mark.parametrize("n", [2, 20, 400])
def test_a_difference_from_a_share_without_spread_has_the_error_of_its_interval(inside, n):
    data = frame(test=np.linspace(inside, inside + 1, n), ood=np.linspace(-4, -3, n))
    found = estimate(ScoreTable([data]), "auroc", n_bootstrap=200)
    assert found.value == (inside == 0)
    low, high = found.interval
    assert found.half_width() == pytest.approx(high - low, rel=5e-3)
    distance = (found - Estimate(0.5)).half_width()
    assert distance == pytest.approx(found.half_width(), rel=1e-9)
    other = ScoreTable([data], model="another")
    apart = found - estimate(other, "auroc", n_bootstrap=200)
    assert apart.half_width() > found.half_width()


@pytest.mark.parametrize("statistic", ["mean", "gap", "auroc"])
def test_one_image_shows_no_error(statistic):
    data = frame(test=[-1.0], ood=[-1.0])
    found = estimate(ScoreTable([data]), statistic, n_bootstrap=50)
    assert math.isnan(found.image_error)
    assert math.isnan((found - Estimate(0.4)).p_value(0.1))
    if statistic == "auroc":
        assert found.interval == pytest.approx((0.0, 1.0), abs=0.01)


def test_the_interval_of_a_share_over_trainings_adds_squares():
    found = Estimate(0.9, np.array([0.85, 0.9, 0.95]), {"a": np.array([0.88, 0.9, 0.92])})
    images = replace(found, without={}, limits=(0.0, 1.0)).interval
    trainings = stats.t.isf(0.025, 2) * found.training_error
    distance = np.hypot(0.9 - images[0], trainings)
    assert replace(found, limits=(0.0, 1.0)).interval == pytest.approx((0.9 - distance, 1))


def test_replicates_that_are_not_finite_are_left_out_of_the_spread():
    finite = np.linspace(0, 4, 200)
    with_more = Estimate(2.0, np.concatenate([finite, [np.nan, np.inf]]))
    assert with_more.std_error == Estimate(2.0, finite).std_error
    assert with_more.interval == Estimate(2.0, finite).interval


def test_without_a_finite_replicate_the_spread_is_unknown():
    found = Estimate(2.0, np.full(3, np.nan))
    assert np.isnan([found.std_error, *found.interval, found.p_value(1.0)]).all()


def test_a_number_without_replicates_has_no_error():
    found = Estimate(2.0)
    assert (found.std_error, found.interval) == (0, (2, 2))
    assert (found.p_value(0), found.p_value(-1)) == (1, 0)


@pytest.mark.parametrize("level", [0.5, 0.05, 0.001, 1e-20])
def test_the_p_value_is_the_level_of_the_interval_that_just_reaches(level):
    found = Estimate(2.0, np.array([1.0, 2, 4]), {"a": np.array([1.0, 2, 4])})
    assert found.p_value(-found.half_width(level)) == pytest.approx(level)


def test_a_difference_keeps_the_replicates_paired():
    left, right = Estimate(3.0, np.array([2.0, 3, 4])), Estimate(1.0, np.array([0.0, 1, 2]))
    assert ((left - right).value, (left - right).std_error) == (2.0, 0.0)


def test_values_of_trainings_alone_have_no_error_over_images():
    found = over_trainings([[1.0], [4.0], [7.0]], "m")
    assert (found.value, found.image_error) == (4, 0)
    assert found.std_error == pytest.approx(stats.sem([1, 4, 7]))
    assert found.without["m"].tolist() == [5.5, 4, 2.5]


# functions of estimates


def product(rows):
    return rows[0] * rows[1]


def test_a_function_is_evaluated_without_each_training_of_each_model():
    left, right = over_trainings([[1.0], [3.0]], "a"), over_trainings([[2.0], [4.0], [6.0]], "b")
    found = combine(product, [left, right])
    assert found.value == 2 * 4
    assert found.without["a"].tolist() == [3 * 4, 1 * 4]
    assert found.without["b"].tolist() == [2 * 5, 2 * 4, 2 * 3]


def test_a_function_of_one_model_leaves_a_training_out_on_both_sides():
    left, right = (over_trainings([[x], [3 * x]], "a") for x in (1.0, 2.0))
    assert combine(product, [left, right]).without["a"].tolist() == [3 * 6, 1 * 2]


def test_a_function_takes_numbers_of_no_error_beside_replicates():
    left = Estimate(2.0, np.array([1.0, 3.0]), images={"m": 9})
    found = combine(product, [left, Estimate(5.0, images={"m": 7, "s": 3})])
    assert found.row.tolist() == [10, 5, 15]
    assert found.images == {"m": 7, "s": 3}


@pytest.mark.parametrize(
    "other",
    [Estimate(1.0, np.zeros(3)), Estimate(1.0, without={"a": np.zeros(3)})],
    ids=["replicates", "trainings"],
)
def test_estimates_of_other_numbers_are_not_combined(other):
    with pytest.raises(ValueError, match="other numbers of replicates or trainings"):
        Estimate(1.0, np.zeros(2), {"a": np.zeros(2)}) - other


def test_the_error_of_a_ratio_is_that_of_the_delta_method():
    rng = np.random.default_rng(0)
    rows = [(100 + rng.normal(0, 1, (200, 1))), 50 + rng.normal(0, 1, (300, 1))]
    parts = [over_trainings(values, name) for values, name in zip(rows, "ab", strict=True)]
    found = combine(lambda v: v[0] / v[1], parts)
    relative = [stats.sem(values[:, 0]) / values.mean() for values in rows]
    assert found.std_error == pytest.approx(found.value * np.hypot(*relative), rel=0.02)


# refined posteriors


def refined_table(**columns):
    """Twelve test images, the first five with a refined posterior."""
    few = np.arange(12) < 5
    whole = frame(test=np.arange(12.0)).assign(refined=few)
    whole["log_prob_refined"] = np.where(few, 100 + np.arange(12.0), np.nan)
    return ScoreTable([whole.assign(**columns)])


def test_a_refined_statistic_is_of_the_images_that_were_refined():
    table = refined_table()
    assert estimate(table, "mean", "test").value == np.mean(range(12))
    for column, value in (
        ("log_prob_refined", 102),
        ("log_prob_unrefined", 2),
        ("refined_change", 100),
    ):
        found = estimate(table, "mean", "test", column)
        assert found.value == value
        assert np.isfinite(found.replicates).sum() > 990  # few resamples have none of the five


def test_estimates_of_the_same_refined_images_are_paired():
    table = refined_table()
    refined, encoder = (
        estimate(table, "mean", "test", f"log_prob_{name}") for name in ("refined", "unrefined")
    )
    assert refined.std_error > 0.3
    assert (refined - encoder).std_error < 1e-9


def test_a_refined_likelihood_that_is_missing_is_not_left_out():
    broken = np.where(np.arange(12) < 4, 1.0, np.nan)  # the fifth image was refined too
    table = refined_table(log_prob_refined=broken)
    assert np.isnan(estimate(table, "mean", "test", "log_prob_refined").value)
