"""Gradient norms against closed forms and finite differences."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from torch import nn

from oodpriors.models.base import Model
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior
from oodpriors.scoring.gradients import gradient_norms, layers_of, score_gradients

pytestmark = pytest.mark.usefixtures("double_precision")

SHAPE = (1, 2, 2)
MEANS = np.array([[2.0, 0, 0, 0], [-1.0, 0, 0, 0]])


class Layer(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.weight = nn.Parameter(torch.as_tensor(values))


class Pixelwise(Model):
    """A flow of pixels: z = (x - shift) / scale; its gradients have a closed form."""

    def __init__(self):
        super().__init__()
        self.prior = GaussianPrior(MEANS.tolist(), 4)
        self.shift, self.log_scale = Layer([90.0, 100, 110, 120]), Layer([4.0, 5, 5, 4.5])
        self.blind = Layer([1.0])

    def initialize(self, x):
        """Nothing."""

    def loss(self, x, k):
        z = (x.flatten(1) - self.shift.weight) / self.log_scale.weight.exp()
        prior = self.prior.training_log_prob(z, k)
        return {"loss": -(prior - self.log_scale.weight.sum()).mean()}


def exact(image):
    """Squared norms of the gradients of log p with respect to shift and log-scale."""
    scale = np.exp([4.0, 5, 5, 4.5])
    z = (image.reshape(-1) - np.array([90.0, 100, 110, 120])) / scale
    weights = softmax(-0.5 * ((z - MEANS) ** 2).sum(1))
    slope = weights @ (MEANS - z)  # of log p(z) under the mixture
    return {"shift": ((slope / scale) ** 2).sum(), "log_scale": ((slope * z + 1) ** 2).sum()}


def images_of(n, seed=0, shape=SHAPE):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def test_norms_are_those_of_the_closed_form_under_the_whole_mixture():
    images = images_of(5)
    found = gradient_norms(Pixelwise().eval(), torch.from_numpy(images))
    assert list(found) == ["shift", "log_scale", "blind"]
    for i, image in enumerate(images):
        for layer, value in exact(image).items():
            assert found[layer][i] == pytest.approx(np.log(value), rel=1e-9)
    assert np.isneginf(found["blind"]).all()  # it changes no likelihood


def small_glow():
    torch.manual_seed(0)
    model = Glow((1, 4, 4), GaussianPrior([[-1.0], [1.0]], 16), 1, (), width=2)
    model.initialize(torch.from_numpy(images_of(32, shape=(1, 4, 4))))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model.eval()


def test_norms_of_a_glow_are_those_of_finite_differences():
    model, x, step = small_glow(), torch.from_numpy(images_of(1, 1, (1, 4, 4))), 1e-5
    torch.manual_seed(3)
    found = gradient_norms(model, x)
    squares: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        for place in np.ndindex(parameter.shape):
            ends = []
            for sign in (1, -1):
                parameter.data[place] += sign * step
                torch.manual_seed(3)  # the same dequantisation
                ends.append(float(model.log_prob(x)))
                parameter.data[place] -= sign * step
            layer = name.rpartition(".")[0]
            squares[layer] = squares.get(layer, 0) + ((ends[0] - ends[1]) / (2 * step)) ** 2
    assert set(found) == set(squares)
    for layer, square in squares.items():
        assert found[layer][0] == pytest.approx(np.log(square), abs=1e-4)


def test_a_vae_is_left_as_it_was_and_every_layer_has_a_norm():
    shape = (1, 28, 28)
    model = VAE(shape, GaussianPrior([[2.0], [-2.0]], 3), 2, decoder_precision="bfloat16")
    model.eval().requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = gradient_norms(model, torch.from_numpy(images_of(2, 0, shape)))
    assert set(found) == set(layers_of(model))
    assert all(np.isfinite(values).all() and values.shape == (2,) for values in found.values())
    assert (model.prior.unsupervised, model.low_precision) == (False, True)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_some_scored_images_of_each_set_are_found_by_their_index():
    sizes = {"train": 20, "test": 6, "ood": 3}
    arrays, parts = {}, []
    for number, (which, n) in enumerate(sizes.items()):
        images = images_of(n, number)[:, 0]  # (N, H, W), as they are stored
        arrays[which] = {"images": images, "index": np.arange(n)[::-1] + 100}
        scored = arrays[which]["index"][::2]
        parts.append(pd.DataFrame({"set": which, "images": f"f.{which}", "index": scored}))
    scores = pd.concat(parts, ignore_index=True).assign(log_prob=0.0)
    table = score_gradients(Pixelwise().eval(), arrays, scores, 3, seed=0)
    kept = {which: table.loc[table["set"] == which, "index"].tolist() for which in sizes}
    assert kept == {"train": [119, 111, 101], "test": [105, 103, 101], "ood": [102, 100]}
    assert set(table["images"]) == {"f.train", "f.test", "f.ood"}
    for _, row in table.iterrows():
        own = arrays[row["set"]]
        value = exact(own["images"][own["index"] == row["index"]])["shift"]
        assert row["gradient_shift"] == pytest.approx(np.log(value))
