"""Each figure, table and claim has one topic; what a run lacks falls out of them."""

import re
from collections import Counter

import pandas as pd
import pytest
import yaml
from tests.unit.document.conftest import OUTLINE, ROOT

from oodpriors.document.facts import PLACE, VALUES
from oodpriors.document.topics import PARTS, numbers_of, of_this_run, shown_in

CONFIG, CLAIMS, PUBLISHED = (
    yaml.safe_load((ROOT / "config" / name).read_text())
    for name in ("config.yaml", "claims.yaml", "published.yaml")
)
NAMES = {
    "figures": [*CONFIG["figures"]],
    "tables": [*CONFIG["tables"]],
    "claims": [claim["id"] for claim in CLAIMS],
}
MODELS = {name for entry in CONFIG["experiments"].values() for name in entry["models"]}


def whole():
    return of_this_run(OUTLINE["topics"], NAMES["figures"], NAMES["tables"], NAMES["claims"])


# the project's own topics


@pytest.mark.parametrize("kind", NAMES)
def test_each_figure_table_and_claim_has_exactly_one_topic(kind):
    parts = [part for part, of in PARTS.items() if of == kind]
    listed = [n for topic in OUTLINE["topics"] for part in parts for n in topic.get(part, [])]
    assert Counter(listed) == Counter(NAMES[kind])


def test_nothing_is_left_for_the_topic_of_own_experiments():
    assert "own" not in {topic["id"] for topic in whole()}
    assert OUTLINE["topics"][-1]["id"] == "own"


def texts(entry):
    if isinstance(entry, dict):
        for key, value in entry.items():
            yield from [value] if key in ("text", "paper", "question", "method") else texts(value)
    elif isinstance(entry, list):
        for part in entry:
            yield from texts(part)


def test_each_number_that_a_text_names_can_be_there():
    ids = {entry["id"] for entry in PUBLISHED}
    macros = set(re.findall(r'^ +"([A-Z]\w+)":', (ROOT / MACROS).read_text(), re.M))
    found = [match for text in texts(OUTLINE) for match in PLACE.finditer(text)]
    assert found
    for match in found:
        name, of = match[1], match[2]
        if of is None:
            assert name in macros
        elif name in ("ours", "paper"):
            assert of in ids
        else:
            assert name in ("auroc", "auroc_refined", "auroc_unrefined")
            assert of in MODELS
        assert "{" not in PLACE.sub("", match.string)


MACROS = "workflow/oodpriors/document/macros.py"


def conditions(entry):
    if isinstance(entry, dict):
        yield from [entry["if"]] if "if" in entry else []
        for value in entry.values():
            yield from conditions(value)
    elif isinstance(entry, list):
        for part in entry:
            yield from conditions(part)


def test_each_condition_is_about_claims_and_verdicts_that_exist():
    found = list(conditions(OUTLINE))
    assert found
    assert {claim for condition in found for claim in condition} <= set(NAMES["claims"])
    assert {value for condition in found for value in condition.values()} <= set(VALUES)


def test_the_numbers_of_page_one_are_of_models_of_the_configuration():
    assert {name for row in OUTLINE["numbers"] for name in row["models"].values()} <= MODELS
    assert OUTLINE["first_figure"] in NAMES["figures"]


# runs


def test_what_a_run_lacks_falls_out():
    (topic,) = of_this_run(OUTLINE["topics"], ["fig04"], [], ["C13.1"])
    assert (topic["id"], topic["figures"], topic["claims"]) == ("two_labels", ["fig04"], ["C13.1"])
    assert [topic[part] for part in ("tables", "more_figures", "more_tables")] == [[]] * 3


def test_what_no_topic_names_goes_to_the_last():
    (topic,) = of_this_run(OUTLINE["topics"], ["cells"], ["cells"], ["K99"])
    assert topic["id"] == "own"
    assert [topic[p] for p in PARTS] == [["cells"], [], [], ["cells"], ["K99"]]


def test_a_topic_about_the_paper_is_more_than_an_appendix():
    topics = [
        {"id": "a", "paper": "It says.", "figures": ["x"], "more_figures": ["y"]},
        {"id": "b", "question": "Is it?", "more_tables": ["t"]},
        {"id": "own"},
    ]
    found = of_this_run(topics, ["y"], ["t"], [])
    assert [topic["id"] for topic in found] == ["b", "own"]
    assert found[1]["figures"] == ["y"]
    assert [topic["id"] for topic in of_this_run(topics, ["x", "y"], [], [])] == ["a"]


def test_the_entries_are_left_as_they_are():
    before = str(OUTLINE)
    of_this_run(OUTLINE["topics"], ["cells"], [], [])
    assert str(OUTLINE) == before


# numbers and places


def test_figures_have_the_papers_numbers_and_no_two_the_same():
    entries = {"a": {"where": "Figure 4"}, "b": {"where": "Figure 4"}, "c": {}}
    entries |= {"d": {"where": "Table 4"}, "e": {"where": "Section 3.1, Figure 5"}}
    numbers = numbers_of(entries, "Figure", [*"abcde"])
    assert list(numbers.values()) == ["4", "S1", "S2", "S3", "S4"]


@pytest.mark.parametrize(
    ("where", "labels"),
    [
        ("Section 5.3, Figure 4a", ["fig:fig04"]),
        ("Section 5.3, Figures 7a and 7b", ["fig:fig07"]),
        ("Section 5.3, Table 1, Appendix F.2", ["tab:table1"]),
        ("Appendix C, Figure 10b", ["fig:fig10"]),
        ("Section 3.2, Equation 2", []),
        ("Figure 99", []),
        ("ours: control", []),
    ],
)
def test_a_claim_is_shown_where_its_place_says(where, labels):
    figures = numbers_of(CONFIG["figures"], "Figure", NAMES["figures"])
    tables = numbers_of(CONFIG["tables"], "Table", NAMES["tables"])
    assert shown_in(where, figures, tables) == labels


def test_each_claim_of_the_paper_that_names_a_figure_leads_to_it():
    figures = numbers_of(CONFIG["figures"], "Figure", NAMES["figures"])
    named = pd.Series({claim["id"]: claim["where"] for claim in CLAIMS})
    named = named[named.str.contains("Figure")]
    assert all(shown_in(where, figures, {}) for where in named)
