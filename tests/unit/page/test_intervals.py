"""Differences, intervals and thresholds, and what the drawing says of the verdict."""

import math

import numpy as np
import pytest

from oodpriors.page.intervals import interval_of, needed, thresholds_of


def row(relation: str, margin: float, difference: float, half: float) -> dict:
    ends = {"low": difference - half, "high": difference + half}
    about = {"relation": relation, "margin": margin, "left_words": "a", "right_words": "b"}
    return about | {"difference": difference, "right": 1.0} | ends


CASES = [  # relation, margin, difference, and whether the claim is supported
    (">", 5.0, 7.0, True),
    (">", 5.0, 4.0, False),
    ("<", 5.0, -7.0, True),
    ("<", 5.0, -4.0, False),
    ("<", 0.0, 1.0, False),
    ("within", -3.0, 2.0, True),
    ("within", -3.0, -2.0, True),
    ("within", -3.0, 4.0, False),
    ("within", -3.0, -4.0, False),
]


@pytest.mark.parametrize(("relation", "margin", "difference", "holds"), CASES)
def test_a_value_is_drawn_in_the_supported_range_where_the_excess_is_positive(
    relation, margin, difference, holds
):
    sides = {">": difference, "<": -difference}
    excess = sides.get(relation, -abs(difference)) - margin
    assert (excess > 0) == holds
    drawn = interval_of(row(relation, margin, difference, 0.5))
    assert (drawn.supported[0] < drawn.value < drawn.supported[1]) == holds


def test_places_are_linear_in_the_values():
    drawn = interval_of(row(">", 2.0, 10.0, 4.0))
    places = [drawn.thresholds[0].place, drawn.low, drawn.value, drawn.high]
    values = [2.0, 6.0, 10.0, 14.0]
    slopes = np.diff(places) / np.diff(values)
    assert slopes == pytest.approx([slopes[0]] * 3, rel=1e-3)
    assert 0 < places[0] < places[-1] < 100


def test_an_end_that_is_unknown_or_infinite_reaches_the_end_of_the_axis():
    drawn = interval_of(row(">", 0.0, 1.0, math.inf))
    assert (drawn.low, drawn.high) == (0.0, 100.0)
    drawn = interval_of(row(">", 0.0, 1.0, math.nan))
    assert (drawn.low, drawn.high) == (0.0, 100.0)


def test_without_a_difference_nothing_is_drawn():
    assert interval_of(row(">", 0.0, math.nan, 1.0)) is None


def test_equal_values_have_an_axis():
    drawn = interval_of(row(">", 0.0, 0.0, 0.0))
    assert drawn.value == drawn.thresholds[0].place


@pytest.mark.parametrize(
    ("relation", "margin", "thresholds", "words"),
    [
        (">", 5.0, (5.0,), "above 5"),
        ("<", 5.0, (-5.0,), "below -5"),
        ("<", 0.0, (0.0,), "below 0"),
        ("within", -3.0, (-3.0, 3.0), "between -3 and 3"),
    ],
)
def test_what_is_needed_is_said_of_the_difference(relation, margin, thresholds, words):
    claim = row(relation, margin, 0.0, 1.0)
    assert thresholds_of(claim) == thresholds
    assert needed(claim) == words


@pytest.mark.parametrize(
    ("relation", "right", "margin", "words"),
    [
        ("<", 0.5, 0.0, "below 0.5"),
        (">", -1234.56, 5.0, "above -1,230"),
        ("within", -3.25, -0.15, "between -3.4 and -3.1"),
    ],
)
def test_beside_a_number_it_is_said_of_the_left_side(relation, right, margin, words):
    claim = {"relation": relation, "right_words": f"{right:,g}", "right": right, "margin": margin}
    assert needed(claim) == words


def test_beside_a_number_the_left_side_is_drawn():
    claim = row(">", 0.0, 0.25, 0.125)
    moved = claim | {"right_words": "0.5", "right": 0.5}
    assert interval_of(moved)[:3] == interval_of(claim)[:3]
    assert interval_of(moved).thresholds[0].value == 0.5
