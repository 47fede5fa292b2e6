"""Statistics equal their definitions, and their bootstrap has the right spread."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from oodpriors import statistics
from oodpriors.quantities import Measure, load_stored, save_stored
from oodpriors.resampling import BINS, NEAR, STATISTICS, multiplicities, seed_multiplicities
from oodpriors.statistics import (
    Estimate,
    ScoreTable,
    auroc,
    estimate,
    over_seeds,
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


def test_the_nearest_component_is_the_one_that_likes_an_image_best():
    data = frame(ood=[-3.0, -1.0]).assign(
        log_prob_component_0=[-5, -1], log_prob_component_1=[-2, -4]
    )
    assert ScoreTable([data]).values(0, "ood", "log_prob_nearest").tolist() == [-2, -1]


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


# Of the resampled values in and out of distribution, and the bins of the original ones.
DEFINITIONS = {
    "mean": lambda i, o, _: o.mean(),
    "median": lambda i, o, _: np.median(o),
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
    """Integers, of which many are equal, around the bound of `within`."""
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
    np.testing.assert_allclose(found.row, expected, rtol=1e-10, atol=1e-12)


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
    # histograms of n values fall short by up to sqrt(BINS / (pi n)), here 0.013
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


@pytest.mark.parametrize("statistic", ["auroc", "median", "mean"])
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
        (["mode"], "statistic 'mode' is unknown; there are mean, median, nll"),
        (["mean", "svhn"], "set 'svhn' is unknown; there are ood, test"),
        (["mean", "ood", "kl"], "column 'kl' is unknown; there are log_prob"),
    ],
)
def test_an_unknown_name_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        estimate(table(test=np.zeros(3), ood=np.zeros(3)), *arguments)


# pairing


def difference(left, right, statistic="mean"):
    return estimate(left, statistic, n_bootstrap=3000) - estimate(
        right, statistic, n_bootstrap=3000
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
    found = estimate(table(test=values, ood=values), "gap", n_bootstrap=3000)
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


@pytest.mark.parametrize("values", [(0, 2), (1, 2, 6), (0, 1, 5, 5, 9)])
def test_the_error_over_seeds_is_the_textbook_one(values):
    found = estimate(constant(*values, n=1), "mean", n_bootstrap=10_000)
    assert found.std_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(len(values)), rel=0.03)


@pytest.mark.parametrize("n_seeds", [2, 3, 5])
def test_the_variance_over_seeds_is_unbiased(n_seeds):
    drawn = seed_multiplicities(n_seeds, 2000, 0)[1:]
    assert set(drawn.sum(1)) == {n_seeds - 1}
    trainings = np.random.default_rng(0).normal(0, 3, (4000, n_seeds))
    replicates = trainings @ drawn.T / (n_seeds - 1)
    assert replicates.var(axis=1, ddof=1).mean() == pytest.approx(9 / n_seeds, rel=0.05)


def test_one_seed_adds_no_error():
    assert estimate(constant(7), "mean", n_bootstrap=100).std_error == 0


def test_models_of_equal_numbers_of_seeds_share_the_draws():
    found = difference(constant(0, 2, 5), constant(1, 3, 6))
    assert (found.value, found.std_error) == (-1, pytest.approx(0, abs=1e-12))


def test_models_of_other_numbers_of_seeds_are_drawn_apart():
    rows = [
        estimate(constant(*v), "mean", n_bootstrap=5000).replicates for v in ([0, 1], [0, 1, 5])
    ]
    assert np.corrcoef(rows)[0, 1] == pytest.approx(0, abs=0.05)


def test_seeds_are_resampled_beside_images():
    rng = np.random.default_rng(3)
    images, seeds = rng.normal(0, 1, 400), np.array([-0.2, 0.0, 0.3])
    data = ScoreTable([frame(test=images, ood=images + shift) for shift in seeds])
    expected = np.sqrt(images.var() / 400 + seeds.var(ddof=1) / 3)
    assert estimate(data, "mean", n_bootstrap=3000).std_error == pytest.approx(expected, rel=0.05)


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
    np.testing.assert_allclose(found.row, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_component_without_an_image_gives_no_number(statistic):
    data = by_component(([0.0, 1], [0, 0]), ([2.0, 3], [0, 0]))
    assert np.isnan(estimate(data, statistic, n_bootstrap=5, component=1).row).all()


@pytest.mark.parametrize(
    "statistic", ["mean", "median", "auroc", "aupr", "fpr95", "overlap", "in_band"]
)
def test_a_resample_without_the_component_is_left_out(statistic):
    data = by_component(([0.0, 1, 2], [1, 1, 1]), ([0.5, 3, 4], [1, 0, 0]))
    found = estimate(data, statistic, n_bootstrap=300, component=1)
    drawn = multiplicities("ood.images", 3, 300, 0)[:, 0] > 0
    np.testing.assert_array_equal(np.isfinite(found.row), drawn)
    assert np.isfinite([found.std_error, *found.interval]).all()


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


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ({"model": "vae/b", "statistic": "mean"}, "model 'vae/b' is unknown; there are vae/a/uni"),
        ({"stored": "toy/x"}, "stored estimate 'toy/x' is unknown; there are none"),
        ({"curve": "c", "function": "range"}, "curve 'c' is unknown; there are none"),
        ({"sum": [1, 2]}, r"quantity {'sum': \[1, 2\]}: needs one of model, stored, curve, diff"),
    ],
)
def test_what_is_unknown_is_refused(measure, quantity, message):
    with pytest.raises(ValueError, match=message):
        measure(quantity)


# combined quantities


@pytest.fixture
def combined():
    """Three estimates of which everything is known."""
    rows = {"a": [4.0, 1, 5], "b": [2.0, 3, -1], "c": [1.0, 0, 8]}
    stored = {f"toy/{name}": Estimate.of(np.array(row)) for name, row in rows.items()}
    return Measure({}, 2, stored=stored | {"toy/exact": Estimate(6.0)})


A, B, C = ({"stored": f"toy/{name}"} for name in "abc")


@pytest.mark.parametrize(
    ("quantity", "row"),
    [
        (A, [4, 1, 5]),
        ({"stored": "toy/exact"}, [6, 6, 6]),
        ({"difference": [A, B]}, [2, -2, 6]),
        ({"ratio": [A, B]}, [2, 1 / 3, -5]),
        ({"ratio": [1, C]}, [1, np.inf, 1 / 8]),
        ({"largest": [A, B, C]}, [4, 3, 8]),
        ({"smallest": [A, B, C]}, [1, 0, -1]),
        ({"difference": [{"largest": [A, B]}, {"ratio": [A, 2]}]}, [2, 2.5, 2.5]),
    ],
)
def test_quantities_are_combined_replicate_by_replicate(combined, quantity, row):
    found = combined(quantity)
    np.testing.assert_array_equal(found.row, row)
    assert combined(quantity) is found


def test_stored_replicates_of_another_number_say_how_to_mend_it(combined):
    combined.n_bootstrap = 3
    with pytest.raises(
        ValueError, match=r"'toy/a' has 2 replicates, the bootstrap 3: delete toy.cs"
    ):
        combined(A)


# curves


def curve_measure(heights, distances, n_bootstrap=5):
    """Models whose log-likelihoods are the given ones, whatever the image."""
    data = {f"m{i}": constant(h) for i, h in enumerate(heights)}
    grid = [(d, f"m{i}") for i, d in enumerate(distances)]
    return Measure(data, n_bootstrap, curves={"c": grid[::-1]})


@pytest.mark.parametrize(
    ("function", "heights", "expected"),
    [
        ("spearman", [3, 2, 1, 0], -1),
        ("spearman", [0, 5, 6, 99], 1),
        ("spearman", [3, 4, 1, 1], spearmanr([1, 2, 3, 4], [3, 4, 1, 1]).statistic),
        ("spearman", [2, 2, 2, 2], np.nan),
        ("range", [3, 9, -1, 0], 10),
        ("distance_at_drop", [100, 90, 40, 0], 20 + 40 * 4 / 5),
        ("distance_at_drop", [100, 50, 60, 0], 20),
        ("distance_at_drop", [100, 100, 100, 0], 80),
        ("distance_at_drop", [100, 99, 98, 97], 100),
    ],
)
def test_functions_of_curves_are_the_exact_ones(function, heights, expected):
    measure = curve_measure(heights, [10, 20, 60, 100])
    found = measure({"curve": "c", "function": function, "statistic": "mean", "drop": 50})
    np.testing.assert_allclose(found.row, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("aurocs", "expected"),
    [((0.2, 0.4, 0.8), 15), ((0.2, 0.5, 0.3), 10), ((0.5, 0.2, 0.4), 0), ((0.1, 0.2, 0.4), 30)],
)
def test_the_turning_distance_is_where_the_auroc_reaches_one_half(aurocs, expected):
    # the test images are 0 .. 9, of which the given share lies above the other set
    data = {f"m{a}": table(test=np.arange(10.0), ood=np.full(5, 9.5 - 10 * a)) for a in aurocs}
    curves = {"c": list(zip([0, 10, 30], data, strict=True))}
    found = Measure(data, 5, curves=curves)({"curve": "c", "function": "turning_distance"})
    assert found.value == pytest.approx(expected)


def first_crossing(distances, heights):
    """Of the polygon through heights, by a fine grid of its distances."""
    fine = np.linspace(distances[0], distances[-1], 100_001)
    above = np.interp(fine, distances, heights) >= 0
    return fine[above.argmax()] if above.any() else distances[-1]


# Of one curve, a replicate at a time.
CURVES_BY_HAND = {
    "spearman": lambda d, y: spearmanr(d, y).statistic,
    "range": lambda d, y: y.max() - y.min(),
    "turning_distance": lambda d, y: 0.0 if y[0] >= 0.5 else first_crossing(d, y - 0.5),
    "distance_at_drop": lambda d, y: first_crossing(d, y[0] - y - 0.1),
}


@pytest.mark.parametrize("function", CURVES_BY_HAND)
def test_functions_of_curves_are_those_of_each_replicate(function):
    distances, rng = np.array([0.0, 1, 4, 9]), np.random.default_rng(0)
    data = {
        f"m{i}": table(test=rng.normal(0, 1, 20), ood=rng.normal(mean, 1, 20))
        for i, mean in enumerate([0.2, 0.3, 0.1, -0.4])
    }
    measure = Measure(data, 30, curves={"c": list(zip(distances, data, strict=True))})
    heights = np.stack([measure({"model": model, "statistic": "auroc"}).row for model in data])
    found = measure({"curve": "c", "function": function, "statistic": "auroc", "drop": 0.1})
    expected = [CURVES_BY_HAND[function](distances, column) for column in heights.T]
    np.testing.assert_allclose(found.row, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"function": "slope"},
            "function of a curve 'slope' is unknown; there are spearman, range",
        ),
        ({"drop": None}, "distance_at_drop: drop must be a number above 0, got None"),
    ],
)
def test_a_function_of_a_curve_that_cannot_be_is_refused(change, message):
    quantity = {"curve": "c", "function": "distance_at_drop", "statistic": "mean", "drop": 1}
    with pytest.raises(ValueError, match=message):
        curve_measure([1, 2], [0, 1])(quantity | change)


# stored estimates


def test_stored_estimates_come_back(tmp_path):
    path = tmp_path / "toy.csv"
    rng = np.random.default_rng(0)
    saved = {"gap d=2": Estimate.of(rng.normal(size=50)), "truth": Estimate(-3.185)}
    save_stored(path, saved)
    read = load_stored([path])
    assert list(read) == ["toy/gap d=2", "toy/truth"]
    np.testing.assert_allclose(read["toy/gap d=2"].row, saved["gap d=2"].row, rtol=1e-15)
    assert (read["toy/truth"].replicates == -3.185).all()
    assert pd.read_csv(path)["replicate"].tolist() == list(range(50))


def test_numbers_without_error_need_one_row(tmp_path):
    path = tmp_path / "pixels.csv"
    save_stored(path, {"share": Estimate(0.1)})
    assert path.read_text() == "replicate,share\n0,0.1\n"
    found = Measure({}, 7, stored=load_stored([path]))({"stored": "pixels/share"})
    np.testing.assert_array_equal(found.row, np.full(8, 0.1))


# estimates by hand


def test_the_spread_of_an_estimate_is_that_of_its_replicates():
    found = Estimate(2.0, np.arange(1001.0))
    assert found.interval == pytest.approx((25.0, 975.0))
    # of the integers 0 .. n, with n in the denominator: sqrt(n (n + 1) (n + 2) / 12 / n)
    assert found.std_error == pytest.approx(np.sqrt(1001 * 1002 / 12))


def test_replicates_that_are_not_finite_are_left_out_of_the_spread():
    finite = np.arange(5.0)
    with_more = Estimate(2.0, np.concatenate([finite, [np.nan, np.inf]]))
    assert with_more.std_error == Estimate(2.0, finite).std_error
    assert with_more.interval == Estimate(2.0, finite).interval


def test_without_a_finite_replicate_the_spread_is_unknown():
    found = Estimate(2.0, np.full(3, np.nan))
    assert np.isnan([found.std_error, *found.interval]).all()


def test_a_number_without_replicates_has_no_error():
    assert (Estimate(2.0).std_error, Estimate(2.0).interval) == (0, (2, 2))


def test_a_difference_keeps_the_replicates_paired():
    left, right = Estimate(3.0, np.array([1.0, 2, 3])), Estimate(1.0, np.array([1.0, 2, 3]))
    assert ((left - right).value, (left - right).std_error) == (2.0, 0.0)


def test_values_of_seeds_alone_vary_with_the_seeds_that_are_drawn():
    values = [[1.0], [4.0], [7.0]]
    found = over_seeds(values, 4000, 0)
    assert found.value == 4
    assert found.std_error == pytest.approx(np.std([1, 4, 7], ddof=1) / np.sqrt(3), rel=0.05)
    assert over_seeds(values[:1], 100, 0).std_error == 0
