"""Loads the paper's four data sets, the user's files and stand-ins, all in one format."""

import gzip
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oodpriors.data.fetching import RemoteFile, fetch
from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic, sha256

# Checksums of the uncompressed IDX files: Debian's package compressed its copies again.
CONTENT_SHA256 = {
    ("mnist", "t10k-images-idx3-ubyte.gz"): (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    ("mnist", "t10k-labels-idx1-ubyte.gz"): (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
    ("fashion_mnist", "train-images-idx3-ubyte.gz"): (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    ("fashion_mnist", "train-labels-idx1-ubyte.gz"): (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    ("fashion_mnist", "t10k-images-idx3-ubyte.gz"): (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    ("fashion_mnist", "t10k-labels-idx1-ubyte.gz"): (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
}


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


Parts = list[tuple[str, np.ndarray, np.ndarray]]


def _idx_files(kind: str, names: Sequence[str]) -> list[RemoteFile]:
    from oodpriors.data._torchvision import datasets

    source = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST}[kind]
    return [
        RemoteFile(
            name,
            tuple(mirror + name for mirror in source.mirrors),
            md5,
            CONTENT_SHA256.get((kind, name)),
        )
        for name, md5 in source.resources
        if name.startswith(tuple(names))
    ]


def _read_idx(paths: dict[str, Path], names: Sequence[str]) -> Parts:
    from torchvision.datasets.mnist import read_image_file, read_label_file

    parts = []
    with tempfile.TemporaryDirectory() as folder:
        plain = {}
        for name, path in paths.items():
            plain[name] = Path(folder, name.removesuffix(".gz"))
            plain[name].write_bytes(gzip.decompress(path.read_bytes()))
        for name in names:
            images = read_image_file(str(plain[f"{name}-images-idx3-ubyte.gz"]))
            labels = read_label_file(str(plain[f"{name}-labels-idx1-ubyte.gz"]))
            parts.append(({"t10k": "test"}.get(name, name), images.numpy(), labels.numpy()))
    return parts


def _mnist_files() -> list[RemoteFile]:
    return _idx_files("mnist", ["t10k"])


def _read_mnist(paths: dict[str, Path]) -> Parts:
    return _read_idx(paths, ["t10k"])


def _fashion_mnist_files() -> list[RemoteFile]:
    return _idx_files("fashion_mnist", ["train", "t10k"])


def _read_fashion_mnist(paths: dict[str, Path]) -> Parts:
    return _read_idx(paths, ["train", "t10k"])


def _cifar10_files() -> list[RemoteFile]:
    from oodpriors.data._torchvision import datasets

    source = datasets.CIFAR10
    return [RemoteFile(source.filename, (source.url,), source.tgz_md5)]


def _read_cifar10(paths: dict[str, Path]) -> Parts:
    from oodpriors.data._torchvision import datasets

    (archive,) = paths.values()
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        # The archive matched its checksum; torchvision also checks each pickle.
        tar.extractall(folder, filter="data")
        sets = {"train": datasets.CIFAR10(folder), "test": datasets.CIFAR10(folder, train=False)}
        return [(split, s.data, np.asarray(s.targets, np.int64)) for split, s in sets.items()]


def _svhn_files() -> list[RemoteFile]:
    from oodpriors.data._torchvision import datasets

    url, name, md5 = datasets.SVHN.split_list["test"]
    return [RemoteFile(name, (url,), md5)]


def _read_svhn(paths: dict[str, Path]) -> Parts:
    from oodpriors.data._torchvision import datasets

    (file,) = paths.values()
    svhn = datasets.SVHN(file.parent, split="test")
    return [("test", svhn.data.transpose(0, 2, 3, 1), svhn.labels.astype(np.int64))]


OFFICIAL: dict[str, tuple[Callable[[], list[RemoteFile]], Callable[[dict[str, Path]], Parts]]] = {
    "mnist": (_mnist_files, _read_mnist),
    "fashion_mnist": (_fashion_mnist_files, _read_fashion_mnist),
    "cifar10": (_cifar10_files, _read_cifar10),
    "svhn": (_svhn_files, _read_svhn),
}


def load_official(kind: str, sources: Sequence[str], cache: Path) -> Dataset:
    """Load one of the paper's data sets: only the files needed, each verified first.

    Args:
        kind: mnist (test set), fashion_mnist, cifar10 or svhn (test set).
        sources: folders or base URLs to try before the official addresses; a file may
            be there directly or in a subfolder named after the kind.
        cache: folder that keeps the verified files.

    Raises:
        DownloadError: no source gave a file with the right checksum.
    """
    files, read = OFFICIAL[kind]
    tried = [place for source in sources for place in (source, f"{source.rstrip('/')}/{kind}")]
    paths, records = {}, []
    for file in files():
        paths[file.name], origin = fetch(file, tried, cache)
        records.append(
            {
                "name": file.name,
                "origin": origin,
                "bytes": paths[file.name].stat().st_size,
                "sha256": sha256(paths[file.name]),
            }
        )
    return _joined(read(paths), {"kind": kind, "stand_in": False, "files": records})


def _joined(parts: Parts, provenance: dict) -> Dataset:
    counts = {split: len(images) for split, images, _ in parts}
    return Dataset(
        np.concatenate([images for _, images, _ in parts]),
        np.concatenate([labels for _, _, labels in parts]),
        np.concatenate([np.full(len(images), split) for split, images, _ in parts]),
        provenance | {"images": counts},
    )


def load_npz(path: Path) -> Dataset:
    """Load the user's data set: ``images`` uint8 (N, H, W[, 3]), ``labels``, ``split``.

    Raises:
        UserError: the file is unreadable, or an array has a wrong name, shape or type.
    """
    inspect_npz(path)
    with _readable(path), np.load(path, allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
        split = file["split"].astype(str)
    values, counts = np.unique(split, return_counts=True)
    record = {"name": Path(path).name, "origin": str(path), "bytes": Path(path).stat().st_size}
    return Dataset(
        images,
        labels.astype(np.int64),
        split,
        {
            "kind": "npz",
            "stand_in": False,
            "files": [record | {"sha256": sha256(path)}],
            "images": dict(zip(values.tolist(), counts.tolist(), strict=True)),
        },
    )


def inspect_npz(path: Path) -> dict:
    """Read image shape, labels and splits of an npz file, but not its images.

    Returns:
        ``shape`` (C, H, W), and ``labels``, a dict of split -> sorted labels.

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
    _check_arrays(path, shape, dtype, labels, split)
    channels = shape[3] if len(shape) == 4 else 1
    return {
        "shape": (channels, shape[1], shape[2]),
        "labels": {s: np.unique(labels[split == s]).tolist() for s in np.unique(split).tolist()},
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
        problems.append(f"images are {dtype}, not uint8")
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
    from oodpriors.data.stand_ins import STAND_INS

    if stands_for not in STAND_INS:
        raise UserError(f"no stand-in for {stands_for!r}; there are {', '.join(STAND_INS)}")
    draw, description = STAND_INS[stands_for]
    provenance = {
        "kind": "embedded",
        "stand_in": True,
        "stands_for": stands_for,
        "description": description,
        "files": [],
    }
    return _joined(draw(), provenance)


def load_dataset(entry: dict, sources: Sequence[str], cache: Path) -> Dataset:
    """Load the data set of a configuration entry (kind, and path or stands_for).

    Raises:
        UserError, DownloadError: see the loader of its kind.
    """
    if entry["kind"] == "npz":
        return load_npz(entry["path"])
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
