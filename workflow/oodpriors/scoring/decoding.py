"""Decodes component means and random samples of a model and compares them with the data."""

import numpy as np
import pandas as pd
import torch

from oodpriors.data.subsets import flat
from oodpriors.models.base import ImageModel


@torch.no_grad()
def decode(model: ImageModel, n_samples: int, seed: int) -> dict[str, np.ndarray]:
    """Decode the component means and random samples of the prior (Appendix D).

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
    a, b = map(flat, (images, centres))
    return np.maximum((a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1), 0)


def nearest_distances(images: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Squared distance of each image to the nearest of the reference images, (N,)."""
    return squared_distances(images, reference).min(1)


def compare_decoded(
    decoded: dict[str, np.ndarray], train: np.ndarray, components: np.ndarray, test: np.ndarray
) -> pd.DataFrame:
    """Measure how similar the decoded images are to the training data.

    Args:
        decoded: see :func:`decode`.
        train: training images (N, C, H, W) in [0, 1].
        components: their assigned components, (N,).
        test: held-out images of the same distribution, (M, C, H, W) in [0, 1].

    Returns:
        A row per image: ``kind`` (mean or sample), ``number``, ``nearest_distance``,
        the squared distance to a training image, ``percentile``, the share of test images that
        are nearer to a training image, and ``distance_k``, the squared distance to the mean
        training image of component k, if images are assigned to it.
    """
    held_out = nearest_distances(test, train)
    centres = np.stack([train[components == k].mean(0) for k in range(components.max() + 1)])
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
