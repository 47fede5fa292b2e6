"""Official sets beside the paper's, read from tiny files in their formats."""

import bz2
import hashlib
import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
import scipy.io
from PIL import Image
from tests.unit.data.conftest import SHAPES
from tests.unit.data.test_datasets import draw, idx, md5

from oodpriors.data import battery, battery_stand_ins, fetching
from oodpriors.data._torchvision import datasets as torchvision_datasets
from oodpriors.data.loading import load_dataset, load_or_leave_out
from oodpriors.io.errors import UserError
from oodpriors.kinds.datasets import OFFICIAL
from oodpriors.kinds.rows import load

N = 6
pytestmark = pytest.mark.usefixtures("no_internet")


def mnist_like(monkeypatch, name_of_class, splits):
    source = getattr(torchvision_datasets, name_of_class)
    files, parts = {}, []
    for split, name in splits.items():
        images, labels = draw(N, (28, 28), len(name)), np.arange(N) % 10
        files |= {f"{name}-images-idx3-ubyte.gz": idx(images)}
        files |= {f"{name}-labels-idx1-ubyte.gz": idx(labels)}
        parts.append((split, images, labels))
    known = [(name, md5(files.get(name, b""))) for name, _ in source.resources]
    monkeypatch.setattr(source, "resources", known)
    return files, parts


def kmnist(monkeypatch):
    return mnist_like(monkeypatch, "KMNIST", {"test": "t10k"})


def mnist_full(monkeypatch):
    return mnist_like(monkeypatch, "MNIST", {"train": "train", "test": "t10k"})


def notmnist(monkeypatch):
    images, labels = draw(N, (28, 28), 1), np.arange(N)
    files = {"t10k-images-idx3-ubyte.gz": idx(images), "t10k-labels-idx1-ubyte.gz": idx(labels)}
    listed = [
        fetching.RemoteFile(name, ("http://none.test",), hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    ]
    monkeypatch.setattr(battery, "notmnist_files", lambda: listed)
    return files, [("test", images, labels)]


def emnist_letters(monkeypatch):
    images, letters = draw(N, (28, 28), 1), np.arange(N) + 1
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for part in ("train", "test"):
            file.writestr(f"gzip/emnist-digits-{part}-images-idx3-ubyte.gz", b"not read")
        # the file holds an image column by column, and 1 for the letter A
        columns = images.transpose(0, 2, 1)
        file.writestr("gzip/emnist-letters-test-images-idx3-ubyte.gz", idx(columns))
        file.writestr("gzip/emnist-letters-test-labels-idx1-ubyte.gz", idx(letters))
    monkeypatch.setattr(torchvision_datasets.EMNIST, "md5", md5(buffer.getvalue()))
    return {"gzip.zip": buffer.getvalue()}, [("test", images, letters - 1)]


def omniglot(monkeypatch):
    """Black strokes on white, 1 bit; pixels in blocks, so that means over areas are exact."""
    buffer, images, labels = io.BytesIO(), [], []
    with zipfile.ZipFile(buffer, "w") as file:
        for number, alphabet in ((2, "Oriya"), (0, "Angelic"), (1, "Keble")):
            ink = np.random.default_rng(number).random((7, 7)) < 0.3
            page = Image.fromarray(np.kron(~ink, np.ones((15, 15), bool)))
            data = io.BytesIO()
            page.save(data, "PNG")
            name = f"images_evaluation/{alphabet}/character01/0965_0{number + 1}.png"
            file.writestr(name, data.getvalue())
            images.append((number, np.kron(ink, np.full((4, 4), 255)).astype(np.uint8)))
            labels.append(number)
    hashes = torchvision_datasets.Omniglot.zips_md5 | {"images_evaluation": md5(buffer.getvalue())}
    monkeypatch.setattr(torchvision_datasets.Omniglot, "zips_md5", hashes)
    ordered = [image for _, image in sorted(images, key=lambda pair: pair[0])]
    return {"images_evaluation.zip": buffer.getvalue()}, [("test", np.stack(ordered), [0, 1, 2])]


def usps(monkeypatch):
    """A grey of its own in all pixels of an image, so that enlarging changes none."""
    greys, lines = np.array([0, 51, 255]), []
    for digit, grey in enumerate(greys):
        pixels = " ".join(f"{i + 1}:{2 * (grey + 0.25) / 255 - 1:.6f}" for i in range(256))
        lines.append(f"{digit + 1} {pixels}\n")
    data = bz2.compress("".join(lines).encode())
    url, name, _ = torchvision_datasets.USPS.split_list["test"]
    monkeypatch.setitem(torchvision_datasets.USPS.split_list, "test", [url, name, md5(data)])
    images = np.broadcast_to(greys[:, None, None], (3, 28, 28)).astype(np.uint8)
    return {name: data}, [("test", images, [0, 1, 2])]


def cifar100(monkeypatch):
    source = torchvision_datasets.CIFAR100
    images, labels = draw(N, (32, 32, 3), 2), np.arange(N) * 19
    rows = images.transpose(0, 3, 1, 2).reshape(N, 3072)
    members = {
        "meta": pickle.dumps({"fine_label_names": list(OFFICIAL["cifar100"].classes)}),
        "test": pickle.dumps({"data": rows, "fine_labels": labels.tolist()}),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(f"{source.base_folder}/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    archive = buffer.getvalue()
    monkeypatch.setattr(source, "tgz_md5", md5(archive))
    monkeypatch.setattr(source, "test_list", [["test", md5(members["test"])]])
    monkeypatch.setattr(source, "train_list", [])
    monkeypatch.setattr(source, "meta", source.meta | {"md5": md5(members["meta"])})
    return {source.filename: archive}, [("test", images, labels)]


def svhn_full(monkeypatch):
    files, parts, lists = {}, [], {}
    for split in ("train", "test"):
        images, written = draw(12, (32, 32, 3), len(split)), np.arange(12) % 10 + 1
        buffer = io.BytesIO()
        scipy.io.savemat(buffer, {"X": images.transpose(1, 2, 3, 0), "y": written[:, None]})
        url, name, _ = torchvision_datasets.SVHN.split_list[split]
        files[name], lists[split] = buffer.getvalue(), [url, name, md5(buffer.getvalue())]
        parts.append((split, images, written % 10))
    monkeypatch.setattr(torchvision_datasets.SVHN, "split_list", lists)
    return files, parts


MAKERS = {
    "kmnist": kmnist,
    "emnist_letters": emnist_letters,
    "notmnist": notmnist,
    "omniglot": omniglot,
    "usps": usps,
    "cifar100": cifar100,
    "mnist_full": mnist_full,
    "svhn_full": svhn_full,
}
every_kind = pytest.mark.parametrize("kind", [kind for kind in OFFICIAL if kind not in SHAPES])


def entry_of(kind):
    return {"kind": kind, "stands_for": None, "content": None, "path": None, "shape": None}


@pytest.fixture
def official(monkeypatch, tmp_path):
    """Makes tiny official files of a kind in a mirror; returns their parts."""

    def make(kind):
        files, parts = MAKERS[kind](monkeypatch)
        (tmp_path / "mirror" / kind).mkdir(parents=True)
        for name, data in files.items():
            (tmp_path / "mirror" / kind / name).write_bytes(data)
        return parts

    return make


@every_kind
def test_images_and_labels_are_those_of_the_files(official, tmp_path, kind):
    parts = official(kind)
    data = load_dataset(entry_of(kind), [str(tmp_path / "mirror")], tmp_path / "cache")
    assert data.images.dtype == np.uint8
    assert data.images.shape[1:3] == OFFICIAL[kind].shape[1:]
    for split, images, labels in parts:
        np.testing.assert_array_equal(data.images[data.split == split], images)
        np.testing.assert_array_equal(data.labels[data.split == split], labels)
    assert {split for split, _, _ in parts} == set(OFFICIAL[kind].splits)
    assert data.provenance["kind"] == kind
    assert all(len(file["sha256"]) == 64 for file in data.provenance["files"])


@every_kind
def test_a_file_with_another_checksum_is_never_opened(official, tmp_path, kind):
    official(kind)
    for file in (tmp_path / "mirror" / kind).iterdir():
        file.write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    data = load_or_leave_out(entry_of(kind), [str(tmp_path / "mirror")], tmp_path / "cache")
    assert data.provenance["missing"].startswith("could not get ")
    assert len(data.images) == 0


@every_kind
def test_files_are_listed_with_address_and_checksum(kind):
    files = load(OFFICIAL[kind].files)()
    assert files
    for file in files:
        assert file.urls[0].startswith(("http://", "https://"))
        assert file.urls[0].endswith(file.name)
        assert len(file.checksum) in (32, 64)


@every_kind
def test_a_stand_in_has_the_form_and_all_labels_of_the_original(kind):
    row = OFFICIAL[kind]
    data = load_dataset(entry_of("embedded") | {"stands_for": kind}, [], None)
    assert data.images.dtype == np.uint8
    shape = (*row.shape[1:], 3) if row.shape[0] == 3 else row.shape[1:]
    assert data.images.shape[1:] == shape
    assert set(data.split) == set(row.splits)
    for split in row.splits:
        labels = data.labels[data.split == split]
        assert set(labels) == set(range(len(row.classes) or 10))
    assert data.provenance["stand_in"]
    assert data.provenance["description"] == row.stand_in
    different = {image.tobytes() for image in data.images}
    assert len(different) > 0.9 * len(data.images)


def test_stand_ins_of_one_shape_are_not_the_same_images():
    drawn = [battery_stand_ins.draw_kmnist, battery_stand_ins.draw_letters]
    drawn += [battery_stand_ins.draw_notmnist, battery_stand_ins.draw_omniglot]
    drawn += [battery_stand_ins.draw_usps, battery_stand_ins.draw_mnist_full]
    first = [draw_one()[0][1][:50].tobytes() for draw_one in drawn]
    assert len(set(first)) == len(drawn)


def test_the_classes_are_those_of_torchvision():
    datasets = torchvision_datasets
    assert OFFICIAL["kmnist"].classes == tuple(datasets.KMNIST.classes)
    letters = datasets.EMNIST.classes_split_dict["letters"]
    assert ("N/A", *OFFICIAL["emnist_letters"].classes) == tuple(letters)
    assert len(set(OFFICIAL["cifar100"].classes)) == 100
    assert list(OFFICIAL["cifar100"].classes) == sorted(OFFICIAL["cifar100"].classes)
    assert list(OFFICIAL["omniglot"].classes) == sorted(OFFICIAL["omniglot"].classes)
    assert len(OFFICIAL["omniglot"].classes) == 20


def test_the_users_own_mistake_is_not_left_out(tmp_path):
    entry = entry_of("folder") | {"path": str(tmp_path / "none")}
    with pytest.raises(UserError, match="is no folder"):
        load_or_leave_out(entry, [], tmp_path)
