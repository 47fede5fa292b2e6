"""Verdicts on the claims, and the comparison with the paper's numbers."""

import math
import textwrap
from collections.abc import Mapping

import pandas as pd

from oodpriors.statistics.claims import (
    NOT_SHOWN,
    PAPER,
    REFINED,
    count_verdicts,
    expected_false,
)
from oodpriors.tables.cells import or_dash
from oodpriors.tables.likelihoods import seed_note

CLAIM_COLUMNS = [
    *("Claim", "Place", "Text", "Excess over the margin", "Paper's numbers", "Verdict"),
    "Refined",
]

TWICE = "Judged with a posterior refined for each image as well:"
TWO_ESTIMATES = "ours: whose likelihood"  # place of claims that compare them


def _signed(value: float, error: float) -> str:
    if 0 < max(abs(value), error) < 1e-3:
        return f"{value:+.1e} ± {error:.1e}"
    digits = 1 if abs(value) >= 10 else 4
    return f"{value:+,.{digits}f} ± {error:.{digits}f}"


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
            "Ratio": [or_dash(r, f"{r:.3f}") for r in table["ratio"].astype(float)],
        }
    )


def _comparison_cells(kind: str, paper, ours, error: float) -> tuple[str, str]:
    """What is printed of the paper's value and of ours; either may come from a CSV as text."""
    if kind == "setting":
        return str(paper), str(ours)
    if kind == "index":
        return f"{float(paper):g}", str(ours)
    paper, ours = float(paper), float(ours)
    printed, digits = 0 if paper.is_integer() else 2, 1 if abs(ours) >= 100 else 2
    return f"{paper:,.{printed}f}", f"{ours:,.{digits}f} ± {error:.{digits}f}"


def show_claims(table: pd.DataFrame) -> pd.DataFrame:
    """A row per claim as it is printed: its text, the verdict, and the excess over each margin.

    Behind ± is half the interval of 95 %: a comparison holds if the excess is larger.
    ``Refined`` is the verdict with refined posteriors, for claims about VAEs.
    """
    rows, refined = [], refined_verdicts(table)
    for name, claim in table[table["estimator"] == PAPER].groupby("id", sort=False):
        first = claim.iloc[0]
        excess = [
            _signed(excess, (high - low) / 2)
            for excess, low, high in claim[["excess", "low", "high"]].itertuples(index=False)
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
                "Refined": refined.get(name, "–"),
            }
        )
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def refined_verdicts(table: pd.DataFrame) -> pd.Series:
    """Verdicts with refined posteriors, by the claim's id."""
    refined = table[table["estimator"] == REFINED].drop_duplicates("id")
    return refined.set_index("id")["verdict"]


def show_two_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Claims about two estimates, and those whose verdict depends on the estimate."""
    shown = show_claims(table)
    own = shown["Place"].str.startswith(TWO_ESTIMATES)
    differs = (shown["Refined"] != "–") & (shown["Refined"] != shown["Verdict"])
    chosen = shown[own | differs]
    columns = {
        "Claim": chosen["Claim"],
        "Text": chosen["Text"],
        "Encoder's estimate": chosen["Verdict"].mask(own, "–"),
        "Refined": chosen["Refined"].mask(own, chosen["Verdict"]),
    }
    return pd.DataFrame(columns)


def _claim_text(claim: pd.Series) -> str:
    """The text, what there is to know of it, and what it leaves out; also from a CSV file."""
    notes = [NOT_SHOWN] if claim["shown"] == NOT_SHOWN else []
    if claim["expected_at"] and not pd.isna(claim["expected_at"]):
        notes.append(f"expected at scale {claim['expected_at']}")
    text = f"{claim['text']} [{'; '.join(notes)}]" if notes else claim["text"]
    said = claim["but"] and not pd.isna(claim["but"])
    return f"{text} But {claim['but']}." if said else text


def verdict_text(claims: pd.DataFrame, models: pd.DataFrame, note: str) -> str:
    """Verdicts, their counts, and the likelihoods of all models, for a terminal."""
    lines = [f"Verdicts ({note})", ""]
    seeds = seed_note(dict(zip(models["model"], models["seeds"], strict=True)))
    lines += [*textwrap.wrap(seeds, 100), ""]
    shown = show_claims(claims)
    lines += [f"{len(shown)} claims: {count_verdicts(shown['Verdict'])}"]
    lines += [expected_false(shown["Verdict"]), ""]
    refined = refined_verdicts(claims)
    if len(refined):
        lines += [f"{len(refined)} of them are about VAEs. {TWICE} {count_verdicts(refined)}", ""]
    reasons = decisive(claims)
    lines += _verdict_lines(shown, ["Verdict", "Refined"] if len(refined) else ["Verdict"], reasons)
    lines += ["", "Log-likelihoods in nats per image, in and out of distribution", ""]
    return "\n".join([*lines, _numbers(models), "", *_details(claims)]) + "\n"


def decisive(claims: pd.DataFrame) -> dict[str, str]:
    """For each claim the comparison that decides it: what was measured, and what was needed.

    Of several with the claim's verdict it is that with the least excess for its error.
    """
    reasons = {}
    for name, rows in claims[claims["estimator"] == PAPER].groupby("id", sort=False):
        rows = rows[rows["comparison_verdict"] == rows["verdict"].iloc[0]]
        half = ((rows["high"] - rows["low"]) / 2).clip(lower=1e-12)
        row = rows.loc[(rows["excess"] / half).fillna(math.inf).idxmin()]
        margin = f" (margin {row['margin']:g})" if row["margin"] > 0 else ""
        reasons[str(name)] = (
            f"{row['comparison']}: {row['left']:,.4g} and {row['right']:,.4g}{margin}"
        )
    return reasons


def _verdict_lines(
    shown: pd.DataFrame, verdicts: list[str], reasons: Mapping[str, str]
) -> list[str]:
    widths = {name: max([len(name), *shown[name].str.len()]) for name in verdicts}
    head = "  ".join(f"{name:{width}}" for name, width in widths.items())
    lines = [f"  {head}  Claim, and the comparison that decides it"]
    for _, claim in shown.iterrows():
        found = "  ".join(f"{claim[name]:{width}}" for name, width in widths.items())
        begin = f"  {found}  {claim['Claim']:6} "
        below = " " * len(begin)
        lines += textwrap.wrap(claim["Text"], 140, initial_indent=begin, subsequent_indent=below)
        lines.append(f"{below}{reasons[claim['Claim']]}")
    return lines


def _numbers(models: pd.DataFrame) -> str:
    """Likelihoods of all models, by both estimates where there are two."""
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
    if "n_ood_refined" in models:
        numbers["refined_in"] = models["mean_test_refined"]
        numbers["refined_out"] = models["mean_ood_refined"]
        numbers["refined_auroc"] = models["auroc_refined"]
    formats = {name: "{:.3f}" if "auroc" in name else "{:,.1f}" for name in numbers.columns[1:]}
    for name, form in formats.items():
        numbers[name] = [or_dash(value, form.format(value)) for value in numbers[name]]
    return numbers.to_string(index=False)


def _details(claims: pd.DataFrame) -> list[str]:
    """What each verdict rests on, and what would refute it."""
    lines = ["What each verdict rests on (the rows of claims.csv), and what would refute it"]
    for (name, estimator), claim in claims.groupby(["id", "estimator"], sort=False):
        first, by = claim.iloc[0], " with refined posteriors" * (estimator == REFINED)
        lines += ["", f"{name} {first['verdict']}{by}; refuted by: {first['refuted_by'] or '–'}"]
        lines += [line for _, row in claim.iterrows() for line in _detail(row)]
    return lines


def _detail(row: pd.Series) -> list[str]:
    low, high, error = row["low"], row["high"], row["std_error"]
    margin = f", margin {row['margin']:g}" if row["margin"] > 0 else ""
    freedom = row["degrees_of_freedom"]
    trained = f"{freedom:.1f}" if freedom < float("inf") else "no error over trainings"
    return [
        f"  {row['comparison_verdict']}: {row['comparison']}",
        f"    {row['left']:,.4g} and {row['right']:,.4g}: difference {row['difference']:,.4g} "
        f"± {error:.2g}, 95 % [{low:,.4g}, {high:,.4g}]{margin}, "
        f"degrees of freedom: {trained}",
        f"    trainings: {row['trainings'] or 'none'}; images: {row['images'] or 'none'}",
    ]
