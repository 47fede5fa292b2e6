"""Predictions of Equation 7 as a table."""

import numpy as np
from tests.unit.tables.sources import CV, of_kind, stored_second_order

from oodpriors.analyses import second_order
from oodpriors.tables import second_order as second_order_table
from oodpriors.tables.make import make_table, show_table


def test_the_predictions_are_those_of_the_analysis():
    assert tuple(second_order_table.NAMES) == ("measured", *second_order.PREDICTIONS)


@of_kind("second_order")
def test_predictions_stand_beside_what_was_measured(table):
    assert table["model"].tolist() == CV[::-1]
    assert table["measured"].tolist() == [20.0, 10.0]
    for j, name in enumerate(second_order.PREDICTIONS, 1):
        assert table[name].tolist() == [20.0 + j, 10.0 + j]
    errors = table.filter(like="_std_error")
    np.testing.assert_allclose(errors, 1.0)  # of -1, 0 and 1
    shown = show_table("second_order", table)
    assert shown.iloc[1].tolist() == [CV[0], "10 ± 1", "11 ± 1", "12 ± 1", "13 ± 1"]


def test_the_value_is_found_in_any_order_of_the_rows(tmp_path):
    source = stored_second_order(tmp_path).iloc[::-1]
    found = make_table({"kind": "second_order", "models": CV}, source, [])
    assert found["measured"].tolist() == [10.0, 20.0]
