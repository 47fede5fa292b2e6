"""Compares the paper's numbers with ours and gives verdicts on its claims.

A claim is a list of comparisons of quantities (see :class:`.quantities.Measure`).
*left > right* holds if left - right exceeds the margin by more than Z bootstrap standard
errors. It fails if left - right is below the margin by more than that. In between it is
not decided. *left within right* holds if |left - right| plus Z standard errors is at most
the tolerance, and fails if |left - right| minus Z standard errors is above it; its excess
is -|left - right| and its margin -tolerance. A claim holds if all its comparisons hold. It
fails if one of them fails. Otherwise it is not decided.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oodpriors.io.errors import UserError
from oodpriors.statistics.estimates import Estimate
from oodpriors.statistics.quantities import OPERATIONS

Z = 1.96
VERDICTS = ("holds", "fails", "not decided")
SHOWN, NOT_SHOWN = "shown", "stated, not shown"

CLAIM_COLUMNS = [
    *("id", "where", "kind", "text", "shown", "expected_at", "verdict"),
    *("comparison", "left", "right", "excess", "margin", "std_error", "comparison_verdict"),
    "paper_numbers",
]
COMPARISON_COLUMNS = [
    *("id", "where", "kind", "quantity", "unit", "paper", "ours", "std_error", "low", "high"),
    "ratio",
]
SIGNS = {"difference": " - ", "ratio": " / "}

Quantity = Mapping | float
Measure = Callable[[Quantity], Estimate]


def quantity_name(quantity: Quantity) -> str:
    """Name of a quantity in one line.

    >>> quantity_name({"model": "vae/a/b", "statistic": "mean", "set": "ood"})
    'mean(log_prob, ood) of vae/a/b'
    >>> quantity_name({"curve": "vae", "function": "spearman", "statistic": "mean"})
    'spearman(mean(log_prob, ood), distance) of vae'
    """
    if isinstance(quantity, int | float):
        return f"{quantity:g}"
    if "stored" in quantity:
        return quantity["stored"]
    operation = _operation(quantity)
    if operation in SIGNS:
        return SIGNS[operation].join(map(_operand_name, quantity[operation]))
    if operation:
        return f"{operation}({', '.join(map(quantity_name, quantity[operation]))})"
    if "curve" in quantity:
        return f"{_curve_function_name(quantity)} of {quantity['curve']}"
    return f"{_statistic_name(quantity)} of {quantity['model']}"


def _operation(quantity: Mapping) -> str | None:
    return next((name for name in OPERATIONS if name in quantity), None)


def _operand_name(quantity: Quantity) -> str:
    name = quantity_name(quantity)
    signed = isinstance(quantity, Mapping) and _operation(quantity) in SIGNS
    return f"({name})" if signed else name


def _curve_function_name(quantity: Mapping) -> str:
    function, statistic = quantity["function"], _statistic_name(quantity)
    more = {"spearman": ", distance", "distance_at_drop": f", {quantity.get('drop')}"}
    return f"{function}({statistic}{more.get(function, '')})"


def _statistic_name(quantity: Mapping) -> str:
    about = [quantity.get("column", "log_prob"), quantity.get("set", "ood")]
    if quantity.get("component") is not None:
        about.append(f"component {quantity['component']}")
    return f"{quantity.get('statistic', 'auroc')}({', '.join(about)})"


# Claims


def judge(
    claims: Sequence[Mapping], published: Sequence[Mapping], measure: Measure
) -> pd.DataFrame:
    """Judge the claims: a row for every comparison of every claim, with the claim's verdict.

    Args:
        claims: each with ``id``, ``where``, ``text`` and ``comparisons``. A comparison has
            ``left``, ``relation``, ``right``, an optional ``margin`` for > and <, and
            ``tolerance`` for within. Optional for a claim: ``kind`` (num, ord, shape or
            def), ``shown`` (false: the paper shows no data for it) and ``expected_at``
            (the scale whose larger budget is expected to decide it).
        published: the paper's numbers, to say which claims they support by themselves.
        measure: returns the estimate of a quantity.

    Raises:
        UserError: an unknown relation.
    """
    values = {
        quantity_name(entry["quantity"]): float(entry["value"]) for entry in _results(published)
    }
    rows = []
    for claim in claims:
        compared = [_comparison(c, values, measure) for c in claim["comparisons"]]
        verdict = _combined([row["comparison_verdict"] for row in compared])
        rows += [_about(claim) | {"verdict": verdict} | row for row in compared]
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def _results(published: Sequence[Mapping]) -> list[Mapping]:
    return [entry for entry in published if entry.get("quantity") is not None]


def _about(claim: Mapping) -> dict:
    return {
        **{name: claim[name] for name in ("id", "where", "text")},
        **{name: claim.get(name, "") for name in ("kind", "expected_at")},
        "shown": SHOWN if claim.get("shown", True) else NOT_SHOWN,
    }


def _combined(verdicts: list[str]) -> str:
    if "fails" in verdicts:
        return "fails"
    return "holds" if set(verdicts) == {"holds"} else "not decided"


def _comparison(comparison: Mapping, values: Mapping[str, float], measure: Measure) -> dict:
    left, right, relation = (comparison[key] for key in ("left", "right", "relation"))
    if relation not in EXCESS:
        raise UserError(f"relation {relation!r} is unknown; there are {', '.join(EXCESS)}")
    within = relation == "within"
    margin = -comparison["tolerance"] if within else comparison.get("margin", 0.0)
    sign = f"within {-margin:g} of" if within else relation
    ours, theirs = measure(left), measure(right)
    difference = ours - theirs
    excess, error = EXCESS[relation](difference.value), difference.std_error
    return {
        "comparison": f"{quantity_name(left)} {sign} {quantity_name(right)}",
        "left": ours.value,
        "right": theirs.value,
        "excess": excess,
        "margin": margin,
        "std_error": error,
        "comparison_verdict": _verdict(excess - margin, Z * error, within),
        "paper_numbers": _paper_says(comparison, values, margin),
    }


# Signed excess of left over right in the direction that the claim asserts.
EXCESS = {
    ">": lambda difference: difference,
    "<": lambda difference: 0.0 - difference,
    "within": lambda difference: 0.0 - abs(difference),
}


def _verdict(slack: float, error: float, within: bool) -> str:
    if slack > error or (within and slack == error):
        return "holds"
    return "fails" if slack < -error else "not decided"


def _paper_says(comparison: Mapping, values: Mapping[str, float], margin: float) -> str:
    left, right = (_published_value(comparison[side], values) for side in ("left", "right"))
    if left is None or right is None:
        return "not printed"
    relation = comparison["relation"]
    slack = EXCESS[relation](left - right) - margin
    return "hold" if _verdict(slack, 0.0, relation == "within") == "holds" else "fail"


def _published_value(quantity: Quantity, values: Mapping[str, float]) -> float | None:
    if isinstance(quantity, int | float):
        return float(quantity)
    operation = _operation(quantity)
    if operation:
        parts = [_published_value(part, values) for part in quantity[operation]]
        return None if None in parts else float(OPERATIONS[operation](np.array(parts)))
    value = values.get(quantity_name(quantity))
    opposite = {"mean": "nll", "nll": "mean"}.get(quantity.get("statistic", ""))
    if value is None and opposite and "model" in quantity:
        minus = values.get(quantity_name({**quantity, "statistic": opposite}))
        return None if minus is None else -minus
    return value


# Numbers and settings


def compare_with_paper(
    published: Sequence[Mapping], measure: Measure, settings: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Compare every result and setting that the paper prints with ours, a row for each.

    Args:
        published: each with ``id``, ``where``, ``unit``, ``value`` and either
            ``quantity`` (a result) or ``setting`` (a key of the configuration; its
            value may be a number, a list or text). Entries with neither are left out.
        measure: returns the estimate of a quantity.
        settings: our values by key.

    Raises:
        UserError: a setting that is not among the settings.
    """
    rows = []
    for entry in published:
        about = {name: entry.get(name, "") for name in ("id", "where", "unit")}
        if entry.get("quantity") is not None:
            rows.append(about | _result(entry, measure))
        elif "setting" in entry:
            rows.append(about | _setting(entry, settings or {}))
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)


def _result(entry: Mapping, measure: Measure) -> dict:
    ours = measure(entry["quantity"])
    low, high = ours.interval
    return {
        "kind": "result",
        "quantity": quantity_name(entry["quantity"]),
        "paper": entry["value"],
        "ours": ours.value,
        "std_error": ours.std_error,
        "low": low,
        "high": high,
        "ratio": _ratio(ours.value, entry["value"]),
    }


def _setting(entry: Mapping, settings: Mapping[str, Any]) -> dict:
    key, paper = entry["setting"], entry["value"]
    if key not in settings:
        raise UserError(
            f"published {entry['id']}: setting {key!r} is unknown; "
            f"there are {', '.join(settings) or 'none'}"
        )
    ours = settings[key]
    return {
        "kind": "setting",
        "quantity": key,
        "paper": _plain(paper),
        "ours": _plain(ours),
        "ratio": _ratio(ours, paper),
    }


def _ratio(ours, paper) -> float | None:
    return ours / paper if _is_number(ours) and _is_number(paper) and paper else None


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value) -> float | str:
    """Numbers unchanged; lists as their items; all other values as text."""
    if _is_number(value):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
