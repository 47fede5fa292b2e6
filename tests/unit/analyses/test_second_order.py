"""The second-order analysis against autograd's Jacobian, and in cases where it is exact."""

import numpy as np
import pandas as pd
import pytest
import torch

from oodpriors.analyses.second_order import (
    PREDICTIONS,
    channel_gains,
    difference_estimates,
    jacobian,
    predict,
)
from oodpriors.io.errors import UserError
from oodpriors.models.build import build_model
from oodpriors.models.layers import ActNorm, AxisConvolution
from oodpriors.statistics.estimates import ScoreTable

pytestmark = pytest.mark.usefixtures("double_precision")

SHAPE, DIM = (1, 8, 8), 64
ONE, TWO = [[0.0]], [[2.0, 1.0], [-2.0]]


def images_of(n, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def pixels(x):
    """Dequantised images, in the middle of their cells."""
    return (torch.from_numpy(x).double() + 0.5) / 256 - 0.5


def linear(means=ONE, scale=1.0, couplings=2):
    """A newly initialised constant-volume Glow: its couplings are the identity."""
    prior = {"kind": "gaussian", "means": means, "scale": scale}
    model = build_model("cv_glow", SHAPE, prior, {"couplings": couplings, "width": 4})
    model.initialize(torch.from_numpy(images_of(32, 0)))
    return model.eval()


@torch.no_grad()
def trained(**arguments):
    """The same with weights for which no layer is trivial."""
    model = linear(**arguments)
    for parameter in model.parameters():
        parameter.add_(0.1 * torch.randn(parameter.shape))
    return model


def autograd_jacobian(model, y):
    def run(flat):
        return model(flat.view(1, *SHAPE))[0].flatten()

    return torch.autograd.functional.jacobian(run, y.flatten())


def scores_of(**nearest):
    """A score table of the given sets and nearest components."""
    parts = [
        pd.DataFrame({"set": name, "index": range(len(k)), "nearest_component": k})
        for name, k in nearest.items()
    ]
    return pd.concat(parts, ignore_index=True)


# the Jacobian


@pytest.mark.parametrize("batch", [5, 56, 64, 100])
def test_the_jacobian_is_that_of_autograd(batch):
    # the model is piecewise linear: a small step crosses no kink and stays precise enough
    model, y = trained(), pixels(images_of(1))[0]
    found = jacobian(model, y, step=1e-6, batch=batch)
    torch.testing.assert_close(found, autograd_jacobian(model, y), rtol=0, atol=1e-6)


def test_the_jacobian_of_a_linear_model_is_exact_at_any_step():
    model, y = linear(), pixels(images_of(1))[0]
    truth = autograd_jacobian(model, y)
    for step in (1e-4, 1.0):
        torch.testing.assert_close(jacobian(model, y, step), truth, rtol=0, atol=1e-9)


def test_the_volume_is_constant():
    model, y = trained(), pixels(images_of(5))
    log_dets = [torch.linalg.slogdet(jacobian(model, image, 1e-6)).logabsdet for image in y]
    truth = model(y)[1].detach()
    torch.testing.assert_close(torch.stack(log_dets), truth, rtol=0, atol=1e-6)
    torch.testing.assert_close(truth, truth[:1].expand(5), rtol=1e-14, atol=0)


# Equation 7's gains


def sums_of_outputs(layers):
    """Derivative of the sum of all output channels with respect to each input channel, (4,)."""

    def summed(channels):
        y = channels.view(1, 4, 1, 1)
        for layer in layers:
            y = layer(y)[0]
        return y.sum()

    return torch.autograd.functional.jacobian(summed, torch.randn(4))


@pytest.mark.parametrize("make", [linear, trained])
@pytest.mark.parametrize("couplings", [1, 3])
def test_gains_are_products_of_the_derivatives_of_sums_of_outputs(make, couplings):
    model = make(couplings=couplings)
    norms = [layer for layer in model.layers if isinstance(layer, ActNorm)]
    convolutions = [layer for layer in model.layers if isinstance(layer, AxisConvolution)]
    *inner, rows, columns, last = convolutions
    gains = sums_of_outputs([last])
    for pair in zip(norms, inner, strict=True):
        gains = gains * sums_of_outputs(pair)
    for weight in (layer.weight.detach() for layer in (rows, columns)):
        gains = gains * (weight.T @ weight).diag().mean().sqrt()
    torch.testing.assert_close(channel_gains(model), gains, rtol=1e-10, atol=0)


@torch.no_grad()
def diagonal(**arguments):
    """A model that only scales channels and rotates rows and columns."""
    model = linear(**arguments)
    for layer in model.layers:
        if isinstance(layer, AxisConvolution) and layer.axis == 1:
            layer.weight.copy_(torch.diag(torch.rand(4) + 0.5))
    return model


def test_equation_7_is_exact_where_no_layer_mixes_channels():
    model, x = diagonal(), images_of(6)
    table = predict(model, scores_of(test=[0] * 6), {"test": x})
    for name in ("jacobian_diagonal", "jacobian"):
        np.testing.assert_allclose(table["equation_7"], table[name], rtol=1e-7)


def test_rotations_of_rows_and_columns_leave_the_gains_alone():
    model = diagonal()
    before = channel_gains(model)
    with torch.no_grad():
        model.layers[-3].weight.copy_(torch.linalg.qr(torch.randn(4, 4)).Q)
        torch.testing.assert_close(channel_gains(model), before)
        model.layers[-2].weight.mul_(3)
    torch.testing.assert_close(channel_gains(model), 3 * before)


# predictions


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("means", [ONE, TWO], ids=["unimodal", "bimodal"])
def test_the_log_density_of_a_linear_model_is_exactly_quadratic(means, scale):
    model, x = linear(means, scale), images_of(6)
    k = np.arange(6) % len(means)
    table = predict(model, scores_of(test=k), {"test": x})
    with torch.no_grad():
        component = torch.from_numpy(k)
        centres = model.inverse(model.prior.means)[component]
        values = []
        for y in (pixels(x), centres):
            z, ladj = model(y)
            values.append(model.prior.log_prob_component(z, component) + ladj)
    np.testing.assert_allclose(table["jacobian"], values[0] - values[1], rtol=0, atol=1e-8)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_predictions_are_quadratic_forms_of_the_jacobian_at_the_mean_images(scale):
    model, x, k = trained(means=TWO, scale=scale), images_of(5), np.array([0, 1, 1, 0, 1])
    table = predict(model, scores_of(ood=k), {"ood": x})
    gains = channel_gains(model).detach()
    for row, y, component in zip(table.itertuples(), pixels(x), k, strict=True):
        centre = model.inverse(model.prior.means[component][None])[0].detach()
        offset, matrix = (y - centre).flatten(), autograd_jacobian(model, centre)
        diagonal_term = (offset**2 * (matrix**2).sum(0)).sum()
        # channel c of the squeezed image has the pixels at row c // 2 and column c % 2
        parity = [2 * (i % 2) + j % 2 for i in range(8) for j in range(8)]
        printed = (offset**2 * gains[parity] ** 2).sum()
        whole = (matrix @ offset).square().sum()
        found = (row.equation_7, row.jacobian_diagonal, row.jacobian)
        truth = [-float(term) / (2 * scale**2) for term in (printed, diagonal_term, whole)]
        assert found == pytest.approx(truth, rel=1e-3)


def test_predictions_stand_beside_the_scores_of_their_images():
    scores = scores_of(train=[0, 0], test=[0, 1, 0], ood=[1, 1])
    sets = {"test": images_of(3), "ood": images_of(2, 5)}
    table = predict(linear(TWO), scores, sets)
    assert table["set"].tolist() == ["test"] * 3 + ["ood"] * 2
    assert table["index"].tolist() == [0, 1, 2, 0, 1]
    assert table.columns.tolist() == [*scores.columns, *PREDICTIONS]
    alone = predict(linear(TWO), scores.iloc[[3]], {"test": sets["test"][1:2]})
    assert len(alone) == 1
    assert (table[list(PREDICTIONS)] < 0).all(axis=None)


def test_a_mean_image_itself_is_predicted_not_to_change():
    model = linear(TWO)
    with torch.no_grad():
        # an image with integer pixel values as the mean image of its component
        x = images_of(2)
        model.prior.means.copy_(model(pixels(x))[0])
    table = predict(model, scores_of(test=[0, 1]), {"test": x})
    np.testing.assert_allclose(table[list(PREDICTIONS)], 0, atol=1e-9)


# differences of the means


def made(seed):
    """Scores that are higher by 5 out of distribution, and predictions by 1, 2 and 3."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"set": ["test"] * 20 + ["ood"] * 30})
    table["images"] = table["set"] + "." + table["set"]
    higher = table["set"] == "ood"
    for column, rise in zip(("log_prob", *PREDICTIONS), (5, 1, 2, 3), strict=True):
        table[column] = rng.normal(0, 1, 50)
        table[column] -= table.groupby("set")[column].transform("mean")
        table[column] += rise * higher + seed
    return table


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_differences_are_those_out_of_distribution_less_in(n_seeds):
    scores = {"a/b/c": ScoreTable([made(seed) for seed in range(n_seeds)], range(n_seeds))}
    found = difference_estimates(scores, 100, 0)
    names = ["measured", *PREDICTIONS]
    assert list(found) == [f"a/b/c/{name}" for name in names]
    for name, rise in zip(names, (5, 1, 2, 3), strict=True):
        estimate = found[f"a/b/c/{name}"]
        assert estimate.value == pytest.approx(rise, rel=1e-12)
        assert len(estimate.replicates) == 100
        assert estimate.interval[0] < rise < estimate.interval[1]
        assert estimate.interval[0] > 0


def test_pixels_in_0_to_1_are_refused():
    scores = pd.DataFrame({"set": ["test"] * 3, "nearest_component": 0})
    with pytest.raises(UserError, match="must be uint8, from 0 to 255, and are float64"):
        predict(linear(), scores, {"test": images_of(3) / 255})
