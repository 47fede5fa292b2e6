"""The tables of the document by their kind: what goes in, and how it is printed."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from oodpriors.claims import quantity_name
from oodpriors.tables import (
    DECOMPOSITION_NOTE,
    likelihood_table,
    show_decomposition,
    show_likelihoods,
    show_ranking,
)

__all__ = ["NOTES", "make_table", "show_table"]

Published = Sequence[Mapping]
PREDICTIONS = ("equation_7", "jacobian_diagonal", "jacobian")

NOTES = {
    "ranking": (
        "Out of distribution is the positive class and -log p the score; AUPR: average precision; "
        "FPR95: share of the test images that are called out of distribution where 95 % of those "
        "out of distribution are. Intervals of 95 % from the bootstrap."
    ),
    "decomposition": DECOMPOSITION_NOTE,
    "toy": "Exact: of the mixture itself, in closed form and by quadrature; nats per point.",
    "second_order": (
        "Nats per image, q being MNIST. Equation 7: from the products of the 1 × 1 convolutions; "
        "Jacobian: from the exact Jacobian at the mean images, with pixels taken as uncorrelated "
        "(diagonal) or not."
    ),
    "architecture": (
        "Kernel, stride, channels and padding as built; in brackets the paper's where it differs."
    ),
}


def make_table(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Content of a table of the configuration, from what was stored for its kind.

    Args:
        entry: of the configuration.
        source: the statistics of the kind.
        published: the paper's numbers.
    """
    return MAKERS.get(entry["kind"], _as_it_is)(entry, source, published)


def _as_it_is(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    return source


def _likelihoods(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    return likelihood_table(source, entry["models"], published)


def _decomposition(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    wanted = [tuple(pair) for pair in entry["pairs"]]
    chosen = [pair in wanted for pair in zip(source["uni"], source["multi"], strict=True)]
    return source[chosen].reset_index(drop=True)


def _toy(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    results = [number for number in published if number.get("quantity") is not None]
    printed = {quantity_name(number["quantity"]): number["value"] for number in results}
    table = source.copy()
    for which in ("test", "ood"):
        names = [
            quantity_name({"model": model, "statistic": "mean", "set": which})
            for model in source["model"]
        ]
        table[f"paper_{which}"] = [printed.get(name) for name in names]
    return table


def _second_order(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    rows = []
    for model in entry["models"]:
        row = {"model": model}
        for name in ("measured", *PREDICTIONS):
            value, *replicates = source.sort_values("replicate")[f"{model}/{name}"]
            row |= {name: value, f"{name}_std_error": pd.Series(replicates).std()}
        rows.append(row)
    return pd.DataFrame(rows)


MAKERS: dict[str, Callable] = {
    "likelihoods": _likelihoods,
    "decomposition": _decomposition,
    "toy": _toy,
    "second_order": _second_order,
}


def show_table(kind: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table of a kind as it is printed."""
    return SHOWS[kind](table)


def _cells(values: pd.Series, errors: pd.Series | None = None, digits: int = 2) -> list[str]:
    errors = pd.Series([float("nan")] * len(values)) if errors is None else errors
    return [_cell(v, e, digits) for v, e in zip(values, errors, strict=True)]


def _cell(value: float, error: float, digits: int) -> str:
    if pd.isna(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text if pd.isna(error) else f"{text} ± {error:,.{digits}f}"


def _show_toy(table: pd.DataFrame) -> pd.DataFrame:
    shown = {"Dimensions": table["dim"].astype(str), "Prior": table["prior"]}
    for which, word in (("test", "in"), ("ood", "out")):
        shown[f"Paper: mean {word}"] = _cells(table[f"paper_{which}"])
        mean, error = table[f"mean_{which}"], table[f"mean_{which}_std_error"]
        shown[f"Mean {word}"] = _cells(mean, error)
        shown[f"Exact {word}"] = _cells(table[f"exact_{which}"])
    return pd.DataFrame(shown | {"AUROC": _cells(table["auroc"], digits=3)})


def _show_second_order(table: pd.DataFrame) -> pd.DataFrame:
    names = {
        "measured": "Measured",
        "equation_7": "Equation 7",
        "jacobian_diagonal": "Jacobian, diagonal",
        "jacobian": "Jacobian",
    }
    columns = {
        shown: _cells(table[name], table[f"{name}_std_error"], 0) for name, shown in names.items()
    }
    return pd.DataFrame({"Model": table["model"], **columns})


def _show_architecture(table: pd.DataFrame) -> pd.DataFrame:
    shown = {"Part": table["part"], "Operation": table["operation"].fillna("–")}
    for name in ("kernel", "stride", "channels", "pad"):
        cells = zip(table[name], table[f"paper_{name}"], strict=True)
        shown[name.capitalize()] = [_beside(ours, paper) for ours, paper in cells]
    return pd.DataFrame(
        shown
        | {"Output": table["output"].fillna("–")}
        | {"Batch norm": ["yes" if n is True or n == "True" else "" for n in table["norm"]]}
        | {"Differs": ["yes" if isinstance(d, str) and d else "" for d in table["differs"]]}
    )


def _beside(ours: float, paper: float) -> str:
    mine, theirs = ("–" if pd.isna(value) else f"{value:.0f}" for value in (ours, paper))
    return mine if mine == theirs else f"{mine} ({theirs})"


SHOWS: dict[str, Callable] = {
    "likelihoods": show_likelihoods,
    "ranking": show_ranking,
    "decomposition": show_decomposition,
    "toy": _show_toy,
    "second_order": _show_second_order,
    "architecture": _show_architecture,
}
