"""The paper's numbers beside ours, and verdicts on its claims.

A claim is a list of comparisons of stored quantities. A comparison *left > right*
holds when left - right exceeds the margin by more than Z standard errors of the
bootstrap, fails when it falls short of the margin by more than that, and is not
decided in between. A claim holds when all its comparisons hold, fails when one of
them fails, and is not decided otherwise.
"""

from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.statistics import Estimate

__all__ = ["VERDICTS", "Z", "compare_with_paper", "judge", "quantity_name"]

Z = 1.96
VERDICTS = ("holds", "fails", "not decided")

CLAIM_COLUMNS = [
    *("id", "where", "text", "verdict", "comparison", "left", "right", "excess", "margin"),
    *("std_error", "comparison_verdict", "paper_numbers"),
]
COMPARISON_COLUMNS = [
    *("id", "where", "quantity", "unit", "paper", "ours", "std_error", "low", "high", "ratio"),
]

Quantity = Mapping | float
Measure = Callable[[Quantity], Estimate]


def quantity_name(quantity: Quantity) -> str:
    """A quantity in one line.

    >>> quantity_name({"model": "vae/a/b", "statistic": "mean", "set": "ood"})
    'mean(log_prob, ood) of vae/a/b'
    """
    if isinstance(quantity, int | float):
        return f"{quantity:g}"
    column, which = quantity.get("column", "log_prob"), quantity.get("set", "ood")
    return f"{quantity['statistic']}({column}, {which}) of {quantity['model']}"


def _verdict(difference: Estimate, margin: float) -> str:
    excess, error = difference.value - margin, Z * difference.std_error
    if excess > error:
        return "holds"
    return "fails" if excess < -error else "not decided"


def _combined(verdicts: list[str]) -> str:
    if "fails" in verdicts:
        return "fails"
    return "holds" if set(verdicts) == {"holds"} else "not decided"


def judge(claims: list[Mapping], published: list[Mapping], measure: Measure) -> pd.DataFrame:
    """A row for every comparison of every claim, with the claim's verdict.

    Args:
        claims: each with ``id``, ``where``, ``text`` and ``comparisons``, of ``left``,
            ``relation`` (> or <), ``right`` and an optional ``margin``.
        published: the paper's numbers, to say which claims these alone bear out.
        measure: gives the estimate of a quantity.
    """
    rows = []
    for claim in claims:
        compared = [_comparison(c, published, measure) for c in claim["comparisons"]]
        verdict = _combined([row["comparison_verdict"] for row in compared])
        about = {name: claim[name] for name in ("id", "where", "text")}
        rows += [about | {"verdict": verdict} | row for row in compared]
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def _comparison(comparison: Mapping, published: list[Mapping], measure: Measure) -> dict:
    left, right = comparison["left"], comparison["right"]
    greater, less = (left, right) if comparison["relation"] == ">" else (right, left)
    margin = comparison.get("margin", 0.0)
    difference = measure(greater) - measure(less)
    return {
        "comparison": f"{quantity_name(left)} {comparison['relation']} {quantity_name(right)}",
        "left": measure(left).value,
        "right": measure(right).value,
        "excess": difference.value,
        "margin": margin,
        "std_error": difference.std_error,
        "comparison_verdict": _verdict(difference, margin),
        "paper_numbers": _paper_says(greater, less, margin, published),
    }


def _paper_says(greater: Quantity, less: Quantity, margin: float, published: list[Mapping]) -> str:
    values = [_published_value(quantity, published) for quantity in (greater, less)]
    if None in values:
        return "not printed"
    return "hold" if values[0] - values[1] > margin else "fail"


def _published_value(quantity: Quantity, published: list[Mapping]) -> float | None:
    if isinstance(quantity, int | float):
        return float(quantity)
    values = {quantity_name(entry["quantity"]): entry["value"] for entry in published}
    if quantity["statistic"] == "mean":
        nll = values.get(quantity_name({**quantity, "statistic": "nll"}))
        return -nll if nll is not None else None
    return values.get(quantity_name(quantity))


def compare_with_paper(published: list[Mapping], measure: Measure) -> pd.DataFrame:
    """A row for every number the paper prints: its value, ours, and the ratio."""
    rows = []
    for number in published:
        ours = measure(number["quantity"])
        low, high = ours.interval
        rows.append(
            {
                "id": number["id"],
                "where": number["where"],
                "quantity": quantity_name(number["quantity"]),
                "unit": number["unit"],
                "paper": number["value"],
                "ours": ours.value,
                "std_error": ours.std_error,
                "low": low,
                "high": high,
                "ratio": ours.value / number["value"],
            }
        )
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)
