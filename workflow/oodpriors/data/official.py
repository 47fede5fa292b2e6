"""Files of the official data sets, and how they are read."""

import gzip
import tarfile
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from oodpriors.data.fetching import RemoteFile

Parts = list[tuple[str, np.ndarray, np.ndarray]]  # split, images and labels

# Contents of *-ubyte.gz, for copies that were compressed again (Debian's package).
CONTENT_SHA256 = {
    "mnist": {
        "t10k-images-idx3": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion_mnist": {
        "train-images-idx3": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}


def idx_files(name_of_class: str, kind: str, names: Sequence[str]) -> list[RemoteFile]:
    """Files whose names begin in one of these ways, of a torchvision class in MNIST's form."""
    from oodpriors.data._torchvision import datasets

    source = getattr(datasets, name_of_class)
    return [
        RemoteFile(
            name,
            tuple(mirror + name for mirror in source.mirrors),
            md5,
            CONTENT_SHA256.get(kind, {}).get(name.removesuffix("-ubyte.gz")),
        )
        for name, md5 in source.resources
        if name.startswith(tuple(names))
    ]


def read_idx(paths: dict[str, Path], names: Sequence[str]) -> Parts:
    """Images and labels of the splits whose files begin with these names."""
    from torchvision.datasets.mnist import read_image_file, read_label_file

    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in paths.items():
            Path(folder, name.removesuffix(".gz")).write_bytes(gzip.decompress(path.read_bytes()))
        for name in names:
            images = read_image_file(f"{folder}/{name}-images-idx3-ubyte")
            labels = read_label_file(f"{folder}/{name}-labels-idx1-ubyte")
            parts.append(({"t10k": "test"}.get(name, name), images.numpy(), labels.numpy()))
    return parts


def cifar_files(name_of_class: str) -> list[RemoteFile]:
    """The archive of a torchvision class in CIFAR-10's form."""
    from oodpriors.data._torchvision import datasets

    source = getattr(datasets, name_of_class)
    return [RemoteFile(source.filename, (source.url,), source.tgz_md5)]


def read_cifar(paths: dict[str, Path], name_of_class: str, splits: Sequence[str]) -> Parts:
    """Images and labels of these splits, the finest labels if there are several."""
    from oodpriors.data._torchvision import datasets

    (archive,) = paths.values()
    source = getattr(datasets, name_of_class)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        # The archive matched its checksum; each pickle is checked once more by torchvision.
        tar.extractall(folder, filter="data")
        sets = {split: source(folder, train=split == "train") for split in splits}
        return [(split, s.data, np.asarray(s.targets, np.int64)) for split, s in sets.items()]


def split_files(name_of_class: str, splits: Sequence[str]) -> list[RemoteFile]:
    """Files of these splits, of a torchvision class with a file for each."""
    from oodpriors.data._torchvision import datasets

    sources = [getattr(datasets, name_of_class).split_list[split] for split in splits]
    return [RemoteFile(name, (url,), md5) for url, name, md5 in sources]


def read_mat(paths: dict[str, Path], splits: Sequence[str]) -> Parts:
    """Images and labels of these splits of SVHN."""
    from oodpriors.data._torchvision import datasets

    folder = next(iter(paths.values())).parent
    sets = {split: datasets.SVHN(folder, split=split) for split in splits}
    return [
        (split, s.data.transpose(0, 2, 3, 1), s.labels.astype(np.int64))
        for split, s in sets.items()
    ]


mnist_files = partial(idx_files, "MNIST", "mnist", ["t10k"])
read_mnist = partial(read_idx, names=["t10k"])
fashion_mnist_files = partial(idx_files, "FashionMNIST", "fashion_mnist", ["train", "t10k"])
read_fashion_mnist = partial(read_idx, names=["train", "t10k"])
cifar10_files = partial(cifar_files, "CIFAR10")
read_cifar10 = partial(read_cifar, name_of_class="CIFAR10", splits=["train", "test"])
svhn_files = partial(split_files, "SVHN", ["test"])
read_svhn = partial(read_mat, splits=["test"])
