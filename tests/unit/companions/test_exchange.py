"""log p with another prior, on a flow and on posteriors with known answers."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm
from tests.unit.companions.conftest import DIM, gaussian

from oodpriors.companions.exchange import (
    exchanged,
    standard_draws,
    with_gaussian,
    with_kernels,
    with_mixture,
    with_other_prior,
    with_own_prior,
)
from oodpriors.companions.training import NotApplicable


def test_a_flow_with_its_own_prior_has_its_own_log_p(flow):
    np.testing.assert_allclose(with_own_prior(flow), flow.scores["log_prob"])


def test_a_flow_with_another_prior_has_the_log_p_of_that_prior(flow):
    # the flow halves x, so that x is N(0, 4 I) under the unimodal prior
    exact = multivariate_normal(np.zeros(DIM), 4 * np.eye(DIM)).logpdf(2 * flow.means)
    np.testing.assert_allclose(with_other_prior(flow), exact)


def test_a_prior_that_is_exchanged_twice_is_the_first(flow):
    swapped = dataclasses.replace(flow, prior=flow.other, other=flow.prior)
    np.testing.assert_allclose(with_other_prior(swapped), with_own_prior(flow))


def test_a_model_without_a_pair_has_no_other_prior(flow):
    with pytest.raises(NotApplicable, match="no model"):
        with_other_prior(dataclasses.replace(flow, other=None))


@pytest.mark.parametrize("fitted", [with_gaussian, with_mixture, with_kernels])
def test_a_fitted_density_is_near_the_true_one_in_distribution(flow, fitted):
    test = (flow.scores["set"] == "test").to_numpy()
    found, true = fitted(flow)[test].mean(), flow.scores["log_prob"][test].mean()
    assert true - 1.5 < found < true + 0.2


def test_a_fitted_mixture_has_the_components_of_both_priors(flow, monkeypatch):
    numbers = []
    density = lambda z: z[:, 0]  # noqa: E731
    monkeypatch.setattr(
        "oodpriors.companions.exchange.fit_mixture", lambda z, k: numbers.append(k) or density
    )
    four = gaussian([[1.0], [2.0], [3.0], [4.0]])
    for own, other in ((gaussian(), None), (gaussian(), four), (four, gaussian())):
        with_mixture(dataclasses.replace(flow, prior=own, other=other))
    assert numbers == [2, 4, 4]


def test_the_bound_of_a_vae_with_a_gaussian_is_exact(vae):
    mean, std = map(torch.from_numpy, (vae.means, vae.stds))
    k = torch.zeros(len(mean), dtype=torch.long)
    kl = vae.prior.kl_component(mean, std, k).numpy()
    np.testing.assert_allclose(with_own_prior(vae), vae.scores["reconstruction"] - kl)


def test_the_bound_of_a_vae_with_a_mixture_agrees_with_many_draws(vae):
    noise = np.random.default_rng(2).normal(size=(4000, 1, DIM))
    draws = torch.from_numpy(vae.means[:20] + vae.stds[:20] * noise)
    each = vae.other.log_prob(draws.flatten(0, 1)).view(4000, -1).mean(0).numpy()
    rest = (vae.scores["reconstruction"] + vae.scores["posterior_entropy"])[:20]
    found = with_other_prior(vae)[:20]
    np.testing.assert_allclose(found, each + rest, atol=0.7)
    assert abs((found - each - rest).mean()) < 0.1


def test_draws_have_mean_zero_and_variance_one():
    draws = standard_draws(16, 50)
    np.testing.assert_allclose(draws.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(draws.var(0), 1)
    assert norm.cdf(draws).std() == pytest.approx(math.sqrt(1 / 12), rel=0.05)


def test_a_latent_that_is_not_finite_has_no_likelihood(flow):
    flow.means[0, 2], flow.means[1, 0] = np.inf, np.nan
    for found in (with_own_prior(flow), with_gaussian(flow), with_kernels(flow)):
        assert np.isneginf(found[:2]).all()
        assert np.isfinite(found[2:]).all()


def test_a_part_that_is_no_number_is_not_taken_for_zero(flow):
    flow.scores.loc[4, "log_det"] = np.nan
    assert np.isnan(exchanged(flow, lambda z: z[:, 0])).sum() == 1
