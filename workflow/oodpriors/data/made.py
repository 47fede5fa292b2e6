"""Images that are made of test images: uint8 (N, H, W[, 3]) -> as many of the same shape.

What each is is said in its row in :data:`oodpriors.kinds.made.MADE`.
"""

import numpy as np

from oodpriors.io.errors import UserError


def constants(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    colours = rng.integers(0, 256, (len(images), 1, 1, *images.shape[3:]), np.uint8)
    return np.broadcast_to(colours, images.shape).copy()


def noise(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, images.shape, np.uint8)


def shuffled(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every image has an order of its own; the colours of a pixel stay together."""
    pixels = images.reshape(len(images), images.shape[1] * images.shape[2], -1)
    order = rng.permuted(np.tile(np.arange(pixels.shape[1]), (len(images), 1)), axis=1)
    return np.take_along_axis(pixels, order[..., None], axis=1).reshape(images.shape)


def blends(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image with another one, which is the partner of no third.

    Raises:
        UserError: there is one image.
    """
    if len(images) < 2:
        raise UserError("a blend needs two images")
    order = rng.permutation(len(images))
    partners = np.empty_like(order)
    partners[order] = np.roll(order, 1)  # in a circle, so that none is its own
    return ((images.astype(np.uint16) + images[partners] + 1) // 2).astype(np.uint8)
