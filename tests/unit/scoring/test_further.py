"""Score files of further sets: the same scores as of the paper's set, under another name."""

import numpy as np
import pytest
import torch
from tests.unit.scoring.test_score_files import Stub

from oodpriors.companions.scores import png_sizes
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior
from oodpriors.scoring.further import among, draw_images, score_further
from oodpriors.scoring.score_files import score

SHAPE = (4, 5, 3)


def arrays_of(n, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), np.uint8)
    return {"images": images, "labels": np.arange(n) % 3, "index": np.arange(n)[::-1]}


def scored(name="letters", seed=2, **more):
    given = {"arrays": arrays_of(7), "train": arrays_of(9, seed=1)["images"], "n_draws": 4}
    given |= {"n_samples": 5, **more}
    return score_further(Stub(dim=60), name, seed=seed, **given)


def test_the_rows_are_those_of_the_images_in_their_order():
    arrays = arrays_of(7)
    table, latents = scored()
    assert set(table["set"]) == {"letters"}
    assert set(table["images"]) == {"letters.test"}
    assert table["index"].tolist() == [6, 5, 4, 3, 2, 1, 0]
    first = arrays["images"][:, 0, 0, 0]
    np.testing.assert_array_equal(table["log_prob"], first + 4.0)
    np.testing.assert_allclose(table["png_size"], png_sizes(arrays))
    assert set(latents) == {"letters_mean", "letters_std"}
    pixels = arrays["images"].transpose(0, 3, 1, 2).reshape(7, -1)
    np.testing.assert_array_equal(latents["letters_mean"], pixels)


def test_it_has_every_column_that_the_score_of_an_image_has():
    images = arrays_of(7)["images"].transpose(0, 3, 1, 2)
    columns = score(Stub(dim=60), images, 4, 0)[0].columns
    assert set(columns) <= set(scored()[0].columns)


def test_draws_depend_on_the_seed_and_on_the_name_alone():
    first, again, other, named = (
        scored(name, seed)[0]["noise"] for name, seed in (("a", 2), ("a", 2), ("a", 3), ("b", 2))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != named).any()


def test_images_that_are_training_images_are_marked_and_said(capsys):
    train = arrays_of(9, seed=1)["images"]
    arrays = arrays_of(7)
    arrays["images"][[2, 5]] = train[[8, 0]]
    table, _ = scored(arrays=arrays, train=train)
    assert np.flatnonzero(table["in_training"]).tolist() == [2, 5]
    assert "letters: 2 of 7 images are training images" in capsys.readouterr().err
    assert not scored()[0]["in_training"].any()
    assert capsys.readouterr().err.count("training images") == 0


def test_one_other_pixel_makes_another_image():
    images = arrays_of(3)["images"]
    others = images.copy()
    others[1, 0, 0, 0] ^= 1
    assert among(images, others).tolist() == [True, False, True]
    assert among(images, images[:0]).tolist() == [False] * 3


def test_a_set_without_images_has_a_table_without_rows():
    empty = {"images": np.empty((0, 1, 1), np.uint8)}
    table, latents = scored(arrays=empty)
    assert (len(table), latents) == (0, {})
    assert table.columns.tolist()[:2] == ["set", "images"]


# the model's own samples


def glow():
    torch.manual_seed(0)
    model = Glow((1, 4, 4), GaussianPrior([[3.0], [-3.0]], 16), 2, (), width=4).eval()
    model.initialize(torch.randint(0, 256, (64, 1, 4, 4), dtype=torch.uint8))
    return model


def test_samples_of_a_flow_are_the_pixels_that_hold_the_decoded_latents():
    model = glow()
    images = draw_images(model, 70, seed=5)["images"]
    assert (images.shape, images.dtype) == ((70, 4, 4), np.uint8)
    torch.manual_seed(9)
    drawn = model.draw_images(8)
    torch.manual_seed(9)
    y = model.inverse(model.prior.sample(8)) + 0.5
    # a pixel x stands for [x, x + 1) / 256
    below, above = drawn / 256, (drawn + 1.0) / 256
    clipped = y.clamp(0, 1)
    assert ((below <= clipped + 1e-6) & (clipped <= above + 1e-6)).all()


def test_samples_are_of_each_training_and_have_a_name_of_their_own():
    model = glow()
    first, again, other = (draw_images(model, 6, seed)["images"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    train = np.zeros((1, 4, 4), np.uint8)
    table, _ = score_further(model, "own", None, train, 1, 1, n_samples=6)
    assert set(table["images"]) == {"own.seed1"}
    assert table["index"].tolist() == list(range(6))


def test_pixels_of_a_vaes_samples_follow_the_decoders_distribution():
    torch.manual_seed(0)
    model = VAE((1, 28, 28), GaussianPrior([[0.0]], 3, scale=1e-6), decoder_width=4).eval()
    # the latent is zero: all images are draws from one distribution of each pixel
    with torch.no_grad():
        expected = model.decode_mean(torch.zeros(1, 3))[0] * 255
    drawn = model.draw_images(200).double()
    assert drawn.shape == (200, 1, 28, 28)
    error = (drawn.mean(0) - expected) / (drawn.std(0) / np.sqrt(200))
    assert error.abs().max() < 5.5
    assert error.std() == pytest.approx(1, abs=0.15)
