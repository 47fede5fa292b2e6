"""Specifications of charts: what they show, and that Vega-Lite takes them."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.page.synthetic import GLOW, MULTI, TITLES, UNI, curves, images, scores

from oodpriors.page.charts import (
    BINS,
    curve_charts,
    dot_charts,
    drawn,
    is_logarithmic,
    piled,
    placed,
)
from oodpriors.page.gallery import Images

SCORES = {model: scores(model) for model in (UNI, MULTI, GLOW)}
ENTRY = {"panels": {"(a)": [UNI, MULTI], "(b)": [GLOW], "(c)": []}, "sets": ["test", "ood"]}


def rows_of(chart) -> pd.DataFrame:
    (rows,) = chart.spec["datasets"].values()
    return pd.DataFrame(rows)


def test_images_are_drawn_without_repetition_and_in_order():
    chosen = drawn(100, 20)
    assert len(set(chosen)) == 20
    assert (np.diff(chosen) > 0).all()
    assert list(drawn(5, 20)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("logarithmic", [False, True])
def test_piles_are_a_histogram(logarithmic: bool):
    values = -np.exp(np.random.default_rng(0).normal(3, 1, 200)) - 1
    low, high = values.min(), values.max()
    heights = piled(values, low, high, logarithmic)
    scaled, ends = values, (low, high)
    if logarithmic:
        scaled, ends = -np.log10(-values), (-np.log10(-low), -np.log10(-high))
    counts, _ = np.histogram(scaled, BINS, ends)
    # a pile of n dots has the heights 0 to n - 1
    expected = np.concatenate([np.arange(count) for count in counts])
    np.testing.assert_array_equal(np.sort(heights), np.sort(expected))


def test_in_a_pile_the_lower_value_is_below():
    values = np.array([0.3, 0.1, 0.2, 100.0])
    assert list(piled(values, 0.0, 100.0, False)) == [2, 0, 1, 0]


def test_what_lies_left_of_the_axis_is_piled_at_its_end():
    assert list(piled(np.array([-50.0, 0.0, 9.0]), 0.0, 9.0, False)) == [0, 1, 0]


def test_an_axis_is_logarithmic_where_medians_differ_by_an_order_of_magnitude():
    near, far = np.full(3, -100.0), np.full(3, -1001.0)
    assert is_logarithmic([near, far])
    assert not is_logarithmic([near, near])
    assert not is_logarithmic([np.full(3, 1.0), far])
    assert not is_logarithmic([])


def test_each_set_has_a_band_of_its_own_the_first_on_top():
    rows = pd.DataFrame({"series": ["a"] * 3 + ["b"] * 3, "log_prob": [1.0, 2, 3, 1, 1, 1]})
    found = placed(rows, 1.0, 3.0, False)
    assert found.loc[found["series"] == "a", "y"].between(1, 2).all()
    assert found.loc[found["series"] == "b", "y"].between(0, 1).all()


def test_dots_have_the_likelihoods_of_the_file_and_panels_the_same_images():
    kept = Images(images())
    first, second = dot_charts("fig", ENTRY, SCORES, kept, TITLES)
    assert (first.title, second.title) == ("(a)", "(b)")
    rows = rows_of(first)
    assert len(rows) == 2 * 2 * 6
    assert set(rows["key"]) == set(rows_of(second)["key"]) == set(kept.used)
    table = scores(GLOW).set_index(["images", "index"])["log_prob"]
    for row in rows_of(second).to_dict("records"):
        name, index = row["key"].replace("-test-", ".test-").split("-")
        assert row["log_prob"] == pytest.approx(table[name, int(index)], abs=0.006)


def test_a_model_without_scores_has_no_chart():
    assert dot_charts("fig", ENTRY, {}, Images(images()), TITLES) == []


def test_curves_have_the_numbers_of_the_table():
    medians, area = curve_charts("fig", curves(), {UNI: "strip"}, TITLES)
    shown = pd.concat(map(pd.DataFrame, medians.spec["datasets"].values()))
    table = curves()
    for which, words in (("ood", "out of distribution"), ("test", "in distribution")):
        own = shown[shown["which"] == words].sort_values("distance")
        assert own["median"].tolist() == table[f"median_{which}"].tolist()
        assert own["lower"].tolist() == table[f"lower_quartile_{which}"].tolist()
        assert own["key"].tolist() == ["strip", ""]
    shown = pd.concat(map(pd.DataFrame, area.spec["datasets"].values()))
    assert shown["auroc"].dropna().tolist() == table["auroc"].tolist()
