"""The board, the findings and the cards have each claim once, with links between them."""

import re

import pandas as pd
from tests.unit.document.conftest import assert_balanced, made_claims, printed

from oodpriors.document.cards import board, cards, changed, findings
from oodpriors.statistics.claims import REFINED

NAMES = [*"ABCDEFGH"]
TOPICS = [
    {"id": "one", "title": "50 % of it", "figures": ["fig04"], "tables": [], "claims": NAMES[:5]},
    {"id": "two", "title": "Nothing", "figures": [], "tables": [], "claims": []},
    {"id": "three", "title": "The rest", "figures": [], "tables": ["t"], "claims": NAMES[5:]},
]
ONE = TOPICS[0] | {"claims": ["A"]}


def both():
    """A has another verdict with refined posteriors, D the same."""
    claims = made_claims()
    again = claims[claims["id"].isin(["A", "D"])].assign(estimator=REFINED)
    again["comparison"] += " refined"
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
    titles = dict(re.findall(r"\\hyperref\[topic:(\w+)\]\{([^}]+)\} &", text))
    assert {name: printed(title) for name, title in titles.items()} == {
        "one": "50 % of it",
        "three": "The rest",
    }
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
    assert text.count(r"Section~\ref{topic:one}") == 5
    assert text.count(r"Section~\ref{topic:three}") == 3
    # Table 9 is the place of all claims
    assert text.count(r"Table~\ref{tab:t}") == len(NAMES)


def two_models(*verdicts):
    """A claim of a VAE and a Glow, where the refined estimate is of the VAE alone.

    The verdicts are those of the VAE's refined comparison, of Glow's, and of the claim.
    """
    row = made_claims().iloc[[0]]

    def of(model, estimator, excess, verdict, column=""):
        words = {"comparison": f"{column} of {model}", "left_words": f"{column}mean of {model}"}
        number = {"left": excess, "excess": excess, "low": excess - 1, "high": excess + 1}
        verdicts = {"comparison_verdict": verdict, "estimator": estimator}
        return row.assign(**words, **number, **verdicts, trainings=f"{model}: 3")

    rows = [of("vae", "paper", 50.0, "holds"), of("glow", "paper", 5.0, verdicts[1])]
    rows += [
        of("vae", REFINED, 40.0, verdicts[0], "refined "),
        of("glow", REFINED, 5.0, verdicts[1]),
    ]
    table = pd.concat(rows, ignore_index=True)
    return table.assign(verdict=["holds"] * 2 + [verdicts[2]] * 2)


def test_only_comparisons_with_a_refined_estimate_stand_behind_refined():
    claims = two_models("holds", "holds", "holds")
    text = printed(cards([ONE], claims, {}, {}))
    before, refined = text.split(r"\textit{Refined:} ")
    assert "mean of glow" in before
    assert "refined mean of vae 40" in refined
    assert "glow" not in refined


def test_a_refined_verdict_that_another_model_decides_is_said_to_be():
    claims = two_models("holds", "not decided", "not decided")
    claims.loc[:1, "verdict"] = "not decided"
    text = printed(cards([ONE], claims, {}, {}))
    refined = text.split(r"\textit{Refined:} ")[1]
    assert "refined mean of vae 40" in refined
    assert ": holds; 3 trainings; a comparison without a VAE decides." in refined
    assert "glow" not in refined


def test_a_finding_has_the_refined_verdict_where_it_is_another():
    first, second = map(printed, findings(["A", "D"], both()).strip().splitlines())
    boxes = re.findall(r"\\hyperlink\{card:A\}\{\\fcolorbox.*?\\strut ([^}]+)\}\}", first)
    assert boxes == ["A holds", "refined: fails"]
    assert "D holds" in second
    assert "refined" not in second


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
