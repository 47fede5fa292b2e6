"""AUROC of each model's likelihood, with either prior, and of its best companion score."""

import math
from collections.abc import Mapping

import pandas as pd

from oodpriors.statistics.companions import chosen
from oodpriors.tables.cells import Published, interval

PAPERS_SET = "ood"
FIRST = {"log_prob": "log p", "prior_own": "own prior", "prior_other": "other prior"}
AREA = ["auroc", "auroc_low", "auroc_high"]
ABOUT = ["model", "architecture", "prior", "training_data", "out_of_distribution"]
COLUMNS = [
    *ABOUT,
    *(f"{name}_{column}" for name in FIRST for column in AREA),
    *("best", "n_scores"),
    *(f"best_{column}" for column in AREA),
]


def make_best_scores(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    """A row per model, of the scores that it has on the paper's set out of distribution.

    The best score of single images has the highest AUROC, the first of several; ``n_scores``
    says of how many.
    """
    own = source[(source["set"] == PAPERS_SET) & (source["batch"] == 1)]
    rows = chosen(own, entry).dropna(subset="auroc")
    found = [_best(group) for _, group in rows.groupby("model", sort=False)]
    return pd.DataFrame(found, columns=COLUMNS)


def _best(rows: pd.DataFrame) -> dict:
    by_score = rows.set_index("score")
    found = {
        f"{name}_{column}": float(by_score[column].get(name, math.nan))
        for name in FIRST
        for column in AREA
    }
    best = rows.iloc[int(rows["auroc"].argmax())]
    about = {name: best[name] for name in ABOUT}
    return (
        about
        | found
        | {"best": best["title"], "n_scores": len(rows)}
        | {f"best_{column}": best[column] for column in AREA}
    )


def show_best_scores(table: pd.DataFrame) -> pd.DataFrame:
    areas = {title: interval(table, f"{name}_auroc") for name, title in FIRST.items()}
    return pd.DataFrame(
        {
            "Model": table["architecture"] + ", " + table["prior"],
            "Training data": table["training_data"],
            "Out": table["out_of_distribution"],
            **areas,
            "Best score": table["best"],
            "its AUROC": interval(table, "best_auroc"),
        }
    )
