"""How well companion scores tell images in and out of distribution."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.statistics.companions import chosen, model_labels
from oodpriors.tables.cells import Published, interval, or_dash


def make_companions(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    return chosen(source, entry)


def show_companions(table: pd.DataFrame) -> pd.DataFrame:
    """A row per set and score, a column per model and the published number, as it is printed."""
    names = {"out_of_distribution": "Out of distribution", "title": "Score"}
    cells = table.assign(cell=interval(table, "auroc")).rename(columns=names)
    shown = cells.pivot_table(
        "cell", [*names.values()], "model", aggfunc="first", sort=False, fill_value="–"
    )
    shown = shown.rename(columns=model_labels(table)).rename_axis(columns=None)
    if "published" in cells and cells["published"].notna().any():
        # models of a row may be of other data than those of the published number
        groups = cells.groupby([*names.values()], sort=False)["published"]
        anchors = groups.min().where(groups.count() == groups.size())
        shown["Published"] = [or_dash(v, f"{v:.2f}") for v in anchors.reindex(shown.index)]
    return shown.reset_index()
