"""What a multimodal prior changes, part by part of log p."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.tables.cells import Published, about_model, interval, or_dash, with_interval

# Parts of log p by architecture: those of a model add up to its log p.
PARTS = (
    *("log_prob", "reconstruction", "prior_separating", "prior_rest", "log_det"),
    *("posterior_entropy", "importance_gain"),
)


def decomposition_table(
    pairs: Sequence[tuple[str, str]],
    scores: Mapping[str, ScoreTable],
    titles: Mapping[str, Mapping[str, str]],
    measure: Callable[[Mapping], Estimate],
) -> pd.DataFrame:
    """What a multimodal prior changes: log p and its parts, in and out of distribution.

    Args:
        pairs: a unimodal and a multimodal model each.
        scores: by model.
        titles: names to show of models (architectures), subsets and priors.
        measure: gives the estimate of a quantity.

    Returns:
        A row per pair, set and part (``log_prob`` is the total): the means under both
        models, their difference ``change`` with its standard error, its ``share`` of the
        total, and for the set ood the AUROC of that part alone under the multimodal
        model; with two components also a row for ``|z_1|``, the first latent. Read it
        with the note of its kind.
    """
    rows = []
    for uni, multi in pairs:
        about = {"uni": uni, "multi": multi, **about_model(multi, scores[multi], titles)}
        columns = scores[multi].tables[0].columns.intersection(scores[uni].tables[0].columns)
        parts = [part for part in PARTS if part in columns]
        rows += [
            about | {"set": which, **_part_row(uni, multi, which, part, measure)}
            for which in ("ood", "test")
            for part in parts
        ]
        if components(scores[multi]) == 2:  # of more, some may have 0 as their first coordinate
            alone = _part_auroc(multi, "latent_first_abs", measure)
            rows.append(about | {"set": "ood", "part": "|z_1|"} | alone)
    return pd.DataFrame(rows)


def components(scores: ScoreTable) -> int:
    """Number of components of the prior under which images were scored."""
    return len(scores.tables[0].filter(regex=r"^log_prob_component_\d+$").columns)


def _part_row(uni: str, multi: str, which: str, part: str, measure: Callable) -> dict:
    def mean(model: str, column: str) -> Estimate:
        return measure({"model": model, "statistic": "mean", "set": which, "column": column})

    before, after = mean(uni, part), mean(multi, part)
    change, total = after - before, mean(multi, "log_prob") - mean(uni, "log_prob")
    row = {
        "part": part,
        "uni_mean": before.value,
        "multi_mean": after.value,
        "change": change.value,
        "std_error": change.std_error,
        "share": change.value / total.value if total.value else float("nan"),
    }
    return row | (_part_auroc(multi, part, measure) if which == "ood" else {})


def _part_auroc(model: str, column: str, measure: Callable) -> dict:
    found = measure({"model": model, "statistic": "auroc", "set": "ood", "column": column})
    return with_interval("auroc", found)


def show_decomposition(table: pd.DataFrame) -> pd.DataFrame:
    """What a multimodal prior changes, as it is printed."""
    changes = zip(table["change"], table["std_error"], strict=True)
    return pd.DataFrame(
        {
            "Model": table["architecture"],
            "Prior": table["prior"],
            "Training data": table["training_data"],
            "Set": ["out" if which == "ood" else "in" for which in table["set"]],
            "Part": table["part"],
            "uni": [or_dash(m, f"{m:,.1f}") for m in table["uni_mean"]],
            "multi": [or_dash(m, f"{m:,.1f}") for m in table["multi_mean"]],
            "Change": [or_dash(c, f"{c:+,.1f} ± {e:,.1f}") for c, e in changes],
            "Share": [or_dash(s, f"{s:.0%}") for s in table["share"]],
            "AUROC": interval(table, "auroc"),
        }
    )


def make_decomposition(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    wanted = [tuple(pair) for pair in entry["pairs"]]
    chosen = [pair in wanted for pair in zip(source["uni"], source["multi"], strict=True)]
    return source[chosen].reset_index(drop=True)
