"""Figures and tables of the document, each with its number, and in its place."""

from collections.abc import Mapping, Sequence

import pandas as pd

from oodpriors.document import tex
from oodpriors.document.topics import numbers_of
from oodpriors.kinds.figures import FIGURES, NOT_SHOWN
from oodpriors.kinds.tables import TABLES
from oodpriors.tables.likelihoods import show_likelihoods
from oodpriors.tables.make import show_table

FIRST, BODY, APPENDIX, FULL = 0.7, 0.8, 0.62, 1.0  # width of a figure, as part of the text's
PRINTED = ["Model", "Prior", "Training data"]
PRINTED += ["Paper: NLL out", "NLL out", "NLL in", "Gap", "AUROC"]
SETS_NOTE = (
    "NLL: mean negative log-likelihood in nats per image, with its standard error over images and "
    "trainings; out: {out}; in: test images of the training data's labels; gap: mean "
    "log-likelihood in minus out. AUROC: probability that an in-distribution image has the higher "
    "likelihood, with an interval of 95 %; 0.5 is chance, and below it images out of distribution "
    "have the higher likelihood. {note}."
)


class Floats:
    """Figures and tables of a run as LaTeX.

    Args:
        figures: configuration entries.
        tables: configuration entry and content of each table.
        topics: of the run; they give the order.
        note: on the data, for captions.
        first: the figure of page one.
    """

    def __init__(
        self,
        figures: Mapping[str, Mapping],
        tables: Mapping[str, tuple[Mapping, pd.DataFrame]],
        topics: Sequence[Mapping],
        note: str,
        first: str,
    ) -> None:
        self.figures, self.tables, self.topics = figures, tables, topics
        self.note, self.first_name = note, first
        entries = {name: entry for name, (entry, _) in tables.items()}
        self.figure_numbers = numbers_of(figures, "Figure", self._listed("figures", "more_figures"))
        self.table_numbers = numbers_of(entries, "Table", self._listed("tables", "more_tables"))

    def _listed(self, *parts: str) -> list[str]:
        return [name for topic in self.topics for part in parts for name in topic[part]]

    def first(self) -> str:
        """The figure of page one, if the run has it."""
        return (
            self._figure(self.first_name, "!ht", FIRST) if self.first_name in self.figures else ""
        )

    def beside(self, topic: Mapping) -> str:
        """Figures and tables beside the text of a topic."""
        figures = [name for name in topic["figures"] if name != self.first_name]
        parts = [self._figure(name, "htbp", BODY) for name in figures]
        return "".join([*parts, *map(self._table, topic["tables"])])

    def appendix_figures(self) -> str:
        """All other figures, as many on a page as there is room for."""
        return "".join(self._figure(n, "", APPENDIX) for n in self._listed("more_figures"))

    def appendix_tables(self) -> str:
        return "".join(self._table(name, "") for name in self._listed("more_tables"))

    def _figure(self, name: str, place: str, width: float) -> str:
        entry = self.figures[name]
        number = self.figure_numbers[name]
        row = FIGURES[entry.get("kind", "histograms")]
        note = "" if row.note == NOT_SHOWN else row.note  # main.tex says this one, once
        caption = _caption(entry, note, f"Figure {number}")
        width = FULL if row.dense else width
        return tex.figure_float(f"{name}.pdf", caption, f"fig:{name}", number, place, width)

    def _table(self, name: str, place: str = "htbp") -> str:
        entry, table = self.tables[name]
        kind, number, label = (
            entry.get("kind", "likelihoods"),
            self.table_numbers[name],
            f"tab:{name}",
        )
        if kind == "likelihoods":
            out = ", ".join(table["out_of_distribution"].unique())
            caption = _caption(entry, SETS_NOTE.format(out=out, note=self.note), f"Table {number}")
            shown = show_likelihoods(table)[PRINTED]
            return tex.table_float([(shown, "lllrrrrl")], caption, label, number, place)
        shown, row = show_table(kind, table), TABLES[kind]
        caption = _caption(entry, row.note, f"Table {number}")
        columns = row.columns or "l" * len(shown.columns)
        if row.long:
            small = r"\scriptsize\setlength{\tabcolsep}{3pt}"
            return f"{{{small}\n{tex.longtable(shown, columns, caption, label, number)}}}\n"
        return tex.table_float([(shown, columns)], caption, label, number, place)


def _caption(entry: Mapping, rest: str, name: str) -> str:
    """Place in the paper, unless it is what the number says; caption; and what follows it."""
    where = entry.get("where", "")
    if where == name:
        where = ""
    elif where:
        ours = where.lower().startswith(("ours", "control"))
        where = f"({where}{'' if ours else ' of the paper'}.) "
    return f"{where}{entry.get('caption', '').strip()} {rest}".strip()
