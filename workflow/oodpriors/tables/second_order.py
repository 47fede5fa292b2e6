"""Equation 7 from a constant-volume Glow's own weights (Section 3.2)."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.statistics.quantities import stored_estimates
from oodpriors.tables.cells import Published, cells

NAMES = {
    "measured": "Measured",
    "equation_7": "Equation 7",
    "jacobian_diagonal": "Jacobian, diagonal",
    "jacobian": "Jacobian",
}


def make_second_order(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    rows, known = [], stored_estimates(source)
    for model in entry["models"]:
        row = {"model": model}
        for name in NAMES:
            found = known[f"{model}/{name}"]
            row |= {name: found.value, f"{name}_std_error": found.std_error}
        rows.append(row)
    return pd.DataFrame(rows)


def show_second_order(table: pd.DataFrame) -> pd.DataFrame:
    columns = {
        shown: cells(table[name], table[f"{name}_std_error"], 0) for name, shown in NAMES.items()
    }
    return pd.DataFrame({"Model": table["model"], **columns})
