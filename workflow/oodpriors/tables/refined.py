"""Likelihoods of VAEs by both estimators: the encoder's and with a refined posterior."""

from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.tables.cells import Published, cells, interval, with_error, with_interval

ESTIMATES = {"unrefined": "log_prob_unrefined", "refined": "log_prob_refined"}


def refined_row(table: ScoreTable, get: Callable[[str, str, str], Estimate]) -> dict:
    """Columns of one model by both estimators, of the images that were refined.

    Args:
        table: scores of the model.
        get: estimate of a statistic of a set and a column.

    Returns:
        Nothing for a model without refined posteriors. Else, for each estimator: means of
        both sets with standard errors and the AUROC with its interval of 95 %; for each
        set, the median effective sample size of the refined estimate, the mean number of
        steps, and the numbers of images and of failures.
    """
    if not table.refined:
        return {}
    row: dict = {}
    for name, column in ESTIMATES.items():
        for which in ("ood", "test"):
            mean = get("mean", which, column)
            row[f"mean_{which}_{name}"] = mean.value
            row[f"mean_{which}_{name}_std_error"] = mean.std_error
        row |= with_interval(f"auroc_{name}", get("auroc", "ood", column))
    for which in ("ood", "test"):
        size = get("median", which, "effective_sample_size_refined")
        row[f"effective_sample_size_{which}_refined"] = size.value
        row[f"refinement_steps_{which}"] = get("mean", which, "refinement_steps").value
        refined = [part[(part["set"] == which) & part["refined"]] for part in table.tables]
        row[f"n_{which}_refined"] = len(refined[0])
        row[f"refinement_failed_{which}"] = int(sum(p["refinement_failed"].sum() for p in refined))
    return row


def refined_cells(table: pd.DataFrame) -> dict[str, list[str]]:
    """Cells of the refined estimate for a table of all models, if any of them has one."""
    if "n_ood_refined" not in table or table["n_ood_refined"].isna().all():
        return {}
    nlls = {
        f"NLL {title}, refined": cells(
            -table[f"mean_{which}_refined"], table[f"mean_{which}_refined_std_error"], 1
        )
        for which, title in (("ood", "out"), ("test", "in"))
    }
    return nlls | {"AUROC, refined": interval(table, "auroc_refined")}


def make_refined(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    return source.dropna(subset="n_ood_refined").reset_index(drop=True)


def show_refined(table: pd.DataFrame) -> pd.DataFrame:
    """Both estimates as they are printed."""
    columns: dict = {
        "Prior": table["prior"],
        "Training data": table["training_data"],
        "Seeds": table["seeds"].astype(str),
    }
    for which, title in (("ood", "out"), ("test", "in")):
        for name, estimator in (("unrefined", "encoder"), ("refined", "refined")):
            mean = table[f"mean_{which}_{name}"], table[f"mean_{which}_{name}_std_error"]
            columns[f"log p {title}, {estimator}"] = with_error(*mean)
    for name, estimator in (("unrefined", "encoder"), ("refined", "refined")):
        columns[f"AUROC, {estimator}"] = interval(table, f"auroc_{name}")
    return pd.DataFrame(columns)
