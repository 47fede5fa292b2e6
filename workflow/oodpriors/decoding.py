"""What a model draws: its components' mean images and samples, compared with the data."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from oodpriors.resampling import multiplicities, seed_multiplicities
from oodpriors.statistics import Estimate

__all__ = [
    "compare_decoded",
    "decode",
    "likeness_estimates",
    "nearest_distances",
    "squared_distances",
]


@torch.no_grad()
def decode(model: nn.Module, n_samples: int, seed: int) -> dict[str, np.ndarray]:
    """Images of the component means, and random samples of the prior (Appendix D).

    Returns:
        ``means`` (K, C, H, W) and ``samples`` (n_samples, C, H, W), pixels in [0, 1]. A
        VAE's images are the expected pixel values.
    """
    torch.manual_seed(seed)
    z = model.prior.sample(n_samples)
    images = {"means": model.prior.means, "samples": z}
    return {name: model.decode_mean(z).cpu().numpy() for name, z in images.items()}


def squared_distances(images: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distance of each image to each centre, summed over pixels: (N, K).

    Args:
        images: (N, ...) in [0, 1].
        centres: (K, ...) in [0, 1].
    """
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (images, centres))
    return np.maximum((a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1), 0)


def nearest_distances(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Squared distance of each image to the nearest of the reference images, (N,)."""
    return squared_distances(images, reference).min(1)


def compare_decoded(
    decoded: dict[str, np.ndarray], train: np.ndarray, components: np.ndarray, test: np.ndarray
) -> pd.DataFrame:
    """How like the training data the decoded images are.

    Args:
        decoded: see :func:`decode`.
        train: training images (N, C, H, W) in [0, 1].
        components: their assigned components, (N,).
        test: held-out images of the same distribution.

    Returns:
        A row per image: ``kind`` (mean or sample), ``number``, ``nearest_distance`` to
        a training image, ``percentile``, the share of test images that are nearer to
        theirs, and ``distance_k`` to the mean training image of component k.
    """
    held_out = nearest_distances(test, train)
    centres = np.stack([train[components == k].mean(0) for k in range(len(decoded["means"]))])
    tables = []
    for kind, images in (("mean", decoded["means"]), ("sample", decoded["samples"])):
        nearest = nearest_distances(images, train)
        columns = {
            "kind": kind,
            "number": np.arange(len(images)),
            "nearest_distance": nearest,
            "percentile": (held_out[None] < nearest[:, None]).mean(1),
        }
        to_centres = squared_distances(images, centres)
        columns |= {f"distance_{k}": to_centres[:, k] for k in range(len(centres))}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def likeness_estimates(
    tables: Mapping[str, Sequence[pd.DataFrame]], n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """What :func:`compare_decoded` found, for each model, over its seeds.

    Args:
        tables: by model, one per seed.
        n_bootstrap: replicates, over seeds and samples.
        seed: of the bootstrap.

    Returns:
        ``<model>/mean_percentile`` and ``<model>/sample_percentile``, the mean
        percentile of mean images and of samples; and, of several components,
        ``<model>/own_ratio``: the largest ratio of a mean image's distance from its own
        component's mean training image to that from the nearest other one.
    """
    estimates = {}
    for model, own in tables.items():
        drawn = seed_multiplicities(len(own), n_bootstrap, seed)
        rows = [_likeness(table, n_bootstrap, seed) for table in own]
        for name in rows[0]:
            values = np.stack([row[name] for row in rows], axis=1)
            estimates[f"{model}/{name}"] = Estimate.of((drawn * values).sum(1) / drawn.sum(1))
    return estimates


def _likeness(table: pd.DataFrame, n_bootstrap: int, seed: int) -> dict[str, np.ndarray]:
    means, samples = (table[table["kind"] == kind] for kind in ("mean", "sample"))
    weights = multiplicities("samples", len(samples), n_bootstrap, seed)
    found = {
        "mean_percentile": np.full(1 + n_bootstrap, means["percentile"].mean()),
        "sample_percentile": weights @ samples["percentile"].to_numpy() / len(samples),
    }
    if len(means) > 1:
        found["own_ratio"] = np.full(1 + n_bootstrap, _own_ratio(means))
    return found


def _own_ratio(means: pd.DataFrame) -> float:
    distances = means.filter(regex=r"^distance_\d+$").to_numpy()
    own = np.diag(distances).copy()
    np.fill_diagonal(distances, np.inf)
    return float((own / distances.min(1)).max())
