"""The board, the findings and the cards have each claim once, with links between them."""

import re

import pandas as pd
from tests.unit.document.conftest import assert_balanced, made_claims, printed

from oodpriors.document.cards import board, cards, changed, findings
from oodpriors.statistics.claims import REFINED

NAMES = [*"ABCDEFGH"]
TOPICS = [
    {"title": "50 % of it", "figures": ["fig04"], "tables": [], "claims": NAMES[:5]},
    {"title": "Nothing", "figures": [], "tables": [], "claims": []},
    {"title": "The rest", "figures": [], "tables": ["t"], "claims": NAMES[5:]},
]


def both():
    """A has another verdict with refined posteriors, D the same."""
    claims = made_claims()
    again = claims[claims["id"].isin(["A", "D"])].assign(estimator=REFINED)
    columns = ["verdict", "comparison_verdict"]
    again.loc[again["id"] == "A", columns] = "fails"
    return pd.concat([claims, again], ignore_index=True)


def test_each_box_of_the_board_leads_to_the_card_of_its_claim():
    claims = both()
    text = board(TOPICS, claims)
    assert_balanced(text)
    links = re.findall(r"\\hyperlink\{card:(\w)\}\{\\fcolorbox.*?\\strut (\S+)\}\}", text)
    assert [name for name, _ in links] == NAMES
    assert [printed(shown) for _, shown in links] == ["A*", *NAMES[1:]]
    assert "Nothing" not in text
    anchors = re.findall(r"\\card\{card:(\w)\}", cards(TOPICS, claims, {}, {}))
    assert anchors == NAMES


def test_the_board_counts_the_verdicts():
    text = printed(board(TOPICS, made_claims()))
    for words in ("holds: 3", "fails: 1", "not decided: 2", "shown by one training: 1"):
        assert f"\\strut {words}}}" in text
    assert "refined" not in text


def test_a_card_has_what_was_measured_by_both_estimates_and_leads_back():
    text = cards(TOPICS, both(), {"fig04": "4"}, {"t": "9"})
    assert_balanced(text)
    first = printed(text.split("\\card")[1])
    assert "A holds" in first
    assert "refined: fails" in first
    assert "50 % of a_b" in first
    assert first.count("9, needed > 1; no training.") == 2
    assert r"\hyperlink{board}{all verdicts}" in first
    # Table 9 is the place of all claims
    assert text.count(r"Table~\ref{tab:t}") == len(NAMES)


def test_a_card_quotes_the_paper_with_every_character_as_it_is(tmp_path):
    claims = both()
    claims.loc[claims["id"] == "A", "quote"] = "<script> & $x_1$ ... 50 %"
    claims.to_csv(tmp_path / "claims.csv", index=False)
    for table in (claims, pd.read_csv(tmp_path / "claims.csv")):
        text = cards(TOPICS, table, {"fig04": "4"}, {"t": "9"})
        assert_balanced(text)
        first, *others = printed(text).split("\\card")[1:]
        assert first.count(r"\textit{The paper:} ``<script> & $x_1$ ... 50 %''.") == 1
        assert not [other for other in others if "The paper:" in other]


def test_a_claim_without_a_place_leads_to_the_first_figure_of_its_topic():
    claims = made_claims().assign(where="ours")
    text = cards(TOPICS, claims, {"fig04": "4"}, {"t": "9"})
    assert text.count(r"Figure~\ref{fig:fig04}") == 5
    assert text.count(r"Table~\ref{tab:t}") == 3


def test_a_finding_is_verdict_text_and_measurement():
    claims = made_claims()
    claims.loc[claims["id"] == "A", "but"] = "so & so"
    text = findings(["A", "G"], claims)
    first, second = map(printed, text.strip().splitlines())
    assert "50 % of a_b But so & so." in first
    assert "9, needed > 1 (no training)." in first
    assert "G shown by one training" in second
    assert "(1 training)." in second


def test_a_finding_says_what_the_verdict_means_in_the_place_of_the_claim():
    claims = made_claims()
    claims.loc[claims["id"] == "B", "meaning"] = "It is not true that a_b is & so."
    first, second = map(printed, findings(["A", "B"], claims).strip().splitlines())
    assert "50 % of a_b" in first
    assert "{It is not true that a_b is & so.}" in second
    assert "50 % of a_b" not in second
    assert "1, needed > 9 (no training)." in second
    assert "50 % of a_b" in printed(cards(TOPICS, claims, {}, {"t": "9"}).split("\\card")[2])


def test_claims_with_another_verdict_are_named():
    assert changed(both()) == {"A": "fails"}
    assert changed(made_claims()) == {}
