"""Cells of tables."""

import math

import pandas as pd
import pytest

from oodpriors.tables.cells import cells, read_table, to_html


@pytest.mark.parametrize(
    ("value", "error", "digits", "text"),
    [
        (1234.567, math.nan, 2, "1,234.57"),
        (-1234.567, 8.9, 1, "-1,234.6 ± 8.9"),
        (0.5, 0.0, 3, "0.500 ± 0.000"),
        (math.nan, 1.0, 2, "–"),
        (10.4, 1234.6, 0, "10 ± 1,235"),
    ],
)
def test_a_cell_has_its_digits_and_its_error(value, error, digits, text):
    values, errors = pd.Series([value]), pd.Series([error])
    assert cells(values, errors, digits) == [text]
    if math.isnan(error):
        assert cells(values, digits=digits) == [text]


def test_a_page_of_a_table_escapes_its_cells():
    page = to_html(pd.DataFrame({"a < b": ["x & y ± 1"]}))
    assert "a &lt; b" in page
    assert "x &amp; y ± 1" in page


def test_a_page_of_a_table_has_long_cells_in_full():
    assert "x" * 500 in to_html(pd.DataFrame({"a": ["x" * 500]}))


@pytest.mark.parametrize(
    "text", ["NA", "null", "None", "nan", "075", "1e5", "True", "-5", '"', "a,b"]
)
def test_texts_of_a_stored_table_are_read_as_they_were_written(tmp_path, text):
    texts = {"model": [text], "prior": [text], "training_data": [text], "curve": [text]}
    pd.DataFrame(texts | {"auroc": [0.5], "low": [math.nan]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    read = read_table(tmp_path / "t.csv")
    assert read[[*texts]].to_dict("list") == texts
    assert read["auroc"].item() == 0.5
    assert math.isnan(read["low"].item())
