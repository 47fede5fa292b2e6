"""How well likelihoods rank images in and out of distribution."""

from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.tables.cells import about_model, interval, with_interval

RANKINGS = ("auroc", "aupr", "fpr95")


def ranking_table(
    scores: Mapping[str, ScoreTable],
    titles: Mapping[str, Mapping[str, str]],
    measure: Callable[[Mapping], Estimate],
) -> pd.DataFrame:
    """A row per model: how well log p tells out of distribution, with intervals of 95 %.

    Out-of-distribution is the positive class and -log p the score. A blind score has an
    AUROC of 0.5, an AUPR of n_ood / (n_ood + n_test) and an FPR95 of 0.95.

    Args:
        scores: by model.
        titles: names to show of models (architectures), subsets and priors.
        measure: gives the estimate of a quantity.
    """
    rows = []
    for name, table in scores.items():
        row = {"model": name, **about_model(name, table, titles)}
        for statistic in RANKINGS:
            found = measure({"model": name, "statistic": statistic})
            row |= with_interval(statistic, found)
        rows.append(row)
    return pd.DataFrame(rows)


def show_ranking(table: pd.DataFrame) -> pd.DataFrame:
    """How well the likelihoods rank, as it is printed."""
    return pd.DataFrame(
        {
            "Model": table["architecture"],
            "Prior": table["prior"],
            "Training data": table["training_data"],
            "Out of distribution": table["out_of_distribution"],
            "Seeds": table["seeds"].astype(str),
            **{name.upper(): interval(table, name) for name in RANKINGS},
        }
    )
