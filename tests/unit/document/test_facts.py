"""Texts are filled with a run's numbers, or left out."""

import pandas as pd
import pytest

from oodpriors.document.facts import Facts

MODELS = pd.DataFrame(
    [
        {"model": "vae/a/b", "auroc": 0.8765, "auroc_low": 0.8, "auroc_high": 0.95},
        {"model": "vae/a/c", "auroc": 0.5, "auroc_low": 0.4, "auroc_high": 0.6},
    ]
).assign(auroc_refined=[float("nan"), 0.25], auroc_refined_low=0.2, auroc_refined_high=0.3)
COMPARISON = pd.DataFrame(
    [
        {"id": "S1", "paper": "1000", "ours": "5"},
        {"id": "S2", "paper": "8, 16", "ours": "4, 8"},
    ]
)
VERDICTS = {
    "A": "holds",
    "B": "fails",
    "C": "shown by one training",
    "D": "not shown by two trainings",
    "E": "not decided",
    "F": "not applicable",
}
CLAIMS = pd.DataFrame(VERDICTS.items(), columns=["id", "verdict"])


@pytest.fixture
def facts():
    return Facts({"Seeds": "0, 1", "Warning": ""}, MODELS, COMPARISON, CLAIMS)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("No number.", "No number."),
        ("{auroc vae/a/b}", "0.88 [0.80, 0.95]"),
        ("{auroc_refined vae/a/c} it is", "0.25 [0.20, 0.30] it is"),
        ("{auroc_refined vae/a/b}", None),
        ("{auroc vae/a/d}", None),
        ("{gap vae/a/b}", None),
        ("{ours S1} of {paper S1}", "5 of 1,000"),
        ("{ours S2}", "4, 8"),
        ("{ours S9}", None),
        ("Seeds {Seeds}", "Seeds 0, 1"),
        ("{Warning}", None),
        ("{Unknown}", None),
        ("{Seeds} and {Unknown}", None),
    ],
)
def test_a_text_has_all_of_its_numbers_or_is_left_out(facts, text, filled):
    assert facts.filled(text) == filled


@pytest.mark.parametrize(
    ("value", "claims"),
    [
        ("holds", "A"),
        ("fails", "B"),
        ("shown", "C"),
        ("not shown", "D"),
        ("for", "AC"),
        ("against", "BD"),
        ("not decided", "E"),
        ("not run", ""),
    ],
)
def test_a_condition_means_these_verdicts(facts, value, claims):
    assert {name for name in VERDICTS if facts.holds({name: value})} == set(claims)
    assert facts.holds({"unknown": value}) == (value == "not run")


def test_all_claims_of_a_condition_count(facts):
    assert facts.holds({"A": "holds", "B": "fails"})
    assert not facts.holds({"A": "holds", "B": "holds"})
    assert facts.holds({})


def test_texts_are_chosen_by_condition_and_number(facts):
    entries = [
        {"text": "One {Seeds}."},
        {"if": {"A": "fails"}, "text": "Two."},
        {"if": {"A": "holds"}, "text": "Three."},
        {"text": "Four {Unknown}."},
    ]
    assert facts.chosen(entries) == ["One 0, 1.", "Three."]
