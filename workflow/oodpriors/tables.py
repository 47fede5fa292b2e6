"""Tables of likelihoods and of what they tell apart, and how they are shown in print."""

import textwrap
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from oodpriors.claims import NOT_SHOWN, VERDICTS, quantity_name
from oodpriors.statistics import Estimate, ScoreTable

__all__ = [
    "DECOMPOSITION_NOTE",
    "decomposition_table",
    "likelihood_table",
    "model_table",
    "ranking_table",
    "seed_note",
    "show_claims",
    "show_comparison",
    "show_decomposition",
    "show_likelihoods",
    "show_ranking",
    "to_html",
    "verdict_text",
]

ONE_SEED = (
    "There is one seed, so errors are over images alone: how much another training would "
    "differ is not in them."
)
DECOMPOSITION_NOTE = (
    "A unimodal prior has no coordinate that separates components: all of its coordinates are in "
    "prior_rest and its prior_separating is zero, so read the changes of these two together. AUROC "
    "is of the part alone, in the place of log p, under the multimodal model; |z_1| has no mean "
    "here, and in distribution it should be the larger."
)
RANKINGS = ("auroc", "aupr", "fpr95")
# Parts of log p by architecture: those of a model add up to its log p.
PARTS = (
    *("log_prob", "reconstruction", "prior_separating", "prior_rest", "log_det"),
    *("posterior_entropy", "importance_gain"),
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

    row = {"model": name, **_about(name, table, titles)}
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
    row |= {"gap": gap.value, "gap_std_error": gap.std_error}
    return row | _with_interval("auroc", area)


def _about(name: str, table: ScoreTable, titles: Mapping) -> dict:
    architecture, subset, prior = name.split("/")
    other = table.images["ood"].split(".")[0]
    return {
        "architecture": titles["models"][architecture],
        "prior": titles["priors"][prior],
        "training_data": titles["subsets"][subset],
        "out_of_distribution": titles["subsets"][other],
        "seeds": len(table.tables),
        "n_test": table.size("test"),
        "n_ood": table.size("ood"),
    }


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
        row = {"model": name, **_about(name, table, titles)}
        for statistic in RANKINGS:
            found = measure({"model": name, "statistic": statistic})
            row |= _with_interval(statistic, found)
        rows.append(row)
    return pd.DataFrame(rows)


def _with_interval(name: str, found: Estimate) -> dict:
    low, high = found.interval
    return {name: found.value, f"{name}_low": low, f"{name}_high": high}


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
        model. Read it with DECOMPOSITION_NOTE.
    """
    rows = []
    for uni, multi in pairs:
        about = {"uni": uni, "multi": multi, **_about(multi, scores[multi], titles)}
        columns = scores[multi].tables[0].columns.intersection(scores[uni].tables[0].columns)
        parts = [part for part in PARTS if part in columns]
        rows += [
            about | {"set": which, **_part_row(uni, multi, which, part, measure)}
            for which in ("ood", "test")
            for part in parts
        ]
        if "latent_first_abs" in scores[multi].tables[0]:
            alone = _part_auroc(multi, "latent_first_abs", measure)
            rows.append(about | {"set": "ood", "part": "|z_1|"} | alone)
    return pd.DataFrame(rows)


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
    return _with_interval("auroc", found)


def likelihood_table(
    models: pd.DataFrame, names: list[str], published: list[Mapping]
) -> pd.DataFrame:
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
        return f"Errors are over images and {numbers} seeds of each model."
    return (
        f"{one} of {len(seeds_by_model)} models have one seed, and their errors are over images "
        "alone: how much another training would differ is not in them. The errors of the others "
        f"are over images and {numbers} seeds."
    )


def _with_error(value: pd.Series, error: pd.Series) -> list[str]:
    return [f"{v:,.1f} ± {e:.1f}" for v, e in zip(value, error, strict=True)]


def _signed(value: float, error: float) -> str:
    if 0 < max(abs(value), error) < 1e-3:
        return f"{value:+.1e} ± {error:.1e}"
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


def _interval(table: pd.DataFrame, name: str) -> list[str]:
    columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
    return [_or_dash(v, f"{v:.2f} [{a:.2f}, {b:.2f}]") for v, a, b in zip(*columns, strict=True)]


def _or_dash(value: float, text: str) -> str:
    return "–" if pd.isna(value) else text


def show_ranking(table: pd.DataFrame) -> pd.DataFrame:
    """How well the likelihoods rank, as it is printed."""
    return pd.DataFrame(
        {
            "Model": table["architecture"],
            "Prior": table["prior"],
            "Training data": table["training_data"],
            "Out of distribution": table["out_of_distribution"],
            "Seeds": table["seeds"].astype(str),
            **{name.upper(): _interval(table, name) for name in RANKINGS},
        }
    )


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
            "uni": [_or_dash(m, f"{m:,.1f}") for m in table["uni_mean"]],
            "multi": [_or_dash(m, f"{m:,.1f}") for m in table["multi_mean"]],
            "Change": [_or_dash(c, f"{c:+,.1f} ± {e:.1f}") for c, e in changes],
            "Share": [_or_dash(s, f"{s:.0%}") for s in table["share"]],
            "AUROC": _interval(table, "auroc"),
        }
    )


def show_comparison(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison with the paper's numbers and settings as it is printed."""
    columns = ["kind", "paper", "ours", "std_error"]
    cells = [_comparison_cells(*row) for row in table[columns].itertuples(index=False)]
    return pd.DataFrame(
        {
            "Place": table["where"],
            "Quantity": table["quantity"],
            "Paper": [paper for paper, _ in cells],
            "Ours": [ours for _, ours in cells],
            "Ratio": [_or_dash(r, f"{r:.3f}") for r in table["ratio"].astype(float)],
        }
    )


def _comparison_cells(kind: str, paper, ours, error: float) -> tuple[str, str]:
    """What is printed of the paper's value and of ours; either may come from a CSV as text."""
    if kind == "setting":
        return str(paper), str(ours)
    paper, ours = float(paper), float(ours)
    printed, digits = 0 if paper.is_integer() else 2, 1 if abs(ours) >= 100 else 2
    return f"{paper:,.{printed}f}", f"{ours:,.{digits}f} ± {error:.{digits}f}"


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
                "Text": _claim_text(first),
                "Excess over the margin": "; ".join(excess),
                "Paper's numbers": "; ".join(numbers),
                "Verdict": first["verdict"],
            }
        )
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def _claim_text(claim: pd.Series) -> str:
    """The text, and what there is to know of it, also if it comes from a CSV file."""
    notes = [NOT_SHOWN] if claim["shown"] == NOT_SHOWN else []
    if claim["expected_at"] and not pd.isna(claim["expected_at"]):
        notes.append(f"expected at scale {claim['expected_at']}")
    return f"{claim['text']} [{'; '.join(notes)}]" if notes else claim["text"]


def to_html(table: pd.DataFrame) -> str:
    """A table as a page of its own, for the report."""
    style = (
        "body{font-family:sans-serif;font-size:14px}table{border-collapse:collapse}"
        "th,td{padding:.3em .7em;text-align:left;border-bottom:1px solid #ccc}"
    )
    body = table.to_html(index=False, border=0)
    return f"<!doctype html><meta charset='utf-8'><style>{style}</style>{body}\n"


def verdict_text(claims: pd.DataFrame, models: pd.DataFrame, note: str) -> str:
    """Verdicts, their counts, and the likelihoods of all models, for a terminal."""
    lines = [f"Verdicts ({note})", ""]
    seeds = seed_note(dict(zip(models["model"], models["seeds"], strict=True)))
    lines += [*textwrap.wrap(seeds, 100), ""]
    shown = show_claims(claims)
    counts = shown["Verdict"].value_counts()
    counted = ", ".join(f"{verdict} {counts.get(verdict, 0)}" for verdict in VERDICTS)
    lines += [f"{len(shown)} claims: {counted}", ""]
    for _, claim in shown.iterrows():
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
