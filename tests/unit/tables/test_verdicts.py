"""The printed form of verdicts."""

import re

import numpy as np
import pandas as pd
import pytest
from tests.unit.document.conftest import MODELS, model_rows
from tests.unit.document.conftest import made_claims as claims_of_the_document
from tests.unit.tables.scores import SCORES, TITLES

from oodpriors.statistics.claims import REFINED, judge
from oodpriors.statistics.estimates import Estimate
from oodpriors.tables.likelihoods import model_table
from oodpriors.tables.verdicts import (
    count_kinds,
    deciding,
    decisive,
    reason,
    show_claims,
    show_results,
    show_settings,
    verdict_text,
)


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


def test_the_comparison_that_decides_a_claim_is_the_one_with_least_to_spare():
    claim = {"id": "A", "where": "", "text": ""}
    values = {9: 9.0, 7: 7.0, 5: 5.0}
    known = {k: Estimate(v, v + np.array([-1.0, 0.0, 1.0])) for k, v in values.items()}
    known[0] = Estimate(0.0)
    claim["comparisons"] = [{"left": k, "relation": ">", "right": 0} for k in (9, 5, 7)]
    table = judge([claim], [], known.get)
    assert deciding(table)["A"]["left"] == 5
    assert reason(table, "A") == (
        "5 ± 1.96, needed > 0; no training; the deciding one of 3 comparisons"
    )


def test_two_comparisons_are_both_told_the_deciding_one_first():
    claim = {"id": "A", "where": "", "text": ""}
    claim["comparisons"] = [{"left": k, "relation": ">", "right": 1} for k in (9, 7)]
    table = judge([claim], [], lambda number: Estimate(float(number)))
    assert reason(table, "A") == "7, needed > 1; 9, needed > 1; no training"
    assert decisive(table) == {"A": reason(table, "A")}


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


# verdicts by two estimates


def both_verdicts():
    """A holds by one estimate and fails by the other; D holds by both; B, C have one estimate."""
    first = made_claims()
    first.loc[first["id"] == "C", "where"] = "ours: whose likelihood"
    again = [
        {"id": name, "where": "Section 9", "text": "It is so.", "comparisons": comparisons}
        for name, comparisons in (
            ("A", [{"left": 0, "relation": ">", "right": 5}]),
            ("D", [{"left": 6, "relation": ">", "right": 5}]),
        )
    ]
    second = judge(again, [], lambda number: Estimate(float(number)), REFINED)
    return pd.concat([first, second], ignore_index=True)


def test_a_claim_stands_once_with_both_verdicts():
    shown = show_claims(both_verdicts()).set_index("Claim")
    assert shown["Verdict"].to_dict() == {
        "A": "holds",
        "B": "fails",
        "C": "not decided",
        "D": "holds",
    }
    assert shown["Refined"].to_dict() == {"A": "fails", "B": "–", "C": "–", "D": "holds"}


def test_the_estimators_have_a_deciding_comparison_each():
    table = both_verdicts()
    assert deciding(table).keys() == {*"ABCD"}
    assert {name: row["left"] for name, row in deciding(table, REFINED).items()} == {"A": 0, "D": 6}


# counts, numbers and settings


def test_claims_of_each_kind_are_counted_apart_and_once():
    table = both_verdicts()
    table.loc[table["id"] == "A", "kind"] = "num"
    table.loc[table["id"] == "B", "kind"] = "def"
    counts = count_kinds(table)
    assert counts.index.tolist() == ["numbers", "definitions", "others"]
    assert counts.columns.tolist() == ["holds", "fails", "not decided"]
    assert counts.to_numpy().tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]


def comparison(kind, paper, ours, quantity="q"):
    return {
        **{"where": "Table 9", "kind": kind, "quantity": quantity, "unit": "epochs"},
        **{"paper": paper, "ours": ours, "std_error": 1.0, "ratio": 1.0},
        **{"words": "NLL out", "model": "vae/a_1/b"},
    }


def test_settings_are_shown_where_they_differ_and_results_apart():
    rows = [
        comparison("setting", "1000", "5", "a.b"),
        comparison("setting", "4", "4.0"),
        comparison("setting", "8, 16", "8, 16"),
        comparison("setting", "8, 16", "4, 8", "c"),
        comparison("result", 1647.76, 1500.0),
    ]
    table = pd.DataFrame(rows)
    shown = show_settings(table)
    assert shown["Setting"].tolist() == ["epochs (a.b)", "epochs (c)"]
    assert shown[["Paper", "Ours"]].to_numpy().tolist() == [["1,000", "5"], ["8, 16", "4, 8"]]
    for titles, name in (({}, "vae, a 1, b"), ({"vae/a_1/b": "VAE, of & all"}, "VAE, of & all")):
        (result,) = show_results(table, titles)[["Quantity", "Paper", "Unit"]].to_numpy().tolist()
        assert result == [f"NLL out, {name}", "1,647.76", "epochs"]
    assert show_results(table[:4], {}).empty


def test_a_result_of_no_model_has_its_words_alone():
    row = comparison("result", 1.0, 1.0) | {"model": None}
    assert show_results(pd.DataFrame([row]), {})["Quantity"].tolist() == ["NLL out"]


def test_a_terminal_shows_both_verdicts_and_both_likelihoods(measure):
    models = model_table(SCORES, TITLES, measure)
    refined = {"n_ood_refined": 9, "mean_test_refined": -7.25, "mean_ood_refined": -8.5}
    text = verdict_text(both_verdicts(), models.assign(**refined, auroc_refined=0.125), "scale x")
    assert "4 claims: holds 2, fails 1, not decided 1" in text
    assert "2 of them are about VAEs." in text
    assert "as well: holds 1, fails 1, not decided 0" in text
    assert re.search(r"^  holds +fails +A +It is so\.$", text, re.MULTILINE)
    assert re.search(r"^  fails +– +B +It is so\.", text, re.MULTILINE)
    assert len(re.findall(r" -7\.2 +-8\.5 +0\.125$", text, re.MULTILINE)) == len(models)
    assert "A holds; refuted by" in text
    assert "A fails with refined posteriors; refuted by" in text
