"""Cards of claims, and where they lead."""

import math

import numpy as np
import pandas as pd
import pytest
from tests.unit.page.synthetic import GLOW, MODELS, MULTI, UNI, claims

from oodpriors.page.cards import (
    by_place,
    counts,
    figures_of,
    make_cards,
    number,
    place_of,
    rows_of,
)
from oodpriors.tables.verdicts import deciding


@pytest.fixture
def cards() -> dict:
    return {card.name: card for card in make_cards(claims())}


def test_every_claim_has_one_card_with_its_comparisons(cards: dict):
    table = claims()
    assert list(cards) == list(dict.fromkeys(table["id"]))
    for name, card in cards.items():
        own = table[(table["id"] == name) & (table["estimator"] == "paper")]
        assert len(card.compared) == len(own)
        assert card.verdict == own["verdict"].iloc[0]
    assert len(cards["C13.1"].compared_refined) == 1


def test_numbers_are_those_of_the_line_that_is_named(cards: dict):
    table = claims()
    for card in cards.values():
        for compared in (*card.compared, *card.compared_refined):
            row = table.iloc[compared.row - 2]
            assert row["id"] == card.name
            value = row["difference"] if compared.sides else row["left"]
            for said, expected in (
                (compared.left, row["left"]),
                (compared.right, row["right"]),
                (compared.value, value),
            ):
                assert said == f"{expected:,.4g}".replace("-", "−")
    assert cards["C13.1"].compared[0].sides
    assert not cards["C2"].decisive.sides


def test_a_refined_verdict_is_told_apart(cards: dict):
    assert cards["C13.1"].depends
    assert cards["C13.1"].refined == "fails"
    assert not cards["C2"].refined


def test_the_decisive_comparison_is_that_of_the_verdicts_in_text(cards: dict):
    decides = deciding(claims())
    assert decides.keys() == cards.keys()
    for name, row in decides.items():
        assert cards[name].decisive.row == row.name + 2


def test_a_comparison_without_a_value_can_decide():
    rows = claims().head(2).assign(excess=np.nan, low=np.nan, high=np.nan)
    assert make_cards(rows)[0].decisive.row == 2


def test_another_run_gives_verdict_and_difference():
    other = claims().assign(verdict="fails", difference=7.0)
    card = next(iter(make_cards(claims(), other)))
    assert card.differs
    assert card.other == "fails"
    assert [compared.other for compared in card.compared] == ["7", "7.5"]


def test_a_claim_that_another_run_lacks_does_not_differ():
    card = make_cards(claims(), claims().iloc[2:])[0]
    assert not card.differs
    assert {compared.other for compared in card.compared} == {""}


def test_an_empty_value_is_a_dash():
    table = claims().assign(left=math.nan, difference=math.nan, low=math.nan, std_error=math.nan)
    compared = make_cards(table)[0].decisive
    assert (compared.left, compared.value, compared.error) == ("–", "–", "")
    assert compared.interval is None


FIGURES = {"a": {"where": "Figure 4"}, "b": {"where": "Figure 6"}, "c": {"where": ""}} | {
    "control": {"where": "Control for Figure 4"},
    "estimates": {"where": "Ours: whose likelihood"},
}
SHOWN = {"a": MODELS, "b": [UNI, MULTI], "c": [*MODELS, "vae/cells/more"]} | {
    "control": [],
    "estimates": [],
}


@pytest.mark.parametrize(
    ("where", "models", "expected"),
    [
        ("Section 5.3, Figure 4a", MODELS, ["a"]),
        ("Figures 4a and 6b", MODELS, ["a", "b"]),
        ("ours: whose likelihood, control", MODELS, ["control", "estimates"]),
        ("Section 5.3", (UNI,), ["b"]),
        ("Section 5.3", (GLOW,), ["a"]),
        ("Section 5.3", ("vae/none/uni",), []),
        ("Section 5.3", (), []),
        ("Figure 14", (), []),
    ],
)
def test_a_claim_leads_to_the_figure_it_names_or_to_that_of_its_models(
    cards: dict, where, models, expected
):
    card = cards["C2"]._replace(where=where, models=tuple(models))
    assert figures_of(card, FIGURES, SHOWN) == expected


def test_a_claim_leads_to_the_rows_of_its_models(cards: dict):
    assert rows_of(cards["K1"], {UNI: "one", GLOW: "two"}) == [(GLOW, "two")]


@pytest.mark.parametrize(
    ("trainings", "words"),
    [
        ("vae/a/b: 3; vae/a/c: 3", "3 trainings of each model"),
        ("vae/a/b: 5; vae/a/c: 3", "3 to 5 trainings of each model"),
        ("vae/a/b: 1", "1 training of each model"),
        ("", ""),
    ],
)
def test_the_number_of_trainings_is_said(trainings: str, words: str):
    table = claims().iloc[2:3].assign(trainings=trainings)
    assert make_cards(table)[0].trainings == words


def test_cards_are_listed_by_section_and_counted(cards: dict):
    assert list(by_place(cards.values())) == ["Section 5.3", "Table 1", "Ours: control"]
    assert counts(list(cards.values())) == {"holds": 2, "fails": 1}


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("Section 5.3, Table 1, Appendix F.2", "Section 5.3"),
        ("Abstract, Section 6", "Section 6"),
        ("Sections 5.4 and 6", "Sections 5.4 and 6"),
        ("Table 1", "Table 1"),
    ],
)
def test_the_place_is_a_section_if_one_is_named(where: str, place: str):
    assert place_of(where) == place


def test_a_number_has_four_digits():
    table = pd.Series([1930.05, -0.00012346, math.inf])
    assert list(table.map(number)) == ["1,930", "−0.0001235", "∞"]
