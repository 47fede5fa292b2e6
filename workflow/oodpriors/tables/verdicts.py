"""Verdicts on the claims, and the comparison with the paper's numbers."""

import textwrap

import pandas as pd

from oodpriors.statistics.claims import NOT_SHOWN, count_verdicts, expected_false
from oodpriors.tables.cells import or_dash
from oodpriors.tables.likelihoods import seed_note

CLAIM_COLUMNS = ["Claim", "Place", "Text", "Excess over the margin", "Paper's numbers", "Verdict"]


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
    """
    rows = []
    for name, claim in table.groupby("id", sort=False):
        first = claim.iloc[0]
        excess = [
            _signed(e - m, (high - low) / 2)
            for e, m, low, high in claim[["excess", "margin", "low", "high"]].itertuples(
                index=False
            )
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


def verdict_text(claims: pd.DataFrame, models: pd.DataFrame, note: str) -> str:
    """Verdicts, their counts, and the likelihoods of all models, for a terminal."""
    lines = [f"Verdicts ({note})", ""]
    seeds = seed_note(dict(zip(models["model"], models["seeds"], strict=True)))
    lines += [*textwrap.wrap(seeds, 100), ""]
    shown = show_claims(claims)
    lines += [f"{len(shown)} claims: {count_verdicts(shown['Verdict'])}"]
    lines += [expected_false(shown["Verdict"]), ""]
    width = shown["Verdict"].str.len().max() if len(shown) else 0
    for _, claim in shown.iterrows():
        lines.append(f"  {claim['Verdict']:{width}}  {claim['Claim']:6} {claim['Text']}")
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
    lines.append(numbers.to_string(index=False, formatters=formats))
    return "\n".join([*lines, "", *_details(claims)]) + "\n"


def _details(claims: pd.DataFrame) -> list[str]:
    """What each verdict rests on, and what would refute it."""
    lines = ["What each verdict rests on (the rows of claims.csv), and what would refute it"]
    for name, claim in claims.groupby("id", sort=False):
        first = claim.iloc[0]
        lines += ["", f"{name} {first['verdict']}; refuted by: {first['refuted_by'] or '–'}"]
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
