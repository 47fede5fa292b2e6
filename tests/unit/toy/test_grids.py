"""Densities on a grid, and their regions."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from tests.unit.toy.conftest import MEANS, random_flow, scipy_mixture

from oodpriors.priors import build_prior
from oodpriors.toy.grids import contour_summary, density_grid, latent_grid
from oodpriors.toy.mixture import ToyData

pytestmark = pytest.mark.usefixtures("double_precision")


class TrueModel:
    """The density of the data instead of a model: a flow that is the identity."""

    def __init__(self):
        self.prior = ToyData(2)

    def __call__(self, x):
        return x, x.new_zeros(len(x))


def test_density_grid_holds_the_densities_of_its_points():
    flow = random_flow(means=MEANS["bimodal"])
    grid = density_grid(flow, ToyData(2))
    x, z = (torch.tensor(grid[[f"{name}_1", f"{name}_2"]].to_numpy()) for name in "xz")
    with torch.no_grad():
        torch.testing.assert_close(flow(x)[0], z)
        np.testing.assert_allclose(grid["log_prob"], flow.log_prob(x))
    np.testing.assert_allclose(grid["log_prob_true"], scipy_mixture(2)(x), rtol=1e-10)
    np.testing.assert_allclose(grid["prior_log_prob"], flow.prior.log_prob(z))
    np.testing.assert_allclose(np.unique(grid["x_1"]), np.linspace(-8, 8, 161), atol=1e-12)
    assert len(grid[["x_1", "x_2"]].drop_duplicates()) == 161**2
    assert ((grid["x_1"] == 0) & (grid["x_2"] == 0)).sum() == 1


def test_latent_grid_is_the_density_grid_seen_from_the_other_side():
    flow, data = random_flow(means=MEANS["bimodal"]), ToyData(2)
    grid = latent_grid(flow, data)
    x, z = (torch.tensor(grid[[f"{name}_1", f"{name}_2"]].to_numpy()) for name in "xz")
    with torch.no_grad():
        torch.testing.assert_close(flow(x)[0], z)
        np.testing.assert_allclose(grid["log_prob"], flow.log_prob(x))
    np.testing.assert_allclose(grid["prior_log_prob"], flow.prior.log_prob(z))
    np.testing.assert_allclose(grid["log_prob_true"], data.log_prob(x))
    reach = 5 + 4
    np.testing.assert_allclose(np.unique(grid["z_2"]), np.linspace(-reach, reach, 281), atol=1e-12)


def test_contours_of_the_true_density():
    summary = contour_summary(density_grid(TrueModel(), ToyData(2)))
    between = scipy_mixture(2)(np.array([[0.0, 0.0], [1.0, 0.0]]))
    assert summary["regions"] == 2
    assert summary["at_origin"] == pytest.approx(between[0], rel=1e-12)
    assert summary["largest_between"] == pytest.approx(between[1], rel=1e-12)
    assert summary["mass_on_grid"] == pytest.approx(1, abs=1e-5)
    assert summary["mass_outside"] == pytest.approx(0.01, abs=3e-4)
    # 99 % of either Gaussian, of variances 1/2 and 1, at equal weights
    top = math.log(0.5 / (2 * math.pi * math.sqrt(0.5)))
    assert summary["lowest_true"] == pytest.approx(top - stats.chi2(2).ppf(0.99) / 2, abs=0.05)


def test_contours_of_one_gaussian_between_the_modes():
    model = TrueModel()
    model.prior = build_prior("gaussian", 2, means=[[0.0]])
    summary = contour_summary(density_grid(model, ToyData(2)))
    assert summary["regions"] == 1
    assert summary["largest_between"] == pytest.approx(-math.log(2 * math.pi))
    # the smallest area with 99 % is two ellipses; the components hardly overlap
    x = np.random.default_rng(0).standard_normal((100_000, 2))
    distance = (np.abs(x[:, 0]) - 3.5) ** 2 / 0.5 + x[:, 1] ** 2
    outside = distance > stats.chi2(2).ppf(0.99)
    assert summary["mass_outside"] == pytest.approx(outside.mean(), abs=0.01)


def test_speckles_are_no_regions_and_a_bridge_joins_two():
    grid = density_grid(TrueModel(), ToyData(2))
    far = (grid["x_1"].abs() < 0.15) & (grid["x_2"] > 5)
    assert contour_summary(grid.assign(log_prob=grid["log_prob"].mask(far, -9)))["regions"] == 2
    bridge = (grid["x_2"] == 0) & (grid["x_1"].abs() < 2)
    assert contour_summary(grid.assign(log_prob=grid["log_prob"].mask(bridge, -9)))["regions"] == 1
