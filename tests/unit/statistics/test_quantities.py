"""Quantities: statistics of models and curves, combined or stored."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from tests.unit.statistics.conftest import constant, scores, table

from oodpriors.statistics.claims import judge
from oodpriors.statistics.estimates import (
    Estimate,
    estimate,
)
from oodpriors.statistics.quantities import Measure, load_stored, save_stored

# quantities


@pytest.fixture
def measure():
    inside, outside = scores()
    return Measure({"vae/a/uni": table(test=inside, ood=outside)}, 100, seed=3)


@pytest.mark.parametrize("number", [0, 0.5, -100])
def test_a_number_is_known_without_error(measure, number):
    found = measure(number)
    assert (found.value, found.std_error, found.trainings) == (number, 0, {})


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
    """Three known estimates."""
    rows = {"a": [4.0, 1, 5], "b": [2.0, 3, -1], "c": [1.0, 0, 8]}
    stored = {f"toy/{name}": Estimate.of(np.array(row)) for name, row in rows.items()}
    return Measure({}, 2, stored=stored | {"toy/exact": Estimate(6.0)})


A, B, C = ({"stored": f"toy/{name}"} for name in "abc")


@pytest.mark.parametrize(
    ("quantity", "row"),
    [
        (A, [4, 1, 5]),
        ({"stored": "toy/exact"}, [6]),
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
    """Models with the given log-likelihoods for every image."""
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
        ("distance_at_drop", [100, 99, 98, 97], np.nan),
    ],
)
def test_functions_of_curves_are_the_exact_ones(function, heights, expected):
    measure = curve_measure(heights, [10, 20, 60, 100])
    found = measure({"curve": "c", "function": function, "statistic": "mean", "drop": 50})
    np.testing.assert_allclose(found.row, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("aurocs", "expected"),
    [((0.2, 0.4, 0.8), 15), ((0.2, 0.5, 0.3), 10), ((0.5, 0.2, 0.4), 0), ((0.1, 0.2, 0.4), np.nan)],
)
def test_the_turning_distance_is_where_the_auroc_reaches_one_half(aurocs, expected):
    # the test images are 0 ... 9; the given share of them is above the other set
    data = {f"m{a}": table(test=np.arange(10.0), ood=np.full(5, 9.5 - 10 * a)) for a in aurocs}
    curves = {"c": list(zip([0, 10, 30], data, strict=True))}
    found = Measure(data, 5, curves=curves)({"curve": "c", "function": "turning_distance"})
    assert found.value == pytest.approx(expected, nan_ok=True)


def test_a_distance_that_is_not_reached_decides_nothing():
    measure = curve_measure([100, 99, 98, 97], [10, 20, 60, 100])
    never = {"curve": "c", "function": "distance_at_drop", "statistic": "mean", "drop": 50}
    for relation in "<>":
        compared = {"left": never, "relation": relation, "right": 1000}
        claim = {"id": "C", "where": "", "text": "", "comparisons": [compared]}
        row = judge([claim], [], measure).iloc[0]
        assert row["verdict"] == "not shown by one training"
        assert np.isnan([row["left"], row["low"], row["p_value"]]).all()


@pytest.mark.parametrize(
    ("function", "heights", "limits"),
    [("spearman", [3, 2, 1], (-1, 1)), ("range", [3, 2.9], (0, np.inf))],
)
def test_the_interval_of_a_function_ends_where_its_values_do(function, heights, limits):
    noise = np.arange(-4.0, 5)
    data = {f"m{h}": table({"ood": str(h)}, test=noise, ood=h + noise) for h in heights}
    curves = {"c": list(enumerate(data))}
    quantity = {"curve": "c", "function": function, "statistic": "mean"}
    found = Measure(data, 50, curves=curves)(quantity)
    low, high = found.value - found.half_width(), found.value + found.half_width()
    assert max(limits[0] - low, high - limits[1]) > 0
    assert found.interval == (max(low, limits[0]), min(high, limits[1]))


def first_crossing(distances, heights):
    """First crossing of the polygon through heights, on a fine grid; NaN if there is none."""
    fine = np.linspace(distances[0], distances[-1], 100_001)
    above = np.interp(fine, distances, heights) >= 0
    return fine[above.argmax()] if above.any() else np.nan


# Functions of one curve, for one replicate.
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
    replicates = rng.normal(size=50)
    replicates[7] = np.nan
    saved = {
        "gap d=2": Estimate(1 / 3, replicates, {"a": rng.normal(size=3)}, {"mnist.test": 9}),
        "two": Estimate(0.1, without={"a": rng.normal(size=3), "b": np.ones(1)}),
        "truth": Estimate(-3.185),
    }
    save_stored(path, saved)
    read = load_stored([path])
    assert list(read) == [f"toy/{name}" for name in saved]
    for name, before in saved.items():
        after = read[f"toy/{name}"]
        np.testing.assert_array_equal(after.row, before.row)
        assert after.images == before.images
        assert after.trainings == before.trainings
        for model, values in before.without.items():
            np.testing.assert_array_equal(after.without[model], values)
    assert pd.read_csv(path).loc[0, ["row", "of", "number"]].tolist()[::2] == ["value", 0]


def test_numbers_without_error_need_one_row(tmp_path):
    path = tmp_path / "pixels.csv"
    save_stored(path, {"share": Estimate(0.1)})
    assert path.read_text() == "row,of,number,share\nvalue,,0,0.1\n"
    found = Measure({}, 7, stored=load_stored([path]))({"stored": "pixels/share"})
    assert (found.value, found.std_error) == (0.1, 0)


# trainings


def test_a_curve_is_evaluated_without_each_training_of_each_model():
    data = {"m0": constant(4, 8, model="m0"), "m1": constant(0, 1, 2, model="m1")}
    measure = Measure(data, 5, curves={"c": [(0, "m0"), (1, "m1")]})
    found = measure({"curve": "c", "function": "range", "statistic": "mean"})
    assert found.value == 5
    assert found.without["m0"].tolist() == [8 - 1, 4 - 1]
    assert found.without["m1"].tolist() == [6 - 1.5, 6 - 1, 6 - 0.5]
