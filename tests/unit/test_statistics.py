"""Statistics equal their definitions, and their bootstrap has the right spread."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from oodpriors.statistics import (
    STATISTICS,
    Estimate,
    Measure,
    ScoreTable,
    auroc,
    estimate,
    read_scores,
)


def frame(images=None, **sets):
    """A score table of the given log_prob by set; images are named after the set."""
    names = {name: f"{name}.images" for name in sets} | (images or {})
    return pd.concat(
        [
            pd.DataFrame({"set": name, "images": names[name], "log_prob": values})
            for name, values in sets.items()
        ],
        ignore_index=True,
    )


def table(images=None, **sets):
    return ScoreTable([frame(images, **sets)])


def scores(n=200, shift=0.0, seed=0):
    """Log-likelihoods in and out of distribution."""
    rng = np.random.default_rng(seed)
    return rng.normal(-1000, 30, n), rng.normal(-1000 + shift, 50, n + 50)


# auroc


def by_pairs(inside, outside):
    wins = [(a > b) + 0.5 * (a == b) for a, b in product(inside, outside)]
    return sum(wins) / len(wins)


def by_sklearn(inside, outside):
    truth = np.repeat([0, 1], [len(inside), len(outside)])
    return roc_auc_score(truth, -np.concatenate([inside, outside]))


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
    # a millionth of a millionth of the likelihood itself
    found = auroc(-3000 + 3e-9 * inside, -3000 + 3e-9 * outside)
    assert found == pytest.approx(by_pairs(inside, outside), abs=1e-12)


# estimates


def values_of(statistic, inside, outside):
    """The statistic's value, from its definition."""
    return {
        "mean": outside.mean(),
        "median": np.median(outside),
        "nll": -outside.mean(),
        "auroc": by_sklearn(inside, outside),
        "gap": inside.mean() - outside.mean(),
    }[statistic]


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_value_is_that_of_all_images(statistic):
    inside, outside = scores()
    found = estimate(table(test=inside, ood=outside), statistic, n_bootstrap=100)
    assert found.value == pytest.approx(values_of(statistic, inside, outside), rel=1e-12)
    assert found.replicates.shape == (100,)


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
    found = estimate(table(test=inside, ood=outside), statistic, n_bootstrap=4000)
    assert found.std_error == pytest.approx(outside.std() / np.sqrt(len(outside)), rel=0.05)


def test_the_standard_error_of_a_gap_adds_those_of_both_sets():
    inside, outside = scores(n=300)
    found = estimate(table(test=inside, ood=outside), "gap", n_bootstrap=4000)
    expected = np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
    assert found.std_error == pytest.approx(expected, rel=0.05)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    inside, outside = scores(n=300)
    low, high = estimate(table(test=inside, ood=outside), "mean", n_bootstrap=4000).interval
    half = 1.96 * outside.std() / np.sqrt(len(outside))
    assert low == pytest.approx(outside.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(outside.mean() + half, abs=0.1 * half)


def test_the_interval_of_an_auroc_covers_the_truth():
    rng, truth, hits = np.random.default_rng(0), norm.cdf(1 / np.sqrt(2)), 0
    for _ in range(80):
        data = table(test=rng.normal(1, 1, 100), ood=rng.normal(0, 1, 100))
        low, high = estimate(data, "auroc", n_bootstrap=200).interval
        hits += low < truth < high
    assert 0.87 * 80 <= hits < 80


def test_equal_seeds_give_equal_replicates():
    data = table(test=scores()[0], ood=scores()[1])
    first, again, other = (estimate(data, "auroc", n_bootstrap=100, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.replicates, again.replicates)
    assert not np.array_equal(first.replicates, other.replicates)


def test_an_unknown_statistic_is_refused():
    with pytest.raises(ValueError, match="'mode' is unknown; there are mean, median, nll, auroc"):
        estimate(table(test=np.zeros(3), ood=np.zeros(3)), "mode")


# pairing


def difference(left, right, statistic="mean"):
    return estimate(left, statistic, n_bootstrap=4000) - estimate(
        right, statistic, n_bootstrap=4000
    )


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
    found = estimate(table(test=values, ood=values), "gap", n_bootstrap=4000)
    assert found.std_error == pytest.approx(np.sqrt(2 / len(values)) * values.std(), rel=0.05)


def test_the_aurocs_of_equal_models_do_not_differ():
    inside, outside = scores()
    found = difference(
        table(test=inside, ood=outside), table(test=2 * inside, ood=2 * outside), "auroc"
    )
    assert (found.value, found.std_error) == (0, 0)


# seeds


def constant(*values, n=10):
    """A model whose seed k gives every image values[k]."""
    return ScoreTable([frame(test=np.zeros(n), ood=np.full(n, float(v))) for v in values])


@pytest.mark.parametrize("values", [(4,), (1, 3), (1, 2, 6)])
def test_seeds_are_averaged(values):
    assert estimate(constant(*values), "mean", n_bootstrap=100).value == np.mean(values)


def test_the_spread_of_seeds_is_part_of_the_error():
    found = estimate(constant(0, 2), "mean", n_bootstrap=4000)
    # two seeds are drawn of two: their mean is 0, 1 or 2 with probabilities 1/4, 1/2, 1/4
    shares = [np.mean(found.replicates == value) for value in (0, 1, 2)]
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.25], atol=0.03)


def test_one_seed_adds_no_error():
    assert estimate(constant(7), "mean", n_bootstrap=100).std_error == 0


# reading


def test_scores_are_grouped_by_model_and_seed(tmp_path):
    models, paths = ["vae/a/uni", "vae/b/uni", "glow/a/uni"], []
    for i in range(len(models)):
        for seed in range(2):
            paths.append(str(tmp_path / f"{i}.{seed}.parquet"))
            values = np.full(3, 10.0 * i + seed)
            frame(test=values, ood=-values).to_parquet(paths[-1], index=False)
    read = read_scores(models, paths)
    assert list(read) == models
    for i, model in enumerate(models):
        found = [read[model].values(seed, "test").tolist() for seed in range(2)]
        assert found == [[10.0 * i + seed] * 3 for seed in range(2)]
        assert read[model].values(1, "ood").tolist() == [-10.0 * i - 1] * 3


def test_a_table_knows_its_images_and_sizes():
    data = table({"ood": "mnist.test"}, train=np.zeros(4), test=np.zeros(2), ood=np.zeros(3))
    assert data.images == {"train": "train.images", "test": "test.images", "ood": "mnist.test"}
    assert [data.size(which) for which in ("train", "test", "ood")] == [4, 2, 3]


# quantities


@pytest.fixture
def measure():
    inside, outside = scores()
    return Measure({"vae/a/uni": table(test=inside, ood=outside)}, 100, seed=3)


@pytest.mark.parametrize("number", [0, 0.5, -100])
def test_a_number_is_known_without_error(measure, number):
    found = measure(number)
    assert (found.value, found.std_error) == (number, 0)
    assert found.replicates.shape == (100,)


def test_a_quantity_is_the_estimate_of_its_model(measure):
    found = measure({"model": "vae/a/uni", "statistic": "auroc"})
    direct = estimate(measure.scores["vae/a/uni"], "auroc", "ood", "log_prob", 100, 3)
    assert found.value == direct.value
    np.testing.assert_array_equal(found.replicates, direct.replicates)


def test_a_quantity_is_computed_once(measure):
    short = {"model": "vae/a/uni", "statistic": "mean"}
    assert measure(short) is measure(short | {"set": "ood", "column": "log_prob"})


def test_quantities_of_other_sets_differ(measure):
    short = {"model": "vae/a/uni", "statistic": "mean"}
    assert measure(short).value != measure(short | {"set": "test"}).value


# estimates by hand


def test_the_spread_of_an_estimate_is_that_of_its_replicates():
    found = Estimate(2.0, np.arange(1001.0))
    assert found.interval == pytest.approx((25.0, 975.0))
    # of the integers 0 .. n, with n in the denominator: sqrt(n (n + 1) (n + 2) / 12 / n)
    assert found.std_error == pytest.approx(np.sqrt(1001 * 1002 / 12))


def test_a_difference_keeps_the_replicates_paired():
    left, right = Estimate(3.0, np.array([1.0, 2, 3])), Estimate(1.0, np.array([1.0, 2, 3]))
    assert ((left - right).value, (left - right).std_error) == (2.0, 0.0)
