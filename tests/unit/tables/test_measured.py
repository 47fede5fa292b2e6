"""What a comparison measured and needed, against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from oodpriors.statistics.claims import judge
from oodpriors.statistics.estimates import Estimate
from oodpriors.tables.measured import measured, number, trained

OUT = {"model": "vae/f/uni", "statistic": "mean", "set": "ood"}
IN = OUT | {"set": "test"}
AREA = OUT | {"statistic": "auroc"}


def row(left, relation, right, values, tmp_path=None, **more):
    """A row of claims.csv; a quantity's value is that of its set or statistic, without error."""

    def measure(quantity):
        if not isinstance(quantity, dict):
            return Estimate(float(quantity))
        return values[quantity["statistic"] if "auroc" in values else quantity["set"]]

    claim = {"id": "A", "where": "", "text": ""}
    claim["comparisons"] = [{"left": left, "relation": relation, "right": right, **more}]
    return judge([claim], [], measure).iloc[0]


SPREAD = np.array([-1.0, 0.0, 1.0])  # standard deviation 1: half an interval is 1.96


def test_a_side_that_is_a_number_is_what_was_needed():
    found = row(AREA, "<", 0.5, {"auroc": Estimate(0.81)})
    assert measured(found) == "AUROC 0.81, needed < 0.5"


def test_two_sides_are_told_with_their_difference_its_error_and_unit():
    values = {"ood": Estimate(-16.42, -16.42 + SPREAD), "test": Estimate(-14.64)}
    found = row(OUT, ">", IN, values)
    assert measured(found) == (
        "mean out -16.4, mean in -14.6 nats: difference -1.78 ± 1.96, needed > 0"
    )


@pytest.mark.parametrize(("relation", "needed"), [(">", "> 100"), ("<", "< -100")])
def test_a_margin_is_needed_in_the_direction_of_the_claim(relation, needed):
    values = {"ood": Estimate(-1000.0), "test": Estimate(-500.0)}
    assert measured(row(OUT, relation, IN, values, margin=100)).endswith(f"needed {needed}")
    assert measured(row(OUT, relation, -700, values, margin=100)).endswith(
        "needed > -600" if relation == ">" else "needed < -800"
    )


def test_a_tolerance_is_around_the_number():
    values = {"ood": Estimate(-3.5)}
    found = row(OUT, "within", -3.25, values, tolerance=0.15)
    assert measured(found) == "mean out -3.50 nats, needed within 0.15 of -3.25"


def test_a_row_reads_the_same_from_a_file(tmp_path):
    found = row(OUT, "within", -3.25, {"ood": Estimate(-3.5)}, tolerance=0.15)
    pd.DataFrame([found]).to_csv(tmp_path / "claims.csv")
    assert measured(pd.read_csv(tmp_path / "claims.csv").iloc[0]) == measured(found)
    area = row(AREA, "<", 0.5, {"auroc": Estimate(0.81)})
    pd.DataFrame([area]).to_csv(tmp_path / "claims.csv")
    assert measured(pd.read_csv(tmp_path / "claims.csv").iloc[0]) == measured(area)


def test_a_value_that_there_is_none_of_is_said():
    values = {"ood": Estimate(float("nan")), "test": Estimate(1.5)}
    assert measured(row(OUT, ">", IN, values)).startswith("mean out undefined, mean in 1.50 nats")


@pytest.mark.parametrize(
    ("value", "text"),
    [(-123456.7, "-123,457"), (99.96, "100.0"), (0.0123, "0.012"), (1e-9, "1.0e-09"), (2.0, "2")],
)
def test_a_number_has_the_digits_that_its_size_asks_for(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("trainings", "words"),
    [
        ("", "no training"),
        (float("nan"), "no training"),
        ("vae/a/b: 1", "1 training"),
        ("vae/a/b: 3; vae/a/c: 3", "3 trainings"),
        ("vae/a/b: 1; glow/a/c: 10", "1 to 10 trainings"),
    ],
)
def test_the_trainings_of_a_comparison_are_counted(trainings, words):
    assert trained(pd.Series({"trainings": trainings})) == words
