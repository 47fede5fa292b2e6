"""Tables of likelihoods, and how they are shown in print."""

import textwrap
from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.claims import quantity_name
from oodpriors.statistics import Estimate, ScoreTable

__all__ = [
    "likelihood_table",
    "model_table",
    "show_claims",
    "show_comparison",
    "show_likelihoods",
    "to_html",
    "verdict_text",
]

ONE_SEED = (
    "There is one seed, so errors are over images alone: how much another training would "
    "differ is not in them."
)
CLAIM_COLUMNS = ["Claim", "Place", "Text", "Excess over the margin", "Paper's numbers", "Verdict"]


def model_table(
    scores: Mapping[str, ScoreTable],
    titles: Mapping[str, Mapping[str, str]],
    measure: Callable[[Mapping], Estimate],
) -> pd.DataFrame:
    """A row per model: likelihoods in and out of distribution, and how they rank.

    Args:
        scores: by model.
        titles: names to show of models (architectures), subsets and priors.
        measure: gives the estimate of a quantity (see :mod:`oodpriors.claims`).

    Returns:
        NLL, bits per dimension and medians of the sets ood and test with standard
        errors, the gap between their means, the AUROC with its interval of 95 %, the
        numbers of images and seeds, and the mean Monte Carlo error of log p.
    """
    return pd.DataFrame([_model_row(name, scores[name], titles, measure) for name in scores])


def _model_row(name: str, table: ScoreTable, titles: Mapping, measure: Callable) -> dict:
    def get(statistic: str, which: str = "ood", column: str = "log_prob") -> Estimate:
        return measure({"model": name, "statistic": statistic, "set": which, "column": column})

    architecture, subset, prior = name.split("/")
    other = table.images["ood"].split(".")[0]
    row = {
        "model": name,
        "architecture": titles["models"][architecture],
        "prior": titles["priors"][prior],
        "training_data": titles["subsets"][subset],
        "out_of_distribution": titles["subsets"][other],
        "seeds": len(table.tables),
        "n_test": table.size("test"),
        "n_ood": table.size("ood"),
    }
    for which in ("ood", "test"):
        nll = get("nll", which)
        row[f"nll_{which}"], row[f"nll_{which}_std_error"] = nll.value, nll.std_error
        row[f"bits_per_dim_{which}"] = get("mean", which, "bits_per_dim").value
        row[f"median_{which}"] = get("median", which).value
        row[f"monte_carlo_std_error_{which}"] = get("mean", which, "std_error").value
        if "effective_sample_size" in table.tables[0]:
            ess = get("mean", which, "effective_sample_size")
            row[f"effective_sample_size_{which}"] = ess.value
    gap, area = get("gap"), get("auroc")
    row |= {"gap": gap.value, "gap_std_error": gap.std_error, "auroc": area.value}
    row["auroc_low"], row["auroc_high"] = area.interval
    return row


def likelihood_table(
    models: pd.DataFrame, names: list[str], published: list[Mapping]
) -> pd.DataFrame:
    """Rows of the named models, in that order, with the paper's NLL where it prints one."""
    paper = {quantity_name(entry["quantity"]): entry["value"] for entry in published}
    rows = models.set_index("model").loc[names].reset_index()
    keys = [quantity_name({"model": n, "statistic": "nll", "set": "ood"}) for n in names]
    rows.insert(5, "paper_nll_ood", [paper.get(key) for key in keys])
    return rows


def _with_error(value: pd.Series, error: pd.Series) -> list[str]:
    return [f"{v:,.1f} ± {e:.1f}" for v, e in zip(value, error, strict=True)]


def _signed(value: float, error: float) -> str:
    digits = 1 if abs(value) >= 10 else 4
    return f"{value:+,.{digits}f} ± {error:.{digits}f}"


def show_likelihoods(table: pd.DataFrame) -> pd.DataFrame:
    """A table of likelihoods as it is printed; the sets are named in the caption."""
    paper = table.get("paper_nll_ood", pd.Series([None] * len(table)))
    intervals = zip(table["auroc"], table["auroc_low"], table["auroc_high"], strict=True)
    return pd.DataFrame(
        {
            "Model": table["architecture"],
            "Prior": table["prior"],
            "Training data": table["training_data"],
            "Paper: NLL out": ["–" if pd.isna(p) else f"{p:,.2f}" for p in paper],
            "NLL out": _with_error(table["nll_ood"], table["nll_ood_std_error"]),
            "bits/dim out": [f"{b:.3f}" for b in table["bits_per_dim_ood"]],
            "NLL in": _with_error(table["nll_test"], table["nll_test_std_error"]),
            "bits/dim in": [f"{b:.3f}" for b in table["bits_per_dim_test"]],
            "Gap": _with_error(table["gap"], table["gap_std_error"]),
            "Median out": [f"{m:,.0f}" for m in table["median_ood"]],
            "Median in": [f"{m:,.0f}" for m in table["median_test"]],
            "AUROC": [f"{a:.3f} [{low:.3f}, {high:.3f}]" for a, low, high in intervals],
        }
    )


def show_comparison(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison with the paper's numbers as it is printed."""
    return pd.DataFrame(
        {
            "Place": table["where"],
            "Quantity": table["quantity"],
            "Paper": [f"{p:,.2f}" for p in table["paper"]],
            "Ours": _with_error(table["ours"], table["std_error"]),
            "Ratio": [f"{r:.3f}" for r in table["ratio"]],
        }
    )


def show_claims(table: pd.DataFrame) -> pd.DataFrame:
    """A row per claim as it is printed: its text, the margins and the verdict."""
    rows = []
    for name, claim in table.groupby("id", sort=False):
        first = claim.iloc[0]
        excess = [
            _signed(e - m, s)
            for e, m, s in claim[["excess", "margin", "std_error"]].itertuples(index=False)
        ]
        numbers = list(dict.fromkeys(claim["paper_numbers"]))
        rows.append(
            {
                "Claim": name,
                "Place": first["where"],
                "Text": first["text"],
                "Excess over the margin": "; ".join(excess),
                "Paper's numbers": "; ".join(numbers),
                "Verdict": first["verdict"],
            }
        )
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def to_html(table: pd.DataFrame) -> str:
    """A table as a page of its own, for the report."""
    style = (
        "body{font-family:sans-serif;font-size:14px}table{border-collapse:collapse}"
        "th,td{padding:.3em .7em;text-align:left;border-bottom:1px solid #ccc}"
    )
    body = table.to_html(index=False, border=0)
    return f"<!doctype html><meta charset='utf-8'><style>{style}</style>{body}\n"


def verdict_text(claims: pd.DataFrame, models: pd.DataFrame, note: str) -> str:
    """Verdicts and the likelihoods of all models, for a terminal."""
    lines = [f"Verdicts ({note})", ""]
    if (models["seeds"] == 1).all():
        lines += [*textwrap.wrap(ONE_SEED, 100), ""]
    for _, claim in show_claims(claims).iterrows():
        lines.append(f"  {claim['Verdict']:12} {claim['Claim']:6} {claim['Text']}")
    columns = ["mean_in", "median_in", "mean_out", "median_out", "auroc"]
    numbers = pd.DataFrame(
        {
            "model": models["model"],
            "mean_in": -models["nll_test"],
            "median_in": models["median_test"],
            "mean_out": -models["nll_ood"],
            "median_out": models["median_ood"],
            "auroc": models["auroc"],
        }
    )
    formats = dict.fromkeys(columns[:-1], "{:,.1f}".format) | {"auroc": "{:.3f}".format}
    lines += ["", "Log-likelihoods in nats per image, in and out of distribution", ""]
    return "\n".join(lines) + "\n" + numbers.to_string(index=False, formatters=formats) + "\n"
