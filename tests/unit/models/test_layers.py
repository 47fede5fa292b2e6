"""Invertible layers against autograd's Jacobian and hand-written formulas."""

import io
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import nn

from oodpriors.models.layers import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    AxisConvolution,
    CouplingNetwork,
    Squeeze,
    data_dependent_initialization,
)

pytestmark = pytest.mark.usefixtures("double_precision")


class Case(NamedTuple):
    """A layer and the shape (C, H, W) of its images."""

    name: str
    make: Callable
    shape: tuple[int, int, int]

    def build(self):
        """The layer, initialised and with nontrivial weights."""
        layer = initialized(self.make(), self.shape)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.add_(0.2 * torch.randn(parameter.shape))
        return layer

    def images(self, n=3):
        return torch.randn(n, *self.shape)


CASES = [
    Case("actnorm", lambda: ActNorm(3), (3, 2, 4)),
    Case("channels", lambda: AxisConvolution(6, axis=1), (6, 2, 3)),
    Case("rows", lambda: AxisConvolution(4, axis=2), (3, 4, 2)),
    Case("columns", lambda: AxisConvolution(5, axis=3), (2, 3, 5)),
    Case("squeeze", Squeeze, (2, 4, 6)),
    Case("coupling", lambda: AffineCoupling(4, width=6), (4, 3, 2)),
    Case("odd coupling", lambda: AffineCoupling(5, width=6), (5, 2, 3)),
    Case("coupling without floor", lambda: AffineCoupling(4, 6, scale_floor=0.0), (4, 2, 2)),
    Case("additive coupling", lambda: AdditiveCoupling(4, width=6), (4, 3, 2)),
    Case("odd additive coupling", lambda: AdditiveCoupling(5, width=6), (5, 2, 3)),
]
ADDITIVE = [case for case in CASES if "additive" in case.name]
TRAINED = [case for case in CASES if case.name != "squeeze"]
CONVOLUTIONS = [case for case in CASES if case.name in ("channels", "rows", "columns")]


def parametrize(cases):
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def initialized(layer, shape):
    with data_dependent_initialization(layer):
        layer(2 + 3 * torch.randn(16, *shape))
    return layer


def log_abs_det(layer, image):
    jacobian = torch.autograd.functional.jacobian(
        lambda values: layer(values.view(1, *image.shape))[0].flatten(), image.flatten()
    )
    return torch.linalg.slogdet(jacobian).logabsdet


@parametrize(CASES)
def test_ladj_is_that_of_the_autograd_jacobian(case):
    layer, x = case.build(), case.images()
    truth = torch.stack([log_abs_det(layer, image) for image in x])
    torch.testing.assert_close(layer(x)[1], truth, rtol=1e-10, atol=1e-10)


@parametrize(CASES)
def test_inverse_undoes_forward(case):
    layer, x = case.build(), case.images()
    torch.testing.assert_close(layer.inverse(layer(x)[0]), x, rtol=0, atol=1e-8)


@parametrize(CASES)
def test_forward_undoes_inverse(case):
    layer = case.build()
    y = torch.randn_like(layer(case.images())[0])
    torch.testing.assert_close(layer(layer.inverse(y))[0], y, rtol=0, atol=1e-8)


@parametrize(CASES)
def test_shapes_are_kept_but_by_the_squeeze(case):
    channels, height, width = case.shape
    squeezed = (4 * channels, height // 2, width // 2)
    y, ladj = case.build()(case.images())
    assert y.shape[1:] == (squeezed if case.name == "squeeze" else case.shape)
    assert ladj.shape == (3,)


@parametrize(CASES)
def test_images_of_a_batch_do_not_see_each_other(case):
    layer, x = case.build(), case.images()
    alone = [layer(image[None]) for image in x]
    torch.testing.assert_close(layer(x)[0], torch.cat([y for y, _ in alone]))
    torch.testing.assert_close(layer(x)[1], torch.cat([ladj for _, ladj in alone]))


@parametrize(TRAINED)
def test_gradient_reaches_every_parameter(case):
    layer = case.build()
    y, ladj = layer(case.images())
    (y.square().sum() + ladj.sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in layer.parameters())


@parametrize(CASES)
def test_saved_and_loaded_layer_gives_the_same_bits(case):
    layer, fresh, x, file = case.build(), case.make(), case.images(), io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    for ours, theirs in zip(layer(x), fresh(x), strict=True):
        assert torch.equal(ours, theirs)


def test_actnorm_gives_mean_0_and_variance_1_on_its_first_batch():
    layer, x = ActNorm(3), torch.randn(50, 3, 4, 5) * torch.tensor([0.1, 1, 20]).view(3, 1, 1) + 7
    layer.initialize(x)
    y = layer(x)[0].detach().numpy()
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-10)
    # 1e-6 is added to the standard deviation, as in OpenAI's code
    np.testing.assert_allclose(y.var((0, 2, 3)), 1, rtol=1e-4)


def test_actnorm_survives_a_constant_channel():
    layer, x = ActNorm(2), torch.ones(8, 2, 2, 2)
    layer.initialize(x)
    assert torch.equal(layer(x)[0], torch.zeros_like(x))
    assert layer(x)[1].isfinite().all()


def test_actnorm_before_initialisation_refuses_to_run():
    with pytest.raises(RuntimeError, match="actnorm is not initialised"):
        ActNorm(3)(torch.randn(2, 3, 4, 4))


def test_actnorm_refuses_a_second_initialisation_and_keeps_the_first():
    layer = ActNorm(3)
    layer.initialize(torch.randn(8, 3, 4, 4))
    before = layer.log_scale.clone()
    with pytest.raises(RuntimeError, match="already initialised"):
        layer.initialize(torch.randn(8, 3, 4, 4))
    assert torch.equal(layer.log_scale, before)


@pytest.mark.parametrize("state", [False, True])
def test_actnorm_keeps_whether_it_was_initialised(state):
    layer, fresh, file = ActNorm(3), ActNorm(3), io.BytesIO()
    layer.initialized = state
    fresh.initialized = not state
    torch.save(layer.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    assert fresh.initialized is state


class Chain(nn.Sequential):
    def forward(self, x):
        for layer in self:
            x = layer(x)[0]
        return x


def test_initialisation_in_one_pass_feeds_every_actnorm_what_the_one_before_gives():
    chain = Chain(ActNorm(4), AxisConvolution(4), ActNorm(4))
    x = 5 + 3 * torch.randn(64, 4, 3, 3)
    with data_dependent_initialization(chain):
        chain(x)
    y = chain(x).detach().numpy()
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-10)
    np.testing.assert_allclose(y.var((0, 2, 3)), 1, rtol=1e-4)


def test_initialisation_ends_with_its_context_even_after_a_failure():
    layer, x = ActNorm(3), torch.randn(4, 3, 2, 2)
    with pytest.raises(ValueError, match="on the way"), data_dependent_initialization(layer):
        raise ValueError("on the way")
    with pytest.raises(RuntimeError, match="actnorm is not initialised"):
        layer(x)


@parametrize(CONVOLUTIONS)
def test_axis_convolution_starts_as_a_rotation(case):
    layer, x = case.make(), case.images()
    y, ladj = layer(x)
    torch.testing.assert_close(y.flatten(1).norm(dim=1), x.flatten(1).norm(dim=1))
    torch.testing.assert_close(ladj, torch.zeros(3))


@parametrize(CONVOLUTIONS)
def test_axis_convolution_mixes_its_axis_alone(case):
    layer, x = case.build(), case.images()
    weight = layer.weight.detach().numpy()
    mixed = np.apply_along_axis(lambda values: weight @ values, layer.axis, x.numpy())
    np.testing.assert_allclose(layer(x)[0].detach(), mixed, rtol=1e-10, atol=1e-12)


def test_squeeze_only_moves_values():
    x = torch.randn(3, 2, 4, 6)
    y = Squeeze()(x)[0]
    assert torch.equal(y.flatten(1).sort().values, x.flatten(1).sort().values)


def test_squeeze_follows_the_channel_order_of_openai():
    x = torch.randn(2, 3, 4, 6)
    y = Squeeze()(x)[0]
    for c, i, j in np.ndindex(3, 2, 2):
        assert torch.equal(y[:, c * 4 + 2 * i + j], x[:, c, i::2, j::2])


def test_coupling_network_starts_at_zero():
    network = initialized(CouplingNetwork(3, 4, width=6), (3, 4, 4))
    assert torch.equal(network(torch.randn(2, 3, 4, 4)), torch.zeros(2, 4, 4, 4))


@pytest.mark.parametrize("floor", [0.0, 0.1, 0.5])
def test_coupling_starts_without_shift_and_with_one_scale(floor):
    layer = initialized(AffineCoupling(4, width=6, scale_floor=floor), (4, 3, 3))
    x = torch.randn(2, 4, 3, 3)
    y, ladj = layer(x)
    scale = expit(2.0) + floor
    assert torch.equal(y[:, :2], x[:, :2])
    torch.testing.assert_close(y[:, 2:], scale * x[:, 2:])
    torch.testing.assert_close(ladj, torch.full((2,), 18 * math.log(scale)))


def test_coupling_reads_shifts_from_even_and_scales_from_odd_channels():
    layer = initialized(AffineCoupling(4, width=6), (4, 3, 3))
    with torch.no_grad():
        layer.network.conv3.bias.copy_(torch.tensor([0.5, -1.0, 2.0, 3.0]))
    x = torch.randn(2, 4, 3, 3)
    y = layer(x)[0]
    torch.testing.assert_close(y[:, 2], (x[:, 2] + 0.5) * (expit(-1.0 + 2) + 0.1))
    torch.testing.assert_close(y[:, 3], (x[:, 3] + 2.0) * (expit(3.0 + 2) + 0.1))


def test_coupling_is_affine_in_one_half_with_coefficients_of_the_other():
    layer = CASES[5].build()
    kept, changed, other = (torch.randn(3, 2, 3, 2) for _ in range(3))
    y, y_other, y_zero = (
        layer(torch.cat([kept, half], 1))[0] for half in (changed, other, 0 * changed)
    )
    slope = (y - y_zero)[:, 2:] / changed
    assert torch.equal(y[:, :2], kept)
    torch.testing.assert_close(y_other[:, 2:], y_zero[:, 2:] + slope * other)


def test_scale_floor_bounds_the_contraction_and_keeps_the_inverse():
    layer = initialized(AffineCoupling(4, width=6, scale_floor=0.1), (4, 3, 3))
    with torch.no_grad():
        layer.network.conv3.bias[1::2] = -1000.0
    x = torch.randn(2, 4, 3, 3)
    y, ladj = layer(x)
    torch.testing.assert_close(y[:, 2:], 0.1 * x[:, 2:])
    torch.testing.assert_close(ladj, torch.full((2,), 18 * math.log(0.1)))
    torch.testing.assert_close(layer.inverse(y), x)


@pytest.mark.parametrize("coupling", [AffineCoupling, AdditiveCoupling])
def test_coupling_of_one_channel_is_refused(coupling):
    with pytest.raises(ValueError, match="at least 2 channels, got 1: squeeze first"):
        coupling(1, width=6)


@parametrize(ADDITIVE)
def test_an_additive_coupling_keeps_volumes(case):
    layer, x = case.build(), case.images()
    ladj = layer(x)[1]
    assert torch.equal(ladj, torch.zeros(3))
    for image in x:
        jacobian = torch.autograd.functional.jacobian(
            lambda values: layer(values.view(1, *case.shape))[0].flatten(), image.flatten()
        )
        torch.testing.assert_close(torch.det(jacobian), torch.tensor(1.0), rtol=1e-10, atol=0)


@parametrize(ADDITIVE)
def test_an_additive_coupling_adds_what_the_first_half_says(case):
    layer, x = case.build(), case.images()
    kept = case.shape[0] // 2
    y = layer(x)[0]
    assert torch.equal(y[:, :kept], x[:, :kept])
    torch.testing.assert_close(y[:, kept:] - x[:, kept:], layer.network(x[:, :kept]))
    assert (y[:, kept:] - x[:, kept:]).abs().min() > 0


@parametrize(ADDITIVE)
def test_an_additive_coupling_starts_as_the_identity(case):
    layer, x = initialized(case.make(), case.shape), case.images()
    assert torch.equal(layer(x)[0], x)


def test_single_precision_inverse_of_a_convolution_is_as_good_as_its_format():
    layer = AxisConvolution(48).float()
    x = torch.randn(2, 48, 7, 7, dtype=torch.float32)
    torch.testing.assert_close(layer.inverse(layer(x)[0]), x, rtol=0, atol=1e-5)
