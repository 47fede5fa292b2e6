"""From a model's specification and its data to a trained model and its records."""

import hashlib
import json
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from oodpriors.models import build_model
from oodpriors.provenance import code_version, software_versions
from oodpriors.training import Trainer, TrainingSettings

__all__ = ["Fit", "describe_training", "digest", "fit"]


@dataclass(frozen=True)
class Fit:
    """A trained model, in evaluation mode, with a row per epoch and plain diagnostics."""

    model: nn.Module
    history: pd.DataFrame
    diagnostics: dict


def digest(*values) -> str:
    """Name of a checkpoint: a hash of plain values."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def fit(
    spec: dict,
    images: np.ndarray,
    components: np.ndarray,
    checkpoint: Path,
    device: torch.device | None = None,
) -> Fit:
    """Train the model of a specification, or go on where its checkpoint stopped.

    Args:
        spec: ``architecture``, ``image_shape``, ``prior``, ``network`` (see
            :func:`oodpriors.models.build_model`), ``training`` (see TrainingSettings) and
            ``seed``.
        images: uint8 (N, C, H, W).
        components: assigned component of each image, (N,).
        checkpoint: file that keeps the state until the training ends.
        device: where to compute; the CPU by default.

    Raises:
        ValueError: the images do not have the specification's shape, or are not
            assigned to as many components as the prior has.
        DivergenceError, InterruptedTraining: see :class:`oodpriors.training.Trainer`.
    """
    if list(images.shape[1:]) != list(spec["image_shape"]):
        raise ValueError(f"images are {images.shape[1:]}, the model takes {spec['image_shape']}")
    groups, means = len(np.unique(components)), len(spec["prior"]["means"])
    if groups != means:
        raise ValueError(f"images are assigned to {groups} components, the prior has {means}")
    torch.manual_seed(spec["seed"])
    model = build_model(spec["architecture"], spec["image_shape"], spec["prior"], spec["network"])
    trainer = Trainer(
        model,
        torch.from_numpy(images),
        torch.from_numpy(components),
        TrainingSettings(**spec["training"], seed=spec["seed"]),
        checkpoint,
        device,
    )
    trained = trainer.run()
    diagnostics = describe_training(trainer, trained)
    return Fit(trained.cpu(), pd.DataFrame(trainer.history), diagnostics)


def describe_training(trainer: Trainer, model: nn.Module) -> dict:
    """What is recorded of a training: steps, time, device, versions, errors of the model."""
    sample = trainer.images[: min(64, len(trainer.images))]
    device = trainer.device
    return {
        "code": code_version(),
        "steps": trainer.step,
        "training_seconds": round(trainer.seconds, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        **model.diagnostics(sample),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "software": software_versions(),
    }
