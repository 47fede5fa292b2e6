"""Loads the paper's four data sets, the user's files and stand-ins, all in one format."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oodpriors.data.fetching import fetch
from oodpriors.data.official import Parts
from oodpriors.io.errors import AS_UINT8, UserError
from oodpriors.io.files import atomic, sha256
from oodpriors.kinds.datasets import OFFICIAL
from oodpriors.kinds.rows import load


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


def load_official(kind: str, sources: Sequence[str], cache: Path) -> Dataset:
    """An official data set: only the files it needs, each checked first.

    Args:
        kind: a name of :data:`oodpriors.kinds.datasets.OFFICIAL`.
        sources: folders or base URLs to try before the official addresses; a file may
            be there directly or in a subfolder named after the kind.
        cache: folder that keeps the verified files.

    Raises:
        DownloadError: no source gave a file with the right checksum.
    """
    official = OFFICIAL[kind]
    tried = [place for source in sources for place in (source, f"{source.rstrip('/')}/{kind}")]
    paths, records = {}, []
    for file in load(official.files)():
        paths[file.name], origin = fetch(file, tried, cache)
        records.append(_record(paths[file.name], origin))
    return _joined(load(official.read)(paths), {"kind": kind, "stand_in": False, "files": records})


def _record(path: Path, origin: str) -> dict:
    size = path.stat().st_size
    return {"name": path.name, "origin": origin, "bytes": size, "sha256": sha256(path)}


def _joined(parts: Parts, provenance: dict) -> Dataset:
    splits, images, labels = zip(*parts, strict=True)
    counts = dict(zip(splits, map(len, images), strict=True))
    split = np.repeat(splits, list(counts.values()))
    provenance |= {"images": counts}
    return Dataset(np.concatenate(images), np.concatenate(labels), split, provenance)


def load_npz(path: Path, content: list | None = None) -> Dataset:
    """Load the user's data set: ``images`` uint8 (N, H, W[, 3]), ``labels``, ``split``.

    Args:
        path: the file.
        content: what :func:`inspect_npz` said of it before.

    Raises:
        UserError: the file is unreadable, an array has a wrong name, shape or type, or the
            content is another.
    """
    inspected = inspect_npz(path)
    if content and content != inspected["content"]:
        raise UserError(f"{path}: it was replaced after the run started: run again")
    with _readable(path), np.load(path, allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
        split = file["split"].astype(str)
    values, counts = np.unique(split, return_counts=True)
    provenance = {
        "kind": "npz",
        "stand_in": False,
        "files": [_record(Path(path), str(path))],
        "images": dict(zip(values.tolist(), counts.tolist(), strict=True)),
    }
    return Dataset(images, labels.astype(np.int64), split, provenance)


def inspect_npz(path: Path) -> dict:
    """Read image shape, labels and splits of an npz file, but not its images.

    Returns:
        ``shape`` (C, H, W); ``labels``, a dict of split -> sorted labels; and ``content``,
        CRC-32 and bytes of each array, from the file's directory.

    Raises:
        UserError: see :func:`load_npz`.
    """
    with _readable(path), zipfile.ZipFile(path) as archive, np.load(path) as file:
        missing = {"images", "labels", "split"} - set(file.files)
        if missing:
            raise ValueError(f"missing {', '.join(sorted(missing))}; the file has {file.files}")
        labels, split = file["labels"], file["split"].astype(str)
        with archive.open("images.npy") as member:
            shape, dtype = _npy_header(member)
        stored = [archive.getinfo(f"{name}.npy") for name in ("images", "labels", "split")]
    _check_arrays(path, shape, dtype, labels, split)
    channels = shape[3] if len(shape) == 4 else 1
    return {
        "shape": (channels, shape[1], shape[2]),
        "labels": {s: np.unique(labels[split == s]).tolist() for s in np.unique(split).tolist()},
        "content": [[member.CRC, member.file_size] for member in stored],
    }


# Errors that NumPy and zipfile raise for a damaged file.
DAMAGES = (OSError, ValueError, zipfile.BadZipFile, EOFError, RuntimeError, zlib.error)


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


def _npy_header(file) -> tuple[tuple, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"images.npy has an unknown format version {version}")
    shape, _, dtype = read[version](file)
    return shape, dtype


def _check_arrays(
    path: Path, shape: tuple, dtype: np.dtype, labels: np.ndarray, split: np.ndarray
) -> None:
    problems = []
    if shape[:1] == (0,):
        problems.append("there are no images")
    if dtype != np.uint8:
        problems.append(f"images are {dtype}, not uint8 ({AS_UINT8})")
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        problems.append(f"images have shape {shape}, not (N, H, W) or (N, H, W, 3)")
    if not np.issubdtype(labels.dtype, np.integer) or labels.shape != shape[:1]:
        problems.append(f"labels are {labels.dtype} {labels.shape}, not integers {shape[:1]}")
    if split.shape != shape[:1] or not set(split.tolist()) <= {"train", "test"}:
        problems.append(f"split must be 'train' or 'test' for each of the {shape[:1]} images")
    if problems:
        raise UserError(f"{path}: " + "; ".join(problems))


def load_embedded(stands_for: str) -> Dataset:
    """Create a stand-in for one of the paper's data sets; needs no internet.

    Raises:
        UserError: there is no stand-in for this data set.
    """
    if stands_for not in OFFICIAL:
        raise UserError(f"no stand-in for {stands_for!r}; there are {', '.join(OFFICIAL)}")
    official = OFFICIAL[stands_for]
    provenance = {
        "kind": "embedded",
        "stand_in": True,
        "stands_for": stands_for,
        "description": official.stand_in,
        "files": [],
    }
    return _joined(load(official.draw)(), provenance)


def load_dataset(entry: dict, sources: Sequence[str], cache: Path) -> Dataset:
    """Load the data set of a configuration entry (kind; path and content, or stands_for).

    Raises:
        UserError, DownloadError: see the loader of its kind.
    """
    if entry["kind"] == "npz":
        return load_npz(entry["path"], entry["content"])
    if entry["kind"] == "embedded":
        return load_embedded(entry["stands_for"])
    return load_official(entry["kind"], sources, cache)


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed npz file completely or not at all."""
    with atomic(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Load all arrays of an npz file without unpickling anything.

    Raises:
        UserError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        raise
    except DAMAGES as error:
        raise UserError(f"{path}: damaged ({error}); delete the file, then run again") from error
