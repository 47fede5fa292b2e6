"""Likelihood estimates against models whose exact likelihood is a mixture of Gaussians."""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from torch.distributions import Normal, kl_divergence

from oodpriors.models import likelihood
from oodpriors.models.likelihood import (
    Tolerance,
    bits_per_dim,
    flow_log_prob,
    importance_weighted_log_prob,
)
from oodpriors.priors import GaussianPrior, GeneralizedGaussianPrior, log_mean_exp

pytestmark = pytest.mark.usefixtures("double_precision")

LATENT, OBSERVED, NOISE = 2, 4, 0.7
PARTS = (
    "reconstruction",
    "prior_separating",
    "prior_rest",
    "posterior_entropy",
    "importance_gain",
)
PRIORS = {"unimodal": [[0.0]], "bimodal": [[-2.0], [2.0]]}
every_prior = pytest.mark.parametrize("means", PRIORS.values(), ids=PRIORS)


class LinearGaussian:
    """x = W z + 0.7 noise with orthogonal columns in W, so that the posterior is diagonal.

    The proposal is the posterior under a Gaussian with the moments of the whole prior,
    then stretched and shifted. It is exact for one component, stretch 1 and shift 0.
    """

    low_precision = False

    def __init__(self, means, stretch=1.0, shift=0.0, offset=0.0, scale=1.0):
        self.prior = GaussianPrior(means, LATENT, scale)
        generator = torch.Generator().manual_seed(1)
        columns = torch.linalg.qr(torch.randn(OBSERVED, LATENT, generator=generator)).Q
        self.weight = columns * torch.tensor([1.5, 0.8])
        self.stretch, self.shift, self.offset = stretch, shift, offset

    def encode(self, x):
        variance = self.prior.scale**2 + self.prior.means.square().mean(0)
        precision = 1 / variance + self.weight.square().sum(0) / NOISE**2
        mean = x @ self.weight / NOISE**2 / precision
        std = self.stretch * precision.rsqrt()
        return mean + self.shift * std, std.expand_as(mean)

    def log_likelihood(self, x, z, full_precision=False):
        return Normal(z @ self.weight.T, NOISE).log_prob(x).sum(-1) + self.offset

    def exact_components(self, x):
        covariance = self.prior.scale**2 * self.weight @ self.weight.T
        covariance = (covariance + NOISE**2 * torch.eye(OBSERVED)).numpy()
        centers = (self.prior.means @ self.weight.T).numpy()
        columns = [stats.multivariate_normal(c, covariance).logpdf(x.numpy()) for c in centers]
        return np.stack(columns, -1) + self.offset

    def exact(self, x):
        return logsumexp(self.exact_components(x), -1) - math.log(self.prior.n_components)


def imperfect(means, **arguments):
    return LinearGaussian(means, stretch=1.3, shift=0.4, **arguments)


def observations(n=3):
    return 1.5 * torch.randn(n, OBSERVED)


def repeated(means, n_samples, repeats=4000, **arguments):
    """Estimates of one image's likelihood from independent draws, with its exact value."""
    model, x = imperfect(means), observations(1)
    scores = importance_weighted_log_prob(model, x.repeat(repeats, 1), n_samples, **arguments)
    return {name: value.numpy() for name, value in scores.items()}, model, x


@every_prior
def test_importance_weighting_is_unbiased_in_the_likelihood(means):
    scores, model, x = repeated(means, n_samples=20)
    ratio = np.exp(scores["log_prob"] - model.exact(x))
    error = ratio.std() / math.sqrt(len(ratio))
    assert error < 0.02
    assert ratio.mean() == pytest.approx(1, abs=4 * error)


@every_prior
def test_importance_weighting_is_unbiased_for_every_component(means):
    scores, model, x = repeated(means, n_samples=100)
    for k, truth in enumerate(model.exact_components(x).flat):
        ratio = np.exp(scores[f"log_prob_component_{k}"] - truth)
        error = ratio.std() / math.sqrt(len(ratio))
        assert error < 0.05
        assert ratio.mean() == pytest.approx(1, abs=4 * error)


@every_prior
def test_estimate_lies_within_a_few_standard_errors_of_the_truth(means):
    model, x = imperfect(means), observations(40)
    scores = importance_weighted_log_prob(model, x, 4000, chunk=1000)
    deviations = (scores["log_prob"].numpy() - model.exact(x)) / scores["std_error"].numpy()
    assert np.abs(deviations).max() < 4
    assert 0.6 < np.sqrt(np.mean(deviations**2)) < 1.4


@every_prior
def test_standard_error_is_the_spread_of_repeated_estimates(means):
    scores, _, _ = repeated(means, n_samples=400, chunk=400, repeats=1000)
    spread = scores["log_prob"].std()
    assert np.sqrt(np.mean(scores["std_error"] ** 2)) == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize(("n_samples", "chunk"), [(2, 16), (37, 16), (32, 16), (37, 1), (37, 37)])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_exact_posterior_as_proposal_makes_every_weight_the_likelihood(n_samples, chunk, scale):
    model, x = LinearGaussian(PRIORS["unimodal"], scale=scale), observations()
    scores = importance_weighted_log_prob(model, x, n_samples, chunk)
    np.testing.assert_allclose(scores["log_prob"], model.exact(x), rtol=1e-12)
    np.testing.assert_allclose(scores["log_prob_component_0"], model.exact(x), rtol=1e-12)
    np.testing.assert_allclose(scores["effective_sample_size"], n_samples, rtol=1e-10)
    np.testing.assert_allclose(scores["std_error"], 0, atol=1e-6)


def scores_of_draws(pool, monkeypatch, model, x, chunk=16):
    """The scores if torch.randn returns the noise of pool (S, B, D) in its order."""
    position = 0

    def randn(shape, **_):
        nonlocal position
        position += shape[0]
        return pool[position - shape[0] : position]

    with monkeypatch.context() as patch:
        patch.setattr(torch, "randn", randn)
        return importance_weighted_log_prob(model, x, len(pool), chunk)


@every_prior
@pytest.mark.parametrize("chunk", [1, 7, 16, 50, 64])
def test_the_same_draws_give_the_same_scores_in_any_chunks(means, chunk, monkeypatch):
    model, x, pool = imperfect(means), observations(), torch.randn(50, 3, LATENT)
    whole, in_chunks = (scores_of_draws(pool, monkeypatch, model, x, c) for c in (50, chunk))
    for name, value in whole.items():
        torch.testing.assert_close(in_chunks[name], value, rtol=1e-10, atol=1e-12)


@every_prior
def test_scores_are_those_of_numpy_on_the_same_draws(means, monkeypatch):
    model, x, pool = imperfect(means), observations(), torch.randn(50, 3, LATENT)
    mean, std = model.encode(x)
    z = mean + std * pool
    log_weight = (
        model.log_likelihood(x, z)
        + model.prior.log_prob(z.flatten(0, 1)).view(50, 3)
        - Normal(mean, std).log_prob(z).sum(-1)
    ).numpy()
    weight = np.exp(log_weight)
    scores = scores_of_draws(pool, monkeypatch, model, x)
    ess = weight.sum(0) ** 2 / (weight**2).sum(0)
    error = weight.std(0, ddof=1) / math.sqrt(50) / weight.mean(0)
    np.testing.assert_allclose(scores["log_prob"], np.log(weight.mean(0)), rtol=1e-10)
    np.testing.assert_allclose(scores["effective_sample_size"], ess, rtol=1e-10)
    np.testing.assert_allclose(scores["std_error"], error, rtol=1e-10)


@every_prior
@pytest.mark.parametrize("chunk", [1, 16, 100])
def test_parts_add_up_to_log_prob(means, chunk):
    scores = importance_weighted_log_prob(imperfect(means), observations(), 100, chunk)
    total = sum(scores[name] for name in PARTS)
    torch.testing.assert_close(total, scores["log_prob"], rtol=1e-12, atol=0)


def test_kl_and_entropy_are_those_of_torch():
    model, x = imperfect(PRIORS["unimodal"]), observations()
    posterior = Normal(*model.encode(x))
    scores = importance_weighted_log_prob(model, x, 20_000, chunk=20_000)
    truth = kl_divergence(posterior, Normal(torch.zeros(LATENT), 1.0)).sum(-1)
    torch.testing.assert_close(scores["posterior_entropy"], posterior.entropy().sum(-1))
    torch.testing.assert_close(scores["kl"], truth, rtol=0, atol=0.05)


def test_reconstruction_is_the_expected_log_likelihood():
    model, x = imperfect(PRIORS["bimodal"]), observations()
    mean, std = model.encode(x)
    scores = importance_weighted_log_prob(model, x, 20_000, chunk=20_000)
    variance = (std.square() @ model.weight.square().T) / NOISE**2
    truth = Normal(mean @ model.weight.T, NOISE).log_prob(x).sum(-1) - variance.sum(-1) / 2
    torch.testing.assert_close(scores["reconstruction"], truth, rtol=0, atol=0.1)


@every_prior
def test_components_average_to_the_mixture(means):
    scores = importance_weighted_log_prob(imperfect(means), observations(), 100)
    components = np.stack([scores[f"log_prob_component_{k}"] for k in range(len(means))])
    truth = logsumexp(components, 0) - math.log(len(means))
    np.testing.assert_allclose(scores["log_prob"], truth, rtol=1e-12)
    assert f"log_prob_component_{len(means)}" not in scores


def test_gain_of_the_weights_is_the_kl_from_the_true_posterior():
    model, x = imperfect(PRIORS["unimodal"]), observations()
    posterior = Normal(*LinearGaussian(PRIORS["unimodal"]).encode(x))
    scores = importance_weighted_log_prob(model, x, 20_000, chunk=20_000)
    truth = kl_divergence(Normal(*model.encode(x)), posterior).sum(-1)
    torch.testing.assert_close(scores["importance_gain"], truth, rtol=0, atol=0.05)


@every_prior
@pytest.mark.parametrize("offset", [-5000.0, 5000.0])
def test_extreme_weights_neither_underflow_nor_overflow(means, offset, monkeypatch):
    models = imperfect(means), imperfect(means, offset=offset)
    x, pool = observations(), torch.randn(50, 3, LATENT)
    near, far = (scores_of_draws(pool, monkeypatch, model, x) for model in models)
    torch.testing.assert_close(far["log_prob"], near["log_prob"] + offset)
    torch.testing.assert_close(far["std_error"], near["std_error"], rtol=1e-8, atol=0)
    ess = "effective_sample_size"
    torch.testing.assert_close(far[ess], near[ess], rtol=1e-8, atol=0)


@every_prior
@pytest.mark.parametrize("n_samples", [0, 1])
def test_fewer_than_two_samples_are_refused(means, n_samples):
    with pytest.raises(ValueError, match=f"at least 2 for a standard error, got {n_samples}"):
        importance_weighted_log_prob(imperfect(means), observations(), n_samples)


def test_single_precision_models_are_summed_in_double():
    model, x = imperfect(PRIORS["bimodal"]), observations()
    model.prior, model.weight = model.prior.float(), model.weight.float()
    scores = importance_weighted_log_prob(model, x.float(), 2000)
    assert {value.dtype for value in scores.values()} == {torch.float64}
    deviations = (scores["log_prob"].numpy() - model.exact(x)) / scores["std_error"].numpy()
    assert np.abs(deviations).max() < 4


# a tolerance instead of a number of samples


def counting(means):
    """A model that notes the number of points that it decodes."""
    model = imperfect(means)
    model.asked, inner = [], model.log_likelihood

    def log_likelihood(x, z, full_precision=False):
        model.asked.append(len(z))
        return inner(x, z)

    model.log_likelihood = log_likelihood
    return model


@every_prior
@pytest.mark.parametrize("std_error", [0.3, 0.1])
def test_with_a_tolerance_samples_end_where_it_is_met(means, std_error):
    model, x = counting(means), observations(100)
    scores = importance_weighted_log_prob(model, x, 2000, tolerance=Tolerance(std_error, 8))
    met = (scores["std_error"] <= std_error) & (scores["effective_sample_size"] >= 8)
    assert (met | (scores["draws"] == 2000)).all()
    assert met.double().mean() > 0.9
    assert scores["draws"].mean() < 1000
    assert set(scores["draws"].tolist()) <= {16, 32, 64, 128, 256, 512, 1024, 2000}
    assert sum(model.asked) == scores["draws"].sum()


@every_prior
def test_with_a_tolerance_the_estimate_agrees_with_that_of_all_samples(means):
    model, x = imperfect(means), observations(400)
    every = importance_weighted_log_prob(model, x, 4000)
    some = importance_weighted_log_prob(model, x, 4000, tolerance=Tolerance(0.1, 20))
    error = (every["std_error"].square() + some["std_error"].square()).sqrt()
    deviations = (some["log_prob"] - every["log_prob"]) / error
    assert deviations.abs().quantile(0.99) < 3.5
    # a stopping rule makes the estimated errors slightly too small
    assert 0.8 < deviations.square().mean().sqrt() < 1.3
    assert abs(deviations.mean()) < 0.25


@every_prior
def test_a_tolerance_that_is_never_met_changes_no_bit(means):
    model, x = imperfect(means), observations(5)
    runs = []
    for tolerance in (None, Tolerance(1e-9, 50)):
        torch.manual_seed(3)
        runs.append(importance_weighted_log_prob(model, x, 100, 10, tolerance))
    for name, value in runs[0].items():
        assert torch.equal(value, runs[1][name]), name


def test_parts_add_up_with_a_tolerance():
    model, x = imperfect(PRIORS["bimodal"]), observations(20)
    scores = importance_weighted_log_prob(model, x, 500, tolerance=Tolerance(0.2, 5))
    total = sum(scores[name] for name in PARTS)
    torch.testing.assert_close(total, scores["log_prob"], rtol=1e-12, atol=0)
    assert scores["draws"].unique().numel() > 1


# a model in low precision


class Rough(LinearGaussian):
    """Has errors of about one nat unless full_precision is set."""

    low_precision = True

    def __init__(self, means, **arguments):
        super().__init__(means, stretch=4.0, shift=1.5, **arguments)
        self.asked = {True: 0, False: 0}

    def log_likelihood(self, x, z, full_precision=False):
        self.asked[full_precision] += len(z)
        error = 0.0 if full_precision else torch.sin(1000 * z.sum(-1))
        return super().log_likelihood(x, z) + error


def recomputed_weights(model, x, pool, largest):
    """log w, log p(x|z) and whether it is in full precision (largest weights): (S, B)."""
    mean, std = model.encode(x)
    z = mean + std * pool
    rest = model.prior.log_prob(z.flatten(0, 1)).view(z.shape[:2])
    rest = (rest - Normal(mean, std).log_prob(z).sum(-1)).numpy()
    rough, exact = (model.log_likelihood(x, z, full).numpy() for full in (False, True))
    again = (-(rough + rest)).argsort(0).argsort(0) < largest
    likelihood = np.where(again, exact, rough)
    return likelihood + rest, likelihood, again


@every_prior
@pytest.mark.parametrize(("share", "largest"), [(1e-9, 1), (0.1, 5), (0.11, 6), (1.0, 50)])
@pytest.mark.parametrize("chunk", [1, 7, 50])
def test_the_largest_weights_are_computed_in_full_precision(
    means, share, largest, chunk, monkeypatch
):
    monkeypatch.setattr(likelihood, "RECOMPUTED", share)
    model, x, pool = Rough(means), observations(), torch.randn(50, 3, LATENT)
    scores = scores_of_draws(pool, monkeypatch, model, x, chunk)
    assert model.asked == {False: 150, True: 3 * largest}
    log_weight, log_likelihood, again = recomputed_weights(model, x, pool, largest)
    weight = np.exp(log_weight)
    np.testing.assert_allclose(scores["log_prob"], np.log(weight.mean(0)), rtol=1e-10)
    np.testing.assert_allclose(scores["reconstruction"], log_likelihood.mean(0), rtol=1e-10)
    error = weight.std(0, ddof=1) / math.sqrt(50) / weight.mean(0)
    np.testing.assert_allclose(scores["std_error"], error, rtol=1e-10)
    assert (scores["draws"] == 50).all()
    share = (again * weight).sum(0) / weight.sum(0)
    np.testing.assert_allclose(scores["full_precision_share"], share, rtol=1e-8)


@every_prior
@pytest.mark.parametrize("share", [1 / 256, 0.5, 1.0])
@pytest.mark.parametrize("tolerance", [None, Tolerance(0.3, 2)])
@pytest.mark.parametrize("chunk", [None, 7])
def test_recomputing_what_had_no_error_changes_nothing(means, share, tolerance, chunk, monkeypatch):
    monkeypatch.setattr(likelihood, "RECOMPUTED", share)
    x, scores = observations(20), []
    for low_precision in (False, True):
        model = LinearGaussian(means, stretch=4.0, shift=1.5)
        model.low_precision = low_precision
        torch.manual_seed(3)
        scores.append(importance_weighted_log_prob(model, x, 300, chunk, tolerance))
    shares = [found.pop("full_precision_share") for found in scores]
    assert (shares[0] == 1).all()
    assert ((shares[1] > 0) & (shares[1] <= 1)).all()
    for name, value in scores[0].items():
        torch.testing.assert_close(scores[1][name], value, rtol=1e-9, atol=1e-9)


@every_prior
def test_few_largest_weights_take_most_of_the_error_away(means, monkeypatch):
    monkeypatch.setattr(likelihood, "RECOMPUTED", 0.2)
    model, x, pool = Rough(means), observations(200), torch.randn(50, 200, LATENT)
    scores = scores_of_draws(pool, monkeypatch, model, x)
    rough, exact = (
        logsumexp(recomputed_weights(model, x, pool, n)[0], 0, b=1 / 50) for n in (0, 50)
    )
    left = np.abs(scores["log_prob"].numpy() - exact).mean()
    assert left < 0.25 * np.abs(rough - exact).mean()


@every_prior
def test_weights_are_recomputed_with_a_tolerance_too(means):
    model, x = Rough(means), observations(100)
    scores = importance_weighted_log_prob(model, x, 2000, tolerance=Tolerance(0.3, 2))
    assert scores["draws"].unique().numel() > 1
    assert model.asked == {False: scores["draws"].sum(), True: 100 * 4}


class Rotation:
    """A flow z = Q (x + 0.1 u) with standard normal u and a random log-determinant."""

    def __init__(self, prior):
        self.prior = prior
        self.rotation = torch.linalg.qr(torch.randn(LATENT, LATENT)).Q
        self.drawn = []

    def transform(self, x):
        log_det = torch.randn(len(x), dtype=x.dtype) - 5000
        draw = (x + 0.1 * torch.randn_like(x)) @ self.rotation.T, log_det
        self.drawn.append(draw)
        return draw


class FlowCase(NamedTuple):
    kind: type
    means: list

    def build(self):
        return Rotation(self.kind(self.means, LATENT))


FLOWS = [
    FlowCase(kind, means)
    for kind in (GaussianPrior, GeneralizedGaussianPrior)
    for means in PRIORS.values()
]
every_flow = pytest.mark.parametrize("case", FLOWS, ids=str)


@every_flow
@pytest.mark.parametrize("n_draws", [1, 2, 7])
def test_flow_log_prob_is_the_mean_over_draws(case, n_draws):
    model = case.build()
    scores = flow_log_prob(model, torch.randn(5, LATENT), n_draws)
    draws = np.stack([model.prior.log_prob(z) + log_det for z, log_det in model.drawn])
    assert draws.shape == (n_draws, 5)
    np.testing.assert_allclose(scores["log_prob"], draws.mean(0), rtol=1e-12)
    for k in range(len(case.means)):
        terms = [model.prior.log_prob_components(z)[:, k] + d for z, d in model.drawn]
        truth = np.stack(terms).mean(0)
        np.testing.assert_allclose(scores[f"log_prob_component_{k}"], truth, rtol=1e-12)


@every_flow
@pytest.mark.parametrize("n_draws", [1, 7])
def test_flow_parts_add_up_to_log_prob(case, n_draws):
    scores = flow_log_prob(case.build(), torch.randn(5, LATENT), n_draws)
    total = scores["prior_separating"] + scores["prior_rest"] + scores["log_det"]
    torch.testing.assert_close(total, scores["log_prob"], rtol=1e-12, atol=0)


@every_flow
def test_flow_standard_error_is_that_of_a_mean(case):
    model = case.build()
    scores = flow_log_prob(model, torch.randn(5, LATENT), 7)
    draws = np.stack([model.prior.log_prob(z) + log_det for z, log_det in model.drawn])
    np.testing.assert_allclose(scores["std_error"], stats.sem(draws, 0), rtol=1e-8)


@every_flow
def test_one_draw_of_a_flow_has_no_standard_error(case):
    scores = flow_log_prob(case.build(), torch.randn(5, LATENT), 1)
    assert scores["std_error"].isnan().all()
    assert scores["log_prob"].isfinite().all()


@every_flow
def test_flow_scores_are_in_double_precision(case):
    model = case.build()
    model.prior, model.rotation = model.prior.float(), model.rotation.float()
    scores = flow_log_prob(model, torch.randn(5, LATENT, dtype=torch.float32), 2)
    assert {value.dtype for value in scores.values()} == {torch.float64}


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("offset", [0.0, -5000.0, 5000.0])
def test_log_mean_exp_is_that_of_scipy(dim, offset):
    values = 10 * torch.randn(4, 6) + offset
    truth = logsumexp(values.numpy(), dim, b=1 / values.shape[dim])
    np.testing.assert_allclose(log_mean_exp(values, dim), truth, rtol=1e-12)


def test_log_mean_exp_of_equal_values_is_their_value():
    torch.testing.assert_close(log_mean_exp(torch.full((9,), -3.0), 0), torch.tensor(-3.0))


@pytest.mark.parametrize("n_dims", [784, 3072])
def test_a_uniform_model_of_bytes_scores_8_bits_per_dimension(n_dims):
    log_prob = torch.full((2,), -n_dims * math.log(256))
    torch.testing.assert_close(bits_per_dim(log_prob, n_dims), torch.full((2,), 8.0))
    assert bits_per_dim(float(log_prob[0]), n_dims) == pytest.approx(8, rel=1e-12)
