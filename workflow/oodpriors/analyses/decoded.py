"""Similarity of a model's decoded images to the data, over its seeds (Appendix D)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from oodpriors.data.datasets import load_arrays
from oodpriors.data.subsets import drawn, flat
from oodpriors.io.files import load_yaml
from oodpriors.io.tables import read_csv
from oodpriors.statistics.bootstrap import multiplicities
from oodpriors.statistics.estimates import Estimate, over_trainings


def analyse(
    files: Mapping, runs: Sequence[tuple[str, int]], entry: Mapping, n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """See :class:`oodpriors.kinds.analyses.AnalysisKind`."""
    tables: dict[str, list] = {model: [] for model, _ in runs}
    blank: dict[str, list] = {model: [] for model, _ in runs}
    paths = dict(zip(tables, files["arrays"], strict=True))
    images = {model: load_arrays(path)["images"] / 255 for model, path in paths.items()}
    for (model, _), table, spec in zip(runs, files["tables"], files["specs"], strict=True):
        learnt = training_images(images[model], load_yaml(spec))
        tables[model].append(read_csv(table))
        blank[model].append(blank_distance(learnt))
    return likeness_estimates(tables, blank, n_bootstrap, seed)


def training_images(images: np.ndarray, spec: Mapping) -> np.ndarray:
    """Those of a subset's images that a model with this specification learnt."""
    return images[drawn(len(images), spec["images"], spec["seed"])]


def blank_distance(train: np.ndarray) -> float:
    """Squared distance of a black image to the nearest training image, (N, ...) in [0, 1]."""
    return float((flat(train) ** 2).sum(1).min())


def likeness_estimates(
    tables: Mapping[str, Sequence[pd.DataFrame]],
    blank: Mapping[str, Sequence[float]],
    n_bootstrap: int,
    seed: int,
) -> dict[str, Estimate]:
    """Summarise :func:`~oodpriors.scoring.decoding.compare_decoded` by model, over its seeds.

    Args:
        tables: tables by model, one per seed.
        blank: :func:`blank_distance` by model, one per seed.
        n_bootstrap: number of replicates, over samples.
        seed: seed of the bootstrap.

    Returns:
        ``<model>/mean_percentile`` and ``<model>/sample_percentile``, the mean
        percentile of mean images and of samples; ``<model>/blank_ratio``, the distance of
        the mean images to the nearest training image, divided by that of a black image
        (dark data have an image near black, so a blank image has a low percentile); with several
        components also ``<model>/own_ratio``: the distance of a mean image to the mean training
        image of its component, divided by the distance to the nearest other one (the largest).
    """
    estimates = {}
    for model, own in tables.items():
        pairs = zip(own, blank[model], strict=True)
        rows = [_likeness(table, black, n_bootstrap, seed) for table, black in pairs]
        for name in rows[0]:
            images = {"samples": _n_samples(own)} if name == "sample_percentile" else {}
            found = over_trainings([row[name] for row in rows], model, images)
            estimates[f"{model}/{name}"] = found
    return estimates


def _n_samples(tables: Sequence[pd.DataFrame]) -> int:
    return min(int((table["kind"] == "sample").sum()) for table in tables)


def _likeness(
    table: pd.DataFrame, blank: float, n_bootstrap: int, seed: int
) -> dict[str, np.ndarray]:
    means, samples = (table[table["kind"] == kind] for kind in ("mean", "sample"))
    weights = multiplicities("samples", len(samples), n_bootstrap, seed)
    found = {
        "mean_percentile": np.array([means["percentile"].mean()]),
        "blank_ratio": np.array([np.sqrt(means["nearest_distance"].mean() / blank)]),
        "sample_percentile": weights @ samples["percentile"].to_numpy() / len(samples),
    }
    distances = means.filter(regex=r"^distance_\d+$").to_numpy()
    if len(means) > 1 and distances.shape[1] == len(means):  # else no images were assigned
        found["own_ratio"] = np.array([_own_ratio(distances)])
    return found


def _own_ratio(distances: np.ndarray) -> float:
    own = np.diag(distances).copy()
    np.fill_diagonal(distances, np.inf)
    return float(np.sqrt((own / distances.min(1)).max()))  # stored distances are squared
