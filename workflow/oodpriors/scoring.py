"""Score files: one row per image, one file per model."""

import numpy as np
import pandas as pd
import torch
from torch import nn

from oodpriors.likelihood import bits_per_dim
from oodpriors.progress import Progress
from oodpriors.subsets import to_nchw

__all__ = ["score", "score_sets"]


def score(
    model: nn.Module, images: np.ndarray, n_draws: int, seed: int, batch_size: int = 32
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """log p of every image with its parts, and its latent.

    Args:
        model: in evaluation mode, with ``scores(x, n_draws)`` and ``latents(x)``.
        images: uint8 (N, C, H, W).
        n_draws: importance samples (VAE) or dequantisation draws (flow) per image.
        seed: of these draws.
        batch_size: images at once.

    Returns:
        A row per image: ``log_prob`` and its parts in nats, ``bits_per_dim``, and the
        rest of what the model's ``scores`` gives; and the latents by name, (N, D).
    """
    torch.manual_seed(seed)
    device = next(model.parameters()).device
    rows: list[dict] = []
    latents: list[dict] = []
    progress = Progress(len(images), "images")
    for start in range(0, len(images), batch_size):
        x = torch.from_numpy(images[start : start + batch_size]).to(device)
        rows.append(_to_numpy(model.scores(x, n_draws)))
        latents.append(_to_numpy(model.latents(x)))
        progress.update(start + len(x))
    table = pd.DataFrame(_concatenated(rows))
    table.insert(1, "bits_per_dim", bits_per_dim(table["log_prob"], images[0].size))
    return table, _concatenated(latents)


def score_sets(
    model: nn.Module,
    arrays: dict[str, dict[str, np.ndarray]],
    names: dict[str, str],
    n_draws: int,
    seed: int,
    train_limit: int | None = None,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Scores of the sets train, test and ood, one under the other.

    Args:
        model: see :func:`score`.
        arrays: ``images``, ``labels`` and ``index`` of each set.
        names: what each set's images are called.
        n_draws: see :func:`score`.
        seed: each set has draws of its own.
        train_limit: training images to score, evenly spread; None takes all.

    Returns:
        The table, with ``set``, ``images``, ``index`` and ``label`` first; and the
        latents, named ``<set>_<latent>``.
    """
    tables, latents = [], {}
    for number, (name, data) in enumerate(arrays.items()):
        size = len(data["images"])
        few = size if name != "train" or train_limit is None else min(size, train_limit)
        kept = np.linspace(0, size - 1, few).round().astype(int)
        images = to_nchw(data["images"][kept])
        table, latent = score(model, images, n_draws, seed * len(arrays) + number)
        table.insert(0, "label", data["labels"][kept])
        table.insert(0, "index", data["index"][kept])
        table.insert(0, "images", names[name])
        table.insert(0, "set", name)
        tables.append(table)
        latents |= {f"{name}_{key}": values for key, values in latent.items()}
    return pd.concat(tables, ignore_index=True), latents


def _to_numpy(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}


def _concatenated(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
