"""Damage, divergence and misfits are reported in one line, and nothing else is repeated."""

import io
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.faults.conftest import GARMENTS, MODELS, OPTIONS
from tests.workflow.conftest import snakemake

UNIMODAL = f"{MODELS}/unimodal/seed0"
BIMODAL = f"{MODELS}/bimodal_50/seed0"


@pytest.fixture
def folder(garments: Path, tmp_path: Path) -> Path:
    return shutil.copytree(garments, tmp_path / "project", symlinks=True)


def configure(folder: Path, **changes) -> None:
    """Add to the configuration of the trainings."""
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))


def make(folder: Path, *targets: str):
    return snakemake(folder, *OPTIONS, "--", *targets)


def refused(folder: Path, *targets: str) -> str:
    """The one line of a failed job: it is printed once, without traceback."""
    failed = snakemake(folder, *OPTIONS, "--", *targets, check=False)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stdout, failed.stdout
    (line,) = set(re.findall(r"^error: (.*)$", failed.stdout, re.M))
    return line


def stamp(path: Path) -> tuple[int, int]:
    return path.stat().st_ino, path.stat().st_mtime_ns


# a training that diverges


def test_a_loss_that_is_not_finite_stops_its_model_alone(folder: Path):
    """Steps of 1,000 make one architecture diverge; the other is trained nevertheless."""
    steep = {"training": {"learning_rate": 1000, "max_grad_norm": None, "warmup_epochs": 0}}
    vae = "results/smoke-embedded/models/vae/fashion_1_7/unimodal/seed0"
    configure(folder, models={"glow": steep, "vae": {"training": {"epochs": 1}}})
    line = refused(folder, f"{UNIMODAL}/weights.pt", f"{vae}/weights.pt")
    assert re.match(r"loss \S+, gradient norm \S+ in epoch \d+, step \d+", line)
    assert "nan" in line or "inf" in line
    assert line.endswith("Lower learning_rate, lengthen warmup_epochs or set max_grad_norm")
    assert not (folder / UNIMODAL / "weights.pt").exists()
    before = stamp(folder / vae / "weights.pt")

    configure(folder, models={"vae": {"training": {"epochs": 1}}})
    done = make(folder, f"{UNIMODAL}/weights.pt", f"{vae}/weights.pt")
    assert done.stdout.count("rule train:") == 1
    assert stamp(folder / vae / "weights.pt") == before
    assert (folder / UNIMODAL / "weights.pt").stat().st_size > 0


# files that are cut or changed


def test_weights_cut_in_half_are_told_by_the_scores_and_trained_again(folder: Path):
    make(folder, f"{UNIMODAL}/weights.pt", f"{BIMODAL}/weights.pt")
    weights, other = folder / UNIMODAL / "weights.pt", folder / BIMODAL / "weights.pt"
    whole, before = weights.read_bytes(), stamp(other)
    weights.write_bytes(whole[: len(whole) // 2])
    scores = [f"{UNIMODAL}/scores.parquet", f"{BIMODAL}/scores.parquet"]
    line = refused(folder, *scores)
    assert line.startswith(f"{UNIMODAL}/weights.pt: cannot load these weights (")
    assert line.endswith("delete the file to train again")
    assert not (folder / UNIMODAL / "scores.parquet").exists()

    weights.unlink()
    done = make(folder, *scores)
    assert done.stdout.count("rule train:") == done.stdout.count("rule score:") == 1
    assert weights.read_bytes() == whole
    assert stamp(other) == before


def test_images_cut_in_half_are_told_and_made_again(folder: Path):
    images = folder / GARMENTS / "train.npz"
    whole = images.read_bytes()
    images.write_bytes(whole[: len(whole) // 2])
    target = f"{MODELS}/unimodal/seed0/weights.pt"
    line = refused(folder, target)
    assert line.startswith(f"{GARMENTS}/train.npz: damaged (")
    assert line.endswith("delete the file, then run again")
    images.unlink()
    done = make(folder, target)
    assert "rule download:" not in done.stdout
    with np.load(images) as again, np.load(io.BytesIO(whole)) as before:
        assert all(np.array_equal(again[name], before[name]) for name in before.files)


# the user's data set


def own(**changes) -> dict[str, np.ndarray]:
    """A valid data set, except for the changes."""
    rng = np.random.default_rng(0)
    sound = {
        "images": rng.integers(0, 256, (40, 28, 28), dtype=np.uint8),
        "labels": np.arange(40) // 2 % 2,
        "split": np.array(["train", "test"] * 20),
    }
    return {name: value for name, value in (sound | changes).items() if value is not None}


CELLS = {
    "datasets": {"cells": {"kind": "npz", "path": "cells.npz"}},
    "subsets": {
        "cells": {
            "title": "cells",
            "dataset": "cells",
            "labels": [0, 1],
            "out_of_distribution": "mnist",
        }
    },
    "experiments": {"mine": {"models": ["vae/cells/bimodal_75"]}},
}

ARRAYS = "results/smoke-embedded-own/data/cells.npz"

UNFIT = {
    "floats": (
        own(images=np.zeros((40, 28, 28), np.float32)),
        "datasets.cells.path: cells.npz: images are float32, not uint8",
    ),
    "two channels": (
        own(images=np.zeros((40, 28, 28, 2), np.uint8)),
        "datasets.cells.path: cells.npz: images have shape (40, 28, 28, 2), not (N, H, W) or (N, ",
    ),
    "rows of pixels": (
        own(images=np.zeros((40, 784), np.uint8)),
        "datasets.cells.path: cells.npz: images have shape (40, 784), not (N, H, W) or (N, H, W",
    ),
    "no image": (
        own(images=np.zeros((0, 28, 28), np.uint8), labels=np.arange(0), split=np.array([], "U5")),
        "datasets.cells.path: cells.npz: there are no images",
    ),
    "a size that no VAE takes": (
        own(images=np.zeros((40, 30, 30), np.uint8)),
        "experiments.mine: vae/cells/bimodal_75: images are (1, 30, 30), those of mnist are (1, 28",
    ),
    "too few labels": (
        own(labels=np.arange(39) % 2),
        "datasets.cells.path: cells.npz: labels are int64 (39,), not integers (40,)",
    ),
    "labels that are numbers with a point": (
        own(labels=np.zeros(40)),
        "datasets.cells.path: cells.npz: labels are float64 (40,), not integers (40,)",
    ),
    "a label that is wanted and missing": (
        own(labels=np.zeros(40, np.int64)),
        "subsets.cells.labels: the train split of cells lacks [1]; it has [0]",
    ),
    "another name of a split": (
        own(split=np.array(["train", "valid"] * 20)),
        "datasets.cells.path: cells.npz: split must be 'train' or 'test' for each of the (40,)",
    ),
    "no test split": (
        own(split=np.array(["train"] * 40)),
        "subsets.cells.labels: the test split of cells lacks",
    ),
    "no labels": (
        own(labels=None),
        "datasets.cells.path: cells.npz: not a usable npz data set: missing labels; the file has ",
    ),
    "objects": (
        own(labels=np.array([{}] * 40)),
        "datasets.cells.path: cells.npz: not a usable npz data set: Object arrays cannot be loaded",
    ),
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory, garments: Path) -> Path:
    """A copy of the project that trains on the user's data set."""
    folder = shutil.copytree(garments, tmp_path_factory.mktemp("cells") / "project")
    shutil.rmtree(folder / "results")
    (folder / "mine.yaml").write_text(yaml.safe_dump(CELLS))
    return folder


@pytest.mark.parametrize("fault", UNFIT)
def test_a_data_set_that_does_not_fit_is_told_before_anything_runs(cells: Path, fault: str):
    arrays, message = UNFIT[fault]
    np.savez(cells / "cells.npz", **arrays)
    failed = snakemake(cells, *OPTIONS, "--", ARRAYS, check=False)
    assert failed.returncode != 0
    told = [line for line in failed.stdout.splitlines() if line.startswith("config: ")]
    assert told, failed.stdout
    assert told[0].startswith(f"config: {message}")
    assert "Traceback" not in failed.stdout
    assert not (cells / "results").exists()


def test_pixels_that_are_damaged_are_told_when_they_are_read(cells: Path):
    """Headers and labels are valid: only the checksum shows the damage."""
    np.savez(cells / "cells.npz", **own())
    with zipfile.ZipFile(cells / "cells.npz") as archive:
        start = archive.getinfo("images.npy").header_offset + 500
    content = bytearray((cells / "cells.npz").read_bytes())
    content[start] ^= 1
    (cells / "cells.npz").write_bytes(content)
    line = refused(cells, ARRAYS)
    assert line.startswith("cells.npz: not a usable npz data set: Bad CRC-32 for file 'images.npy'")
    assert not (cells / ARRAYS).exists()

    np.savez(cells / "cells.npz", **own())
    make(cells, ARRAYS)
    with np.load(cells / ARRAYS) as arrays:
        np.testing.assert_array_equal(arrays["images"], own()["images"])
