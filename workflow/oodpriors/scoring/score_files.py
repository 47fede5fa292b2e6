"""Score files: one row per image, one file per model."""

import copy
import sys
from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
import torch

from oodpriors.data.subsets import to_nchw
from oodpriors.io.devices import GpuLimits, enough_gpu_memory
from oodpriors.io.errors import UserError
from oodpriors.io.progress import Progress
from oodpriors.models.base import ImageModel
from oodpriors.models.likelihood import LatentVariableModel, Tolerance, bits_per_dim, to_numpy
from oodpriors.models.refinement import Refinement, refined_log_prob
from oodpriors.priors import Prior
from oodpriors.scoring.decoding import squared_distances

REFINED_AT_ONCE = {"cpu": 32, "cuda": 256}  # images; 32 fit into the caches of a CPU


@torch.inference_mode()
def score(
    model: ImageModel,
    images: np.ndarray,
    n_draws: int,
    seed: int,
    batch_size: int = 32,
    gpu: GpuLimits | None = None,
    **options,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Compute log p of every image with its parts, and the latents.

    Args:
        model: in evaluation mode, with ``scores(x, n_draws)`` and ``latents(x)``.
        images: uint8 (N, C, H, W).
        n_draws: importance samples (VAE) or dequantisation draws (flow) per image.
        seed: seed of these draws.
        batch_size: images at once on a CPU.
        gpu: how much is computed at once on a GPU, or half of it if its memory is too
            small; ``at_once(limits)`` of the model gives the images per batch.
        options: further arguments of ``scores``.

    Returns:
        A row per image: ``log_prob`` and its parts in nats, ``bits_per_dim``, and the
        other columns of the model's ``scores``; and the latents by name, (N, D).

    Raises:
        UserError: there are no images, or they are not uint8 or not of the model's shape.
    """
    images = np.asarray(images)
    if not len(images):
        raise UserError("there are no images to score")
    limits = gpu or GpuLimits()
    with enough_gpu_memory("the scores of this model"):
        try:
            scored = _scored(model, images, n_draws, seed, batch_size, limits, options)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            print(f"too little GPU memory for {limits}: half of it at once", file=sys.stderr)
            limits = limits.halved()
            scored = _scored(model, images, n_draws, seed, batch_size, limits, options)
    rows, latents = map(_concatenated, scored)
    table = pd.DataFrame(rows)
    table.insert(1, "bits_per_dim", bits_per_dim(table["log_prob"], images[0].size))
    return table, latents


def _scored(
    model: ImageModel,
    images: np.ndarray,
    n_draws: int,
    seed: int,
    batch_size: int,
    limits: GpuLimits,
    options: Mapping,
) -> tuple[list[dict], list[dict]]:
    """Scores and latents of each batch."""
    torch.manual_seed(seed)
    device, on_gpu = next(model.parameters()).device, _on_gpu(model)
    if on_gpu:
        batch_size, more = model.at_once(limits)
        options = {**options, **more}
    rows, latents = [], []
    progress = Progress(len(images), "images")
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        # padded with copies of the last image, so that a compiler sees one shape
        copies = batch_size - len(batch) if start and on_gpu else 0
        filled = np.concatenate([batch, np.repeat(batch[-1:], copies, 0)])
        x = torch.from_numpy(filled).to(device)
        rows.append(to_numpy(model.scores(x, n_draws, **options), len(batch)))
        latents.append(to_numpy(model.latents(x), len(batch)))
        progress.update(start + len(batch))
    return rows, latents


def _on_gpu(model: ImageModel) -> bool:
    return next(model.parameters()).is_cuda


@torch.no_grad()
def latent_columns(prior: Prior, z: torch.Tensor, farthest: int) -> dict[str, np.ndarray]:
    """Columns of latents z (N, D) that figures and claims use, one number per image.

    Returns:
        ``nearest_component`` of the prior; ``latent_first``, the first coordinate
        (Figures 5a, 17 and 18), and its absolute value; ``latent_farthest``, the
        coordinate with index farthest (Figures 5b and 19), and this index, from 0;
        ``latent_mode_distance``, the distance to the nearest mean in the separating
        coordinates (in the first one if there are none); and ``latent_norm_squared``,
        the squared distance in all coordinates. Units: standard deviations.
    """
    distance = (z[:, None] - prior.means).square().sum(-1)
    nearest = distance.argmin(1)
    separating = prior.separating if prior.separating.any() else torch.arange(z.shape[1]) == 0
    offset = (z - prior.means[nearest])[:, separating.to(z.device)] / prior.scale
    return to_numpy(
        {
            "nearest_component": nearest,
            "latent_first": z[:, 0].double(),
            "latent_first_abs": z[:, 0].abs().double(),
            "latent_mode_distance": offset.square().sum(1).sqrt().double(),
            "latent_norm_squared": distance.amin(1).double() / prior.scale**2,
            "latent_farthest": z[:, farthest].double(),
            "latent_farthest_index": torch.full_like(nearest, farthest),
        }
    )


def score_sets(
    model: ImageModel,
    arrays: dict[str, dict[str, np.ndarray]],
    names: dict[str, str],
    n_draws: int,
    seed: int,
    train_limit: int | None = None,
    mean_images: np.ndarray | None = None,
    adaptive: Mapping | None = None,
    gpu: Mapping | None = None,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Score the sets train, test and ood; returns one table for all sets.

    Args:
        model: see :func:`score`.
        arrays: ``images``, ``labels`` and ``index`` of each set.
        names: name of the images of each set.
        n_draws: see :func:`score`.
        seed: seed of the draws, which differ between sets.
        train_limit: number of training images to score, evenly spaced; None scores all.
        mean_images: mean images of the prior's components, (K, C, H, W) in [0, 1]. They
            add ``squared_distance`` of each image to the mean image of the component
            nearest to its latent, summed over pixels (Equation 2, Figure 7).
        adaptive: for a VAE, arguments of the :class:`oodpriors.models.likelihood.Tolerance`
            that ends sampling early; None draws n_draws for each image.
        gpu: arguments of :class:`oodpriors.io.devices.GpuLimits`; None uses its defaults.

    Returns:
        The table, with ``set``, ``images``, ``index`` and ``label`` first and
        :func:`latent_columns` last; and the latents, named ``<set>_<latent>``, with
        ``prior_means`` (K, D) if these were trained.
    """
    tables, distances = {}, {}
    latents: dict[str, np.ndarray] = {}
    options: dict = {"tolerance": Tolerance(**adaptive)} if adaptive else {}
    limits = GpuLimits(**gpu) if gpu else None
    for number, (name, data) in enumerate(arrays.items()):
        size = len(data["images"])
        kept = evenly_spaced(size, train_limit if name == "train" else None)
        images = to_nchw(data["images"][kept])
        table, latent = score(
            model, images, n_draws, seed * len(arrays) + number, gpu=limits, **options
        )
        table.insert(0, "label", data["labels"][kept])
        table.insert(0, "index", data["index"][kept])
        table.insert(0, "images", names[name])
        table.insert(0, "set", name)
        tables[name] = table
        latents |= {f"{name}_{key}": values for key, values in latent.items()}
        if mean_images is not None:
            distances[name] = squared_distances(images / 255, mean_images)
    farthest = int(np.abs(latents["ood_mean"].mean(0)).argmax())
    prior = copy.deepcopy(model.prior).cpu()
    if isinstance(prior.means, torch.nn.Parameter):
        latents["prior_means"] = prior.means.detach().numpy()
    for name, table in tables.items():
        columns = latent_columns(prior, torch.from_numpy(latents[f"{name}_mean"]), farthest)
        if name in distances:
            nearest = columns["nearest_component"]
            columns["squared_distance"] = distances[name][np.arange(len(nearest)), nearest]
        tables[name] = table.assign(**columns)
    return pd.concat(tables.values(), ignore_index=True), latents


def evenly_spaced(size: int, limit: int | None) -> np.ndarray:
    """At most this number of places below size; None takes all."""
    few = size if limit is None else min(size, limit)
    return np.linspace(0, size - 1, few).round().astype(int)


def with_refined(
    model: ImageModel,
    arrays: Mapping[str, Mapping[str, np.ndarray]],
    table: pd.DataFrame,
    seed: int,
    refined: Mapping | None,
) -> pd.DataFrame:
    """Add the likelihood with a posterior refined for each image, for the sets test and ood.

    Args:
        model: with an encoder.
        arrays: ``images`` of each set.
        table: from :func:`score_sets`.
        seed: seed of the training; the draws here are others than those of the table.
        refined: ``images``, the number of images of each set, evenly spaced (None takes
            all), and arguments of :class:`oodpriors.models.refinement.Refinement`; None
            adds nothing.

    Returns:
        The table with the columns of :func:`oodpriors.models.refinement.refined_log_prob`,
        NaN where ``refined`` is false.
    """
    if refined is None:
        return table
    settings = Refinement(**{key: value for key, value in refined.items() if key != "images"})
    parts = []
    for number, which in enumerate(("test", "ood")):
        rows = table.index[table["set"] == which]
        kept = evenly_spaced(len(rows), refined["images"])
        torch.manual_seed(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
        columns = _refined(model, to_nchw(arrays[which]["images"][kept]), settings)
        parts.append(pd.DataFrame(columns, index=rows[kept]))
    found = pd.concat(parts)
    return table.assign(refined=table.index.isin(found.index)).join(found.astype(float))


def _refined(model: ImageModel, images: np.ndarray, settings: Refinement) -> dict[str, np.ndarray]:
    device, progress = next(model.parameters()).device, Progress(len(images), "refined images")
    batches, at_once = [], REFINED_AT_ONCE[device.type]
    for start in range(0, len(images), at_once):
        x = torch.from_numpy(images[start : start + at_once]).to(device)
        batches.append(to_numpy(refined_log_prob(cast(LatentVariableModel, model), x, settings)))
        progress.update(start + len(x))
    return _concatenated(batches)


def _concatenated(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
