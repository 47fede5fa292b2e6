"""Similarity of a model's decoded images to the data, over its seeds (Appendix D)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from oodpriors.statistics.bootstrap import multiplicities
from oodpriors.statistics.estimates import Estimate, over_trainings


def analyse(
    files: Mapping, runs: Sequence[tuple[str, int]], entry: Mapping, n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """See :class:`oodpriors.kinds.analyses.AnalysisKind`."""
    tables: dict[str, list] = {}
    for (model, _), path in zip(runs, files["tables"], strict=True):
        tables.setdefault(model, []).append(pd.read_csv(path))
    return likeness_estimates(tables, n_bootstrap, seed)


def likeness_estimates(
    tables: Mapping[str, Sequence[pd.DataFrame]], n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """Summarise :func:`~oodpriors.scoring.decoding.compare_decoded` by model, over its seeds.

    Args:
        tables: tables by model, one per seed.
        n_bootstrap: number of replicates, over samples.
        seed: seed of the bootstrap.

    Returns:
        ``<model>/mean_percentile`` and ``<model>/sample_percentile``, the mean
        percentile of mean images and of samples; with several components also
        ``<model>/own_ratio``: the distance of a mean image to the mean training image of
        its component, divided by the distance to the nearest other one (the largest).
    """
    estimates = {}
    for model, own in tables.items():
        rows = [_likeness(table, n_bootstrap, seed) for table in own]
        for name in rows[0]:
            images = {"samples": _n_samples(own)} if name == "sample_percentile" else {}
            found = over_trainings([row[name] for row in rows], model, images)
            estimates[f"{model}/{name}"] = found
    return estimates


def _n_samples(tables: Sequence[pd.DataFrame]) -> int:
    return min(int((table["kind"] == "sample").sum()) for table in tables)


def _likeness(table: pd.DataFrame, n_bootstrap: int, seed: int) -> dict[str, np.ndarray]:
    means, samples = (table[table["kind"] == kind] for kind in ("mean", "sample"))
    weights = multiplicities("samples", len(samples), n_bootstrap, seed)
    found = {
        "mean_percentile": np.array([means["percentile"].mean()]),
        "sample_percentile": weights @ samples["percentile"].to_numpy() / len(samples),
    }
    if len(means) > 1:
        found["own_ratio"] = np.array([_own_ratio(means)])
    return found


def _own_ratio(means: pd.DataFrame) -> float:
    distances = means.filter(regex=r"^distance_\d+$").to_numpy()
    own = np.diag(distances).copy()
    np.fill_diagonal(distances, np.inf)
    return float((own / distances.min(1)).max())
