"""How well companion scores tell images in and out of distribution."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.statistics.companions import chosen, model_labels
from oodpriors.tables.cells import Published, interval


def make_companions(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    return chosen(source, entry)


def show_companions(table: pd.DataFrame) -> pd.DataFrame:
    """A row per set and score, a column per model, as it is printed."""
    names = {"out_of_distribution": "Out of distribution", "title": "Score"}
    cells = table.assign(cell=interval(table, "auroc")).rename(columns=names)
    shown = cells.pivot_table(
        "cell", [*names.values()], "model", aggfunc="first", sort=False, fill_value="–"
    )
    return shown.rename(columns=model_labels(table)).rename_axis(columns=None).reset_index()
