"""What a comparison measured and what it needed, in a line for readers.

Behind ± is half the interval of 95 %, which the verdict used.
"""

import re
from decimal import Decimal

import pandas as pd

# A number from here on has so many decimals; a whole one has none.
FACTORS = (
    (100, 0),
    (10, 1),
    (0.1, 2),
    (0.001, 3),
)


def number(value: float) -> str:
    """A number with the digits that its size asks for.

    >>> ", ".join(map(number, (-2449.04, 16.42, 0.4701, 3e-7, 0.0, float("nan"))))
    '-2,449, 16.4, 0.47, 3.0e-07, 0, undefined'
    """
    if pd.isna(value):
        return "undefined"
    if float(value).is_integer():
        return f"{value:,.0f}"
    digits = next((d for least, d in FACTORS if abs(value) >= least), None)
    return f"{value:.1e}" if digits is None else f"{value:,.{digits}f}"


def significant(value: float, digits: int) -> str:
    """A number with so many digits; large ones are written out.

    >>> significant(123.456, 2), significant(-123456.7, 4), significant(2.8e-16, 4)
    ('120', '-123,500', '2.8e-16')
    """
    short = f"{value:,.{digits}g}"
    return f"{Decimal(f'{value:.{digits}g}'):,f}" if "e+" in short else short


def measured(row: pd.Series) -> str:
    """A comparison, a row of claims.csv: both sides, the error and what was needed."""
    unit = f" {row['unit']}" if _is_text(row["unit"]) else ""
    half = _error((row["high"] - row["low"]) / 2)
    left = _side(row["left_words"], row["left"])
    if plain_number(row["right_words"]) is not None:
        return f"{left}{half}{unit}, needed {_needed(row, row['right'])}"
    right = _side(row["right_words"], row["right"])
    difference = f"difference {number(row['difference'])}{half}"
    return f"{left}, {right}{unit}: {difference}, needed {_needed(row, 0.0)}"


def _is_text(value) -> bool:
    return isinstance(value, str) and bool(value)


def _error(half: float) -> str:
    return "" if pd.isna(half) or half == 0 else f" ± {number(half)}"


def _side(words, value: float) -> str:
    return number(value) if plain_number(words) is not None else f"{words} {number(value)}"


def plain_number(words) -> float | None:
    """The value of a side that is no measurement but a number, else None."""
    try:
        return float(str(words).replace(",", ""))
    except ValueError:
        return None


def _needed(row: pd.Series, limit: float) -> str:
    """What the left side, or the difference, had to be."""
    if row["relation"] == "within":
        return f"within {-row['margin']:,g} of {limit:,g}"
    signed = row["margin"] if row["relation"] == ">" else -row["margin"]
    return f"{row['relation']} {limit + signed:,g}"


def trained(row: pd.Series) -> str:
    """How many trainings of each model a comparison rests on.

    >>> trained(pd.Series({"trainings": "vae/a/b: 3; vae/a/c: 5"}))
    '3 to 5 trainings'
    """
    text = row["trainings"] if _is_text(row["trainings"]) else ""
    counts = sorted({int(found) for found in re.findall(r": (\d+)(?:;|$)", text)})
    if not counts:
        return "no training"
    if counts == [1]:
        return "1 training"
    return f"{' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} trainings"
