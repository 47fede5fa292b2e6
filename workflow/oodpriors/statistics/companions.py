"""Stored companion scores of some models, for the table and the figure."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

NOT_AVAILABLE = "not available"  # beginning of the reason why a set has no images


def chosen(table: pd.DataFrame, entry: Mapping) -> pd.DataFrame:
    """Rows of the ``models`` and ``scores`` of an entry of the configuration, in its order.

    Sets out of distribution that have a remark are named with it.

    Args:
        table: see :func:`oodpriors.companions.compare.companion_table`.
        entry: without ``scores`` it takes all that one of the models has; with ``further``
            false, of each model the first set alone.
    """
    table = table if entry.get("further", True) else table[table["set"] == "ood"]
    own = table[table["model"].isin(entry["models"])]
    own = own.assign(out_of_distribution=_with_remarks(own))
    found = own.groupby("score", sort=False)["auroc"].count()
    scores = entry.get("scores", found.index[found > 0].tolist())
    rows = own[own["score"].isin(scores)]
    places = {name: i for order in (entry["models"], scores) for i, name in enumerate(order)}
    by = ["out_of_distribution", "score", "model"]
    # sets stay in the order of the table
    order = places | {name: i for i, name in enumerate(rows["out_of_distribution"].unique())}
    return rows.sort_values(by, key=lambda column: column.map(order), ignore_index=True)


def model_labels(table: pd.DataFrame, between: str = ", ") -> dict[str, str]:
    """Architecture and prior of each model, and where these differ its training data after that."""
    labels = table["architecture"] + ", " + table["prior"]
    if (table["training_data"] != table["training_data"].iloc[0]).any():
        labels += between + table["training_data"]
    return dict(zip(table["model"], labels, strict=True))


def _with_remarks(table: pd.DataFrame) -> pd.Series:
    """Names of the sets, with what is wrong with their images."""
    names = table["out_of_distribution"]
    gone = table["missing"].fillna("").astype(str).str.startswith(NOT_AVAILABLE)
    known = table["in_training"] if "in_training" in table else pd.Series(0, table.index)
    most = known.fillna(0).astype(int).groupby(names).transform("max")
    remarks = np.where(most > 0, " (" + most.map("{:,}".format) + " are training images)", "")
    return names + np.where(gone, f" ({NOT_AVAILABLE})", remarks)
