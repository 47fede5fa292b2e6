"""Builds models from specifications of plain values; saves and loads their weights."""

import io
import math
import zipfile
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic, load_yaml
from oodpriors.kinds.architectures import ARCHITECTURES
from oodpriors.kinds.rows import load
from oodpriors.models.base import ImageModel
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import build_prior

M = TypeVar("M", bound=nn.Module)


def build_vae(image_shape: tuple, prior: dict, latent_dim: int, **parameters) -> VAE:
    """Build a VAE whose latent has latent_dim coordinates."""
    return VAE(image_shape, build_prior(dim=latent_dim, **prior), **parameters)


def build_glow(image_shape: tuple, prior: dict, **parameters) -> Glow:
    """Build a Glow; its latent has as many coordinates as the image."""
    return Glow(image_shape, build_prior(dim=math.prod(image_shape), **prior), **parameters)


def build_cv_glow(image_shape: tuple, prior: dict, **parameters) -> Glow:
    """Build a constant-volume Glow: additive couplings on one grid, as Equation 7 assumes."""
    return build_glow(image_shape, prior, coupling="additive", squeeze_after=(), **parameters)


def build_model(architecture: str, image_shape: tuple, prior: dict, network: dict) -> ImageModel:
    """Build the model that these plain values describe, with new weights.

    Args:
        architecture: a name of :data:`oodpriors.kinds.architectures.ARCHITECTURES`.
        image_shape: (C, H, W).
        prior: arguments of :func:`oodpriors.priors.build_prior` without the dimension.
        network: arguments of the architecture.

    Raises:
        UserError: unknown architecture, or arguments that do not fit together.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise UserError(f"architecture {architecture!r} is unknown; choose one of {known}")
    return load(ARCHITECTURES[architecture].place)(tuple(image_shape), prior, **network)


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights of the model, completely or not at all."""
    save_tensors(model.state_dict(), path)


def save_tensors(state: dict, path: Path) -> None:
    """Write tensors and plain values such that loading executes no code."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with atomic(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_tensors(path: Path) -> dict:
    """Read what :func:`save_tensors` wrote, without executing pickled code.

    Raises:
        ValueError: the content does not match its checksum.
        Exception: raised by PyTorch for a file of another kind.
    """
    # PyTorch does not check the checksums in its own archive
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise ValueError(f"{damaged} in it is damaged")
    return torch.load(path, weights_only=True, map_location="cpu")


def load_model(spec: dict, weights: Path) -> ImageModel:
    """Load the trained model of a specification, in evaluation mode."""
    model = build_model(spec["architecture"], spec["image_shape"], spec["prior"], spec["network"])
    return load_weights(model, weights)


def load_folder(folder: Path | str) -> ImageModel:
    """Load the trained model in a results folder, ``models/<architecture>/.../seed<k>``.

    Raises:
        UserError: the folder has no finished model.
    """
    spec, weights = Path(folder, "spec.yaml"), Path(folder, "weights.pt")
    for path in (spec, weights):
        if not path.is_file():
            raise UserError(f"{folder} holds no trained model: there is no {path.name}")
    return load_model(load_yaml(spec), weights)


def load_weights(model: M, path: Path) -> M:
    """Load weights without executing pickled code; the model is returned in evaluation mode.

    Raises:
        UserError: the file is damaged or belongs to another architecture or prior.
    """
    fixed = {name: means.clone() for name, means in model.named_buffers() if name == "prior.means"}
    try:
        model.load_state_dict(load_tensors(path))
        if any(not torch.equal(dict(model.named_buffers())[name], fixed[name]) for name in fixed):
            raise ValueError("they are of a model with other prior means")
    except Exception as error:
        raise UserError(
            f"{path}: cannot load these weights ({' '.join(str(error).split())}); delete the file "
            "to train again"
        ) from error
    return model.eval()
