"""The GPU's fast path gives the same as the layers, uncompiled and compiled."""

import math

import pytest
import torch

from oodpriors.models import flow_steps, vae
from oodpriors.models.compilation import optimized
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior

SHAPES = {"grey": (1, 8, 8), "colour": (3, 8, 8)}
TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-5}

every_precision = pytest.mark.parametrize("dtype", TOLERANCES, ids=str)


def build(shape, couplings=4, squeeze_after=(2,), dtype=torch.float64, **parameters):
    """A flow with nontrivial parameters, by default with two grids."""
    torch.manual_seed(0)
    prior = GaussianPrior([[5.0], [-5.0]], math.prod(shape))
    model = Glow(shape, prior, couplings, squeeze_after, 6, **parameters).to(dtype)
    model.initialize(images(shape))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return model


def images(shape, n=5):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (n, *shape), dtype=torch.uint8, generator=generator)


def loss_and_gradients(model, x):
    torch.manual_seed(2)
    loss = model.loss(x, torch.arange(len(x)) % 2)["loss"]
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    return loss.detach(), gradients


def assert_equal(ours, theirs, tolerance):
    torch.testing.assert_close(ours[0], theirs[0], rtol=tolerance, atol=0)
    for one, other in zip(ours[1], theirs[1], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=tolerance * float(other.abs().max()))


@pytest.fixture
def fast_path(monkeypatch):
    """Makes a flow use the functions of the fast path on this machine."""

    def take(model):
        monkeypatch.setattr(model, "forward", lambda y: flow_steps.flow_steps(model.layers, y))
        return model

    return take


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("coupling", ["affine", "additive"])
@every_precision
def test_losses_and_gradients_of_flows_are_those_of_the_layers(shape, coupling, dtype, fast_path):
    model, x = build(shape, dtype=dtype, coupling=coupling), images(shape)
    by_layers = loss_and_gradients(model, x)
    assert_equal(loss_and_gradients(fast_path(model), x), by_layers, TOLERANCES[dtype])


def test_low_precision_is_for_training_alone(fast_path):
    shape = SHAPES["grey"]
    low, full = (build(shape, dtype=torch.float32, precision=p) for p in ("bfloat16", "float32"))
    x = images(shape)
    exact = loss_and_gradients(full, x)
    trained = loss_and_gradients(fast_path(low), x)
    assert trained[0] != exact[0]
    torch.testing.assert_close(trained[0], exact[0], rtol=1e-3, atol=0)
    assert torch.equal(loss_and_gradients(low.eval(), x)[0], loss_and_gradients(full.eval(), x)[0])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_latents_are_in_the_order_of_the_layers_and_invert(shape, fast_path):
    model = build(shape).eval()
    y = (images(shape).double() + 0.5) / 256 - 0.5
    z, ladj = model.forward(y)
    fast_z, fast_ladj = fast_path(model).forward(y)
    torch.testing.assert_close(fast_z, z, rtol=0, atol=1e-12)
    torch.testing.assert_close(fast_ladj, ladj, rtol=1e-12, atol=0)
    torch.testing.assert_close(model.inverse(fast_z), y, rtol=0, atol=1e-10)


def test_compiled_losses_and_gradients_of_a_flow_are_those_of_the_layers(fast_path, monkeypatch):
    for name in ("prepared", "flow_step"):
        monkeypatch.setattr(flow_steps, name, optimized(getattr(flow_steps, f"_{name}")))
    model, x = build((1, 4, 4), couplings=2, squeeze_after=()), images((1, 4, 4))
    by_layers = loss_and_gradients(model, x)
    assert_equal(loss_and_gradients(fast_path(model), x), by_layers, 1e-10)


@pytest.mark.parametrize("norm_last", [True, False])
def test_losses_and_gradients_of_a_vae_as_a_compiler_sees_it_are_the_same(norm_last, monkeypatch):
    torch.manual_seed(0)
    prior = GaussianPrior([[5.0], [-5.0]], 4)
    model = VAE((1, 28, 28), prior, decoder_width=4, encoder_norm_last=norm_last).double()
    x = images((1, 28, 28), 3)
    as_it_is = loss_and_gradients(model, x)
    # traced as for a GPU, then run uncompiled: compiling for the CPU takes almost a minute
    traced = torch.compile(vae._one_sample, backend="aot_eager", fullgraph=True)
    monkeypatch.setattr(vae, "one_sample", traced)
    assert_equal(loss_and_gradients(model, x), as_it_is, 1e-10)
