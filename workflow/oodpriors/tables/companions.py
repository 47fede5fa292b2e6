"""How well companion scores tell images in and out of distribution."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.kinds.companions import COMPANIONS
from oodpriors.tables.cells import Published, interval


def make_companions(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Rows of the entry's models and scores, in its order."""
    names = entry.get("scores", [*COMPANIONS])
    rows = source[source["model"].isin(entry["models"]) & source["score"].isin(names)]
    places = {name: i for order in (entry["models"], names) for i, name in enumerate(order)}
    in_order = ["out_of_distribution", "score", "model"]
    return rows.sort_values(in_order, key=lambda c: c.map(places).fillna(0), kind="stable")


def show_companions(table: pd.DataFrame) -> pd.DataFrame:
    """A row per set and score, a column per model, as it is printed."""
    cells = table.assign(
        Score=[COMPANIONS[name].title for name in table["score"]], cell=interval(table, "auroc")
    ).rename(columns={"out_of_distribution": "Out of distribution"})
    rows = ["Out of distribution", "Score"]
    shown = cells.pivot_table("cell", rows, "model", aggfunc="first", sort=False, fill_value="–")
    return shown.rename(columns=model_labels(table)).rename_axis(columns=None).reset_index()


def model_labels(table: pd.DataFrame) -> dict[str, str]:
    """Architecture and prior of each model, with its training data where these differ."""
    several = (table["training_data"] != table["training_data"].iloc[0]).any()
    names = ["architecture", "prior", *(["training_data"] if several else [])]
    return dict(zip(table["model"], table[names].agg(", ".join, axis=1), strict=True))
