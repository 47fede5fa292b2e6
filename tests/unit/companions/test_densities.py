"""Fitted densities, against scikit-learn, SciPy and quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm
from sklearn.covariance import LedoitWolf

from oodpriors.companions.densities import (
    fit_gaussian,
    fit_kernels,
    fit_mixture,
    squared_distances,
)


def latents(n, dim, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)) @ rng.normal(size=(dim, dim)) + rng.normal(0, 5, dim)


@pytest.mark.parametrize(("n", "dim"), [(12, 30), (200, 5)])
def test_a_fitted_gaussian_is_that_of_the_shrunk_covariance(n, dim):
    z, x = latents(n, dim), latents(50, dim, 1)
    exact = multivariate_normal(z.mean(0), LedoitWolf().fit(z).covariance_).logpdf(x)
    np.testing.assert_allclose(fit_gaussian(z)(x), exact, rtol=1e-8)


def test_a_gaussian_without_shrinkage_stays_finite(monkeypatch):
    monkeypatch.setattr("sklearn.covariance.ledoit_wolf_shrinkage", lambda z: 0.0)
    z = latents(300, 4)
    exact = multivariate_normal(z.mean(0), np.cov(z.T, bias=True)).logpdf(z)
    np.testing.assert_allclose(fit_gaussian(z)(z), exact, rtol=1e-6)


def test_a_fitted_mixture_finds_the_components():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(4000, 3))
    z[:, 0] += np.where(np.arange(4000) < 1000, -20, 20)
    parts = [multivariate_normal([m, 0, 0]).logpdf(z) + np.log(w) for m, w in ((-20, 1), (20, 3))]
    exact = np.logaddexp(*parts) - np.log(4)
    np.testing.assert_allclose(fit_mixture(z, 2)(z), exact, atol=0.5)
    assert abs((fit_mixture(z, 2)(z) - exact).mean()) < 0.01


def test_kernels_have_the_width_that_makes_each_point_likely_without_its_own():
    z = np.random.default_rng(0).normal(size=(60, 2))
    distance = squared_distances(z, z)

    def cost(log_width):
        each = norm.pdf(np.sqrt(distance), scale=np.exp(log_width)) / np.exp(log_width)
        return -np.log(each.sum(1) - each.diagonal()).sum()

    width = np.exp(minimize_scalar(cost, bounds=(-3, 2), method="bounded").x)
    x = np.random.default_rng(1).normal(size=(20, 2))
    exact = [np.log(multivariate_normal(p, width**2).pdf(z).mean()) for p in x]
    np.testing.assert_allclose(fit_kernels(z)(x), exact, rtol=1e-3)


def test_kernels_are_a_density():
    density = fit_kernels(np.random.default_rng(0).normal(size=(30, 1)))
    total, _ = quad(lambda x: np.exp(density(np.array([[x]]))[0]), -15, 15, limit=200)
    assert total == pytest.approx(1, abs=1e-6)


def test_kernels_at_repeated_points_have_a_width():
    z = np.repeat(np.random.default_rng(0).normal(size=(10, 2)), 2, axis=0)
    assert np.isfinite(fit_kernels(z)(z + 1)).all()


def test_squared_distances_far_from_the_origin():
    rng = np.random.default_rng(0)
    x, y = 1e6 + rng.normal(size=(5, 3)), 1e6 + rng.normal(size=(4, 3))
    exact = ((x[:, None] - y) ** 2).sum(-1)
    np.testing.assert_allclose(squared_distances(x, y), exact, rtol=1e-8)
