"""Selects the device for training and scoring: the CPU or the least used GPU."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import torch

from oodpriors.io.errors import UserError

MOST_JOBS = 256  # limit per user and GPU

# Locks held while this process runs. Other processes count them to find the least used GPU.
_claims: list[IO] = []


class GpuMemoryError(UserError):
    """The GPU has too little free memory."""


@dataclass(frozen=True)
class GpuLimits:
    """How much is computed at once on a GPU.

    Attributes:
        samples_at_once: importance samples of a VAE, over all images.
        images_at_once: images that a flow scores.
    """

    samples_at_once: int = 8192
    images_at_once: int = 1024

    def halved(self) -> "GpuLimits":
        """Both limits halved."""
        return GpuLimits(max(1, self.samples_at_once // 2), max(1, self.images_at_once // 2))


def find_device(name: str) -> torch.device:
    """Choose the device for ``auto``, ``cpu`` or ``cuda``, with true float32 arithmetic.

    With several GPUs, the one with the fewest processes of this user that called this
    function is chosen. By default PyTorch's convolutions on a GPU round float32 to TF32
    (10 bits) and sum in an order that changes between runs; both are switched off.

    Raises:
        UserError: cuda was requested, but there is no GPU.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("device: cuda was asked for, but no GPU is visible; set device: auto")
    if name == "cpu" or not available:
        return torch.device("cpu")
    device = torch.device("cuda", claim(_names()))
    torch.cuda.set_device(device)
    return device


def _names() -> list[str]:
    """Identifiers of the visible GPUs, the same in every process."""
    count = torch.cuda.device_count()
    return [str(torch.cuda.get_device_properties(number).uuid) for number in range(count)]


def claim(names: list[str]) -> int:
    """Claim the GPU with the fewest claims for this process; returns its number."""
    folder = Path(tempfile.gettempdir(), f"oodpriors-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    for job in range(MOST_JOBS):
        for number, name in enumerate(names):
            file = open(folder / f"{name}.{job}", "w", encoding="utf-8")  # noqa: SIM115
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
            else:
                _claims.append(file)
                return number
    return 0


@contextmanager
def enough_gpu_memory(what: str) -> Iterator[None]:
    """Report in one line that the GPU's memory is too small for the block.

    Raises:
        GpuMemoryError: replaces PyTorch's own error.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise GpuMemoryError(
            f"the GPU's memory is too small for {what}: run fewer jobs at once on it "
            "(--resources gpu=1), lower gpu.samples_at_once and gpu.images_at_once, or set "
            "device: cpu"
        ) from error
