"""The official files are those that torchvision names."""

import pytest
from tests.unit.data.conftest import OFFICIAL_CLASSES

from oodpriors.data._torchvision import datasets as torchvision_datasets
from oodpriors.data.official import CONTENT_SHA256
from oodpriors.kinds.datasets import OFFICIAL
from oodpriors.kinds.rows import load


def listed(kind):
    return {file.name: file for file in load(OFFICIAL[kind].files)()}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("mnist", {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}),
        (
            "fashion_mnist",
            {
                f"{s}-{w}-ubyte.gz"
                for s in ("train", "t10k")
                for w in ("images-idx3", "labels-idx1")
            },
        ),
        ("cifar10", {"cifar-10-python.tar.gz"}),
        ("svhn", {"test_32x32.mat"}),
    ],
)
def test_only_the_files_that_are_needed_are_listed(kind, names):
    assert set(listed(kind)) == names


@pytest.mark.parametrize("kind", ["mnist", "fashion_mnist"])
def test_idx_addresses_and_checksums_are_those_of_torchvision(monkeypatch, kind):
    source = OFFICIAL_CLASSES[kind]
    monkeypatch.setattr(source, "mirrors", ["http://one.test/", "http://two.test/"])
    monkeypatch.setattr(source, "resources", [("t10k-images.gz", "a" * 32)])
    (file,) = listed(kind).values()
    assert file.urls == ("http://one.test/t10k-images.gz", "http://two.test/t10k-images.gz")
    assert file.checksum == "a" * 32


@pytest.mark.parametrize("kind", ["mnist", "fashion_mnist"])
def test_every_known_content_belongs_to_a_listed_file(kind):
    assert {f"{name}-ubyte.gz" for name in CONTENT_SHA256[kind]} == set(listed(kind))
    assert all(file.content_sha256 for file in listed(kind).values())


def test_contents_of_different_files_differ():
    contents = [digest for files in CONTENT_SHA256.values() for digest in files.values()]
    assert len(set(contents)) == len(contents)


def test_the_address_and_checksum_of_cifar10_are_those_of_torchvision(monkeypatch):
    source = torchvision_datasets.CIFAR10
    assert listed("cifar10")[source.filename].checksum == source.tgz_md5
    monkeypatch.setattr(source, "url", "http://one.test/archive")
    monkeypatch.setattr(source, "tgz_md5", "b" * 32)
    (file,) = listed("cifar10").values()
    assert (file.urls, file.checksum) == (("http://one.test/archive",), "b" * 32)


def test_the_address_and_checksum_of_svhn_are_those_of_torchvision(monkeypatch):
    entry = ["http://one.test/mat", "test.mat", "c" * 32]
    monkeypatch.setattr(torchvision_datasets.SVHN, "split_list", {"test": entry})
    (file,) = listed("svhn").values()
    assert (file.urls, file.name, file.checksum) == (("http://one.test/mat",), "test.mat", "c" * 32)
