"""Means by the distance of components (Figure 6)."""

from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.statistics.estimates import Estimate, ScoreTable
from oodpriors.tables.cells import with_interval

Measure = Callable[[Mapping], Estimate]


CURVE_STATISTICS = {
    "mean_ood": ("mean", "ood"),
    "mean_test": ("mean", "test"),
    "auroc": ("auroc", "ood"),
}
REFINED = "_refined"  # ends the names of columns with refined posteriors


def curve_table(
    curves: Mapping[str, Mapping],
    scores: Mapping[str, ScoreTable],
    titles: Mapping,
    measure: Measure,
) -> pd.DataFrame:
    """A row per model of each curve.

    Args:
        curves: ``title``, ``component`` (its kind) and ``models``, pairs of a distance and a
            model's name.
        scores: by model.
        titles: names to show of models (architectures).
        measure: gives the estimate of a quantity.

    Returns:
        Means and AUROC with intervals of 95 %, with refined posteriors too where there
        are any; ``midpoint_charge`` = d² / 8, what a Gaussian prior charges a point midway
        between two components (nats); and ``turning_distance``, where the AUROC reaches 0.5
        (NaN if it does not).
    """
    rows = []
    for name, curve in curves.items():
        turning = measure({"curve": name, "function": "turning_distance", "statistic": "auroc"})
        for distance, model in curve["models"]:
            row = {
                "curve": name,
                "curve_title": curve["title"],
                "architecture": titles["models"][model.split("/")[0]],
                "component": curve["component"],
                "model": model,
                "distance": distance,
                "midpoint_charge": distance**2 / 8,
            }
            row |= _heights(model, "", measure)
            row |= _heights(model, REFINED, measure) if scores[model].refined else {}
            rows.append(row | with_interval("turning_distance", turning))
    return pd.DataFrame(rows)


def _heights(model: str, suffix: str, measure: Measure) -> dict:
    row: dict = {}
    for name, (statistic, which) in CURVE_STATISTICS.items():
        about = {"model": model, "set": which, "column": f"log_prob{suffix}"}
        row |= with_interval(name + suffix, measure({**about, "statistic": statistic}))
    return row
