"""The priors against SciPy, quadrature and PyTorch's distributions."""

import math
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import gamma, logsumexp
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    Normal,
    kl_divergence,
)

from oodpriors.priors import build_prior

pytestmark = pytest.mark.usefixtures("double_precision")

DIM = 3
MEANS = {
    1: [[1.5]],
    2: [[-2.0], [2.0]],
    4: [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [-1.0, -1.0]],
}
SEPARATING = {1: [0, 0, 0], 2: [1, 0, 0], 4: [1, 1, 0]}
BETAS = (None, 2.0, 4.0, 3.5)
SCALES = (1.0, 2.0)


class Case(NamedTuple):
    """A prior and its reference from SciPy; beta None is the Gaussian."""

    beta: float | None
    n_components: int = 1
    scale: float = 1.0

    def build(self, dim=DIM, means=None, **options):
        kind, shape = ("gaussian", {}) if self.beta is None else ("generalized_gaussian", {})
        if self.beta is not None:
            shape = {"beta": self.beta}
        means = MEANS[self.n_components] if means is None else means
        return build_prior(kind, dim=dim, means=means, scale=self.scale, **shape, **options)

    def means(self):
        rows = np.array(MEANS[self.n_components])
        return np.pad(rows, ((0, 0), (0, DIM - rows.shape[1])))

    def coordinate(self, mean=0.0):
        if self.beta is None:
            return stats.norm(mean, self.scale)
        # divided by SciPy's own standard deviation, so that alpha's formula is tested as well
        return stats.gennorm(self.beta, mean, self.scale / stats.gennorm(self.beta).std())

    def log_prob_coordinates(self, z):
        return self.coordinate(self.means()).logpdf(z.numpy()[:, None])  # (B, K, D)

    def log_prob(self, z):
        return logsumexp(self.log_prob_coordinates(z).sum(-1), -1) - math.log(self.n_components)


CASES = [Case(*values) for values in product(BETAS, MEANS, SCALES)]
SHAPES = [Case(beta, 1, scale) for beta, scale in product(BETAS, SCALES)]
GAUSSIANS = [case for case in CASES if case.beta in (None, 2.0)]
EVEN = [Case(*values) for values in product((4.0, 6.0), MEANS, SCALES)]
ODD = [case for case in CASES if case.beta == 3.5]

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_shape = pytest.mark.parametrize("case", SHAPES, ids=str)


def latents(n=50):
    return 3 * torch.randn(n, DIM)


def density(prior):
    return lambda value: float(prior.log_prob(torch.tensor([[value]])).exp())


def moment(prior, order):
    function = density(prior)
    half = integrate.quad(lambda v: v**order * function(v), 0, 15 * prior.scale, limit=200)[0]
    return 2 * half


@every_case
def test_log_prob_components_are_those_of_scipy(case):
    z = latents()
    truth = case.log_prob_coordinates(z).sum(-1)
    np.testing.assert_allclose(case.build().log_prob_components(z), truth, rtol=1e-12)


@every_case
def test_log_prob_is_the_uniform_mixture_of_scipy(case):
    z = latents()
    np.testing.assert_allclose(case.build().log_prob(z), case.log_prob(z), rtol=1e-12)


@pytest.mark.parametrize("case", GAUSSIANS, ids=str)
def test_log_prob_is_that_of_mixture_same_family(case):
    z, weights = latents(), Categorical(torch.ones(case.n_components))
    components = Independent(Normal(torch.from_numpy(case.means()), case.scale), 1)
    truth = MixtureSameFamily(weights, components).log_prob(z)
    torch.testing.assert_close(case.build().log_prob(z), truth, rtol=1e-12, atol=0)


@every_shape
@pytest.mark.parametrize("means", [[[0.0]], [[-2.0], [2.0]]], ids=["K=1", "K=2"])
def test_density_integrates_to_one(case, means):
    assert moment(case.build(dim=1, means=means), 0) == pytest.approx(1, abs=1e-7)


@every_shape
def test_variance_of_a_component_is_the_scale_squared(case):
    prior = case.build(dim=1, means=[[0.0]])
    assert moment(prior, 2) == pytest.approx(case.scale**2, rel=1e-7)


@pytest.mark.parametrize(("beta", "kurtosis"), [(2.0, 3.0), (4.0, 2.188), (3.5, None)])
def test_kurtosis_is_that_of_the_gamma_formula(beta, kurtosis):
    truth = gamma(5 / beta) * gamma(1 / beta) / gamma(3 / beta) ** 2
    prior = Case(beta).build(dim=1, means=[[0.0]])
    assert moment(prior, 4) == pytest.approx(truth, rel=1e-7)
    assert kurtosis is None or truth == pytest.approx(kurtosis, abs=1e-3)


@pytest.mark.parametrize("case", [case for case in CASES if case.beta == 2], ids=str)
def test_beta_2_is_the_gaussian(case):
    z = latents()
    gaussian, generalized = (case._replace(beta=beta).build() for beta in (None, 2.0))
    torch.testing.assert_close(generalized.log_prob(z), gaussian.log_prob(z), rtol=1e-12, atol=0)


@every_case
def test_mixture_lies_within_log_k_below_its_best_component(case):
    prior, z = case.build(), latents()
    gap = prior.log_prob_components(z).amax(-1) - prior.log_prob(z)
    assert (gap >= -1e-12).all()
    assert (gap <= math.log(case.n_components) + 1e-12).all()


@every_shape
def test_one_component_is_the_mixture(case):
    prior, z = case.build(), latents()
    zeros = torch.zeros(len(z), dtype=torch.long)
    assert torch.equal(prior.log_prob(z), prior.log_prob_components(z)[:, 0])
    assert torch.equal(prior.log_prob(z), prior.log_prob_component(z, zeros))


@every_case
def test_log_prob_component_is_that_of_the_assigned_component(case):
    prior, z = case.build(), latents()
    k = torch.randint(case.n_components, (len(z),))
    truth = case.log_prob_coordinates(z).sum(-1)[np.arange(len(z)), k.numpy()]
    np.testing.assert_allclose(prior.log_prob_component(z, k), truth, rtol=1e-12)


@every_case
def test_parts_add_up_to_log_prob(case):
    prior, z = case.build(), latents()
    separating, rest = prior.log_prob_parts(z)
    torch.testing.assert_close(separating + rest, prior.log_prob(z), rtol=1e-12, atol=0)


@every_case
def test_parts_are_the_marginals_of_the_separating_and_of_the_other_coordinates(case):
    prior, z = case.build(), latents()
    mask = np.array(SEPARATING[case.n_components], dtype=bool)
    coordinates = case.log_prob_coordinates(z)
    by_component = coordinates[..., mask].sum(-1)
    separating = logsumexp(by_component, -1) - math.log(case.n_components)
    assert prior.separating.tolist() == mask.tolist()
    np.testing.assert_allclose(prior.log_prob_parts(z)[0], separating, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(prior.log_prob_parts(z)[1], coordinates[:, 0, ~mask].sum(-1))


@every_case
def test_mean_of_a_component_is_padded_with_zeros(case):
    prior = case.build()
    means = np.stack([prior.mean(k).numpy() for k in range(prior.n_components)])
    np.testing.assert_array_equal(means, case.means())


def posterior(n=20):
    return torch.randn(n, DIM), torch.rand(n, DIM) + 0.3


@pytest.mark.parametrize("case", GAUSSIANS, ids=str)
def test_kl_to_a_gaussian_component_is_that_of_torch(case):
    prior, (mean, std) = case.build(), posterior()
    components = torch.randint(case.n_components, (len(mean),))
    target = Normal(torch.from_numpy(case.means())[components], case.scale)
    truth = kl_divergence(Normal(mean, std), target).sum(-1)
    torch.testing.assert_close(prior.kl_component(mean, std, components), truth)


def quadrature_kl(case, mean, std, k):
    def coordinate(m, s, center):
        q, p = stats.norm(m, s), case.coordinate(center)
        return integrate.quad(
            lambda u: q.pdf(u) * (q.logpdf(u) - p.logpdf(u)), m - 12 * s, m + 12 * s, epsabs=1e-10
        )[0]

    return sum(map(coordinate, mean.tolist(), std.tolist(), case.means()[k]))


@pytest.mark.parametrize("case", EVEN, ids=str)
def test_kl_to_a_component_of_even_beta_is_that_of_quadrature(case):
    mean, std = posterior(3)
    components = torch.randint(case.n_components, (3,))
    truth = [quadrature_kl(case, *row) for row in zip(mean, std, components, strict=True)]
    np.testing.assert_allclose(case.build().kl_component(mean, std, components), truth, rtol=1e-8)


@pytest.mark.parametrize("case", ODD, ids=str)
def test_kl_to_a_component_of_another_beta_is_unbiased(case):
    repeats = 4000
    (mean, std), k = posterior(1), case.n_components - 1
    many = mean.expand(repeats, -1), std.expand(repeats, -1)
    estimates = case.build().kl_component(*many, torch.full((repeats,), k))
    truth = quadrature_kl(case, mean[0], std[0], k)
    error = float(estimates.std()) / math.sqrt(repeats)
    assert error < 0.05 * abs(truth)
    assert float(estimates.mean()) == pytest.approx(truth, abs=4 * error)


@pytest.mark.parametrize("beta", [8.5, 16.0, 26.0, 33.0, 34.0, 39.5, 40.0])
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])
def test_kl_for_a_large_beta_is_that_of_numerical_integration(beta, dtype, rtol):
    # the tail beyond 6 deviations decides it, so no draws can tell
    prior = Case(beta).build(dim=1, means=[[0.0]]).to(dtype)
    edges = (-40, -12, -6, -2, 0, 2, 6, 12, 40)
    for mean, std in ((0.0, 1.0), (1.5, 0.3), (0.3, 0.05), (-3.0, 0.5)):
        q, p = stats.norm(mean, std), stats.gennorm(beta, scale=prior.alpha)

        def integrand(e, mean=mean, std=std, q=q, p=p):
            u = mean + std * e
            return std * q.pdf(u) * (q.logpdf(u) - p.logpdf(u))

        parts = [integrate.quad(integrand, *part, epsabs=0)[0] for part in pairwise(edges)]
        place = torch.tensor([[mean]], dtype=dtype), torch.tensor([[std]], dtype=dtype)
        found = prior.kl_component(*place, torch.tensor([0]))
        assert found.item() == pytest.approx(sum(parts), rel=rtol)


@pytest.mark.parametrize("beta", [*BETAS, 6.0, 33.0, 40.0])
def test_kl_carries_gradients_to_mean_and_std(beta):
    mean, std = (value.requires_grad_() for value in posterior())
    prior = Case(beta, 2).build()
    prior.kl_component(mean, std, torch.randint(2, (len(mean),))).sum().backward()
    assert all((value.grad != 0).all() and value.grad.isfinite().all() for value in (mean, std))


@every_case
def test_samples_of_a_component_follow_scipys_distribution(case):
    prior, k = case.build(), case.n_components - 1
    draws = prior.sample(4000, torch.full((4000,), k)).numpy()
    for column, center in zip(draws.T, case.means()[k], strict=True):
        assert stats.kstest(column, case.coordinate(center).cdf).pvalue > 1e-3


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0, 16.0, 50.0])
def test_samples_of_every_beta_follow_scipys_distribution(beta):
    prior = build_prior("generalized_gaussian", 1, means=[[0.0]], beta=beta)
    draws = prior.sample(20_000)[:, 0].numpy()
    exact = stats.gennorm(beta, scale=prior.alpha)
    assert stats.kstest(draws, exact.cdf).pvalue > 1e-3
    near = np.mean(np.abs(draws) < 0.1 * prior.alpha)
    assert near == pytest.approx(
        np.diff(exact.cdf([-0.1 * prior.alpha, 0.1 * prior.alpha]))[0], abs=0.02
    )


@pytest.mark.parametrize("beta", [0.5, 0.99])
def test_gradients_at_a_mean_are_zero_where_the_density_has_a_peak(beta):
    prior = build_prior("generalized_gaussian", 2, means=[[3.0]], beta=beta)
    z = torch.tensor([[3.0, 0.0], [4.0, -1.0]], requires_grad=True)
    value = prior.log_prob(z)
    exact = stats.gennorm(beta, scale=prior.alpha).logpdf
    np.testing.assert_allclose(value.detach(), [2 * exact(0.0), 2 * exact(1.0)], rtol=1e-12)
    value.sum().backward()
    assert z.grad[0].tolist() == [0.0, 0.0]
    assert (z.grad[1] * torch.tensor([-1.0, 1.0]) > 0).all()


@every_case
def test_samples_of_the_mixture_follow_scipys_mixture(case):
    column = case.build().sample(4000)[:, 0].numpy()
    components = case.coordinate(case.means()[:, 0])
    assert stats.kstest(column, lambda v: components.cdf(v[:, None]).mean(-1)).pvalue > 1e-3


@every_shape
def test_coordinates_of_samples_are_uncorrelated_with_the_scale_as_deviation(case):
    draws = case.build().sample(20_000, torch.zeros(20_000, dtype=torch.long))
    truth = case.scale**2 * np.eye(DIM)
    # the standard deviation of a squared coordinate is at most sqrt(2) scale^2
    limit = 4.5 * math.sqrt(2) * case.scale**2 / math.sqrt(len(draws))
    np.testing.assert_allclose(np.cov(draws.T), truth, atol=limit)


@every_case
def test_nothing_is_trained_and_the_means_are_saved(case):
    prior = case.build()
    assert list(prior.parameters()) == []
    assert list(prior.state_dict()) == ["means"]


@every_case
def test_trainable_means_are_the_same_prior_with_one_parameter(case):
    fixed, trained = case.build(), case.build(trainable_means=True)
    assert [name for name, _ in trained.named_parameters()] == ["means"]
    assert list(trained.state_dict()) == ["means"]
    z = latents()
    torch.testing.assert_close(trained.log_prob(z), fixed.log_prob(z))


@pytest.mark.parametrize("case", GAUSSIANS, ids=str)
def test_the_gradient_of_trainable_means_weighs_offsets_by_responsibilities(case):
    prior, z = case.build(trainable_means=True), latents()
    prior.log_prob(z).sum().backward()
    by_component = case.log_prob_coordinates(z).sum(-1)
    weights = np.exp(by_component - logsumexp(by_component, -1, keepdims=True))
    offsets = (z.numpy()[:, None] - case.means()) / case.scale**2
    np.testing.assert_allclose(prior.means.grad, (weights[..., None] * offsets).sum(0), atol=1e-12)


@every_case
def test_only_unsupervised_training_is_under_the_whole_mixture(case):
    z = latents()
    k = torch.randint(case.n_components, (len(z),))
    unsupervised = case.build(unsupervised=True)
    torch.testing.assert_close(unsupervised.training_log_prob(z, k), case.build().log_prob(z))
    assigned = case.build().log_prob_component(z, k)
    torch.testing.assert_close(case.build().training_log_prob(z, k), assigned)


def quadrature_expectation(case, mean, std):
    """E[log p(z)] of one coordinate by quadrature."""
    q = stats.norm(mean, std)

    def integrand(u):
        log_p = case.coordinate(case.means()[:, 0]).logpdf(u)
        return q.pdf(u) * (logsumexp(log_p) - math.log(case.n_components))

    return integrate.quad(integrand, mean - 12 * std, mean + 12 * std, epsabs=1e-10, limit=200)[0]


@pytest.mark.parametrize("case", [Case(None, 2), Case(4.0, 2, 2.0), Case(3.5, 2)], ids=str)
@pytest.mark.parametrize("mean", [-1.5, 0.1, 2.5])
def test_the_expectation_under_the_mixture_is_that_of_quadrature(case, mean):
    repeats = 4000
    means, stds = torch.full((repeats, 1), mean), torch.full((repeats, 1), 0.8)
    drawn = case.build(dim=1).expected_log_prob(means, stds)
    error = float(drawn.std()) / math.sqrt(repeats)
    assert error < 0.05
    truth = quadrature_expectation(case, mean, 0.8)
    assert float(drawn.mean()) == pytest.approx(truth, abs=4 * error)


@pytest.mark.parametrize("case", [Case(None), Case(4.0)], ids=str)
def test_the_divergence_from_far_components_is_exact(case):
    # one component fits all draws: its divergence, and log K for the choice
    far = case.build(dim=1, means=[[60.0], [-60.0]], unsupervised=True)
    mean, std = torch.tensor([[59.0], [-60.5]]), torch.tensor([[0.7], [0.2]])
    own = far.kl_component(mean, std, torch.tensor([0, 1])) + math.log(2)
    other = torch.tensor([1, 0])
    torch.testing.assert_close(far.training_kl(mean, std, other), own, rtol=0, atol=1e-9)
    supervised = case.build(dim=1, means=[[60.0], [-60.0]])
    assert (supervised.training_kl(mean, std, other) > 1000).all()


def test_the_divergence_from_a_mixture_carries_gradients():
    mean, std = (value.requires_grad_() for value in posterior())
    prior = Case(None, 2).build(unsupervised=True, trainable_means=True)
    prior.training_kl(mean, std, torch.zeros(len(mean), dtype=torch.long)).sum().backward()
    for value in (mean, std, prior.means):
        assert (value.grad != 0).all()
        assert value.grad.isfinite().all()


@every_case
def test_gradient_of_log_prob_is_that_of_finite_differences(case):
    prior, z = case.build(), latents(4)
    assert torch.autograd.gradcheck(prior.log_prob, z.requires_grad_())


@pytest.mark.parametrize("beta", BETAS)
def test_single_precision_holds_at_distance_200(beta):
    case = Case(beta)
    offsets = torch.linspace(-3, 3, 13)[:, None] * torch.ones(DIM)
    z = torch.cat([offsets, offsets + torch.tensor([200.0, 0, 0])]).float()
    means = [[-200.0], [200.0]]
    double = case.build(means=means)
    single = case.build(means=means).float()
    torch.testing.assert_close(
        single.log_prob(z).double(), double.log_prob(z.double()), rtol=2e-6, atol=1e-5
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"means": [[1.0, 2.0, 3.0]]}, "have 3 coordinates, the latent has only 2"),
        ({"means": []}, "must be a non-empty list"),
        ({"means": [1.0, 2.0]}, "must be a non-empty list"),
        ({"scale": 0.0}, "scale must be positive, got 0"),
        ({"scale": -1.0}, "scale must be positive, got -1"),
        ({"beta": 0.0}, "beta must be positive, got 0"),
        ({"beta": -2.0}, "beta must be positive, got -2"),
        ({"kind": "laplace"}, "'laplace' is unknown; choose one of gaussian"),
    ],
)
def test_impossible_priors_are_refused_with_the_reason(arguments, message):
    possible = {"kind": "generalized_gaussian", "dim": 2, "means": [[0.0]]}
    with pytest.raises(ValueError, match=message):
        build_prior(**possible | arguments)


def test_means_of_unequal_length_are_filled_with_zeros():
    prior = build_prior("gaussian", 3, means=[[150.0], [0.0, 150.0]])
    assert prior.means.tolist() == [[150.0, 0.0, 0.0], [0.0, 150.0, 0.0]]
    assert prior.separating.tolist() == [True, True, False]
