"""Convolutions as matrix products and their gradients, against PyTorch's convolutions."""

import copy

import pytest
import torch
from torch.nn import functional as F

from oodpriors.models.coupling_network import forward_convolutions, three_convolutions
from oodpriors.models.layers import CouplingNetwork, data_dependent_initialization

pytestmark = pytest.mark.usefixtures("double_precision")

# channels in and out, width, height, columns
SIZES = [(2, 4, 6, 5, 4), (1, 2, 3, 1, 1), (3, 1, 4, 2, 7), (8, 16, 5, 3, 4)]
every_size = pytest.mark.parametrize("size", SIZES, ids=str)
every_way = pytest.mark.parametrize(
    "ours",
    [lambda x, parameters: three_convolutions(x, parameters, x.dtype), forward_convolutions],
    ids=["products", "forward"],
)


def layers(inputs, outputs, width):
    """Nontrivial weight, bias and log-scale of each convolution."""
    shapes = [(width, inputs, 3, 3), (width, width, 1, 1), (outputs, width, 3, 3)]
    random = [
        (torch.randn(s) / 3, torch.randn(s[0], 1, 1), torch.randn(s[0], 1, 1) / 5) for s in shapes
    ]
    return [[t.requires_grad_() for t in layer] for layer in random]


def by_convolutions(x, parameters):
    hidden = x
    for number, (weight, bias, log_scale) in enumerate(parameters):
        out = F.conv2d(hidden, weight, padding=weight.shape[-1] // 2)
        hidden = (out + bias) * (3 * log_scale).exp()
        if number < 2:
            hidden = hidden.relu()
    return hidden


@every_size
@every_way
@pytest.mark.parametrize("channels_first", [False, True])
def test_both_ways_are_the_convolutions(size, ours, channels_first):
    inputs, outputs, width, *sides = size
    parameters, x = layers(inputs, outputs, width), torch.randn(3, inputs, *sides)
    if channels_first:
        x = x.transpose(0, 1).contiguous().transpose(0, 1)
    found = ours(x, parameters)
    torch.testing.assert_close(found, by_convolutions(x, parameters), rtol=1e-10, atol=1e-10)


@every_size
@every_way
def test_gradients_are_those_of_the_convolutions(size, ours):
    inputs, outputs, width, *sides = size
    parameters = layers(inputs, outputs, width)
    x = torch.randn(3, inputs, *sides, requires_grad=True)
    direction = torch.randn(3, outputs, *sides)
    every = [x, *(tensor for layer in parameters for tensor in layer)]
    found, truth = (
        torch.autograd.grad((f(x, parameters) * direction).sum(), every)
        for f in (ours, by_convolutions)
    )
    torch.testing.assert_close(found, truth, rtol=1e-9, atol=1e-9)


def initialized(**arguments):
    network = CouplingNetwork(2, 4, width=16, **arguments)
    with data_dependent_initialization(network), torch.no_grad():
        network(torch.randn(8, 2, 4, 4))
        network.conv3.weight.normal_(std=0.1)
    return network


@pytest.mark.parametrize("training", [True, False])
def test_a_coupling_network_is_the_same_by_layers(training):
    network, x = initialized().train(training), torch.randn(3, 2, 5, 6)
    torch.testing.assert_close(network(x), network._forward_by_layers(x), rtol=1e-10, atol=1e-12)


def test_low_precision_is_near_with_results_and_gradients_in_single():
    low = initialized(precision="bfloat16").float()
    exact = copy.deepcopy(low).double()
    x = torch.randn(64, 2, 6, 6, dtype=torch.float32)
    found, truth = low(x), exact(x.double())
    assert found.dtype == torch.float32
    # bfloat16 has 8 bits of precision; there are three products in sequence
    assert 1e-4 < (found - truth).norm() / truth.norm() < 2**-6
    for y in (found, truth):
        y.square().sum().backward()
    for ours, theirs in zip(low.parameters(), exact.parameters(), strict=True):
        assert ours.grad.dtype == torch.float32
        assert (ours.grad - theirs.grad).norm() < 0.03 * theirs.grad.norm()


def test_double_precision_stays_double_whatever_the_products_precision():
    low, x = initialized(precision="bfloat16"), torch.randn(3, 2, 5, 6)
    exact = initialized()
    exact.load_state_dict(low.state_dict())
    assert torch.equal(low(x), exact(x))


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="one of float32, bfloat16, auto, got 'float16'"):
        CouplingNetwork(2, 4, width=6, precision="float16")
