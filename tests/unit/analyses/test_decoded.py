"""Estimates of the similarity of decoded images to the data."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import sem

from oodpriors.analyses.decoded import blank_distance, likeness_estimates
from oodpriors.statistics.bootstrap import multiplicities

# estimates


def made(percentiles, samples, distances):
    """A table with the given percentiles of means and samples."""
    k = len(percentiles)
    table = pd.DataFrame({"kind": ["mean"] * k + ["sample"] * len(samples)})
    table["percentile"] = [*percentiles, *samples]
    table["nearest_distance"] = 3 * table["percentile"]
    for j in range(k):
        table[f"distance_{j}"] = [*(row[j] for row in distances), *[math.nan] * len(samples)]
    return table


# Distances to the own component on the diagonal; the nearest others are 4, 2 and 5.
CRAFTED = [[1.0, 4.0, 9.0], [2.0, 3.0, 8.0], [7.0, 5.0, 1.0]]


TABLES = [
    made([0.1, 0.2, 0.9], [0.0, 0.5, 1.0, 0.25], CRAFTED),
    made([0.3, 0.3, 0.3], [0.5, 0.5, 0.0, 1.0], np.transpose(CRAFTED).tolist()),
    made([0.0, 0.0, 1.0], [0.1, 0.2, 0.3, 0.4], CRAFTED),
]


N_BOOTSTRAP = 200
BLANK = 0.6


def estimates(tables, seed=0):
    found = likeness_estimates(
        {"a/b/c": tables}, {"a/b/c": [BLANK] * len(tables)}, N_BOOTSTRAP, seed
    )
    return {name.removeprefix("a/b/c/"): estimate for name, estimate in found.items()}


@pytest.mark.parametrize("n_seeds", [1, 2, 3])
def test_estimates_are_means_over_seeds(n_seeds):
    found, tables = estimates(TABLES[:n_seeds]), TABLES[:n_seeds]
    for kind in ("mean", "sample"):
        truth = np.mean([t.loc[t["kind"] == kind, "percentile"].mean() for t in tables])
        assert found[f"{kind}_percentile"].value == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize(
    ("distances", "ratio"),
    [
        (CRAFTED, 3 / 2),
        (np.transpose(CRAFTED).tolist(), 3 / 4),  # 1 / 2, 3 / 4, 1 / 8
        ([[1.0, 4.0], [2.0, 0.5]], 1 / 4),
        ([[4.0, 1.0], [2.0, 0.5]], 4.0),
    ],
)
def test_the_own_ratio_is_the_worst_of_the_means(distances, ratio):
    table = made([0.5] * len(distances), [0.5], distances)
    # distances are stored as squares
    assert estimates([table])["own_ratio"].value == pytest.approx(np.sqrt(ratio), rel=1e-12)


def test_components_without_assigned_images_have_no_own_ratio():
    # as compare_decoded gives it for a mixture: one distance, to the mean of all images
    table = TABLES[0].drop(columns=["distance_1", "distance_2"])
    assert "own_ratio" not in estimates([table])


def test_a_unimodal_model_has_no_own_ratio():
    assert estimates([made([0.5], [0.1, 0.9], [[1.0]])]).keys() == {
        "mean_percentile",
        "sample_percentile",
        "blank_ratio",
    }


def test_a_black_image_is_no_nearer_to_the_data_than_itself():
    train = np.zeros((3, 2, 2))
    train[0, 0], train[1, 1], train[2, :, 0] = 1.0, 0.5, (0.6, 0.9)
    assert blank_distance(train) == pytest.approx(0.5)
    black = made([0.1], [0.5], [[1.0]]).assign(nearest_distance=blank_distance(train))
    found = likeness_estimates({"m": [black]}, {"m": [blank_distance(train)]}, N_BOOTSTRAP, 0)
    assert found["m/blank_ratio"].value == pytest.approx(1)


def test_the_blank_ratio_is_that_of_the_means():
    found = estimates(TABLES[:1])["blank_ratio"]
    assert found.value == pytest.approx(np.sqrt(3 * np.mean([0.1, 0.2, 0.9]) / BLANK))


def test_a_single_seed_resamples_samples_alone():
    found = estimates(TABLES[:1])
    for name in ("mean_percentile", "own_ratio"):
        assert found[name].std_error == pytest.approx(0, abs=1e-12)
    samples, weights = [0.0, 0.5, 1.0, 0.25], multiplicities("samples", 4, N_BOOTSTRAP, 0)
    truth = [np.mean(np.repeat(samples, counts)) for counts in weights]
    np.testing.assert_allclose(found["sample_percentile"].row, truth, rtol=1e-12)


def test_an_estimate_is_known_without_each_training():
    found, ratios = estimates(TABLES), np.sqrt([3 / 2, 3 / 4, 3 / 2])
    means = [t.loc[t["kind"] == "mean", "percentile"].mean() for t in TABLES]
    for name, values in (("own_ratio", ratios), ("mean_percentile", means)):
        others = [np.mean(np.delete(values, k)) for k in range(3)]
        np.testing.assert_allclose(found[name].without["a/b/c"], others, rtol=1e-12)
        assert found[name].std_error == pytest.approx(sem(values))


def test_every_model_has_its_estimates():
    tables = {"x/y/a": TABLES[:1], "x/y/b": TABLES}
    found = likeness_estimates(
        tables, {m: [BLANK] * len(own) for m, own in tables.items()}, N_BOOTSTRAP, 0
    )
    names = ("mean_percentile", "sample_percentile", "blank_ratio", "own_ratio")
    assert set(found) == {f"x/y/{m}/{name}" for m in "ab" for name in names}
    for name, estimate in found.items():
        assert estimate.trainings == ({"x/y/a": 1} if "/a/" in name else {"x/y/b": 3})
        drawn = name.endswith("sample_percentile")
        assert len(estimate.replicates) == (N_BOOTSTRAP if drawn else 0)
        assert estimate.images == ({"samples": 4} if drawn else {})
