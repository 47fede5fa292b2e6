"""Tables of likelihoods in and out of distribution (Table 1)."""

from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.statistics.claims import quantity_name
from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.tables.cells import Published, about_model, with_error, with_interval
from oodpriors.tables.refined import refined_cells, refined_row

LEAST_EFFECTIVE_SIZE = 2  # of importance weights, for an error from their spread
ONE_SEED = (
    "There is one seed, so errors are over images alone: how much another training would "
    "differ is not in them."
)


def model_table(
    scores: Mapping[str, ScoreTable],
    titles: Mapping[str, Mapping[str, str]],
    measure: Callable[[Mapping], Estimate],
) -> pd.DataFrame:
    """A row per model: likelihoods in and out of distribution, and how they rank.

    Args:
        scores: by model.
        titles: names to show of models (architectures), subsets and priors.
        measure: gives the estimate of a quantity (see :mod:`oodpriors.statistics.claims`).

    Returns:
        NLL, bits per dimension and medians of the sets ood and test with standard
        errors, the gap between their means, the AUROC with its interval of 95 %, the
        numbers of images and seeds, and the mean Monte Carlo error of log p; and what
        :func:`oodpriors.tables.refined.refined_row` gives.
    """
    return pd.DataFrame([_model_row(name, scores[name], titles, measure) for name in scores])


def _model_row(name: str, table: ScoreTable, titles: Mapping, measure: Callable) -> dict:
    def get(statistic: str, which: str = "ood", column: str = "log_prob") -> Estimate:
        return measure({"model": name, "statistic": statistic, "set": which, "column": column})

    row = {"model": name, **about_model(name, table, titles)}
    for which in ("ood", "test"):
        nll = get("nll", which)
        row[f"nll_{which}"], row[f"nll_{which}_std_error"] = nll.value, nll.std_error
        row[f"bits_per_dim_{which}"] = get("mean", which, "bits_per_dim").value
        row[f"median_{which}"] = get("median", which).value
        row |= _monte_carlo(which, get, "effective_sample_size" in table.tables[0])
    gap, area = get("gap"), get("auroc")
    row |= {"gap": gap.value, "gap_std_error": gap.std_error}
    return row | with_interval("auroc", area) | refined_row(table, get)


def _monte_carlo(which: str, get: Callable, weighted: bool) -> dict:
    """Mean error of log p over its draws, and for importance weights their effective number.

    The error of importance weights comes from their own spread. If few samples have all
    the weight, it is too small whatever they miss, and is left out.
    """
    error = get("mean", which, "std_error").value
    if not weighted:
        return {f"monte_carlo_std_error_{which}": error}
    size = get("mean", which, "effective_sample_size").value
    known = error if size >= LEAST_EFFECTIVE_SIZE else float("nan")
    return {f"monte_carlo_std_error_{which}": known, f"effective_sample_size_{which}": size}


def likelihood_table(models: pd.DataFrame, names: list[str], published: Published) -> pd.DataFrame:
    """Rows of the named models, in that order, with the paper's NLL where it prints one."""
    printed = [entry for entry in published if entry.get("quantity") is not None]
    paper = {quantity_name(entry["quantity"]): entry["value"] for entry in printed}
    rows = models.set_index("model").loc[names].reset_index()
    keys = [quantity_name({"model": n, "statistic": "nll", "set": "ood"}) for n in names]
    rows.insert(5, "paper_nll_ood", [paper.get(key) for key in keys])
    return rows


def seed_note(seeds_by_model: Mapping[str, int]) -> str:
    """What the errors hold, by the number of seeds of each model."""
    one = sum(n == 1 for n in seeds_by_model.values())
    several = sorted({n for n in seeds_by_model.values() if n > 1})
    if not several:
        return ONE_SEED
    numbers = " or ".join(map(str, several))
    if not one:
        return f"Errors are over images and {numbers} seeds of each image model."
    return (
        f"{one} of {len(seeds_by_model)} models have one seed, and their errors are over images "
        "alone: how much another training would differ is not in them. The errors of the others "
        f"are over images and {numbers} seeds."
    )


def show_likelihoods(table: pd.DataFrame) -> pd.DataFrame:
    """A table of likelihoods as it is printed; the sets are named in the caption."""
    paper = table.get("paper_nll_ood", pd.Series([None] * len(table)))
    intervals = zip(table["auroc"], table["auroc_low"], table["auroc_high"], strict=True)
    shown = pd.DataFrame(
        {
            "Model": table["architecture"],
            "Prior": table["prior"],
            "Training data": table["training_data"],
            "Paper: NLL out": ["–" if pd.isna(p) else f"{p:,.2f}" for p in paper],
            "NLL out": with_error(table["nll_ood"], table["nll_ood_std_error"]),
            "bits/dim out": [f"{b:.3f}" for b in table["bits_per_dim_ood"]],
            "NLL in": with_error(table["nll_test"], table["nll_test_std_error"]),
            "bits/dim in": [f"{b:.3f}" for b in table["bits_per_dim_test"]],
            "Gap": with_error(table["gap"], table["gap_std_error"]),
            "Median out": [f"{m:,.0f}" for m in table["median_ood"]],
            "Median in": [f"{m:,.0f}" for m in table["median_test"]],
            "AUROC": [f"{a:.3f} [{low:.3f}, {high:.3f}]" for a, low, high in intervals],
        }
    )
    return shown.assign(**refined_cells(table))


def make_likelihoods(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    return likelihood_table(source, entry["models"], published)
