"""Compares the paper's numbers with ours and gives verdicts on its claims.

A claim is a list of comparisons of quantities (see :class:`.quantities.Measure`).
*left > right* holds if left - right exceeds the margin by more than half the width of its
interval of 95 % (:meth:`.estimates.Estimate.half_width`), over images and trainings. It
fails if left - right is below the margin by more than that. In between it is not decided.
*left within right* holds if |left - right| plus half the width is at most the tolerance,
and fails if |left - right| minus it is above; its margin is -tolerance.

A claim holds if all its comparisons hold. Each may be tested at the full level, because
the claim holds falsely only if a false comparison does (intersection-union test, Berger
1982). A claim fails if one comparison fails. So that m comparisons that are all true
seldom give a failure, their failures are tested by Holm's method (1979): the smallest
p-value at LEVEL / m, the next at LEVEL / (m - 1), and so on.

Comparisons of trained models are decided if each model has LEAST_TRAININGS. With fewer the
spread of trainings is unknown or known too poorly: what they show is said as that, and is
no verdict on the claim. A claim that only the paper's images can decide is not applicable
to stand-ins.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from oodpriors.io.errors import UserError
from oodpriors.statistics.estimates import LEVEL, Estimate
from oodpriors.statistics.quantities import OPERATIONS
from oodpriors.statistics.wording import meaning, word_claim, words

LEAST_TRAININGS = 3
FEW = {1: "one training", 2: "two trainings"}
NOT_APPLICABLE = "not applicable"
VERDICTS = (
    *("holds", "fails", "not decided"),
    *(f"{shown} by {few}" for few in FEW.values() for shown in ("shown", "not shown")),
    NOT_APPLICABLE,
)
# The verdict on a claim is the first of these that one of its comparisons has.
WORST_FIRST = (
    *(NOT_APPLICABLE, "fails", "not shown by one training", "not shown by two trainings"),
    *("not decided", "shown by one training", "shown by two trainings", "holds"),
)
SHOWN, NOT_SHOWN = "shown", "stated, not shown"
PAPER, REFINED = "paper", "refined"  # estimators of a VAE's likelihood

CLAIM_COLUMNS = [
    *("id", "estimator", "where", "kind", "text", "quote", "refuted_by", "shown", "expected_at"),
    *("but", "verdict", "meaning"),
    *("comparison", "left_words", "relation", "right_words", "unit"),
    *("left", "right", "excess", "margin", "difference", "low", "high"),
    *("std_error", "degrees_of_freedom", "p_value", "trainings", "images"),
    *("comparison_verdict", "paper_numbers"),
]
COMPARISON_COLUMNS = [
    *("id", "where", "kind", "quantity", "unit", "paper", "ours", "std_error", "low", "high"),
    *("ratio", "words", "model"),
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
    claims: Sequence[Mapping],
    published: Sequence[Mapping],
    measure: Measure,
    estimator: str = PAPER,
) -> pd.DataFrame:
    """Judge the claims: a row for every comparison of every claim, with the claim's verdict.

    Args:
        claims: each with ``id``, ``where``, ``text`` and ``comparisons``. A comparison has
            ``left``, ``relation``, ``right``, an optional ``margin`` for > and <, and
            ``tolerance`` for within. Optional for a claim: ``kind`` (num, ord, shape or
            def), ``shown`` (false: the paper shows no data for it) and ``expected_at``
            (the scale whose larger budget is expected to decide it), ``quote`` (the paper's
            own words), ``refuted_by`` (the result that would refute it), ``means`` (a clause
            for what holds if the claim does), ``but`` (what it leaves out: comparisons with
            a ``text`` each, which is said where they hold, if the claim does), and
            ``applies`` (false: these data cannot decide it).
        published: the paper's numbers, to say which claims they support by themselves.
        measure: returns the estimate of a quantity.
        estimator: of the likelihoods of VAEs, to be named in the table.

    Raises:
        UserError: an unknown relation.
    """
    values = {
        quantity_name(entry["quantity"]): float(entry["value"]) for entry in _results(published)
    }
    rows = []
    for claim in claims:
        measured = [_measured(c, measure) for c in claim["comparisons"]]
        found = (
            _decide(measured) if claim.get("applies", True) else [NOT_APPLICABLE] * len(measured)
        )
        verdict = next((worst for worst in WORST_FIRST if worst in found), "not decided")
        but = _but(claim, measure) if verdict.startswith(("holds", "shown")) else ""
        worded = word_claim(claim["comparisons"])
        for compared, own, decided, said in zip(
            claim["comparisons"], measured, found, worded, strict=True
        ):
            rows.append(
                _about(claim)
                | {"estimator": estimator, "but": but}
                | {"verdict": verdict, "comparison_verdict": decided}
                | {"meaning": meaning(verdict, claim.get("means", ""))}
                | _row(compared, own)
                | {"left_words": said.left, "right_words": said.right, "unit": said.unit}
                | {"paper_numbers": _paper_says(compared, values)}
            )
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def _results(published: Sequence[Mapping]) -> list[Mapping]:
    return [entry for entry in published if entry.get("quantity") is not None]


def _about(claim: Mapping) -> dict:
    return {
        **{name: claim[name] for name in ("id", "where", "text")},
        **{name: claim.get(name, "") for name in ("kind", "expected_at", "quote", "refuted_by")},
        "shown": SHOWN if claim.get("shown", True) else NOT_SHOWN,
    }


def _but(claim: Mapping, measure: Measure) -> str:
    """What holds besides, whatever the number of trainings."""
    found = [(entry["text"], _measured(entry, measure)) for entry in claim.get("but", [])]
    return "; ".join(text for text, own in found if own.holds)


class Measured(NamedTuple):
    """Both sides of a comparison, their difference, and its excess over the margin."""

    left: Estimate
    right: Estimate
    difference: Estimate
    excess: float
    margin: float
    within: bool

    @property
    def holds(self) -> bool:
        return _holds(self.excess, self.difference.half_width(), self.within)

    @property
    def fewest_trainings(self) -> int:
        """Of all models in it; LEAST_TRAININGS if there is none."""
        return min(self.difference.trainings.values(), default=LEAST_TRAININGS)


# Signed difference of left and right in the direction that the claim asserts.
SIGNED = {
    ">": lambda difference: difference,
    "<": lambda difference: 0.0 - difference,
    "within": lambda difference: 0.0 - abs(difference),
}


def _measured(comparison: Mapping, measure: Measure) -> Measured:
    relation = comparison["relation"]
    if relation not in SIGNED:
        raise UserError(f"relation {relation!r} is unknown; there are {', '.join(SIGNED)}")
    left, right = measure(comparison["left"]), measure(comparison["right"])
    difference, margin = left - right, _margin(comparison)
    excess = SIGNED[relation](difference.value) - margin
    return Measured(left, right, difference, excess, margin, relation == "within")


def _margin(comparison: Mapping) -> float:
    within = comparison["relation"] == "within"
    return -comparison["tolerance"] if within else comparison.get("margin", 0.0)


def _decide(measured: Sequence[Measured]) -> list[str]:
    """Verdict on each comparison of a claim."""
    failing, verdicts = _failing(measured), []
    for k, own in enumerate(measured):
        few = FEW.get(own.fewest_trainings)
        if few:
            verdicts.append(f"shown by {few}" if own.holds else f"not shown by {few}")
        else:
            verdicts.append("holds" if own.holds else "fails" if k in failing else "not decided")
    return verdicts


def _holds(excess: float, error: float, within: bool) -> bool:
    return excess > error or (within and excess == error)


def _failing(measured: Sequence[Measured]) -> set[int]:
    """Comparisons that fail at LEVEL, all together (Holm 1979)."""
    below = [k for k, own in enumerate(measured) if own.excess < 0]
    below.sort(key=lambda k: measured[k].difference.p_value(measured[k].excess))
    failing: set[int] = set()
    for rank, k in enumerate(below):
        level = LEVEL / (len(measured) - rank)
        if not measured[k].excess < -measured[k].difference.half_width(level):
            break
        failing.add(k)
    return failing


def _row(comparison: Mapping, own: Measured) -> dict:
    names = [quantity_name(comparison[side]) for side in ("left", "right")]
    relation = f"within {-own.margin:g} of" if own.within else comparison["relation"]
    low, high = own.difference.interval
    return {
        "comparison": f"{names[0]} {relation} {names[1]}",
        "relation": comparison["relation"],
        "left": own.left.value,
        "right": own.right.value,
        "excess": own.excess,
        "margin": own.margin,
        "difference": own.difference.value,
        "low": low,
        "high": high,
        "std_error": own.difference.std_error,
        "degrees_of_freedom": own.difference.degrees_of_freedom,
        "p_value": own.difference.p_value(own.excess),
        "trainings": _listed(own.difference.trainings),
        "images": _listed(own.difference.images),
    }


def _listed(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{name}: {n}" for name, n in counts.items())


def _paper_says(comparison: Mapping, values: Mapping[str, float]) -> str:
    left, right = (_published_value(comparison[side], values) for side in ("left", "right"))
    if left is None or right is None:
        return "not printed"
    relation = comparison["relation"]
    excess = SIGNED[relation](left - right) - _margin(comparison)
    return "hold" if _holds(excess, 0.0, relation == "within") else "fail"


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


def count_verdicts(verdicts: pd.Series) -> str:
    """How many claims have each verdict, in one line, from one verdict for each claim.

    >>> count_verdicts(pd.Series(["holds", "shown by one training", "holds"]))
    'holds 2, fails 0, not decided 0, shown by one training 1'
    """
    found = verdicts.value_counts()
    listed = [v for v in VERDICTS if v in VERDICTS[:3] or v in found]
    return ", ".join(f"{verdict} {found.get(verdict, 0)}" for verdict in listed)


def expected_false(verdicts: pd.Series) -> str:
    """How many verdicts are expected to be false by chance, from one for each claim.

    A claim that does not hold gets *holds* with a probability of at most LEVEL / 2; one
    that holds gets *fails* with at most LEVEL / 2, by Holm's method over its comparisons.
    A claim at its margin may get both. So LEVEL for each is an upper bound; probabilities
    add up however the claims depend on one another.

    >>> expected_false(pd.Series(["holds", "not decided", "shown by one training"]))[:57]
    'Of 2 claims tested at a level of 5 %, 1 were decided; at '
    """
    tested = verdicts.isin(VERDICTS[:3]).sum()
    decided = verdicts.isin(VERDICTS[:2]).sum()
    return (
        f"Of {tested} claims tested at a level of {LEVEL:.0%}, {decided} were decided; "
        f"at most about {min(LEVEL * tested, decided):.1f} of these verdicts are expected to be "
        "false by chance."
    ).replace("%", " %")


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

    Returns:
        For a result also its quantity in ``words`` without the model, and that.

    Raises:
        UserError: a setting that is not among the settings.
    """
    rows = []
    for entry in published:
        about = {name: entry.get(name, "") for name in ("id", "where", "unit")}
        if entry.get("quantity") is not None:
            quantity = entry["quantity"]
            named = {"words": words(quantity, {}), "model": quantity.get("model", "")}
            rows.append(about | named | _result(entry, measure))
        elif "setting" in entry:
            rows.append(about | _setting(entry, settings or {}))
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)


def _result(entry: Mapping, measure: Measure) -> dict:
    ours = measure(entry["quantity"])
    if str(entry["quantity"].get("column", "")).endswith("_index"):
        return _index(entry, ours)
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


def _index(entry: Mapping, ours: Estimate) -> dict:
    """An index of each training: their mean is no index."""
    found = ours.by_training(entry["quantity"]["model"])
    return {
        "kind": "index",
        "quantity": quantity_name(entry["quantity"]),
        "paper": entry["value"],
        "ours": ", ".join(f"{index:.0f}" for index in found),
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
