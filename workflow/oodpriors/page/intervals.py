"""Where a value, its interval and the threshold are drawn: places between 0 and 100.

The value is the left side of a comparison with a number, and else the difference of both sides.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from oodpriors.tables.measured import plain_number

ROOM = 0.12  # of the span, left and right of all that is drawn


class Threshold(NamedTuple):
    """A value that is compared with, and its place."""

    value: float
    place: float


class Interval(NamedTuple):
    """A value with its interval, on an axis from 0 to 100.

    Attributes:
        value: its place.
        low, high: places of the ends of its interval; those of an end that is unknown or
            infinite are 0 and 100.
        thresholds: one, or two if the sides shall be equal.
        supported: from where to where the claim is supported.
    """

    value: float
    low: float
    high: float
    thresholds: tuple[Threshold, ...]
    supported: tuple[float, float]


def constant(row: Mapping) -> float | None:
    """The number on the right side; None if something measured is there."""
    return None if plain_number(row["right_words"]) is None else float(row["right"])


def shift(row: Mapping) -> float:
    """What the drawn value is above the difference."""
    return constant(row) or 0.0


def thresholds_of(row: Mapping) -> tuple[float, ...]:
    """What the value must exceed, stay below, or stay between."""
    margin, start, kind = float(row["margin"]), shift(row), row["relation"]
    if kind == "within":
        return (start + margin, start - margin)
    return (start + margin,) if kind == ">" else (start - margin,)


def needed(row: Mapping) -> str:
    """What the value must be, in words.

    >>> needed({"relation": "within", "margin": -3.0, "right_words": "1", "right": 1.0})
    'between -2 and 4'
    """
    values = [f"{value:,.4g}" for value in thresholds_of(row)]
    words = {">": "above {}", "<": "below {}", "within": "between {} and {}"}
    return words[row["relation"]].format(*values)


def interval_of(row: Mapping) -> Interval | None:
    """Places of a comparison, a row of claims.csv; None if there is no difference."""
    value, low, high = (float(row[name]) + shift(row) for name in ("difference", "low", "high"))
    if not np.isfinite(value):
        return None
    limits = thresholds_of(row)
    marks = np.array([value, *limits, *(end for end in (low, high) if np.isfinite(end))])
    span = np.ptp(marks) or 1.0
    start, size = marks.min() - ROOM * span, (1 + 2 * ROOM) * span

    def place(at: float) -> float:
        return round(float(100 * (at - start) / size), 2)

    drawn = tuple(Threshold(limit, place(limit)) for limit in limits)
    supported = {
        ">": (drawn[0].place, 100.0),
        "<": (0.0, drawn[0].place),
        "within": (drawn[0].place, drawn[-1].place),
    }
    return Interval(
        place(value),
        place(low) if np.isfinite(low) else 0.0,
        place(high) if np.isfinite(high) else 100.0,
        drawn,
        supported[row["relation"]],
    )
