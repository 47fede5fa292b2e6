"""What is stored of a training comes back by set, in batches and in blocks."""

import dataclasses

import numpy as np
import pytest
from tests.unit.companions.conftest import SIZES, table

from oodpriors.companions.training import (
    BLOCK,
    FEWEST,
    NotApplicable,
    Stored,
    Training,
    in_blocks,
    read_training,
)
from oodpriors.data.datasets import save_arrays

SPEC = {"kind": "gaussian", "means": [[2.0], [-2.0]], "scale": 1.5}


def test_latents_are_read_in_the_order_of_the_rows(tmp_path):
    n = sum(SIZES.values())
    scores = table(log_prob=np.arange(n))
    scores.to_parquet(tmp_path / "scores.parquet")
    values = np.arange(n)[:, None] + np.zeros(3)
    ends = np.cumsum([*SIZES.values()])[:-1]
    parts = dict(zip(SIZES, np.split(values, ends), strict=True))
    # another order than that of the rows
    arrays = {f"{which}_mean": part for which, part in [*parts.items()][::-1]}
    save_arrays(tmp_path / "flow.npz", **arrays)
    save_arrays(tmp_path / "vae.npz", **arrays, **{f"{k}_std": v + 1 for k, v in parts.items()})
    flow, vae = (
        read_training(
            Stored("m", pair, (tmp_path / "scores.parquet", tmp_path / f"{name}.npz")), {}
        )
        for name, pair in (("flow", (SPEC, None)), ("vae", (SPEC, SPEC)))
    )
    np.testing.assert_array_equal(flow.means, values)
    np.testing.assert_array_equal(vae.stds, values + 1)
    assert flow.stds is None
    assert flow.other is None
    assert flow.prior.means.tolist() == [[2, 0, 0], [-2, 0, 0]]
    assert (vae.other.scale, flow.train.sum()) == (1.5, SIZES["train"])


def test_a_prior_with_trained_means_has_the_learnt_ones(tmp_path):
    table(log_prob=0.0).to_parquet(tmp_path / "scores.parquet")
    latents = {f"{which}_mean": np.zeros((n, 3)) for which, n in SIZES.items()}
    learnt = np.array([[7.0, 0, 1], [-7, 0.5, 0]])
    save_arrays(tmp_path / "latents.npz", **latents, prior_means=learnt)
    files = tmp_path / "scores.parquet", tmp_path / "latents.npz"
    pair = (SPEC | {"trainable_means": True}, SPEC)
    training = read_training(Stored("m", pair, files), {})
    assert training.prior.means.tolist() == learnt.tolist()
    assert not training.prior.means.requires_grad
    assert training.prior.scale == SPEC["scale"]
    assert training.other.means.tolist() == [[2, 0, 0], [-2, 0, 0]]


def test_a_draw_from_each_posterior_has_its_mean_and_its_deviation():
    n = 40_000
    means, stds = np.array([[5.0, -1.0]]).repeat(n, 0), np.array([[2.0, 0.5]]).repeat(n, 0)
    latents = Training(table(), None, None, means, stds).latents
    np.testing.assert_allclose(latents.mean(0), [5, -1], atol=0.05)
    np.testing.assert_allclose(latents.std(0), [2, 0.5], rtol=0.02)
    assert Training(table(), None, None, means).latents is means


def test_a_batch_is_a_mean_of_images_that_no_other_batch_has():
    n = sum(SIZES.values())
    training = Training(table(log_prob=2.0 ** np.arange(n)), None)
    batches = training.in_batches(3).scores
    counts = batches["set"].value_counts().to_dict()
    assert counts == {"train": SIZES["train"], "test": 16, "ood": 13}
    # the binary digits of the sum say which images are in it
    members = [bin(round(mean * 3)) for mean in batches.loc[batches["set"] == "test", "log_prob"]]
    assert [digits.count("1") for digits in members] == [3] * 16
    assert bin(sum(int(digits, 2) for digits in members)).count("1") == 48
    assert set(batches["images"]) == {
        "f.train",
        "f.test in batches of 3",
        "m.test in batches of 3",
    }


def test_all_trainings_have_the_same_batches():
    n = sum(SIZES.values())
    first, second = (
        Training(table(log_prob=factor * np.arange(n)), None).in_batches(5).scores["log_prob"]
        for factor in (1.0, 2.0)
    )
    np.testing.assert_allclose(second, 2 * first)


def test_a_batch_of_one_is_the_image(flow):
    assert flow.in_batches(1) is flow


def test_too_few_training_images_are_said(flow):
    few = flow.scores["index"].lt(FEWEST - 1) | (flow.scores["set"] != "train")
    short = dataclasses.replace(flow, scores=flow.scores[few])
    with pytest.raises(NotApplicable, match="9 training images are scored, it takes 10"):
        short.of_train(short.scores["log_prob"].to_numpy())


def test_training_values_that_are_not_finite_are_left_out(flow):
    values = np.ones((len(flow.scores), 2))
    values[3, 1], values[5, 0] = np.nan, -np.inf
    assert flow.of_train(values).shape == (SIZES["train"] - 2, 2)


def test_blocks_give_what_the_whole_gives_and_the_least_where_something_is_not_finite():
    x = np.random.default_rng(0).normal(size=(2 * BLOCK + 3, 2))
    y = x[:, :1] + 1
    x[1, 1], y[70] = np.inf, np.nan
    found = in_blocks(lambda x, y: x.sum(1) * y[:, 0], x, y)
    assert np.isneginf(found[[1, 70]]).all()
    others = np.delete(np.arange(len(x)), [1, 70])
    np.testing.assert_allclose(found[others], (x.sum(1) * y[:, 0])[others])
