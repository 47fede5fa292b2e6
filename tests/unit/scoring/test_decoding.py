"""Decoded images and their similarity to the data, against loops over images."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from oodpriors.models.build import build_model
from oodpriors.scoring.decoding import compare_decoded, decode, nearest_distances, squared_distances

PRIOR = {"kind": "gaussian", "means": [[-3.0], [3.0], [0.0, 2.0]]}


CASES = {
    "vae": ((1, 28, 28), {"latent_dim": 3, "decoder_width": 2}),
    "glow": ((1, 8, 8), {"couplings": 2, "squeeze_after": (1,), "width": 4}),
    "cv_glow": ((3, 4, 4), {"couplings": 2, "width": 4}),
}


every_model = pytest.mark.parametrize("architecture", CASES)


def images_of(n, seed=0, shape=(1, 3, 4)):
    return np.random.default_rng(seed).uniform(0, 1, (n, *shape))


def built(architecture):
    shape, network = CASES[architecture]
    torch.manual_seed(0)
    model = build_model(architecture, shape, PRIOR, network)
    model.initialize(torch.randint(256, (16, *shape), dtype=torch.uint8))
    return model.eval()


# decoding


@every_model
@pytest.mark.parametrize("n", [1, 5])
def test_there_is_an_image_of_every_mean_and_of_every_sample(architecture, n):
    decoded = decode(built(architecture), n, seed=0)
    shape = CASES[architecture][0]
    assert {name: images.shape for name, images in decoded.items()} == {
        "means": (3, *shape),
        "samples": (n, *shape),
    }
    for images in decoded.values():
        assert 0 <= images.min() <= images.max() <= 1


@every_model
def test_means_and_samples_are_decoded_latents_of_the_prior(architecture):
    model = built(architecture)
    decoded = decode(model, 4, seed=7)
    torch.manual_seed(7)
    z = model.prior.sample(4)
    with torch.no_grad():
        assert np.array_equal(decoded["samples"], model.decode_mean(z).numpy())
        assert np.array_equal(decoded["means"], model.decode_mean(model.prior.means).numpy())


@every_model
def test_the_seed_decides_the_samples_and_not_the_means(architecture):
    model = built(architecture)
    first, again, other = (decode(model, 4, seed) for seed in (1, 1, 2))
    assert np.array_equal(first["samples"], again["samples"])
    assert not np.array_equal(first["samples"], other["samples"])
    assert np.array_equal(first["means"], other["means"])


# distances


@pytest.mark.parametrize("shape", [(1, 3, 4), (3, 2, 5), (7,)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_distances_are_those_of_scipy(shape, dtype):
    images, centres = (images_of(n, n, shape).astype(dtype) for n in (6, 4))
    truth = cdist(images.reshape(6, -1), centres.reshape(4, -1), "sqeuclidean")
    np.testing.assert_allclose(squared_distances(images, centres), truth, rtol=1e-12)
    np.testing.assert_allclose(nearest_distances(images, centres), truth.min(1), rtol=1e-12)


def test_no_distance_is_negative():
    images = images_of(20, shape=(1, 28, 28))
    own = np.diag(squared_distances(images, images))
    assert own.min() >= 0
    np.testing.assert_allclose(own, 0, atol=1e-12)


# similarity to the data


TRAIN, TEST = images_of(12, 1), images_of(9, 2)


COMPONENTS = np.arange(12) % 3


DECODED = {"means": images_of(3, 3), "samples": images_of(5, 4)}


def nearest(image):
    """Squared distance to the nearest training image, with a loop."""
    return min(((image - other) ** 2).sum() for other in TRAIN)


@pytest.fixture(scope="module")
def likeness():
    return compare_decoded(DECODED, TRAIN, COMPONENTS, TEST)


def test_there_is_a_row_of_every_decoded_image(likeness):
    assert likeness["kind"].tolist() == ["mean"] * 3 + ["sample"] * 5
    assert likeness["number"].tolist() == [0, 1, 2, 0, 1, 2, 3, 4]


def test_a_percentile_is_the_share_of_test_images_that_are_nearer(likeness):
    held_out = [nearest(image) for image in TEST]
    for row, image in zip(likeness.itertuples(), np.concatenate([*DECODED.values()]), strict=True):
        distance = nearest(image)
        assert row.nearest_distance == pytest.approx(distance, rel=1e-12)
        assert row.percentile == np.mean([other < distance for other in held_out])
    assert 0 < likeness["percentile"].mean() < 1


def test_without_assignment_there_is_the_distance_to_the_mean_of_all_images(likeness):
    alone = compare_decoded(DECODED, TRAIN, np.zeros(12, int), TEST)
    truth = [((x - TRAIN.mean(0)) ** 2).sum() for x in np.concatenate([*DECODED.values()])]
    np.testing.assert_allclose(alone["distance_0"], truth, rtol=1e-12)
    assert "distance_1" not in alone
    assert alone["percentile"].tolist() == likeness["percentile"].tolist()


def test_distances_to_components_are_those_to_their_mean_images(likeness):
    for k in range(3):
        centre = np.mean([x for x, c in zip(TRAIN, COMPONENTS, strict=True) if c == k], axis=0)
        truth = [((image - centre) ** 2).sum() for image in np.concatenate([*DECODED.values()])]
        np.testing.assert_allclose(likeness[f"distance_{k}"], truth, rtol=1e-12)


def test_a_training_image_is_like_the_data_and_noise_is_not():
    decoded = {"means": TRAIN[:2], "samples": 10 + images_of(2)}
    table = compare_decoded(decoded, TRAIN, COMPONENTS, TEST)
    assert table["percentile"].tolist() == [0, 0, 1, 1]
