"""The parts of the document that hold numbers, as LaTeX."""

from collections.abc import Mapping, Sequence

import pandas as pd

from oodpriors.data.provenance import describe
from oodpriors.document import tex
from oodpriors.document.cards import board, cards
from oodpriors.document.facts import Facts
from oodpriors.document.floats import Floats
from oodpriors.document.macros import macros, remedy_macros
from oodpriors.document.record import budget, data, inputs, training
from oodpriors.document.text import first_numbers, listed, topic_text
from oodpriors.document.topics import of_this_run
from oodpriors.tables.likelihoods import likelihood_table
from oodpriors.tables.remedy import COLUMNS
from oodpriors.tables.verdicts import count_kinds, show_results, show_settings


def fragments(
    record: Mapping,
    models: pd.DataFrame,
    tables: Mapping[str, tuple[Mapping, pd.DataFrame]],
    figures: Mapping[str, Mapping],
    claims: pd.DataFrame,
    comparison: pd.DataFrame,
    assumptions: str,
    outline: Mapping,
) -> dict[str, str]:
    """LaTeX by file name, everything that main.tex reads.

    Args:
        record: provenance of the run.
        models: likelihoods of all models.
        tables: configuration entry and content of each table; without any, all models are listed.
        figures: configuration entries of the figures.
        claims: verdicts, a row per comparison.
        comparison: our numbers and the paper's.
        assumptions: Markdown.
        outline: topics and texts, as in ``config/topics.yaml``.
    """
    note = describe(record["data"], record["scale"])
    note = note[0].upper() + note[1:]
    others = likelihood_table(models, models["model"].tolist(), []).drop(columns="paper_nll_ood")
    tables = tables or {"models": ({"caption": "All models."}, others)}
    named = claims.drop_duplicates("id")["id"].astype(str).tolist()
    topics = of_this_run(outline["topics"], list(figures), list(tables), named)
    shown = (table for entry, table in tables.values() if entry.get("kind") == "remedy")
    remedy = next(shown, pd.DataFrame(columns=COLUMNS))
    values = macros(record, models, claims, note) | remedy_macros(remedy)
    facts = Facts(values, models, comparison, claims)
    floats = Floats(figures, tables, topics, note, outline["first_figure"])
    parts = {
        "macros": tex.macros(values),
        "abstract": _sentences(facts.chosen(outline["abstract"])),
        "board": board(topics, claims),
        "numbers": first_numbers(outline["numbers"], facts),
        "firstfigure": floats.first(),
        "topics": topic_text(topics, facts, floats, claims),
        "limitations": listed(facts.chosen(outline["limitations"])),
        "conclusion": _sentences(facts.chosen(outline["conclusion"])),
        "kinds": _kinds(claims),
        "cards": cards(topics, claims, floats.figure_numbers, floats.table_numbers),
        "figures": _section("Remaining figures", floats.appendix_figures()),
        "tables": _section("Full tables", floats.appendix_tables()),
        "comparison": _numbers(
            "The paper's numbers and ours",
            show_results(comparison, _titles(models)),
            r"P{2cm}P{5.6cm}r>{\raggedleft\arraybackslash}p{2.6cm}rP{2.2cm}",
        ),
        "settings": _numbers(
            "Settings that differ from the paper",
            show_settings(comparison),
            "P{2cm}P{9.2cm}P{1.7cm}P{1.7cm}",
        ),
        "assumptions": tex.from_markdown(assumptions),
        "budget": tex.longtable(budget(record), "lr"),
        "training": tex.longtable(training(record), "llrrrrl"),
        "data": tex.longtable(data(record), "llrrP{7.5cm}"),
        "software": tex.escape(", ".join(f"{k} {v}" for k, v in record["software"].items())),
        "inputs": tex.longtable(inputs(record), r"P{4.6cm}>{\ttfamily}l"),
    }
    return parts | {"glyphs": tex.glyph_pages(tex.glyphs_of(parts.values()))}


def _titles(models: pd.DataFrame) -> dict[str, str]:
    about = models[["architecture", "prior", "training_data"]].to_numpy()
    return {name: ", ".join(row) for name, row in zip(models["model"], about, strict=True)}


def _sentences(texts: Sequence[str]) -> str:
    return " ".join(map(tex.inline, texts)) + "%\n"  # an empty file would end the paragraph


def _section(title: str, body: str) -> str:
    """A section of the appendix, if there is anything in it."""
    return f"\\section{{{title}}}\n\n{body}" if body else ""


def _numbers(title: str, table: pd.DataFrame, columns: str) -> str:
    if table.empty:
        return ""
    small = r"\footnotesize\setlength{\tabcolsep}{4pt}"
    return _section(title, f"{{{small}\n{tex.longtable(table, columns)}}}\n")


def _kinds(claims: pd.DataFrame) -> str:
    """How many claims of each kind have each verdict; nothing if there is none."""
    if claims.empty:
        return ""
    counts = count_kinds(claims).astype(str).reset_index()
    columns = "l" + "P{1.6cm}" * (len(counts.columns) - 1)
    caption = "Number of claims by kind and verdict, with the paper's estimate of VAEs."
    table = f"{caption}\\par\\smallskip\n{tex.tabular(counts, columns)}"
    return f"\\begin{{center}}\\small\n{table}\\end{{center}}\n"
