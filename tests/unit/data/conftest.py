"""What tests of data share."""

import pytest

from oodpriors.data import fetching
from oodpriors.data._torchvision import datasets as torchvision_datasets
from oodpriors.data.loading import load_embedded

OFFICIAL_CLASSES = {
    "mnist": torchvision_datasets.MNIST,
    "fashion_mnist": torchvision_datasets.FashionMNIST,
    "cifar10": torchvision_datasets.CIFAR10,
    "svhn": torchvision_datasets.SVHN,
}


SHAPES = {
    "mnist": (28, 28),
    "fashion_mnist": (28, 28),
    "cifar10": (32, 32, 3),
    "svhn": (32, 32, 3),
}


every_official = pytest.mark.parametrize("kind", SHAPES)


@pytest.fixture
def no_internet(monkeypatch):
    def refuse(request, **more):
        raise OSError("no internet in tests")

    monkeypatch.setattr(fetching.urllib.request, "urlopen", refuse)


# stand-ins


@pytest.fixture(scope="module")
def stand_ins():
    return {kind: load_embedded(kind) for kind in SHAPES}
