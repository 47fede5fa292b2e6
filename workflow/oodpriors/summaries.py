"""Means by the distance of components (Figure 6) and of the toy flows (Section 3.1)."""

from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.statistics import Estimate, ScoreTable

__all__ = ["curve_table", "toy_table"]

Measure = Callable[[Mapping], Estimate]
CURVE_STATISTICS = {
    "mean_ood": ("mean", "ood"),
    "mean_test": ("mean", "test"),
    "auroc": ("auroc", "ood"),
}


def curve_table(curves: Mapping[str, Mapping], titles: Mapping, measure: Measure) -> pd.DataFrame:
    """A row per model of each curve.

    Args:
        curves: ``title`` and ``models``, pairs of a distance and a model's name.
        titles: names to show of models (architectures).
        measure: gives the estimate of a quantity.

    Returns:
        Means and AUROC with intervals of 95 %, ``midpoint_charge`` = d² / 8, what a
        Gaussian prior charges a point midway between two components (nats), and
        ``turning_distance``, where the AUROC reaches 0.5.
    """
    rows = []
    for name, curve in curves.items():
        turning = measure({"curve": name, "function": "turning_distance", "statistic": "auroc"})
        for distance, model in curve["models"]:
            architecture = titles["models"][model.split("/")[0]]
            row = {
                "curve": name,
                "curve_title": curve["title"],
                "architecture": architecture,
                "component": curve["title"].removeprefix(f"{architecture}, "),
                "model": model,
                "distance": distance,
                "midpoint_charge": distance**2 / 8,
            }
            for column, (statistic, which) in CURVE_STATISTICS.items():
                found = measure({"model": model, "statistic": statistic, "set": which})
                row |= _with_interval(column, found)
            rows.append(row | _with_interval("turning_distance", turning))
    return pd.DataFrame(rows)


def _with_interval(name: str, found: Estimate) -> dict[str, float]:
    low, high = found.interval
    return {name: found.value, f"{name}_low": low, f"{name}_high": high}


def toy_table(toys: Mapping[str, ScoreTable], titles: Mapping, measure: Measure) -> pd.DataFrame:
    """A row per toy flow: its mean log-likelihoods beside the exact ones of the mixture.

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
        rows.append(row | _with_interval("auroc", area))
    return pd.DataFrame(rows)
