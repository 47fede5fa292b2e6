"""The printed form of verdicts."""

import re

import numpy as np
import pytest
from tests.unit.document.conftest import MODELS, model_rows
from tests.unit.document.conftest import made_claims as claims_of_the_document
from tests.unit.tables.scores import SCORES, TITLES

from oodpriors.statistics.claims import judge
from oodpriors.statistics.estimates import Estimate
from oodpriors.tables.likelihoods import model_table
from oodpriors.tables.verdicts import show_claims, verdict_text


def made_claims():
    sides = {"A": (9, 1), "B": (1, 9), "C": (1, 1), "D": (8, 2)}
    claims = [
        {
            "id": name,
            "where": "Section 9",
            "text": "It is so.",
            "comparisons": [{"left": left, "relation": ">", "right": right}],
        }
        for name, (left, right) in sides.items()
    ]
    claims[1] |= {"shown": False, "expected_at": "paper"}
    return judge(claims, [], lambda number: Estimate(float(number)))


@pytest.mark.parametrize(
    ("left", "error", "expected"),
    [
        (1234.5, 6.72, "+1,234.5 ± 13.2"),
        (-0.25, 0.01, "-0.2500 ± 0.0196"),
        (1e-6, 0.0, "+1.0e-06 ± 0.0e+00"),
    ],
)
def test_an_excess_has_the_digits_that_its_size_asks_for(left, error, expected):
    claim = {"id": "A", "where": "", "text": ""}
    claim["comparisons"] = [{"left": left, "relation": ">", "right": 0}]
    replicates = left + error * np.array([-1, 0, 1])
    known = {left: Estimate(left, replicates), 0: Estimate(0.0, np.zeros(3))}
    shown = show_claims(judge([claim], [], known.get))
    assert shown["Excess over the margin"].tolist() == [expected]


def test_a_terminal_shows_counts_and_what_there_is_to_know_of_a_claim(measure):
    text = verdict_text(made_claims(), model_table(SCORES, TITLES, measure), "scale smoke")
    lines = text.splitlines()
    assert "4 claims: holds 2, fails 1, not decided 1" in lines
    assert any(line.startswith("Of 4 claims tested at a level of 5 %, 3 were") for line in lines)
    assert "  fails        B      It is so. [stated, not shown; expected at scale paper]" in lines
    assert lines[2].startswith("2 of 3 models have one seed")


def test_a_verdict_is_shown_with_what_it_rests_on_and_what_would_refute_it():
    found = Estimate(
        9.0, np.array([8.0, 9, 10]), {"m": np.array([8.9, 9, 9.1])}, {"mnist.test": 60}
    )
    claim = {"id": "A", "where": "", "text": "", "refuted_by": "A nine below five."}
    claim["comparisons"] = [{"left": 9, "relation": ">", "right": 5}]
    table = judge([claim], [], {9: found, 5: Estimate(5.0)}.get)
    lines = verdict_text(table, model_rows(), "").splitlines()
    start = lines.index("A holds; refuted by: A nine below five.")
    low, high = table.loc[0, ["low", "high"]]
    assert lines[start + 1 : start + 4] == [
        "  holds: 9 > 5",
        f"    9 and 5: difference 4 ± 1, 95 % [{low:.4g}, {high:.4g}], degrees of freedom: 2.0",
        "    trainings: m: 3; images: mnist.test: 60",
    ]


def test_a_terminal_shows_verdicts_and_likelihoods():
    text = verdict_text(claims_of_the_document(), model_rows(), "scale smoke")
    assert text.startswith("Verdicts (scale smoke)\n")
    assert re.search(r"^  fails +B +50 % of a_b$", text, re.MULTILINE)
    # the mean log-likelihood is minus the NLL, in and out of distribution
    numbers = r" +-0\.2 +0\.2 +-0\.2 +0\.2 +0\.250$"
    for model in MODELS:
        assert re.search(f"^ *{model}{numbers}", text, re.MULTILINE)
