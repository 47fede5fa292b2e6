"""Tables of the page: cells, and the anchors of rows that claims are about."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from oodpriors.kinds.tables import TABLES
from oodpriors.page.cards import Card, rows_of
from oodpriors.page.other import Other
from oodpriors.tables.likelihoods import likelihood_table, show_likelihoods
from oodpriors.tables.make import show_table
from oodpriors.tables.verdicts import show_comparison

NUMBER = re.compile(r"[−+-]?[\d.∞]|–")
MODELS_NOTE = (
    "NLL: mean negative log-likelihood in nats per image, with its standard error; in: test "
    "images of the training data's labels; out: out of distribution; gap: mean log-likelihood in "
    "less out. AUROC: the probability that a test image has the higher likelihood, with an "
    "interval of 95 %; 0.5 is chance."
)


class Row(NamedTuple):
    """A row: its anchor ("" for none), its cells, and its model ("" for none)."""

    anchor: str
    cells: tuple[str, ...]
    model: str


class Table(NamedTuple):
    """A table as it is shown.

    Attributes:
        name: of the table.
        where: its place in the paper.
        caption, note: above it, and what its columns are.
        columns: their names.
        numeric: whether each column has numbers.
        rows: of the table.
    """

    name: str
    where: str
    caption: str
    note: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[Row, ...]

    @property
    def anchor(self) -> str:
        """Of the table in the page."""
        return f"table-{self.name}"


def make_tables(
    models: pd.DataFrame,
    tables: Mapping[str, tuple[Mapping, pd.DataFrame]],
    comparison: pd.DataFrame,
    other: Other | None = None,
) -> list[Table]:
    """All models, the tables of the configuration, and the comparison with the paper.

    Args:
        models: likelihoods of all models.
        tables: configuration entry and content of each table.
        comparison: our numbers and the paper's.
        other: another run, whose likelihoods go beside ours.
    """
    made = [_models(models, other)] if len(models) else []
    for name, (entry, table) in tables.items():
        kind = entry.get("kind", "likelihoods")
        shown, about = show_table(kind, table), (entry["where"], entry["caption"])
        note = TABLES[kind].note or MODELS_NOTE
        made.append(_table(name, *about, note, shown, _names(table, shown)))
    caption = "Every number that the paper prints, results and settings, and ours."
    shown = show_comparison(comparison)
    about = ("Comparison with the paper", caption)
    return [*made, _table("comparison", *about, "", shown, [""] * len(shown))]


def _models(models: pd.DataFrame, other: Other | None) -> Table:
    names = models["model"].tolist()
    shown = show_likelihoods(likelihood_table(models, names, [])).drop(columns="Paper: NLL out")
    if other is not None:
        for title, values in other.beside(names).items():
            shown[title] = values
    return _table("models", "All models", "", MODELS_NOTE, shown, names)


def _names(table: pd.DataFrame, shown: pd.DataFrame) -> list[str]:
    """The model of each row, of a table that shows a row for each."""
    one_each = "model" in table and len(table) == len(shown) and table["model"].is_unique
    return table["model"].tolist() if one_each else [""] * len(shown)


def _table(
    name: str, where: str, caption: str, note: str, shown: pd.DataFrame, models: Sequence[str]
) -> Table:
    cells = [tuple(map(str, row)) for row in shown.itertuples(index=False)]
    columns = list(zip(*cells, strict=True))
    return Table(
        name=name,
        where=where,
        caption=caption,
        note=note,
        columns=tuple(map(str, shown.columns)),
        numeric=tuple(all(NUMBER.match(cell) for cell in column) for column in columns),
        rows=tuple(
            Row(f"row-{name}-{model.replace('/', '-')}" if model else "", own, model)
            for own, model in zip(cells, models, strict=True)
        ),
    )


def first_rows(tables: Sequence[Table]) -> dict[str, str]:
    """The anchor of the first row of each model."""
    rows = [row for table in tables for row in table.rows if row.model]
    return {row.model: row.anchor for row in reversed(rows)}


def claims_of_rows(cards: Sequence[Card], rows: Mapping[str, str]) -> dict[str, list[Card]]:
    """Claims about the model of each row, by the row's anchor."""
    found: dict[str, list[Card]] = {}
    for card in cards:
        for _, anchor in rows_of(card, rows):
            found.setdefault(anchor, []).append(card)
    return found
