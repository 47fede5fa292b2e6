"""Verdicts on the claims, and the comparison with the paper's numbers."""

import math
import textwrap
from collections.abc import Mapping

import pandas as pd

from oodpriors.statistics.claims import (
    NOT_SHOWN,
    PAPER,
    REFINED,
    VERDICTS,
    count_verdicts,
    expected_false,
)
from oodpriors.tables.cells import or_dash
from oodpriors.tables.likelihoods import seed_note
from oodpriors.tables.measured import measured, significant, trained

CLAIM_COLUMNS = [
    *("Claim", "Place", "Text", "Excess over the margin", "Paper's numbers", "Verdict"),
    "Refined",
]

TWICE = "Judged with a posterior refined for each image as well:"
KINDS = {
    "num": "numbers",
    "ord": "orderings",
    "shape": "shapes of figures",
    "def": "definitions",
    "": "others",
}


def _signed(value: float, error: float) -> str:
    if 0 < max(abs(value), error) < 1e-3:
        return f"{value:+.1e} ± {error:.1e}"
    digits = 1 if abs(value) >= 10 else 4
    return f"{value:+,.{digits}f} ± {error:,.{digits}f}"


def show_results(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Results that the paper prints beside ours, as they are printed, with their units.

    Args:
        table: see :func:`oodpriors.statistics.claims.compare_with_paper`.
        titles: of models; what has none is named by the parts of its name.
    """
    rows = table[table["kind"] != "setting"]
    named = [
        ", ".join(filter(None, [words, titles.get(model) or _plain(model)]))
        for words, model in zip(rows["words"], rows["model"].fillna(""), strict=True)
    ]
    units = rows["unit"].fillna("").to_numpy()
    return show_comparison(rows).assign(Quantity=named, Unit=units)


def _plain(model: str) -> str:
    return model.replace("_", " ").replace("/", ", ")


def show_settings(table: pd.DataFrame) -> pd.DataFrame:
    """Settings that differ from the paper's, as they are printed."""
    rows = table[(table["kind"] == "setting")]
    pairs = zip(rows["paper"], rows["ours"], strict=True)
    rows = rows[pd.Series([not _same(*pair) for pair in pairs], rows.index, dtype=bool)]
    shown = show_comparison(rows)[["Place", "Paper", "Ours"]]
    shown.insert(
        1,
        "Setting",
        [f"{unit} ({key})" for unit, key in zip(rows["unit"], rows["quantity"], strict=True)],
    )
    return shown


def _same(paper, ours) -> bool:
    """Whether two settings are equal; either may come from a CSV as text."""
    try:
        return math.isclose(float(paper), float(ours), rel_tol=1e-9)
    except ValueError:
        return str(paper) == str(ours)


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
        return _setting(paper), _setting(ours)
    if kind == "index":
        return f"{float(paper):g}", str(ours)
    paper, ours = float(paper), float(ours)
    printed, digits = 0 if paper.is_integer() else 2, 1 if abs(ours) >= 100 else 2
    return f"{paper:,.{printed}f}", f"{ours:,.{digits}f} ± {error:,.{digits}f}"


def _setting(value) -> str:
    text = str(value).removesuffix(".0")
    return f"{int(text):,}" if text.isdecimal() else text


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
                "Text": claim_text(first),
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


def claim_text(claim: pd.Series) -> str:
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
    lines += [f"  {kind}: {_counted(row)}" for kind, row in count_kinds(claims).iterrows()]
    lines += [expected_false(shown["Verdict"]), ""]
    refined = refined_verdicts(claims)
    if len(refined):
        lines += [f"{len(refined)} of them are about VAEs. {TWICE} {count_verdicts(refined)}", ""]
    reasons = decisive(claims)
    lines += _verdict_lines(shown, ["Verdict", "Refined"] if len(refined) else ["Verdict"], reasons)
    lines += ["", "Log-likelihoods in nats per image, in and out of distribution", ""]
    return "\n".join([*lines, _numbers(models), "", *_details(claims)]) + "\n"


def deciding(claims: pd.DataFrame, estimator: str = PAPER) -> dict[str, pd.Series]:
    """For each claim the comparison that decides it, a row of the table.

    Of several with the claim's verdict it is that with the least excess for its error.
    """
    found = {}
    for name, rows in claims[claims["estimator"] == estimator].groupby("id", sort=False):
        rows = rows[rows["comparison_verdict"] == rows["verdict"].iloc[0]]
        half = ((rows["high"] - rows["low"]) / 2).clip(lower=1e-12)
        found[str(name)] = rows.loc[(rows["excess"] / half).fillna(math.inf).idxmin()]
    return found


def decisive(claims: pd.DataFrame) -> dict[str, str]:
    """For each claim what was measured and what was needed, by the paper's estimate."""
    return {name: reason(claims, name) for name in deciding(claims)}


def reason(claims: pd.DataFrame, name: str, estimator: str = PAPER) -> str:
    """What was measured for a claim, and what was needed: in both comparisons, or the deciding one.

    That which decides comes first.
    """
    rows = claims[(claims["id"] == name) & (claims["estimator"] == estimator)]
    first = deciding(rows, estimator)[name]
    found = [measured(first)]
    found += [measured(row) for _, row in rows.drop(first.name).iterrows() if len(rows) == 2]
    several = f"; the deciding one of {len(rows)} comparisons" if len(rows) > 2 else ""
    return f"{'; '.join(found)}; {trained(first)}{several}"


def count_kinds(claims: pd.DataFrame) -> pd.DataFrame:
    """How many claims of each kind have each verdict: a row per kind, a column per verdict."""
    once = claims[claims["estimator"] == PAPER].drop_duplicates("id")
    kinds = once["kind"].map(KINDS).fillna(KINDS[""])
    counts = pd.crosstab(kinds, once["verdict"])
    ordered = counts.reindex(
        index=[kind for kind in KINDS.values() if kind in counts.index],
        columns=[verdict for verdict in VERDICTS if verdict in counts.columns],
    )
    return ordered.rename_axis(index="Kind", columns=None)


def _counted(row: pd.Series) -> str:
    return ", ".join(f"{verdict} {number}" for verdict, number in row.items() if number)


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
        found = reasons[claim["Claim"]]
        lines += textwrap.wrap(found, 140, initial_indent=below, subsequent_indent=below)
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
    numbers = ("left", "right", "difference", "low", "high")
    left, right, difference, low, high = (significant(row[name], 4) for name in numbers)
    error = row["std_error"]
    margin = f", margin {row['margin']:g}" if row["margin"] > 0 else ""
    freedom = row["degrees_of_freedom"]
    trained = f"{freedom:.1f}" if freedom < float("inf") else "no error over trainings"
    return [
        f"  {row['comparison_verdict']}: {row['comparison']}",
        f"    {left} and {right}: difference {difference} ± {significant(error, 2)}, "
        f"95 % [{low}, {high}]{margin}, degrees of freedom: {trained}",
        f"    trainings: {row['trainings'] or 'none'}; images: {row['images'] or 'none'}",
    ]
