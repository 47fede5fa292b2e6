"""Score files of further sets out of distribution, one for each model and set."""

import hashlib
import sys
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from oodpriors.companions.scores import png_sizes
from oodpriors.models.base import ImageModel
from oodpriors.scoring.score_files import score_sets

SAMPLES_AT_ONCE = 32
COLUMNS = ["set", "images", "index", "label"]  # of the table of a set without images


def score_further(
    model: ImageModel,
    name: str,
    arrays: Mapping[str, np.ndarray] | None,
    train: np.ndarray,
    n_draws: int,
    seed: int,
    n_samples: int,
    adaptive: Mapping | None = None,
    gpu: Mapping | None = None,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Score one set; without images the table has no rows, and there are no latents.

    Args:
        model: see :func:`oodpriors.scoring.score_files.score`.
        name: of the set.
        arrays: ``images``, uint8 (N, H, W[, 3]), ``labels`` and ``index``; None draws images
            from the model.
        train: training images of the model's subset, (M, H, W[, 3]).
        n_draws, adaptive, gpu: see :func:`oodpriors.scoring.score_files.score_sets`.
        seed: of the training; with the name of the set it gives the seed of the draws.
        n_samples: number of images that are drawn from the model.

    Returns:
        The columns of :func:`oodpriors.scoring.score_files.score_sets`, ``set`` being the
        name, and ``png_size``, the size of the image as a PNG file in nats, and
        ``in_training``, whether it is a training image, byte by byte; and the latents, named
        ``<name>_<latent>``.
    """
    # images that each training draws have a name of their own
    source = f"{name}.test" if arrays is not None else f"{name}.seed{seed}"
    arrays = draw_images(model, n_samples, seed) if arrays is None else arrays
    if not len(arrays["images"]):
        return pd.DataFrame(columns=COLUMNS), {}
    data, own = {"ood": dict(arrays)}, _seed(name, seed)
    table, latents = score_sets(
        model, data, {"ood": source}, n_draws, own, adaptive=adaptive, gpu=gpu
    )
    known = among(arrays["images"], train)
    if known.any():
        of = len(known)
        print(f"{name}: {known.sum():,} of {of:,} images are training images", file=sys.stderr)
    sizes = png_sizes(arrays).to_numpy()
    table = table.assign(set=name, png_size=sizes, in_training=known)
    return table, {key.replace("ood", name, 1): values for key, values in latents.items()}


def _seed(name: str, seed: int) -> int:
    """A seed that depends on the set, and not on how many others there are."""
    return int(np.random.SeedSequence([seed, *name.encode()]).generate_state(1)[0])


def among(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which images are one of the others, byte by byte: (N, ...), (M, ...) -> (N,) bool."""
    known = {_digest(image) for image in others}
    return np.array([_digest(image) in known for image in images], bool)


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


def draw_images(model: ImageModel, number: int, seed: int) -> dict[str, np.ndarray]:
    """Images drawn from the model, in the form of :func:`score_further`.

    Args:
        number: of images.
        seed: of the training.
    """
    torch.manual_seed(_seed("images drawn from the model", seed))
    sizes = [SAMPLES_AT_ONCE] * (number // SAMPLES_AT_ONCE) + [number % SAMPLES_AT_ONCE]
    drawn = [model.draw_images(size).cpu().numpy() for size in sizes if size]
    images = np.concatenate(drawn).transpose(0, 2, 3, 1)
    return {
        "images": images[..., 0] if images.shape[3] == 1 else images,
        "labels": np.zeros(number, np.int64),
        "index": np.arange(number),
    }
