"""Means of the toy flows (Section 3.1, Appendix C)."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.statistics.claims import quantity_name
from oodpriors.statistics.estimates import ScoreTable
from oodpriors.tables.cells import Published, cells, interval, with_interval
from oodpriors.tables.curves import Measure


def make_toy(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
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


def show_toy(table: pd.DataFrame) -> pd.DataFrame:
    shown: dict = {"Dimensions": table["dim"].astype(str), "Prior": table["prior"]}
    for which, word in (("test", "in"), ("ood", "out")):
        shown[f"Paper: mean {word}"] = cells(table[f"paper_{which}"])
        mean, error = table[f"mean_{which}"], table[f"mean_{which}_std_error"]
        shown[f"Mean {word}"] = cells(mean, error)
        shown[f"Exact {word}"] = cells(table[f"exact_{which}"])
    return pd.DataFrame(shown | {"AUROC": interval(table, "auroc")})


def toy_table(toys: Mapping[str, ScoreTable], titles: Mapping, measure: Measure) -> pd.DataFrame:
    """A row per toy flow: its mean log-likelihoods and the exact ones of the mixture.

    Args:
        toys: scores by model, ``toy/mixture_<dim>/<prior>``.
        titles: names to show of priors.
        measure: gives the estimate of a quantity, the stored ``exact_test`` and
            ``exact_ood`` of each model among them.
    """
    rows = []
    for name, table in toys.items():
        _, mixture, prior = name.split("/")
        row = {"model": name, "dim": int(mixture.split("_")[-1]), "prior": titles["priors"][prior]}
        row |= {"points": table.size("test"), "seeds": len(table.tables)}
        for which in ("test", "ood"):
            mean = measure({"model": name, "statistic": "mean", "set": which})
            row |= {f"mean_{which}": mean.value, f"mean_{which}_std_error": mean.std_error}
            row[f"exact_{which}"] = measure({"stored": f"toy/{name}/exact_{which}"}).value
        area = measure({"model": name, "statistic": "auroc"})
        rows.append(row | with_interval("auroc", area))
    return pd.DataFrame(rows)
