"""Models on another device: the meta device, which has shapes but no values.

It replaces a GPU on machines without one: every operation of a model must find all
its tensors on the model's device.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior, GeneralizedGaussianPrior

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
PRECISIONS = ("float32", "bfloat16")
PRIORS = {
    "unimodal": lambda dim: GaussianPrior([[0.0]], dim),
    "bimodal": lambda dim: GaussianPrior([[50.0], [-50.0]], dim),
    "generalized": lambda dim: GeneralizedGaussianPrior([[5.0], [-5.0]], dim),
}
MODELS = {
    "glow": (GREY, 784, lambda p, low: Glow(GREY, p, 4, (2,), 8, precision=low)),
    "cv_glow": (COLOUR, 3072, lambda p, low: Glow(COLOUR, p, 4, (), 8, "additive", precision=low)),
    "vae": (GREY, 20, lambda p, low: VAE(GREY, p, 8, decoder_precision=low)),
    "colour_vae": (COLOUR, 20, lambda p, low: VAE(COLOUR, p, 8, decoder_precision=low)),
}


class OneDevice(TorchDispatchMode):
    """Refuses operations on tensors of several devices, except copies between them."""

    COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        devices = {tensor.device.type for tensor in tensors if tensor.ndim > 0}
        assert len(devices) < 2 or operation in self.COPIES, f"{operation} got {devices}"
        return operation(*args, **(kwargs or {}))


@pytest.fixture(params=MODELS)
def elsewhere(request, prior, precision):
    """A model and a batch on the meta device."""
    shape, dim, build = MODELS[request.param]
    model = build(PRIORS[prior](dim), precision)
    model.initialize(torch.randint(256, (4, *shape), dtype=torch.uint8))
    return model.to("meta"), torch.zeros(4, *shape, dtype=torch.uint8, device="meta")


every_prior = pytest.mark.parametrize("prior", PRIORS)
every_precision = pytest.mark.parametrize("precision", PRECISIONS)


def test_the_check_finds_a_tensor_that_was_left_behind():
    here, there = torch.ones(2, 2), torch.ones(2, 2, device="meta")
    with OneDevice(), pytest.raises(AssertionError, match="mm"):
        there @ here
    with OneDevice():
        there @ here.to("meta")


@every_prior
@every_precision
def test_training_stays_on_the_device(elsewhere):
    model, x = elsewhere
    k = torch.zeros(len(x), dtype=torch.long, device="meta")
    with OneDevice():
        model.loss(x, k)["loss"].backward()
    assert all(p.grad is not None for p in model.parameters())


@every_prior
@every_precision
def test_evaluation_stays_on_the_device(elsewhere):
    model, x = elsewhere
    model.eval()
    with OneDevice():
        found = [*model.scores(x, 3).values(), *model.latents(x).values()]
        found.append(model.decode_mean(model.prior.means))
    assert all(value.device.type == "meta" for value in found)
