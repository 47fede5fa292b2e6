"""Every kind of table is made of what was stored for it, and shown with its numbers."""

import pandas as pd
import pytest
from tests.unit.tables.sources import (
    CONTROL,
    ENTRIES,
    MODELS,
    MULTI,
    PARTS,
    PUBLISHED,
    UNI,
    of_kind,
    reread,
    source_of,
)

from oodpriors.kinds.tables import TABLES
from oodpriors.tables.cells import to_html
from oodpriors.tables.make import make_table, show_table


def test_every_kind_is_tested_here():
    assert set(ENTRIES) == set(TABLES)


@pytest.mark.parametrize(("table", "kind"), [(kind, kind) for kind in TABLES], indirect=["table"])
def test_every_kind_is_shown_as_text_of_a_row_each(table, kind):
    for each in (table, reread(table)):  # as it is made, and as the document reads it
        shown = show_table(kind, each)
        assert len(shown) == len(table) > 0
        assert shown.map(lambda cell: isinstance(cell, str)).all(axis=None)
        assert not shown.isin(["nan", "None"]).any(axis=None)
        assert to_html(shown).count("<tr") == len(shown) + 1


@pytest.mark.parametrize("kind", TABLES)
def test_making_a_table_leaves_its_source_alone(kind, tmp_path):
    source = source_of(kind, tmp_path)
    before = source.copy()
    make_table({"kind": kind, **ENTRIES[kind]}, source, PUBLISHED)
    pd.testing.assert_frame_equal(source, before)


@of_kind("ranking")
def test_a_ranking_has_all_models(table):
    assert table["model"].tolist() == list(MODELS)


# decompositions


@of_kind("decomposition")
def test_a_decomposition_has_the_wanted_pairs_alone(table):
    assert set(zip(table["uni"], table["multi"], strict=True)) == {(UNI, MULTI)}
    assert table.index.tolist() == list(range(2 * 4))
    assert table["part"].tolist() == ["log_prob", *PARTS] * 2


def test_pairs_can_be_given_as_lists_or_tuples(tmp_path):
    source = source_of("decomposition", tmp_path)
    for pair in ([UNI, CONTROL], (UNI, CONTROL)):
        entry = {"kind": "decomposition", "pairs": [pair]}
        assert set(make_table(entry, source, [])["multi"]) == {CONTROL}
