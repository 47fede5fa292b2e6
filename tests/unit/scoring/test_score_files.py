"""Scores belong to the right image and have the right name and independent draws."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from oodpriors.io.devices import GpuLimits, GpuMemoryError
from oodpriors.models import likelihood
from oodpriors.priors import GaussianPrior
from oodpriors.scoring import score_files
from oodpriors.scoring.score_files import latent_columns, score, score_sets, with_refined

SHAPE = (3, 4, 5)
DIMS = math.prod(SHAPE)


class Stub(nn.Module):
    """A model with known scores: the parts are the first pixel and the number of draws."""

    def __init__(self, means=((0.0,),), dim=20):
        super().__init__()
        self.prior = GaussianPrior([list(mean) for mean in means], dim)
        self.weight = nn.Parameter(torch.zeros(1))
        self.sizes = []

    def scores(self, x, n_draws):
        self.sizes.append(len(x))
        first, draws = x[:, 0, 0, 0].double(), torch.full((len(x),), float(n_draws)).double()
        noise = torch.rand(len(x), dtype=torch.float64)
        return {
            "log_prob": first + draws,
            "first": first,
            "draws": draws,
            "noise": noise,
        }

    def latents(self, x):
        return {"mean": x.flatten(1).float(), "std": x.flatten(1)[:, :2].float()}


class Uniform(Stub):
    """Gives every image of bytes the same likelihood."""

    def scores(self, x, n_draws):
        log_prob = torch.full((len(x),), -math.log(256), dtype=torch.float64) * x[0].numel()
        return {"log_prob": log_prob, "part": log_prob}


def images_of(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def arrays_of(**sizes):
    """Sets whose images, labels and indices encode their position."""
    return {
        name: {
            "images": np.full((n, 4, 5), np.arange(n)[:, None, None], np.uint8),
            "labels": np.arange(n) % 3,
            "index": 10 * np.arange(n),
        }
        for name, n in sizes.items()
    }


NAMES = {"train": "a.train", "test": "a.test", "ood": "b.test"}


def scored(model=None, *, seed=0, train_limit=None, **sizes):
    return score_sets(model or Stub(), arrays_of(**sizes), NAMES, 2, seed, train_limit)


# one set


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
def test_a_uniform_model_of_bytes_scores_eight_bits(shape):
    images = np.zeros((5, *shape), np.uint8)
    table, _ = score(Uniform(), images, 1, 0)
    np.testing.assert_allclose(table["bits_per_dim"], 8, rtol=1e-14)


@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (4, 4), (7, 3), (10, 32)])
def test_every_image_keeps_its_place(n, batch_size):
    images, model = images_of(n), Stub()
    table, latents = score(model, images, 5, 0, batch_size)
    assert table["first"].tolist() == images[:, 0, 0, 0].tolist()
    np.testing.assert_array_equal(latents["mean"], images.reshape(n, DIMS))
    np.testing.assert_array_equal(latents["std"], images.reshape(n, DIMS)[:, :2])
    assert sum(model.sizes) == n
    assert max(model.sizes) <= batch_size


def test_a_row_has_the_likelihood_its_bits_and_its_parts():
    table, _ = score(Stub(), images_of(6), 5, 0)
    assert table.columns.tolist() == ["log_prob", "bits_per_dim", "first", "draws", "noise"]
    assert (table["log_prob"] == table["first"] + table["draws"]).all()
    assert (table["draws"] == 5).all()
    expected = -table["log_prob"] / DIMS / np.log(2)
    np.testing.assert_allclose(table["bits_per_dim"], expected, rtol=1e-14)


def test_likelihoods_keep_double_precision():
    table, _ = score(Stub(), images_of(3), 5, 0)
    assert (table.drop(columns="bits_per_dim").dtypes == np.float64).all()


def test_models_are_asked_without_a_record_for_derivatives():
    class Asked(Stub):
        def scores(self, x, n_draws):
            assert torch.is_inference_mode_enabled()
            return super().scores(x, n_draws)

    assert len(score(Asked(), images_of(3), 5, 0)[0]) == 3


def test_draws_follow_the_seed_alone():
    torch.manual_seed(123)
    noise = [score(Stub(), images_of(6), 1, seed)[0]["noise"].tolist() for seed in (4, 4, 5)]
    assert noise[0] == noise[1]
    assert noise[0] != noise[2]


# the three sets


def test_sets_stand_one_under_the_other():
    table, _ = scored(train=4, test=3, ood=2)
    assert table["set"].tolist() == ["train"] * 4 + ["test"] * 3 + ["ood"] * 2
    assert table["images"].tolist() == ["a.train"] * 4 + ["a.test"] * 3 + ["b.test"] * 2
    assert table["index"].tolist() == [0, 10, 20, 30, 0, 10, 20, 0, 10]
    assert table["label"].tolist() == [0, 1, 2, 0, 0, 1, 2, 0, 1]
    assert table["first"].tolist() == [0, 1, 2, 3, 0, 1, 2, 0, 1]
    assert table.index.tolist() == list(range(9))


def test_the_columns_begin_with_which_image_it_is():
    table, _ = scored(train=2, test=2, ood=2)
    first = ["set", "images", "index", "label", "log_prob", "bits_per_dim"]
    assert table.columns.tolist()[:6] == first


def test_latents_are_named_by_their_set():
    _, latents = scored(train=4, test=3, ood=2)
    assert {name: len(values) for name, values in latents.items()} == {
        f"{which}_{latent}": n
        for which, n in {"train": 4, "test": 3, "ood": 2}.items()
        for latent in ("mean", "std")
    }
    assert latents["ood_mean"][:, 0].tolist() == [0, 1]


def test_trained_means_are_stored_with_the_latents_and_decide_the_columns():
    class Trained(Stub):
        def __init__(self):
            super().__init__()
            self.prior = GaussianPrior([[0.0], [9.0]], 20, trainable_means=True)

    model = Trained()
    table, latents = scored(model, train=2, test=2, ood=2)
    assert latents["prior_means"].tolist() == model.prior.means.tolist()
    plain, _ = scored(Stub(((0.0,), (9.0,))), train=2, test=2, ood=2)
    names = ["nearest_component", "latent_mode_distance", "latent_norm_squared"]
    pd.testing.assert_frame_equal(table[names], plain[names])


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_images_reach_the_model_channels_first(shape):
    shapes = []

    class Watched(Stub):
        def scores(self, x, n_draws):
            shapes.append(tuple(x.shape[1:]))
            return super().scores(x, n_draws)

    images = np.zeros((2, *shape), np.uint8)
    part = {"images": images, "labels": np.zeros(2), "index": np.arange(2)}
    score_sets(Watched(dim=math.prod(shape)), {"test": part, "ood": part}, NAMES, 1, 0)
    assert shapes == [(1, 4, 5) if len(shape) == 2 else (3, 4, 5)] * 2


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (None, range(9)),
        (9, range(9)),
        (20, range(9)),
        (3, [0, 4, 8]),
        (5, [0, 2, 4, 6, 8]),
        (2, [0, 8]),
        (1, [0]),
    ],
)
def test_training_images_are_spread_evenly(limit, kept):
    table, latents = scored(train=9, test=9, ood=9, train_limit=limit)
    train = table[table["set"] == "train"]
    assert train["first"].tolist() == list(kept)
    assert train["index"].tolist() == [10 * i for i in kept]
    assert train["label"].tolist() == [i % 3 for i in kept]
    assert latents["train_mean"][:, 0].tolist() == list(kept)


def test_the_limit_is_of_training_images_alone():
    table, _ = scored(train=9, test=8, ood=7, train_limit=2)
    assert table["set"].value_counts().to_dict() == {"train": 2, "test": 8, "ood": 7}


def test_sets_and_seeds_have_draws_of_their_own():
    noise = [
        tuple(part)
        for seed in range(4)
        for _, part in scored(seed=seed, train=3, test=3, ood=3)[0].groupby("set")["noise"]
    ]
    assert len(set(noise)) == 4 * 3


def test_a_seed_gives_the_same_scores_again():
    first, again = (scored(seed=3, train=3, test=3, ood=3)[0] for _ in range(2))
    assert first.equals(again)


# columns from the latents

MEANS = {
    "unimodal": [[0.0]],
    "off centre": [[1.0, -2.0]],
    "bimodal": [[3.0], [-3.0]],
    "two coordinates": [[2.0, 1.0, 5.0], [2.0, -1.0, 4.0]],
    "four axes": [[4.0, 0, 0, 0], [0, 4.0, 0, 0], [0, 0, 4.0, 0], [0, 0, 0, 4.0]],
}
every_prior = pytest.mark.parametrize("name", MEANS)


def latents_of(n=12, dim=6, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 3, (n, dim)))


@every_prior
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_columns_of_latents_are_those_of_loops_over_images(name, scale):
    z, dim, farthest = latents_of(), 6, 4
    means = [[*mean, *[0.0] * (dim - len(mean))] for mean in MEANS[name]]
    coordinates = [d for d in range(dim) if len({mean[d] for mean in means}) > 1] or [0]
    columns = latent_columns(GaussianPrior(MEANS[name], dim, scale), z, farthest)
    assert {len(values) for values in columns.values()} == {12}
    for i, latent in enumerate(z.tolist()):
        squares = [sum((a - b) ** 2 for a, b in zip(latent, m, strict=True)) for m in means]
        k = squares.index(min(squares))
        apart = math.sqrt(sum((latent[d] - means[k][d]) ** 2 for d in coordinates)) / scale
        found = {column: values[i] for column, values in columns.items()}
        assert found["nearest_component"] == k
        assert found["latent_first"] == latent[0]
        assert found["latent_first_abs"] == abs(latent[0])
        assert found["latent_farthest"] == latent[farthest]
        assert found["latent_farthest_index"] == farthest
        assert found["latent_mode_distance"] == pytest.approx(apart, rel=1e-6)
        assert found["latent_norm_squared"] == pytest.approx(squares[k] / scale**2, rel=1e-6)


@every_prior
def test_a_mean_is_its_own_nearest_component_at_no_distance(name):
    prior = GaussianPrior(MEANS[name], 6)
    columns = latent_columns(prior, prior.means, 0)
    assert columns["nearest_component"].tolist() == list(range(len(MEANS[name])))
    assert not columns["latent_mode_distance"].any()
    assert not columns["latent_norm_squared"].any()


def test_samples_of_a_component_lie_about_it_as_a_chi_squared_does():
    torch.manual_seed(0)
    prior = GaussianPrior([[50.0], [-50.0]], 30, scale=2.0)
    z = prior.sample(2000, torch.arange(2000) % 2)
    columns = latent_columns(prior, z, 0)
    np.testing.assert_array_equal(columns["nearest_component"], np.arange(2000) % 2)
    # means of 2000 draws from chi-squared with 30 degrees (std 0.17) and from |N(0, 1)|
    assert columns["latent_norm_squared"].mean() == pytest.approx(30, abs=0.8)
    expected = math.sqrt(2 / math.pi)
    assert columns["latent_mode_distance"].mean() == pytest.approx(expected, abs=0.06)


def test_scores_end_with_the_columns_of_their_latents():
    model = Stub(means=[[0.0], [4.0]])
    table, latents = scored(model, train=4, test=6, ood=5)
    for which, part in table.groupby("set"):
        z = torch.from_numpy(latents[f"{which}_mean"])
        farthest = part["latent_farthest_index"].iloc[0]
        for column, values in latent_columns(model.prior, z, farthest).items():
            np.testing.assert_array_equal(part[column], values)
    # all pixels of an image equal its number: from 3 on they are nearer to 4
    assert table["nearest_component"].tolist() == [
        *(0, 0, 0, 1),
        *(0, 0, 0, 1, 1, 1),
        *(0, 0, 0, 1, 1),
    ]
    assert "squared_distance" not in table


def test_the_farthest_coordinate_is_that_of_the_mean_latent_out_of_distribution():
    class Turned(Stub):
        def latents(self, x):
            values = x.flatten(1).float()
            z = torch.stack([values[:, 0], -5 * values[:, 0], 3 * values[:, 0]], 1)
            return {"mean": z}

    table, latents = scored(Turned(dim=3), train=4, test=6, ood=5)
    assert table["latent_farthest_index"].unique().tolist() == [1]
    truth = np.concatenate([latents[f"{s}_mean"][:, 1] for s in ("train", "test", "ood")])
    assert table["latent_farthest"].tolist() == truth.tolist()


def test_distances_to_mean_images_are_those_of_the_nearest_component():
    model, rng = Stub(means=[[0.0], [4.0]]), np.random.default_rng(0)
    mean_images = rng.uniform(0, 1, (2, 1, 4, 5))
    arrays = arrays_of(train=9, test=6, ood=5)
    for data in arrays.values():
        data["images"] = rng.integers(0, 7, data["images"].shape, dtype=np.uint8)
    table, _ = score_sets(model, arrays, NAMES, 2, 0, 3, mean_images)
    kept = {"train": [0, 4, 8], "test": range(6), "ood": range(5)}
    pictures = [arrays[name]["images"][i] for name, chosen in kept.items() for i in chosen]
    assert set(table["nearest_component"]) == {0, 1}
    rows = zip(pictures, table["nearest_component"], table["squared_distance"], strict=True)
    for picture, k, distance in rows:
        truth = sum(((picture / 255 - mean_images[k, 0]) ** 2).ravel())
        assert distance == pytest.approx(truth, rel=1e-12)


def test_scoring_leaves_the_prior_of_the_model_where_it_is():
    model = Stub()
    before = model.prior
    scored(model, train=2, test=2, ood=2)
    assert model.prior is before


# on a GPU


class Large(Stub):
    """A model for whose scores a GPU has memory for at most so many images at once."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def at_once(self, limits):
        return limits.images_at_once, {}

    def scores(self, x, n_draws):
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().scores(x, n_draws)


@pytest.fixture
def _a_gpu(monkeypatch):
    monkeypatch.setattr(score_files, "_on_gpu", lambda model: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)


@pytest.mark.usefixtures("_a_gpu")
def test_a_gpu_scores_batches_of_one_size_and_every_image_once():
    model, images = Large(4), images_of(10)
    table, latents = score(model, images, 5, 0, gpu=GpuLimits(images_at_once=4))
    assert model.sizes == [4, 4, 4]
    assert table["first"].tolist() == images[:, 0, 0, 0].tolist()
    np.testing.assert_array_equal(latents["mean"], images.reshape(10, -1))


@pytest.mark.usefixtures("_a_gpu")
@pytest.mark.parametrize("limit", [8, 4])
def test_scores_take_half_as_much_once_where_memory_is_too_small(limit, capsys):
    model, images = Large(4), images_of(10)
    table, _ = score(model, images, 5, 0, gpu=GpuLimits(images_at_once=limit))
    assert table["first"].tolist() == images[:, 0, 0, 0].tolist()
    assert ("half of it at once" in capsys.readouterr().err) == (limit == 8)


@pytest.mark.usefixtures("_a_gpu")
def test_memory_for_less_than_half_ends_in_one_line():
    with pytest.raises(GpuMemoryError, match=r"too small for the scores of this model: .*device"):
        score(Large(4), images_of(10), 5, 0, gpu=GpuLimits(images_at_once=10))


@pytest.mark.parametrize(("n_samples", "at_most"), [(500, 256), (5000, 256), (10, 3), (4, 9)])
def test_a_gpu_meets_samples_in_equal_parts(n_samples, at_most):
    size = likelihood._equal_parts(n_samples, at_most)
    parts = [min(size, n_samples - start) for start in range(0, n_samples, size)]
    assert sum(parts) == n_samples
    assert max(parts) <= at_most
    assert len(parts) == math.ceil(n_samples / at_most)
    assert max(parts) - min(parts) <= len(parts)


# refined posteriors


class Encoding(nn.Module):
    """p(x | z) of a byte near z, with an encoder that is wrong by 8 standard deviations."""

    low_precision = False

    def __init__(self):
        super().__init__()
        self.prior = GaussianPrior([[0.0]], 1)
        self.weight = nn.Parameter(torch.zeros(1))
        self.sizes = []

    def encode(self, x):
        self.sizes.append(len(x))
        mean = x.flatten(1)[:, :1].float()
        return mean + 8, torch.ones_like(mean)

    def log_likelihood(self, x, z, full_precision=False):
        return -0.5 * (x.flatten(1)[:, :1].float() - z).square().sum(1)


FEW = {"images": 4, "steps": 20, "samples": 20}


def refined(settings, seed=0, **sizes):
    sizes = sizes or {"train": 3, "test": 9, "ood": 2}
    arrays = arrays_of(**sizes)
    table, _ = score_sets(Stub(), arrays, NAMES, 2, seed)
    return table, with_refined(Encoding(), arrays, table, seed, settings)


def test_refined_images_are_spread_evenly_over_both_sets_and_keep_their_rows():
    table, found = refined(FEW)
    pd.testing.assert_frame_equal(found[table.columns], table)
    assert found["refined"].dtype == bool
    chosen = found[found["refined"]]
    assert chosen["set"].tolist() == ["test"] * 4 + ["ood"] * 2
    assert (chosen["index"] // 10).tolist() == [0, 3, 5, 8, 0, 1]
    # the posterior of x is N(x / 2, 1 / 2)
    np.testing.assert_allclose(chosen["latent_first_refined"], chosen["index"] / 20, atol=0.5)
    refined_columns = found.columns.difference([*table.columns, "refined"])
    assert found.loc[~found["refined"], refined_columns].isna().all(axis=None)
    assert found.loc[found["refined"], "log_prob_refined"].notna().all()


def test_without_settings_nothing_is_refined():
    table, found = refined(None)
    assert found is table


def test_no_limit_refines_every_image():
    _, found = refined({**FEW, "images": None})
    assert (found["refined"] == (found["set"] != "train")).all()


def test_refined_likelihoods_follow_the_seed():
    first, again, other = (refined(FEW, seed)[1]["log_prob_refined"] for seed in (1, 1, 2))
    pd.testing.assert_series_equal(first, again)
    assert (first.dropna() != other.dropna()).all()


def test_the_number_of_images_refined_at_once_is_limited():
    model, arrays = Encoding(), arrays_of(train=1, test=70, ood=1)
    table, _ = score_sets(Stub(), arrays, NAMES, 2, 0)
    with_refined(model, arrays, table, 0, {**FEW, "images": None, "steps": 1})
    assert max(model.sizes) == 32
