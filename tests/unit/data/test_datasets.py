"""Every kind of data set gives the same arrays; unverified files are never opened."""

import gzip
import hashlib
import io
import json
import os
import pickle
import re
import socket
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image
from tests.unit.data.conftest import OFFICIAL_CLASSES, SHAPES, every_official

from oodpriors.data._torchvision import datasets as torchvision_datasets
from oodpriors.data.datasets import inspect_npz, load_arrays, load_npz, save_arrays
from oodpriors.data.fetching import DownloadError
from oodpriors.data.loading import load_dataset, load_official, load_or_leave_out
from oodpriors.io.errors import UserError

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("no_internet")


def md5(data):
    return hashlib.md5(data).hexdigest()


def draw(n, shape, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


# tiny official files


def idx(array):
    """The IDX format: a magic number with the rank, the sizes, the bytes."""
    head = struct.pack(f">{1 + array.ndim}I", 2048 + array.ndim, *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes())


def idx_files(monkeypatch, kind, splits):
    parts = [(split, draw(n, (28, 28), n), np.arange(n) % 10) for split, n in splits.items()]
    files = {}
    for split, images, labels in parts:
        name = {"test": "t10k"}.get(split, split)
        files[f"{name}-images-idx3-ubyte.gz"] = idx(images)
        files[f"{name}-labels-idx1-ubyte.gz"] = idx(labels)
    source = OFFICIAL_CLASSES[kind]
    known = [(name, md5(files.get(name, b"not needed"))) for name, _ in source.resources]
    monkeypatch.setattr(source, "resources", known)
    return files, parts


def mnist_files(monkeypatch):
    return idx_files(monkeypatch, "mnist", {"test": 7})


def fashion_mnist_files(monkeypatch):
    return idx_files(monkeypatch, "fashion_mnist", {"train": 6, "test": 4})


def archive_of(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def cifar10_files(monkeypatch):
    source = torchvision_datasets.CIFAR10
    sets = {"train": draw(10, (32, 32, 3), 1), "test": draw(2, (32, 32, 3), 2)}
    labels = {split: (3 * np.arange(len(images)) + 1) % 10 for split, images in sets.items()}
    batches = [(f"data_batch_{i + 1}", "train", slice(2 * i, 2 * i + 2)) for i in range(5)]
    members = {"batches.meta": pickle.dumps({"label_names": list("abcdefghij")})}
    for name, split, part in [*batches, ("test_batch", "test", slice(0, 2))]:
        # a row is an image: red, then green, then blue, each line by line
        rows = sets[split][part].transpose(0, 3, 1, 2).reshape(2, 3072)
        members[name] = pickle.dumps({"data": rows, "labels": labels[split][part].tolist()})
    hashes = {name: md5(data) for name, data in members.items()}
    archive = archive_of(members)
    monkeypatch.setattr(source, "tgz_md5", md5(archive))
    monkeypatch.setattr(source, "train_list", [[name, hashes[name]] for name, _, _ in batches])
    monkeypatch.setattr(source, "test_list", [["test_batch", hashes["test_batch"]]])
    monkeypatch.setattr(source, "meta", source.meta | {"md5": hashes["batches.meta"]})
    return {source.filename: archive}, [(s, sets[s], labels[s]) for s in ("train", "test")]


def svhn_files(monkeypatch):
    images, written = draw(12, (32, 32, 3), 3), np.arange(12) % 10 + 1
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"X": images.transpose(1, 2, 3, 0), "y": written[:, None]})
    url, name, _ = torchvision_datasets.SVHN.split_list["test"]
    entry = [url, name, md5(buffer.getvalue())]
    monkeypatch.setattr(torchvision_datasets.SVHN, "split_list", {"test": entry})
    # the file writes the digit 0 as label 10
    return {name: buffer.getvalue()}, [("test", images, written % 10)]


MAKERS = {
    "mnist": mnist_files,
    "fashion_mnist": fashion_mnist_files,
    "cifar10": cifar10_files,
    "svhn": svhn_files,
}


def write_mirror(folder, files):
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.fixture
def official(monkeypatch, tmp_path):
    """Makes tiny official files of a kind in a mirror; returns their parts."""

    def make(kind, below=""):
        files, parts = MAKERS[kind](monkeypatch)
        write_mirror(tmp_path / "mirror" / below, files)
        return files, parts

    return make


def load(kind, tmp_path):
    return load_official(kind, [str(tmp_path / "mirror")], tmp_path / "cache")


@every_official
def test_official_files_give_images_labels_and_splits(official, tmp_path, kind):
    _, parts = official(kind)
    data = load(kind, tmp_path)
    assert (data.images.dtype, data.labels.dtype) == (np.uint8, np.int64)
    assert data.images.shape[1:] == SHAPES[kind]
    assert len(data.images) == len(data.split) == sum(len(images) for _, images, _ in parts)
    for split, images, labels in parts:
        np.testing.assert_array_equal(data.images[data.split == split], images)
        np.testing.assert_array_equal(data.labels[data.split == split], labels)


@every_official
def test_official_files_may_lie_in_a_folder_named_by_the_kind(official, tmp_path, kind):
    _, parts = official(kind, below=kind)
    assert len(load(kind, tmp_path).images) == sum(len(images) for _, images, _ in parts)


@every_official
def test_provenance_names_every_file_with_its_checksum(official, tmp_path, kind):
    files, parts = official(kind)
    provenance = load(kind, tmp_path).provenance
    assert provenance == {
        "kind": kind,
        "stand_in": False,
        "files": [
            {
                "name": name,
                "origin": f"{tmp_path}/mirror/{name}",
                "bytes": len(files[name]),
                "sha256": hashlib.sha256(files[name]).hexdigest(),
            }
            for name in [entry["name"] for entry in provenance["files"]]
        ],
        "images": {split: len(images) for split, images, _ in parts},
    }
    assert {entry["name"] for entry in provenance["files"]} == set(files)


@every_official
def test_a_second_load_needs_only_the_cache(official, tmp_path, kind):
    official(kind)
    first = load(kind, tmp_path)
    second = load_official(kind, [], tmp_path / "cache")
    np.testing.assert_array_equal(first.images, second.images)
    assert second.provenance == first.provenance


@every_official
def test_provenance_can_be_stored(official, tmp_path, kind):
    official(kind)
    provenance = load(kind, tmp_path).provenance
    assert json.loads(json.dumps(provenance)) == provenance


def test_house_number_10_is_the_digit_0(official, tmp_path):
    official("svhn")
    assert load("svhn", tmp_path).labels.tolist() == [*range(1, 10), 0, 1, 2]


# files that cannot be trusted


class Marker:
    """Unpickling this object creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def marked(tmp_path):
    """A pickle that creates a file when it is opened, and this file."""
    mark = tmp_path / "opened"
    harmful = pickle.dumps(Marker(mark))
    pickle.loads(harmful)
    assert mark.exists()
    mark.unlink()
    return harmful, mark


def test_no_pickle_of_a_wrong_archive_is_opened(tmp_path, marked):
    harmful, mark = marked
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch", "batches.meta"]
    archive = archive_of(dict.fromkeys(names, harmful))
    write_mirror(tmp_path / "mirror", {"cifar-10-python.tar.gz": archive})
    with pytest.raises(DownloadError, match="wrong checksum"):
        load("cifar10", tmp_path)
    assert not mark.exists()


def test_no_pickle_with_another_checksum_than_its_own_is_opened(monkeypatch, tmp_path, marked):
    harmful, mark = marked
    files, _ = cifar10_files(monkeypatch)
    with tarfile.open(fileobj=io.BytesIO(files["cifar-10-python.tar.gz"])) as tar:
        members = {Path(m.name).name: tar.extractfile(m).read() for m in tar.getmembers()}
    archive = archive_of(members | {"data_batch_1": harmful})
    monkeypatch.setattr(torchvision_datasets.CIFAR10, "tgz_md5", md5(archive))
    write_mirror(tmp_path / "mirror", {"cifar-10-python.tar.gz": archive})
    with pytest.raises(RuntimeError, match="corrupted"):
        load("cifar10", tmp_path)
    assert not mark.exists()


@every_official
def test_a_changed_byte_is_refused(official, tmp_path, kind):
    files, _ = official(kind)
    for name, data in files.items():
        (tmp_path / "mirror" / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DownloadError, match="wrong checksum"):
        load(kind, tmp_path)


# the user's files


def own(n=6, shape=(8, 8)):
    return {
        "images": draw(n, shape, 0),
        "labels": np.arange(n, dtype=np.int32) % 3,
        "split": np.array(["train", "test"] * (n // 2)),
    }


def write_npz(path, **changes):
    arrays = {name: a for name, a in (own() | changes).items() if a is not None}
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize("shape", [(8, 8), (8, 6, 1), (8, 6, 3)])
def test_an_npz_gives_its_arrays(tmp_path, shape):
    arrays = own(shape=shape)
    np.savez(tmp_path / "own.npz", **arrays)
    data = load_npz(tmp_path / "own.npz")
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(data, name), array)
    assert (data.labels.dtype, data.split.dtype.kind) == (np.int64, "U")


def test_the_provenance_of_an_npz_names_the_file_with_its_checksum(tmp_path):
    path = write_npz(tmp_path / "own.npz")
    provenance = load_npz(path).provenance
    (record,) = provenance.pop("files")
    assert provenance == {
        "kind": "npz",
        "stand_in": False,
        "images": {"test": 3, "train": 3},
        "test_images_in_train": 0,
    }
    assert record == {
        "name": "own.npz",
        "origin": str(path),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


@pytest.mark.parametrize(
    ("shape", "facts"),
    [((8, 6), (1, 8, 6)), ((8, 6, 1), (1, 8, 6)), ((8, 6, 3), (3, 8, 6))],
)
def test_inspecting_an_npz_tells_channels_first_and_labels_by_split(tmp_path, shape, facts):
    path = write_npz(tmp_path / "own.npz", images=draw(6, shape, 0))
    # labels 0 1 2 0 1 2, splits train test train test train test
    inspected = inspect_npz(path)
    assert inspected["shape"] == facts
    assert inspected["labels"] == {"train": [0, 1, 2], "test": [0, 1, 2]}


def test_inspecting_agrees_with_loading(tmp_path):
    split = np.array(["train"] * 4 + ["test"] * 2)
    path = write_npz(tmp_path / "own.npz", labels=np.array([5, 2, 5, 2, 9, 0]), split=split)
    facts, data = inspect_npz(path), load_npz(path)
    assert facts["labels"] == {
        s: sorted(set(data.labels[data.split == s].tolist())) for s in ("train", "test")
    }
    assert facts["shape"] == (1, *data.images.shape[1:])
    assert facts["training_images"] == {2: 2, 5: 2}


def test_what_an_npz_holds_is_told_apart_and_not_how_it_is_stored(tmp_path):
    arrays = {"images": draw(6, (8, 8), 0), "labels": np.arange(6), "split": ["train", "test"] * 3}

    def content(**changes):
        np.savez(tmp_path / "own.npz", **arrays | changes)
        return inspect_npz(tmp_path / "own.npz")["content"]

    first = content()
    np.savez_compressed(tmp_path / "packed.npz", **arrays)
    assert inspect_npz(tmp_path / "packed.npz")["content"] == first
    assert content(notes=np.arange(3)) == first
    others = [content(images=draw(6, (8, 8), 1)), content(labels=np.arange(6)[::-1])]
    others += [content(split=["test", "train"] * 3)]
    assert all(other != first for other in others)


def test_an_npz_that_was_replaced_since_it_was_inspected_is_refused(tmp_path):
    path = write_npz(tmp_path / "own.npz")
    content = inspect_npz(path)["content"]
    load_npz(path, content)
    write_npz(path, labels=np.arange(6)[::-1].copy())
    with pytest.raises(UserError, match=r"own\.npz: it was replaced after the run started"):
        load_npz(path, content)


def with_member(path, name, content):
    """An npz whose member of this name has other bytes."""
    write_npz(path, **{name: None})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{name}.npy", content)
    return path


def test_inspecting_reads_no_image(tmp_path):
    path, arrays = tmp_path / "own.npz", own(shape=(100, 100))
    np.savez(path, **arrays)
    images = arrays["images"].tobytes()
    path.write_bytes(path.read_bytes().replace(images, bytes(len(images))))
    assert inspect_npz(path)["shape"] == (1, 100, 100)
    with pytest.raises(ValueError, match="Bad CRC-32"):
        load_npz(path)


HUGE = {
    "images": ("|u1", (6, 50_000, 400_000)),
    "labels": ("<i8", (15_000_000_000,)),
    "split": ("<U500000000", (6,)),
}


@pytest.mark.parametrize("name", HUGE)
@pytest.mark.parametrize("lies", [False, True])
def test_an_array_that_the_file_cannot_hold_is_refused_unread(tmp_path, monkeypatch, name, lies):
    header, (kind, shape) = io.BytesIO(), HUGE[name]
    described = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    path = with_member(tmp_path / "own.npz", name, header.getvalue())
    found = zipfile.ZipFile.getinfo

    def lie(archive, member):
        info = found(archive, member)
        info.file_size = info.compress_size = 2**50
        return info

    if lies:  # the list of members as well
        monkeypatch.setattr(zipfile.ZipFile, "getinfo", lie)
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("it was read"))
    assert_refused(path, f"{name} of shape {shape} would take ")


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "socket"])
def test_what_is_no_regular_file_is_refused_unopened(tmp_path, kind):
    path = tmp_path / "own.npz"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(path))
    assert_refused(path, "is no regular file")


def test_test_images_that_are_training_images_are_counted(tmp_path, capsys):
    images = draw(6, (8, 8), 0)
    images[3] = images[0]  # one of the test split, one of the training split
    path = write_npz(tmp_path / "own.npz", images=images)
    assert load_npz(path).provenance["test_images_in_train"] == 1
    assert capsys.readouterr().err == (f"{path}: 1 of 3 test images are training images as well\n")


def test_a_test_split_of_training_images_is_refused(tmp_path):
    images = draw(6, (8, 8), 0)
    images[1::2] = images[::2]
    path = write_npz(tmp_path / "own.npz", images=images)
    with pytest.raises(UserError, match="3 of 3 test images are training images as well: take"):
        load_npz(path)


MISTAKES = {
    "no images": ({"images": None}, "missing images; the file has ['labels', 'split']"),
    "no labels": ({"labels": None}, "missing labels; the file has ['images', 'split']"),
    "no labels, no split": ({"labels": None, "split": None}, "missing labels, split"),
    "float images": (
        {"images": np.zeros((6, 8, 8))},
        "images are float64, not uint8 (for pixels x in [0, 1]: (255 * x).round() as uint8",
    ),
    "whole numbers": (
        {"images": np.full((6, 8, 8), 300)},
        "images are int64, not uint8 (for pixels x in [0, 1]: (255 * x).round() as uint8; "
        "for whole numbers from 0 to 255: x as uint8)",
    ),
    "flat images": ({"images": draw(6, (64,), 0)}, "images have shape (6, 64), not (N, H, W)"),
    "two channels": ({"images": draw(6, (8, 8, 2), 0)}, "images have shape (6, 8, 8, 2)"),
    "four channels": ({"images": draw(6, (8, 8, 4), 0)}, "images have shape (6, 8, 8, 4)"),
    "channels first": ({"images": draw(6, (3, 8, 8), 0)}, "images have shape (6, 3, 8, 8)"),
    "few labels": ({"labels": np.arange(5)}, "labels are int64 (5,), not integers (6,)"),
    "float labels": ({"labels": np.arange(6.0)}, "labels are float64 (6,), not integers (6,)"),
    "one-hot labels": ({"labels": np.eye(6, dtype=int)}, "labels are int64 (6, 6)"),
    "other splits": (
        {"split": np.array(["train", "valid"] * 3)},
        "split must be 'train' or 'test' for each of the (6,) images",
    ),
    "few splits": ({"split": np.array(["train"] * 5)}, "split must be 'train' or 'test'"),
    "numbered splits": ({"split": np.arange(6) % 2}, "split must be 'train' or 'test'"),
    "pickled labels": ({"labels": np.array([1, None] * 3)}, "Object arrays cannot be loaded"),
    "no image": (
        {"images": draw(0, (8, 8), 0), "labels": np.arange(0), "split": np.array([], "U5")},
        "there are no images with pixels, their shape is (0, 8, 8)",
    ),
    "no pixels": (
        {"images": draw(6, (0, 8), 0)},
        "there are no images with pixels, their shape is (6, 0, 8)",
    ),
    "labels beyond int64": (
        {"labels": np.array([0, 1, 2, 3, 4, 2**63], np.uint64)},
        "a label is 9223372036854775808, more than int64 holds",
    ),
    "durations": ({"labels": np.arange(6).astype("m8[s]")}, "labels are timedelta64[s] (6,)"),
    "pickled images": ({"images": np.full((6, 8, 8), None)}, "images are object, not uint8"),
}


def assert_refused(path, message):
    """Both functions name the file and the reason."""
    for read in (inspect_npz, load_npz):
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{re.escape(message)}"):
            read(path)


@pytest.mark.parametrize(("changes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_an_npz_with_a_mistake_is_refused_by_name(tmp_path, changes, message):
    assert_refused(write_npz(tmp_path / "own.npz", **changes), message)


def test_all_mistakes_of_an_npz_are_told_at_once(tmp_path):
    path = write_npz(tmp_path / "own.npz", labels=np.arange(5), split=np.arange(6))
    with pytest.raises(ValueError, match=r"labels are int64 \(5,\).*; split must be"):
        load_npz(path)


def test_a_pickle_in_an_npz_is_not_opened(tmp_path, marked):
    _, mark = marked
    path = write_npz(tmp_path / "own.npz", labels=np.array([Marker(mark)] * 6))
    assert_refused(path, "Object arrays cannot be loaded")
    assert not mark.exists()


def test_images_of_an_unknown_format_are_refused_by_name(tmp_path):
    array = io.BytesIO()
    np.lib.format.write_array(array, own()["images"], version=(3, 0))
    path = with_member(tmp_path / "own.npz", "images", array.getvalue())
    assert_refused(path, "images.npy has an unknown format version (3, 0)")


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_a_truncated_npz_is_refused_by_name(tmp_path, kept):
    path = write_npz(tmp_path / "own.npz")
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    assert_refused(path, "not a usable npz data set")


@pytest.mark.parametrize("content", [b"<html>moved</html>", pickle.dumps([1])], ids=["html", "pkl"])
def test_what_is_no_npz_is_refused_by_name(tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    assert_refused(tmp_path / "own.npz", "not a usable npz data set")


def test_a_missing_npz_is_refused_by_name(tmp_path):
    assert_refused(tmp_path / "own.npz", "No such file")
    assert_refused(tmp_path / ("n" * 300), "File name too long")
    (tmp_path / "own.npz").touch()
    assert_refused(tmp_path / "own.npz/own.npz", "Not a directory")


def test_an_npz_may_lie_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_npz(tmp_path / "own.npz")
    data = load_npz("~/own.npz", inspect_npz("~/own.npz")["content"])
    assert data.provenance["files"][0]["origin"] == "~/own.npz"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_refused_by_name(tmp_path, method):
    path = tmp_path / "own.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, array in own(shape=(100, 100)).items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array * 0 if name == "images" else array)
    assert_refused(path, "images is compressed by another method than np.savez_compressed")


def test_the_error_says_what_an_npz_must_hold(tmp_path):
    with pytest.raises(ValueError, match=r"images \(uint8.*labels \(integers.*split \('train'"):
        load_npz(write_npz(tmp_path / "own.npz", split=None))


# the kinds of configuration entries


def test_an_entry_of_each_kind_is_loaded(official, tmp_path, stand_ins):
    _, ((_, images, _),) = official("mnist")
    sources, cache = [str(tmp_path / "mirror")], tmp_path / "cache"
    loaded = load_dataset({"kind": "mnist"}, sources, cache)
    np.testing.assert_array_equal(loaded.images, images)
    path = write_npz(tmp_path / "own.npz")
    loaded = load_dataset({"kind": "npz", "path": str(path), "content": None}, sources, cache)
    np.testing.assert_array_equal(loaded.images, own()["images"])
    loaded = load_dataset({"kind": "embedded", "stands_for": "mnist"}, sources, cache)
    np.testing.assert_array_equal(loaded.images, stand_ins["mnist"].images)
    (tmp_path / "letters/A").mkdir(parents=True)
    Image.fromarray(images[0]).save(tmp_path / "letters/A/0.png")
    folder = {"kind": "folder", "path": tmp_path / "letters", "shape": None, "content": None}
    np.testing.assert_array_equal(load_dataset(folder, sources, cache).images, images[:1])


def test_a_set_that_cannot_be_fetched_is_left_out_with_its_reason_in_one_line(tmp_path):
    data = load_or_leave_out({"kind": "mnist"}, [], tmp_path)
    assert len(data.images) == len(data.labels) == len(data.split) == 0
    reason = r"could not get t10k-images-idx3-ubyte.gz \(md5 \w{32}\)"
    assert re.fullmatch(reason, data.provenance["missing"])


def test_a_mistake_in_the_users_own_file_is_no_missing_set(tmp_path):
    entry = {"kind": "npz", "path": str(tmp_path / "no.npz"), "content": None}
    with pytest.raises(UserError, match="not a usable npz"):
        load_or_leave_out(entry, [], tmp_path)


# arrays on disk


def test_arrays_come_back_as_they_were_stored(tmp_path):
    arrays = own() | {"index": np.arange(6)}
    save_arrays(tmp_path / "new" / "arrays.npz", **arrays)
    loaded = load_arrays(tmp_path / "new" / "arrays.npz")
    assert list(loaded) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_stored_arrays_are_never_unpickled(tmp_path, marked):
    _, mark = marked
    np.savez(tmp_path / "arrays.npz", images=np.array([Marker(mark)]))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_arrays(tmp_path / "arrays.npz")
    assert not mark.exists()


def test_splits_of_bytes_are_text(tmp_path):
    split = np.array(["train", "test"] * 3).astype("S5")
    data = load_npz(write_npz(tmp_path / "own.npz", split=split))
    assert json.loads(json.dumps(data.provenance))["images"] == {"test": 3, "train": 3}


def test_a_single_array_is_refused_by_name(tmp_path):
    np.save(tmp_path / "own.npy", np.zeros(3))
    assert_refused(tmp_path / "own.npy", "not a usable npz data set")


@pytest.mark.parametrize("member", ["labels.npy", "images.npy"])
def test_damaged_bytes_are_refused_by_name(tmp_path, member):
    arrays = {
        "images": draw(400, (5, 5), 0),
        "labels": draw(400, (), 1).astype(int),
        "split": np.array(["train", "test"] * 200),
    }
    path = write_npz(tmp_path / "own.npz", **arrays)
    info = zipfile.ZipFile(path).getinfo(member)
    start = info.header_offset + 30 + len(member) + 20 + info.compress_size // 3
    data = bytearray(path.read_bytes())
    data[start : start + 20] = bytes(byte ^ 0xFF for byte in data[start : start + 20])
    path.write_bytes(data)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        load_npz(path)
