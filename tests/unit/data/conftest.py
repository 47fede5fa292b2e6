"""x"""

import pytest

from oodpriors.data.datasets import (
    load_embedded,
)

SHAPES = {
    "mnist": (28, 28),
    "fashion_mnist": (28, 28),
    "cifar10": (32, 32, 3),
    "svhn": (32, 32, 3),
}


every_official = pytest.mark.parametrize("kind", SHAPES)


# stand-ins


@pytest.fixture(scope="module")
def stand_ins():
    return {kind: load_embedded(kind) for kind in SHAPES}
