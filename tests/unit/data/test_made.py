"""Made images are of the kind that is said, and none is one of the images they are made of."""

import numpy as np
import pytest
from scipy.stats import chisquare

from oodpriors.data.made import blends, constants, noise, shuffled
from oodpriors.io.errors import UserError
from oodpriors.kinds.made import MADE
from oodpriors.kinds.rows import load

N = 40


def images_of(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (N, *shape), np.uint8)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
@pytest.mark.parametrize("name", [name for name, kind in MADE.items() if kind.of_images])
def test_as_many_images_of_the_same_shape_depend_on_the_generator_alone(name, shape):
    make, images = load(MADE[name].place), images_of(*shape)
    before = images.copy()
    first, again, other = (make(images, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == (images.shape, np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != images).any()
    np.testing.assert_array_equal(images, before)


def test_a_constant_image_has_one_colour_and_images_have_others(rng):
    made = constants(images_of(6, 5, 3), rng)
    assert (np.ptp(made, axis=(1, 2)) == 0).all()
    assert len(np.unique(made[:, 0, 0], axis=0)) == N


def test_noise_is_uniform(rng):
    values = noise(np.zeros((200, 16, 16), np.uint8), rng)
    assert chisquare(np.bincount(values.ravel(), minlength=256)).pvalue > 0.01


def test_shuffled_pixels_are_the_same_pixels_in_an_order_of_each_image(rng):
    images = np.arange(30 * 3, dtype=np.uint8).reshape(1, 6, 5, 3).repeat(N, 0)
    made = shuffled(images, rng).reshape(N, 30, 3)
    pixels = images.reshape(N, 30, 3)
    for some in made:
        np.testing.assert_array_equal(some[np.argsort(some[:, 0])], pixels[0])
    assert len(np.unique(made, axis=0)) == N


def test_a_blend_is_the_mean_of_an_image_and_one_other_that_has_no_third(rng):
    images = images_of(12, 12)
    pairs = (images[:, None].astype(int) + images[None] + 1) // 2
    found = (blends(images, rng)[:, None] == pairs).all((2, 3))
    np.testing.assert_array_equal(found.sum(1), 1)  # row: image, column: partner
    np.testing.assert_array_equal(found.sum(0), 1)
    assert not found.diagonal().any()


def test_one_image_has_no_blend(rng):
    with pytest.raises(UserError, match="needs two images"):
        blends(images_of(3, 3)[:1], rng)
