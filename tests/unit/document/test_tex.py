"""Text and tables as LaTeX."""

import re

import pandas as pd
import pytest
from tests.unit.document.conftest import ASSUMPTIONS, PRINTED, assert_balanced, cells, printed

from oodpriors.document import tex

# escaping


@pytest.mark.parametrize("character", PRINTED.values())
def test_a_special_character_prints_as_itself(character):
    assert printed(tex.escape(character)) == character
    assert tex.escape(character) != character


@pytest.mark.parametrize("text", ["a_b & 50 % {x}", r"C:\new~1", "−3.1 ± 0.2", "$100 #1", "a<b>c|"])
def test_escaped_text_prints_as_it_was(text):
    assert printed(tex.escape(text)) == text
    assert_balanced(tex.escape(text))


@pytest.mark.parametrize("text", ["plain text, 1.5 (x)", "", "Müller's"])
def test_plain_text_is_left_alone(text):
    assert tex.escape(text) == text


def test_what_is_no_text_is_escaped_as_it_is_printed():
    assert (tex.escape(3), tex.escape(None)) == ("3", "None")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a---b ,,c", "a-{}-{}-b ,{},c"),
        ("'it's'", r"\textquotesingle{}it's\textquotesingle{}"),
        ("š Š ő į ḃ", r"\v{s} \v{S} \H{o} \k{i} \.{b}"),
        ("Ωя", r"\glyph{03A9}\glyph{044F}"),
        ("≠ ģ 😀", r"\glyph{2260} \glyph{0123} \glyph{1F600}"),
        ("フ.npz\a", "{[}U+30D5].npz{[}U+0007]"),
    ],
)
def test_no_character_is_lost_or_becomes_another(text, latex):
    assert tex.escape(text) == latex


def test_a_long_word_can_break():
    text = "x" * 45
    assert [len(part) for part in tex.escape(text).split(r"\penalty9999{}")] == [10] * 4 + [5]
    assert "penalty" not in tex.escape("of a usual length, like out-of-distribution")


def test_a_value_becomes_a_macro():
    made = tex.macros({"Scale": "smoke", "Note": "50 % of a_b"})
    assert made.splitlines() == [
        r"\newcommand{\Scale}{smoke}",
        r"\newcommand{\Note}{50 \% of a\_b}",
    ]


# tables

SPECIAL = pd.DataFrame(
    {"a_b": ["50 %", "x & y", r"a\b"], "c^2": ["1 ± 2", "{z}", "~"], "NLL (–)": ["#1", "$5", "<|>"]}
)


@pytest.mark.parametrize("make", [tex.tabular, tex.longtable])
def test_a_table_prints_its_cells(make):
    assert cells(make(SPECIAL, "lll")) == [list(SPECIAL.columns), *SPECIAL.to_numpy().tolist()]


@pytest.mark.parametrize("make", [tex.tabular, tex.longtable])
def test_a_table_is_sound(make):
    for table in (SPECIAL, SPECIAL.iloc[:0]):
        text = make(table, "lll")
        assert_balanced(text)
        assert [text.count(rf"\{rule}rule") for rule in ("top", "mid", "bottom")] == [1, 1, 1]


def test_a_float_has_its_tables_one_above_the_other():
    text = tex.table_float([(SPECIAL, "lll"), (SPECIAL.iloc[:1], "rrr")], "Of a_b & c", "t1")
    assert_balanced(text)
    columns = re.findall(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert columns == ["lll", "rrr"]
    assert r"\caption{Of a\_b \& c}" in text
    assert r"\label{t1}" in text


def test_a_figure_has_file_caption_and_label():
    text = tex.figure_float("fig04.pdf", "50 % of it", "fig04", "4")
    assert_balanced(text)
    for part in ("{fig04.pdf}", r"\caption{50 \% of it}", r"\label{fig04}"):
        assert part in text


def test_a_caption_has_the_paragraphs_of_its_text():
    text = tex.longtable(SPECIAL, "lll", "One\nline.\n \nTwo. ", "t1")
    assert r"\caption{One line.\endgraf Two.}" in text


# Markdown


@pytest.mark.parametrize(
    ("markdown", "latex"),
    [
        ("# Title", ""),
        ("## Data & scores", r"\subsection{Data \& scores}"),
        ("### A1. Limits", r"\paragraph{A1. Limits}"),
        ("A line\nand another.", "A line and another."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
        ("One.\n  \nTwo.", "One.\n\nTwo."),
        ("Key: `data_seed`.", r"Key: \texttt{data\_seed}."),
        ("It is **50 %** of it.", r"It is \textbf{50 \%} of it."),
        ("`a` and `b_c`", r"\texttt{a} and \texttt{b\_c}"),
        ("2 * 3 and x ± 1", r"2 {*} 3 and x $\pm$ 1"),
        ("# Title\n\n## Part\n\nText.", "\\subsection{Part}\n\nText."),
        (
            "| a | b_c |\n| --- | --- |\n| 1 | -2 ± 3 |",
            "\\begin{center}\\small\n\\begin{tabular}{ll}\n\\toprule\n"
            "\\textbf{a} & \\textbf{b\\_c} \\\\\n"
            "\\midrule\n1 & $-$2 $\\pm$ 3 \\\\\n\\bottomrule\n\\end{tabular}\n\\end{center}",
        ),
    ],
)
def test_markdown_becomes_latex(markdown, latex):
    assert tex.from_markdown(markdown) == latex + "\n"


def test_every_assumption_is_printed():
    text = tex.from_markdown(ASSUMPTIONS)
    assert_balanced(text)
    headings = re.findall(r"^### (.*)$", ASSUMPTIONS, re.MULTILINE)
    assert [printed(h) for h in re.findall(r"\\paragraph\{(.*)\}", text)] == headings
    assert len(headings) >= 10


def test_the_assumptions_need_no_character_that_latex_lacks():
    # letters of Latin alphabets are in every font, symbols are not
    text = tex.from_markdown(ASSUMPTIONS)
    assert {c for c in text if ord(c) > 127 and not c.isalpha()} == set()
    assert "{[}U+" not in text  # what is printed in the place of one that no font has


def test_long_keys_can_break_after_their_dots():
    text = tex.from_markdown("Key: `models.vae.training`.")
    assert r"\texttt{models.\allowbreak{}vae.\allowbreak{}training}." in text
