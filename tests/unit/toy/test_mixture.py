"""The mixture's density is the true one."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from tests.unit.toy.conftest import every_dim, generator, scipy_mixture

from oodpriors.priors import build_prior
from oodpriors.toy.mixture import ToyData, entropy

pytestmark = pytest.mark.usefixtures("double_precision")


@every_dim
def test_log_prob_is_that_of_scipys_mixture(dim):
    x = 3 * torch.randn(200, dim)
    np.testing.assert_allclose(ToyData(dim).log_prob(x), scipy_mixture(dim)(x), rtol=1e-12)


@every_dim
def test_samples_follow_the_mixture_component_by_component(dim):
    x, k = ToyData(dim).sample(20_000, generator())
    assert x.dtype == torch.float64
    assert k.dtype == torch.int64
    assert abs(float(k.double().mean()) - 0.5) < 4 * 0.5 / math.sqrt(len(k))
    for component, mean in enumerate((3.5, -3.5)):
        chosen = x[k == component].numpy()
        assert stats.kstest(chosen[:, 0], stats.norm(mean, math.sqrt(0.5)).cdf).pvalue > 1e-3
        for column in chosen.T[1:]:
            assert stats.kstest(column, stats.norm.cdf).pvalue > 1e-3


@every_dim
def test_samples_out_of_distribution_have_standard_deviation_a_tenth(dim):
    x = ToyData(dim).sample_ood(5000, generator())
    assert stats.kstest(x.flatten().numpy(), stats.norm(0, 0.1).cdf).pvalue > 1e-3


@every_dim
def test_exact_means_are_those_of_monte_carlo(dim):
    data, log_prob, n = ToyData(dim), scipy_mixture(dim), 40_000
    points = {"test": data.sample(n, generator())[0], "ood": data.sample_ood(n, generator())}
    for name, x in points.items():
        values = log_prob(x.numpy())
        error = values.std() / math.sqrt(n)
        assert data.exact_means()[name] == pytest.approx(values.mean(), abs=4 * error)


@every_dim
def test_exact_mean_in_distribution_is_one_bit_below_that_of_a_component(dim):
    component = stats.norm(0, math.sqrt(0.5)).entropy() + (dim - 1) * stats.norm.entropy()
    truth = -(component + math.log(2))  # the components overlap by less than 1e-6
    assert ToyData(dim).exact_means()["test"] == pytest.approx(truth, abs=1e-5)


def test_another_mixture_than_the_papers_is_another_everywhere():
    data = ToyData(3, mean=2.0, variance=2.0, ood_variance=0.25)
    (x, k), ood = data.sample(40_000, generator()), data.sample_ood(40_000, generator(1))
    assert stats.kstest(x[k == 1, 0], stats.norm(-2, math.sqrt(2)).cdf).pvalue > 1e-3
    assert stats.kstest(ood[:, 0], stats.norm(0, 0.5).cdf).pvalue > 1e-3
    for name, points in (("test", x), ("ood", ood)):
        values = data.log_prob(points)
        assert data.exact_means()[name] == pytest.approx(
            float(values.mean()), abs=4 * float(values.std()) / 200
        )


@pytest.mark.parametrize(("dim", "test", "ood"), [(2, -3.185, -13.55), (10, -14.53, -20.94)])
def test_exact_means_are_near_the_numbers_of_the_design(dim, test, ood):
    means = ToyData(dim).exact_means()
    assert means["test"] == pytest.approx(test, abs=0.006)
    assert means["ood"] == pytest.approx(ood, abs=0.005)


@every_dim
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_entropy_of_gaussian_priors_is_that_of_scipy(dim, scale):
    one, far = (
        entropy(build_prior("gaussian", dim, means=means, scale=scale))
        for means in ([[1.5]], [[40.0], [-40.0]])
    )
    truth = dim * stats.norm(0, scale).entropy()
    assert one == pytest.approx(truth, rel=1e-10)
    assert far == pytest.approx(truth + math.log(2), rel=1e-10)


def test_entropy_of_other_priors_is_that_of_their_samples():
    shapes = ({"means": [[0.0]]}, {"means": [[0.0, 1.0], [0.0, -1.0], [0.0, 0.5]], "scale": 0.7})
    for shape in shapes:
        prior = build_prior("generalized_gaussian", 3, **shape)
        surprise = -prior.log_prob(prior.sample(40_000))
        error = float(surprise.std()) / 200
        assert entropy(prior) == pytest.approx(float(surprise.mean()), abs=4 * error)
