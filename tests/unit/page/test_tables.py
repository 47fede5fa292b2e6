"""Tables of the page, and the anchors of their rows."""

import pandas as pd
import pytest
from tests.unit.page.synthetic import GLOW, MODELS, MULTI, UNI, claims, models, run

from oodpriors.page.cards import make_cards
from oodpriors.page.other import Other
from oodpriors.page.tables import claims_of_rows, first_rows, make_tables


@pytest.fixture
def tables(tmp_path) -> dict:
    small = run(tmp_path)
    made = make_tables(small.models, small.tables, small.comparison)
    return {table.name: table for table in made}


def test_a_model_is_found_in_the_first_table_that_has_it(tables: dict):
    found = first_rows([*tables.values()])
    assert found == {model: f"row-models-{model.replace('/', '-')}" for model in MODELS}


def test_no_anchor_is_there_twice(tables: dict):
    anchors = [row.anchor for table in tables.values() for row in table.rows if row.anchor]
    assert len(anchors) == len(set(anchors)) == len(MODELS) + 2


def test_a_row_names_the_claims_about_its_model(tables: dict):
    cards = make_cards(claims())
    found = claims_of_rows(cards, first_rows([*tables.values()]))
    names = {anchor: [card.name for card in own] for anchor, own in found.items()}
    assert names == {
        "row-models-vae-cells-uni": ["C13.1", "C2"],
        "row-models-vae-cells-multi": ["C13.1"],
        "row-models-glow-cells-uni": ["K1"],
    }


def test_columns_of_numbers_are_known(tables: dict):
    table = tables["models"]
    numeric = dict(zip(table.columns, table.numeric, strict=True))
    assert numeric["AUROC"]
    assert not numeric["Model"]


def test_another_run_stands_beside_and_a_model_that_it_lacks_has_a_dash(tmp_path):
    small = run(tmp_path)
    other = Other("before", claims(), models().iloc[:1].assign(auroc=0.123))
    table = make_tables(small.models, small.tables, small.comparison, other)[0]
    column = table.columns.index("AUROC, before")
    cells = {row.model: row.cells[column] for row in table.rows}
    assert cells[UNI].startswith("0.12 [")
    assert cells[MULTI] == cells[GLOW] == "–"


def test_a_run_without_models_of_images_has_no_table_of_them(tmp_path):
    small = run(tmp_path)
    assert [t.name for t in make_tables(pd.DataFrame(), {}, small.comparison)] == ["comparison"]
