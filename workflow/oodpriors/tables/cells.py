"""Columns and cells that several tables share."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from oodpriors.io.tables import read_csv
from oodpriors.statistics.estimates import Estimate, ScoreTable

# Columns of text; in all others, what looks like a number is one.
TEXTS = (
    *("model", "architecture", "prior", "training_data", "out_of_distribution", "uni", "multi"),
    *("curve", "curve_title", "component"),
)


def read_table(path: Path | str) -> pd.DataFrame:
    """A stored table; its texts are as they were written, ``NA`` and ``075`` among them."""
    types = dict.fromkeys(TEXTS, str)
    return read_csv(path, dtype=types, keep_default_na=False, na_values=[""])


def about_model(name: str, table: ScoreTable, titles: Mapping, which: str = "ood") -> dict:
    """Names of a model and of the images in and out of distribution (a set), and numbers."""
    return {
        **names_of(name, table.images[which].split(".")[0], titles),
        "seeds": len(table.tables),
        "n_test": table.size("test"),
        "n_ood": table.size(which),
    }


def names_of(model: str, other: str, titles: Mapping) -> dict:
    """Names of a model, of its training data and of another subset, as they are shown."""
    architecture, subset, prior = model.split("/")
    return {
        "architecture": titles["models"][architecture],
        "prior": titles["priors"][prior],
        "training_data": titles["subsets"][subset],
        "out_of_distribution": titles["subsets"][other],
    }


def with_interval(name: str, found: Estimate) -> dict:
    low, high = found.interval
    return {name: found.value, f"{name}_low": low, f"{name}_high": high}


def with_error(value: pd.Series, error: pd.Series) -> list[str]:
    return cells(value, error, digits=1)


def interval(table: pd.DataFrame, name: str) -> list[str]:
    columns = (table[name], table[f"{name}_low"], table[f"{name}_high"])
    return [or_dash(v, f"{v:.2f} [{a:.2f}, {b:.2f}]") for v, a, b in zip(*columns, strict=True)]


def or_dash(value: float, text: str) -> str:
    return "–" if pd.isna(value) else text


def to_html(table: pd.DataFrame) -> str:
    """A table as a page of its own, for the report."""
    style = (
        "body{font-family:sans-serif;font-size:14px}table{border-collapse:collapse}"
        "th,td{padding:.3em .7em;text-align:left;border-bottom:1px solid #ccc}"
    )
    body = table.to_html(index=False, border=0)
    return f"<!doctype html><meta charset='utf-8'><style>{style}</style>{body}\n"


Published = Sequence[Mapping]


def cells(values: pd.Series, errors: pd.Series | None = None, digits: int = 2) -> list[str]:
    errors = pd.Series([float("nan")] * len(values)) if errors is None else errors
    return [_cell(v, e, digits) for v, e in zip(values, errors, strict=True)]


def _cell(value: float, error: float, digits: int) -> str:
    if pd.isna(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text if pd.isna(error) else f"{text} ± {error:,.{digits}f}"
