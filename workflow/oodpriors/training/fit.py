"""Trains a model from its specification and data, and records the training."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from oodpriors.data.subsets import drawn
from oodpriors.io.errors import UserError
from oodpriors.io.files import discard_unfinished, locked
from oodpriors.io.machine import code_version, processor, software_versions
from oodpriors.models.base import Model, check_images
from oodpriors.models.build import build_model
from oodpriors.training.trainer import Trainer, TrainingSettings


@dataclass(frozen=True)
class Fit:
    """A trained model in evaluation mode, its history (a row per epoch) and diagnostics."""

    model: Model
    history: pd.DataFrame
    diagnostics: dict


@contextmanager
def attempt(folder: Path, spec: dict, code: str, outputs: Sequence[str]) -> Iterator[Path | None]:
    """Reserve the checkpoint of a training for this process until its outputs are written.

    A second attempt at the same training waits, e.g. when SLURM requeues a job whose first
    process is still running. It yields None if the first attempt wrote the outputs. The
    checkpoint is kept: Snakemake may count the job as failed although it wrote everything.

    Args:
        folder: folder of the model.
        spec: plain values that determine the trained model.
        code: checksum of the code that also determines it.
        outputs: files that the block writes.
    """
    text = json.dumps([spec, code], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    with locked(folder / f"checkpoint.{digest}.lock") as waited:
        if waited and all(Path(path).exists() for path in outputs):
            print("another attempt has finished this training", file=sys.stderr)
            yield None
        else:
            checkpoint = folder / f"checkpoint.{digest}.pt"
            for path in (checkpoint, *map(Path, outputs)):
                discard_unfinished(path)
            yield checkpoint


def discard_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a finished model, including those of older code."""
    for path in folder.glob("checkpoint.*.pt"):
        path.unlink()


def fit(
    spec: dict,
    images: np.ndarray,
    components: np.ndarray,
    checkpoint: Path,
    device: torch.device | None = None,
    save_every: float = 60.0,
) -> Fit:
    """Train the model of a specification, or continue from its checkpoint.

    Args:
        spec: ``architecture``, ``image_shape``, ``prior``, ``network`` (see
            :func:`oodpriors.models.build.build_model`), ``training`` (see TrainingSettings),
            ``images``, the number of training images that are drawn (None: all), and ``seed``.
        images: uint8 (N, C, H, W).
        components: assigned component of each image, from 0, (N,).
        checkpoint: file that keeps the state until the training ends.
        device: device for the computation; the default is the CPU.
        save_every: seconds between checkpoints.

    Raises:
        UserError: the images are not uint8 or do not have the specification's shape, an image
            has no component of the prior, or a component no image.
        DivergenceError, InterruptedTraining: see :class:`oodpriors.training.trainer.Trainer`.
    """
    check_images(torch.from_numpy(images), spec["image_shape"])
    means = len(spec["prior"]["means"])
    if components.shape != images.shape[:1] or not np.isin(components, range(means)).all():
        raise UserError(
            f"components must be a number from 0 to {means - 1} for each of {len(images)} images"
        )
    kept = drawn(len(images), spec["images"], spec["seed"])
    images, components = images[kept], components[kept]
    groups = len(np.unique(components))
    if groups != means and not spec["prior"].get("unsupervised"):
        raise UserError(f"images are assigned to {groups} components, the prior has {means}")
    torch.manual_seed(spec["seed"])
    model = build_model(spec["architecture"], spec["image_shape"], spec["prior"], spec["network"])
    trainer = Trainer(
        model,
        torch.from_numpy(images),
        torch.from_numpy(components),
        TrainingSettings(**spec["training"], seed=spec["seed"]),
        checkpoint,
        device,
        save_every,
    )
    return finish(trainer)


def finish(trainer: Trainer) -> Fit:
    """Train to the end; the diagnostics are steps, time, device, versions and errors."""
    model, device = trainer.run(), trainer.device
    sample = trainer.images[: min(64, len(trainer.images))]
    diagnostics = {
        "code": code_version(),
        "steps": trainer.step,
        "training_seconds": round(trainer.seconds, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        **model.diagnostics(sample),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "bfloat16": any(getattr(part, "low_precision", False) for part in model.modules()),
        "software": software_versions(),
    }
    return Fit(model.cpu(), pd.DataFrame(trainer.history), diagnostics)
