"""Files of official data sets beside the paper's four, and how they are read.

Images are brought into the form of MNIST, bright on black in 28 x 28 pixels (assumption A38).
"""

import io
import tempfile
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from oodpriors.data.fetching import RemoteFile
from oodpriors.data.official import (
    Parts,
    cifar_files,
    idx_files,
    read_cifar,
    read_idx,
    read_mat,
    split_files,
)

SIDE = 28
NOTMNIST = "https://raw.githubusercontent.com/davidflanagan/notMNIST-to-MNIST/master/"

kmnist_files = partial(idx_files, "KMNIST", "kmnist", ["t10k"])
read_kmnist = read_notmnist = partial(read_idx, names=["t10k"])
mnist_full_files = partial(idx_files, "MNIST", "mnist", ["train", "t10k"])
read_mnist_full = partial(read_idx, names=["train", "t10k"])
cifar100_files = partial(cifar_files, "CIFAR100")
read_cifar100 = partial(read_cifar, name_of_class="CIFAR100", splits=["test"])
svhn_full_files = partial(split_files, "SVHN", ["train", "test"])
read_svhn_full = partial(read_mat, splits=["train", "test"])
usps_files = partial(split_files, "USPS", ["test"])


def notmnist_files() -> list[RemoteFile]:
    """Of a conversion of the author's small set, with his leave; torchvision has none."""
    checksums = {
        "t10k-images-idx3": "70ae9e06201f2827e5b0a3781a3169d735dd2efc69996b9eeaee7f10ed4044d7",
        "t10k-labels-idx1": "1fa03836e01c862542f8eb83463bb951bebec6fcb3efa28dad748c6b38a9021b",
    }
    names = {f"{name}-ubyte.gz": digest for name, digest in checksums.items()}
    return [RemoteFile(name, (NOTMNIST + name,), digest) for name, digest in names.items()]


def emnist_files() -> list[RemoteFile]:
    from oodpriors.data._torchvision import datasets

    return [RemoteFile("gzip.zip", (datasets.EMNIST.url,), datasets.EMNIST.md5)]


def read_emnist_letters(paths: dict[str, Path]) -> Parts:
    """Test images of the letters, upright; the file has rows and columns exchanged, and A is 1."""
    (archive,) = paths.values()
    name = "emnist-letters-test"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive) as file:
        members = [m for m in file.namelist() if Path(m).name.startswith(f"{name}-")]
        inner = {Path(member).name: Path(file.extract(member, folder)) for member in members}
        ((_, images, labels),) = read_idx(inner, [name])
    return [("test", images.transpose(0, 2, 1), labels - 1)]


def omniglot_files() -> list[RemoteFile]:
    from oodpriors.data._torchvision import datasets

    name, source = "images_evaluation", datasets.Omniglot
    address = f"{source.download_url_prefix}/{name}.zip"
    return [RemoteFile(f"{name}.zip", (address,), source.zips_md5[name])]


def read_omniglot(paths: dict[str, Path]) -> Parts:
    """Characters of the evaluation set, inverted; the label is the alphabet, in their order."""
    (archive,) = paths.values()
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.endswith(".png"))
        pages = [Image.open(io.BytesIO(file.read(name))).convert("L") for name in names]
    images = [255 - np.asarray(_resized(page, Image.Resampling.BOX)) for page in pages]
    alphabets = [Path(name).parts[-3] for name in names]
    return [("test", np.stack(images), np.unique(alphabets, return_inverse=True)[1])]


def read_usps(paths: dict[str, Path]) -> Parts:
    """Digits of 16 x 16 pixels, enlarged."""
    from oodpriors.data._torchvision import datasets

    (file,) = paths.values()
    usps = datasets.USPS(file.parent, train=False)
    small = [Image.fromarray(image) for image in usps.data]
    images = [np.asarray(_resized(image, Image.Resampling.BILINEAR)) for image in small]
    return [("test", np.stack(images), np.asarray(usps.targets, np.int64))]


def _resized(image: Image.Image, how: Image.Resampling) -> Image.Image:
    return image.resize((SIDE, SIDE), how)
