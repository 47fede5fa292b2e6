"""Small stand-ins for the official data sets beside the paper's four.

They are the others' stand-ins, turned, mirrored or recoloured.
"""

import numpy as np

from oodpriors.data.official import Parts
from oodpriors.data.stand_ins import draw_digits, draw_house_numbers, draw_objects

LEARNT = 0.8  # share of the images that a stand-in with a training split puts there


def draw_kmnist() -> Parts:
    return [(split, np.rot90(x, axes=(1, 2)), labels) for split, x, labels in draw_digits()]


def draw_letters() -> Parts:
    return [(split, x[:, :, ::-1], np.arange(len(x)) % 26) for split, x, _ in draw_digits()]


def draw_notmnist() -> Parts:
    return [(split, _hard(x[:, ::-1]), labels) for split, x, labels in draw_digits()]


def draw_omniglot() -> Parts:
    return [(split, _edges(x), np.arange(len(x)) % 20) for split, x, _ in draw_digits()]


def draw_usps() -> Parts:
    """Digits without the margin, each pixel twice as wide and high where need be."""
    places = 4 + np.arange(28) * 20 // 28
    return [(split, x[:, places][:, :, places], labels) for split, x, labels in draw_digits()]


def draw_cifar100() -> Parts:
    """Objects with red, green and blue exchanged."""
    *_, (split, images, _) = draw_objects()
    return [(split, images[..., [1, 2, 0]], np.arange(len(images)) % 100)]


def draw_mnist_full() -> Parts:
    return _split(draw_digits())


def draw_svhn_full() -> Parts:
    return _split(draw_house_numbers())


def _split(parts: Parts) -> Parts:
    ((_, images, labels),) = parts
    learnt = int(LEARNT * len(images))
    return [
        ("train", images[:learnt], labels[:learnt]),
        ("test", images[learnt:], labels[learnt:]),
    ]


def _hard(images: np.ndarray) -> np.ndarray:
    return np.where(images > 127, 255, 0).astype(np.uint8)


def _edges(images: np.ndarray) -> np.ndarray:
    """White where one of a pixel and its right or lower neighbour is in the digit alone."""
    inside = images > 127
    below, right = (inside != np.roll(inside, -1, axis) for axis in (1, 2))
    return np.where(below | right, 255, 0).astype(np.uint8)
