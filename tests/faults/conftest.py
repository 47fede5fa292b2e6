"""Copies of the project and trainings with deliberate faults."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tests.workflow.conftest import ROOT, copy_project, project, snakemake

__all__ = ["Training", "project", "running", "wait_until"]


def wait_until(condition: Callable[[], object], what: str, seconds: float = 120) -> object:
    """Waits for condition; returns its first true value."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, f"no {what} in {seconds} seconds"
        time.sleep(0.01)
    return value


@contextmanager
def running(command: Sequence, log: Path, **more) -> Iterator[subprocess.Popen]:
    """A running command in a separate session; it ends with the block at the latest."""
    with open(log, "w") as file:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **more,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


# Parts of the configuration that the scripts of models read.
CONFIG = {"device": "cpu", "save_every": 60, "models": {"glow": {"threads": 1}}}


class Training:
    """The script of rule train on a few images, in a folder.

    If the folder is mounted only for this process, its path there is ``seen``.
    """

    spec = {  # noqa: RUF012
        "architecture": "glow",
        "image_shape": [1, 8, 8],
        "prior": {"kind": "gaussian", "means": [[5.0], [-5.0]], "scale": 1.0},
        "network": {"couplings": 4, "squeeze_after": [2], "width": 8, "scale_floor": 0.1},
        "training": {
            "epochs": 20,
            "batch_size": 8,
            "learning_rate": 0.001,
            "polyak_epochs": 2,
            "initialization_batch": 16,
        },
        "images": 64,
        "seed": 3,
    }
    names = ("spec.yaml", "weights.pt", "history.csv", "diagnostics.json")

    def __init__(self, folder: Path, seen: Path | None = None, save_every: float = 0.1) -> None:
        seen = seen or folder
        self.folder, self.log = folder, folder / "train.log"
        self.outputs = folder / "model"
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (96, 8, 8), dtype=np.uint8)
        np.savez(folder / "train.npz", images=images)
        rows = "".join(f"{i % 2}\n" for i in range(len(images)))
        (folder / "assignment.csv").write_text("component\n" + rows)
        told = {
            "input": {
                "arrays": str(seen / "train.npz"),
                "components": str(seen / "assignment.csv"),
            },
            "output": {Path(name).stem: str(seen / "model" / name) for name in self.names},
            "params": {"spec": self.spec},
            "log": str(seen / "train.log"),
            "wildcards": {"architecture": "glow"},
            "config": CONFIG | {"save_every": save_every},
        }
        (folder / "told.json").write_text(json.dumps(told))
        runner = Path(__file__).with_name("run_script.py")
        script = ROOT / "workflow/scripts/train.py"
        self.command = [sys.executable, runner, script, seen / "told.json"]

    def finish(self, before: Sequence = (), check: bool = True, **more) -> int:
        """Run the script to its end; returns its exit status."""
        done = subprocess.run([*map(str, before), *map(str, self.command)], **more)
        assert not check or done.returncode == 0, self.log.read_text()
        return done.returncode

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint from which the training continues."""
        return next(self.outputs.glob("checkpoint.*.pt"), None)

    def saved(self) -> int:
        """When the last checkpoint was saved; 0 without one."""
        try:
            return self.checkpoint.stat().st_mtime_ns
        except (AttributeError, FileNotFoundError):
            return 0

    def saved_after(self, moment: int) -> Callable[[], bool]:
        return lambda: self.saved() > moment

    def step(self) -> int:
        """Step of the checkpoint; 0 without one."""
        file = self.checkpoint
        return torch.load(file, weights_only=True)["step"] if file else 0

    def history(self) -> list[str]:
        """Rows of the history without the speed column."""
        lines = (self.outputs / "history.csv").read_text().splitlines()
        column = lines[0].split(",").index("images_per_second")
        return [",".join(np.delete(line.split(","), column)) for line in lines]

    def seconds(self) -> float:
        """Seconds that its steps took, from its diagnostics."""
        return json.loads((self.outputs / "diagnostics.json").read_text())["training_seconds"]

    def assert_like(self, other: "Training") -> None:
        """Checks that both ended with the same bits."""
        assert_same_bits(self.outputs, other.outputs)
        assert self.history() == other.history()


def assert_same_bits(ours: Path, theirs: Path) -> None:
    """Checks that the weights in two folders are the same."""
    one, other = (torch.load(f / "weights.pt", weights_only=True) for f in (ours, theirs))
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[name])), name


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory) -> Training:
    """A complete training."""
    training = Training(tmp_path_factory.mktemp("uninterrupted"))
    training.finish()
    return training


MODELS = "results/smoke-embedded/models/glow/fashion_1_7"
GARMENTS = "results/smoke-embedded/data/fashion_1_7"
# Large enough to be interrupted, small enough to wait for.
SMALL = {
    "models": {"glow": {"training": {"epochs": 12}}},
}


@pytest.fixture(scope="session")
def garments(tmp_path_factory) -> Path:
    """A copy of the project with the images of a training, before any training."""
    folder = copy_project(tmp_path_factory.mktemp("garments"))
    (folder / "mine.yaml").write_text(yaml.safe_dump(SMALL))
    parts = ("train.npz", "assignment.single.csv", "assignment.label.csv")
    snakemake(folder, *OPTIONS, "--", *(f"{GARMENTS}/{part}" for part in parts))
    return folder


OPTIONS = ("--configfile", "mine.yaml", "--cores", "1", "--config", "scale=smoke", "data=embedded")


def environment() -> dict[str, str]:
    """Environment variables with which Snakemake's jobs find the tests' interpreter."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
