"""Topics as text: what the paper says, what is found, and why."""

from pathlib import Path

import pandas as pd
import pytest
from tests.unit.document.conftest import assert_balanced, cells, made_claims, model_rows, printed

from oodpriors.document.facts import Facts
from oodpriors.document.floats import Floats
from oodpriors.document.text import first_numbers, listed, topic_text
from oodpriors.kinds import figures

ROOT = Path(__file__).parents[3]
FIGURES = {
    "fig04": {"where": "Figure 4", "caption": "uni & multi."},
    "own": {"caption": "Mine."},
    "far": {"where": "Figure 9", "caption": "Far."},
}
TOPIC = {"figures": [], "tables": [], "more_figures": [], "more_tables": [], "claims": []}
TOPICS = [
    TOPIC
    | {
        "id": "one",
        "section": "Claims",
        "title": "First & foremost",
        "where": "Section 5",
        "paper": "It says [@a2019].",
        "figures": ["fig04", "own"],
        "more_figures": ["far"],
        "claims": ["A"],
        "why": [{"if": {"A": "holds"}, "text": "Since."}, {"if": {"A": "fails"}, "text": "Not."}],
    },
    TOPIC | {"id": "two", "section": "Claims", "title": "Second", "figures": [], "claims": ["B"]},
    TOPIC | {"id": "three", "section": "Ours", "title": "Hidden", "question": "Why {Unknown}?"},
]


@pytest.fixture
def facts():
    return Facts({}, model_rows(), pd.DataFrame({"id": []}), made_claims())


@pytest.fixture
def floats():
    return Floats(FIGURES, {}, TOPICS, "Scale smoke", "fig04")


@pytest.fixture
def text(facts, floats):
    return topic_text(TOPICS, facts, floats, made_claims())


def test_topics_of_a_section_are_its_parts_and_one_alone_is_the_section(text):
    assert_balanced(text)
    assert text.count(r"\section{Claims}") == 1
    assert r"\subsection{First \& foremost}" in text
    assert r"\subsection{Second}" in text
    assert r"\section{Ours}" in text
    assert "Hidden" not in text


def test_a_topic_has_its_paragraphs_with_the_reason_that_applies(text):
    first = printed(text.split(r"\subsection{Second}")[0])
    assert r"\paragraph{The paper says (Section 5).} It says \citep{a2019}." in first
    assert "A holds" in first
    assert r"\paragraph{Why.} Since." in first
    assert "Not." not in first
    assert "Why ?" not in text


def test_figures_are_cited_and_stand_beside_the_text_but_that_of_page_one(text, floats):
    first, others = text.split(r"\subsection{Second}")
    here = r"Figure~\ref{fig:fig04} and Figure~\ref{fig:own}"
    assert rf"See {here}; in the appendix, Figure~\ref{{fig:far}}." in first
    assert "See" not in others
    assert r"\label{fig:own}" in text
    assert r"\label{fig:fig04}" not in text
    assert r"\label{fig:fig04}" in floats.first()
    assert r"\label{fig:far}" in floats.appendix_figures()


def test_a_dense_figure_has_the_full_width():
    entries = {"far": {"caption": "Far."}, "dense": {"kind": "companions", "caption": "Dense."}}
    topics = [TOPIC | {"more_figures": ["far", "dense"]}]
    shown = Floats(entries, {}, topics, "", "").appendix_figures()
    assert r"[width=0.62\textwidth]{far.pdf}" in shown
    assert r"[width=1\textwidth]{dense.pdf}" in shown


def test_only_the_note_that_the_methods_have_is_left_out_of_captions(monkeypatch):
    row = figures.FIGURES["companions"]._replace(note="A note of its own.")
    monkeypatch.setitem(figures.FIGURES, "companions", row)
    entries = {"far": {"caption": "Far."}, "own": {"kind": "companions", "caption": "Own."}}
    topics = [TOPIC | {"more_figures": ["far", "own"]}]
    shown = Floats(entries, {}, topics, "", "").appendix_figures()
    assert figures.FIGURES["histograms"].note == figures.NOT_SHOWN
    assert figures.NOT_SHOWN not in shown
    assert "Own. A note of its own." in shown
    methods = (ROOT / "paper/main.tex").read_text(encoding="utf-8")
    assert "Histograms leave out at most half a per cent of a set" in methods


def test_own_figures_are_numbered_apart_and_the_papers_have_its_numbers(text, floats):
    assert floats.figure_numbers == {"fig04": "4", "own": "S1", "far": "9"}
    assert r"\renewcommand{\thefigure}{S1}" in text
    assert "(Figure 4 of the paper" not in floats.first()


def test_a_run_without_the_figure_of_page_one_has_none_there():
    assert Floats({}, {}, [], "", "fig04").first() == ""


ROWS = [
    {
        "title": "VAE & more",
        "column": "auroc",
        "models": {"uni": "vae/fashion_1_7/unimodal", "multi": "no/such/model"},
    },
    {"title": "Glow", "column": "auroc", "models": {"uni": "no/such/model"}},
]


def test_page_one_has_the_rows_and_columns_of_which_there_is_a_number(facts):
    table = cells(first_numbers(ROWS, facts))
    assert table[1:] == [["VAE & more", "0.25 [0.15, 0.35]"]]
    assert table[0][1:] == ["Gaussian"]


def test_page_one_of_another_run_has_its_own_models(facts):
    table = cells(first_numbers(ROWS[1:], facts))
    assert table[1] == ["VAE, uni, Fashion-MNIST (1, 7)", "0.25 [0.15, 0.35]"]
    assert len(table) == 3


def test_a_list_of_nothing_is_nothing():
    assert listed([]) == ""
    assert listed(["50 %", "b"]).count("\\item ") == 2
