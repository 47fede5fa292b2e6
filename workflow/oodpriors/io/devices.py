"""Where models are trained and scored: the processor, or a GPU that is shared fairly."""

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

MOST_JOBS = 256  # of one user on one GPU

# Held while this process lives: other processes see by them which GPU has the fewest jobs.
_claims: list[IO] = []


class GpuMemoryError(UserError):
    """The GPU has too little free memory."""


@dataclass(frozen=True)
class GpuLimits:
    """What is computed at once on a GPU.

    Attributes:
        samples_at_once: importance samples of a VAE.
        images_at_once: images that a flow scores.
    """

    samples_at_once: int = 8192
    images_at_once: int = 1024

    def halved(self) -> "GpuLimits":
        """Half of each."""
        return GpuLimits(max(1, self.samples_at_once // 2), max(1, self.images_at_once // 2))


def find_device(name: str) -> torch.device:
    """The device that ``auto``, ``cpu`` or ``cuda`` stands for here; float32 is that on each.

    Of several GPUs it is the one on which the fewest processes of this user run that have
    called this function. On a GPU PyTorch's convolutions would round float32 to the 10 bits
    of TF32, and sum in an order that changes from run to run.

    Raises:
        UserError: cuda was asked for and there is none.
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
    """What each visible GPU is called by every process, whatever is visible to it."""
    count = torch.cuda.device_count()
    return [str(torch.cuda.get_device_properties(number).uuid) for number in range(count)]


def claim(names: list[str]) -> int:
    """Number of the GPU that has the fewest claims, which this process now has one more of."""
    folder = Path(tempfile.gettempdir(), f"oodpriors-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    for job in range(MOST_JOBS):
        for number, name in enumerate(names):
            file = open(folder / f"{name}.{job}", "w")  # noqa: SIM115
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
    """Say in one line that a GPU's memory was too small for what is done within.

    Raises:
        GpuMemoryError: in place of PyTorch's own error.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise GpuMemoryError(
            f"the GPU's memory is too small for {what}: run fewer jobs at once on it "
            "(--resources gpu=1), lower gpu.samples_at_once and gpu.images_at_once, or set "
            "device: cpu"
        ) from error
