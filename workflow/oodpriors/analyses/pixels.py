"""Variances of pixels, the subject of Section 3.2's analysis (Figures 7 and 13)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from oodpriors.data.subsets import flat
from oodpriors.statistics.bootstrap import multiplicities
from oodpriors.statistics.estimates import Estimate, over_trainings


def mean_squared_distance(
    images: np.ndarray, centres: np.ndarray, nearest: np.ndarray
) -> np.ndarray:
    r"""Per-pixel mean squared distance to the mean image of each image's component, (K, D).

    The empirical :math:`\sigma^2_{\mathcal{D}_i, h, w, c}` of Section 3.2; NaN for a
    component without images.

    Args:
        images: (N, ...) in [0, 1].
        centres: mean images of the K components, (K, ...) in [0, 1].
        nearest: component of each image, (N,).
    """
    squares = (flat(images) - flat(centres)[nearest]) ** 2
    groups = [squares[nearest == k] for k in range(len(centres))]
    empty = np.full(squares.shape[1], np.nan)
    return np.stack([group.mean(0) if len(group) else empty for group in groups])


def compare_pixels(
    images: Mapping[str, np.ndarray], centres: np.ndarray, nearest: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Compute the data of Figure 7 for the sets ``test`` and ``ood``, a row per pixel.

    Args:
        images: images of both sets, (N, ...) in [0, 1].
        centres: mean images of the components.
        nearest: component of each image of both sets.

    Returns:
        ``pixel``, ``distance_<set>_<k>`` (see :func:`mean_squared_distance`) and
        ``variance_<set>``.
    """
    columns = {"pixel": np.arange(centres[0].size)}
    for name, pictures in images.items():
        distances = mean_squared_distance(pictures, centres, nearest[name])
        columns |= {f"distance_{name}_{k}": row for k, row in enumerate(distances)}
        columns[f"variance_{name}"] = flat(pictures).var(0)
    return pd.DataFrame(columns)


def pixel_estimates(
    images: Mapping[str, np.ndarray], n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """Compare the per-pixel variances of ``ood`` with those of ``test`` (Figure 7c).

    Returns:
        ``lower_fraction``, the share of pixels at which ``ood`` has the smaller variance;
        ``median_difference`` and ``sum_difference`` of the variances, ``ood`` minus
        ``test``. The bootstrap is over images.
    """
    test, ood = (
        _variances(flat(images[name]), multiplicities(name, len(images[name]), n_bootstrap, seed))
        for name in ("test", "ood")
    )
    compared = {
        "lower_fraction": (ood < test).mean(1),
        "median_difference": np.median(ood, 1) - np.median(test, 1),
        "sum_difference": (ood - test).sum(1),
    }
    sizes = {name: len(images[name]) for name in ("test", "ood")}
    return {name: Estimate.of(row, sizes) for name, row in compared.items()}


def equation_2_estimates(
    images: Mapping[str, np.ndarray],
    centres: np.ndarray,
    nearest: Mapping[str, np.ndarray],
    model: str,
    n_bootstrap: int,
    seed: int,
) -> dict[str, Estimate]:
    r"""The sums over pixels and components in Equation 2, without the model's weights.

    Args:
        images: images of the sets ``test`` and ``ood``, (N, ...) in [0, 1].
        centres: mean images of the components.
        nearest: component of each image of both sets.
        model: name of the model, of which one training gave centres and components.
        n_bootstrap: number of replicates, over images.
        seed: seed of the bootstrap.

    Returns:
        ``equation_2_sum``, :math:`\sum_{h,w} \sum_i (w_i \sigma^2_{D_i} - w_i^* \sigma^2_{D_i^*})`;
        a positive sum predicts a lower likelihood out of distribution.
    """
    means = {}
    for name in ("test", "ood"):
        squares = ((flat(images[name]) - flat(centres)[nearest[name]]) ** 2).sum(1)
        weights = multiplicities(name, len(squares), n_bootstrap, seed)
        means[name] = weights @ squares / len(squares)
    sizes = {name: len(images[name]) for name in means}
    return {"equation_2_sum": over_trainings([means["ood"] - means["test"]], model, sizes)}


def _variances(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Per-pixel variance in each resample: (N, D), (R, N) -> (R, D)."""
    with np.errstate(invalid="ignore"):  # a resample may contain no image of a small cluster
        weights = weights / weights.sum(1, keepdims=True)
    return weights @ x**2 - (weights @ x) ** 2


def cluster_variances(images: np.ndarray, labels: np.ndarray, clusters: np.ndarray) -> pd.DataFrame:
    """Per-dimension variance of each cluster and of its whole label (Figure 13).

    Args:
        images: (N, ...) in [0, 1].
        labels: (N,).
        clusters: number of the k-means cluster within the label, (N,).

    Returns:
        ``label``, ``cluster`` (a number, or ``all``), ``dimension`` and ``variance``.
    """
    tables = []
    for label in np.unique(labels):
        own = labels == label
        groups = {"all": own} | {str(c): own & (clusters == c) for c in np.unique(clusters[own])}
        for name, chosen in groups.items():
            variance = flat(images[chosen]).var(0)
            table = {"label": label, "cluster": name, "dimension": np.arange(len(variance))}
            tables.append(pd.DataFrame(table | {"variance": variance}))
    return pd.concat(tables, ignore_index=True)


def variance_estimates(
    images: np.ndarray, labels: np.ndarray, clusters: np.ndarray, n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """``ratio_<label>_<cluster>``: mean variance of the cluster over that of its label.

    The bootstrap is over images, with fixed centres. ``lowered_<label>_<cluster>`` is the
    fraction of dimensions whose variance is smaller in the cluster.
    """
    estimates = {}
    for label in np.unique(labels):
        own = flat(images[labels == label])
        weights = multiplicities(f"label {label}", len(own), n_bootstrap, seed)
        size, numbers = {f"label {label}": len(own)}, clusters[labels == label]
        whole, by_dimension = _spread(own, weights), _variances(own, weights)
        for cluster in np.unique(numbers):
            chosen = numbers == cluster
            part = _spread(own[chosen], weights[:, chosen])
            within = _variances(own[chosen], weights[:, chosen])
            lower = np.where(np.isnan(part), np.nan, (within < by_dimension).mean(1))
            estimates[f"ratio_{label}_{cluster}"] = Estimate.of(part / whole, size)
            estimates[f"lowered_{label}_{cluster}"] = Estimate.of(lower, size)
    return estimates


def _spread(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean variance over dimensions in each resample, (R,), with a fixed mean image of x (N, D)."""
    squares = ((x - x.mean(0)) ** 2).mean(1)
    with np.errstate(invalid="ignore"):  # a resample may contain no image of a small cluster
        return weights @ squares / weights.sum(1)


def cluster_pictures(
    images: np.ndarray, labels: np.ndarray, clusters: np.ndarray, n: int = 10, seed: int = 0
) -> dict[str, np.ndarray]:
    """Draw n images of each cluster: ``label_<label>``, (clusters, n, ...) in [0, 1].

    There are fewer than n if a cluster of the label has fewer.
    """
    rng = np.random.default_rng(seed)
    pictures = {}
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        members = [own[clusters[own] == c] for c in np.unique(clusters[own])]
        few = min(n, *map(len, members))
        drawn = [rng.choice(index, few, replace=False) for index in members]
        pictures[f"label_{label}"] = np.stack([images[index] for index in drawn]).astype(np.float32)
    return pictures
