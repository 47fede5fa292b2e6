"""Equation 7 from a constant-volume Glow's own weights (Section 3.2)."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.tables.cells import Published, cells

NAMES = {
    "measured": "Measured",
    "equation_7": "Equation 7",
    "jacobian_diagonal": "Jacobian, diagonal",
    "jacobian": "Jacobian",
}


def make_second_order(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    rows = []
    for model in entry["models"]:
        row = {"model": model}
        for name in NAMES:
            value, *replicates = source.sort_values("replicate")[f"{model}/{name}"]
            row |= {name: value, f"{name}_std_error": pd.Series(replicates).std()}
        rows.append(row)
    return pd.DataFrame(rows)


def show_second_order(table: pd.DataFrame) -> pd.DataFrame:
    columns = {
        shown: cells(table[name], table[f"{name}_std_error"], 0) for name, shown in NAMES.items()
    }
    return pd.DataFrame({"Model": table["model"], **columns})
