"""The format of all data sets, and npz files."""

import hashlib
import math
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oodpriors.io.errors import AS_UINT8, UserError
from oodpriors.io.files import atomic, expanded, regular, sha256, undamaged


@dataclass(frozen=True)
class Dataset:
    """Images with labels and splits.

    Attributes:
        images: uint8 (N, H, W) or (N, H, W, 3).
        labels: int64 (N,).
        split: ``train`` or ``test`` for each image, (N,).
        provenance: source of the images, as plain values.
    """

    images: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    provenance: dict


def file_record(path: Path, origin: str) -> dict:
    """Provenance of a file."""
    size = path.stat().st_size
    return {"name": path.name, "origin": origin, "bytes": size, "sha256": sha256(path)}


def load_npz(path: Path, content: list | None = None) -> Dataset:
    """Load the user's data set: ``images`` uint8 (N, H, W[, 3]), ``labels``, ``split``.

    Its provenance counts the test images that are training images as well, byte by byte.

    Args:
        path: the file.
        content: what :func:`inspect_npz` said of it before.

    Raises:
        UserError: the file is unreadable, an array has a wrong name, shape or type, or the
            content is another; or every test image is a training image.
    """
    inspected = inspect_npz(path)
    if content and content != inspected["content"]:
        raise UserError(f"{path}: it was replaced after the run started: run again")
    with _readable(path), zipfile.ZipFile(expanded(path)) as archive:
        images, labels, split = (_read(archive, name) for name in ARRAYS)
    split = split.astype(str)
    values, counts = np.unique(split, return_counts=True)
    numbers, twice = dict(zip(values.tolist(), counts.tolist(), strict=True)), _twice(images, split)
    if twice:
        what = f"{path}: {twice:,} of {numbers['test']:,} test images are training images as well"
        if twice == numbers["test"]:
            raise UserError(f"{what}: take them out of one of the splits")
        print(what, file=sys.stderr)
    provenance = {
        "kind": "npz",
        "stand_in": False,
        "files": [file_record(expanded(path), str(path))],
        "images": numbers,
        "test_images_in_train": twice,
    }
    return Dataset(images, labels.astype(np.int64), split, provenance)


def _twice(images: np.ndarray, split: np.ndarray) -> int:
    """Number of test images that are training images as well, byte by byte."""
    train, test = (
        [hashlib.sha256(image.tobytes()).digest() for image in images[split == name]]
        for name in ("train", "test")
    )
    known = set(train)
    return sum(image in known for image in test)


def inspect_npz(path: Path) -> dict:
    """Read image shape, labels and splits of an npz file, but not its images.

    Returns:
        ``shape`` (C, H, W); ``labels``, a dict of split -> sorted labels; ``training_images``,
        their number by label; and ``content``, CRC-32 and bytes of each array, from the file's
        directory.

    Raises:
        UserError: see :func:`load_npz`.
    """
    with _readable(path), zipfile.ZipFile(place := regular(path)) as archive:
        there = [name.removesuffix(".npy") for name in archive.namelist()]
        missing = sorted(set(ARRAYS) - set(there))
        if missing:
            raise ValueError(f"missing {', '.join(missing)}; the file has {there}")
        size = place.stat().st_size
        (shape, dtype), *_ = [npy_header(archive, name, size) for name in ARRAYS]
        labels, split = _read(archive, "labels"), _read(archive, "split").astype(str)
        stored = [archive.getinfo(f"{name}.npy") for name in ARRAYS]
    _check_arrays(path, shape, dtype, labels, split)
    channels = shape[3] if len(shape) == 4 else 1
    known, counts = np.unique(labels[split == "train"], return_counts=True)
    return {
        "shape": (channels, shape[1], shape[2]),
        "labels": {s: np.unique(labels[split == s]).tolist() for s in np.unique(split).tolist()},
        "training_images": dict(zip(known.tolist(), counts.tolist(), strict=True)),
        "content": [[member.CRC, member.file_size] for member in stored],
    }


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


ARRAYS = ("images", "labels", "split")
DEFLATED = 1032  # bytes that a compressed byte stands for at most
LARGEST = 2**36  # bytes of an array
# Errors that NumPy and zipfile raise for a damaged file.
DAMAGES = (
    *(OSError, ValueError, EOFError, RuntimeError, LookupError, SyntaxError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn the errors of NumPy and zipfile for a damaged file into one clear error."""
    try:
        yield
    except DAMAGES as error:
        raise UserError(
            f"{path}: not a usable npz data set: {error}. It must hold images (uint8, N x H x W "
            "or N x H x W x 3), labels (integers, N) and split ('train' or 'test', N)"
        ) from error


def npy_header(archive: zipfile.ZipFile, name: str, file_size: int) -> tuple[tuple, np.dtype]:
    """Shape and type of an array; a ValueError if the file is too small to hold it."""
    member = archive.getinfo(f"{name}.npy")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(
            f"{name} is compressed by another method than np.savez_compressed has: use that"
        )
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read:
            raise ValueError(f"{name}.npy has an unknown format version {version}")
        shape, _, dtype = read[version](file)
        size = file.tell() + math.prod(shape) * dtype.itemsize
    held = min(member.file_size, DEFLATED * min(member.compress_size, file_size), LARGEST)
    if not dtype.hasobject and (size > held or min(shape, default=0) < 0):
        raise ValueError(
            f"{name} of shape {shape} would take {size:,} bytes; at most {held:,} can be read"
        )
    return shape, dtype


def _check_arrays(
    path: Path, shape: tuple, dtype: np.dtype, labels: np.ndarray, split: np.ndarray
) -> None:
    problems = []
    if 0 in shape:
        problems.append(f"there are no images with pixels, their shape is {shape}")
    if dtype != np.uint8:
        problems.append(f"images are {dtype}, not uint8 ({AS_UINT8})")
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        problems.append(f"images have shape {shape}, not (N, H, W) or (N, H, W, 3)")
    if labels.dtype.kind not in "iu" or labels.shape != shape[:1]:
        problems.append(f"labels are {labels.dtype} {labels.shape}, not integers {shape[:1]}")
    elif labels.max(initial=0) > np.iinfo(np.int64).max:
        problems.append(f"a label is {labels.max()}, more than int64 holds")
    if split.shape != shape[:1] or not set(split.tolist()) <= {"train", "test"}:
        problems.append(f"split must be 'train' or 'test' for each of the {shape[:1]} images")
    if problems:
        raise UserError(f"{path}: " + "; ".join(problems))


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed npz file completely or not at all."""
    with atomic(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Load all arrays of an npz file without unpickling anything.

    Raises:
        UserError: the file is damaged.
    """
    with undamaged(path, *DAMAGES), np.load(path, allow_pickle=False) as file:
        return dict(file)
