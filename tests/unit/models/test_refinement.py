"""Refined estimates against closed forms, and between the bounds of annealing."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from torch.distributions import Normal

from oodpriors.io.errors import UserError
from oodpriors.models.annealing import lower_bound, upper_bound
from oodpriors.models.likelihood import importance_weighted_log_prob
from oodpriors.models.refinement import Refinement, evidence_bound, refine, refined_log_prob, starts
from oodpriors.priors import GaussianPrior

pytestmark = pytest.mark.usefixtures("double_precision")

LATENT, OBSERVED, NOISE = 3, 12, 0.5
PRIORS = {"unimodal": [[0.0]], "bimodal": [[-20.0], [20.0]]}
THOROUGH = Refinement(steps=600, tolerance=0.02, samples=2000)

every_prior = pytest.mark.parametrize("means", PRIORS.values(), ids=PRIORS)


class Linear:
    """x = W z + noise with orthogonal columns; the encoder's posterior is the true one, moved."""

    low_precision = False

    def __init__(self, means, error=0.0):
        self.prior, self.error = GaussianPrior(means, LATENT), error
        generator = torch.Generator().manual_seed(1)
        columns = torch.linalg.qr(torch.randn(OBSERVED, LATENT, generator=generator)).Q
        self.weight = columns * torch.tensor([1.0, 2.0, 0.5])

    def encode(self, x):
        precision = 1 + self.weight.square().sum(0) / NOISE**2
        components = [(mean + x @ self.weight / NOISE**2) / precision for mean in self.prior.means]
        nearest = torch.stack(components)[(x @ self.weight)[:, 0].gt(0).long() % len(components)]
        return nearest[0] + self.error, precision.rsqrt().expand(len(x), -1)

    def log_likelihood(self, x, z, full_precision=False):
        return Normal(z @ self.weight.T, NOISE, validate_args=False).log_prob(x).sum(-1)

    def draw(self, n):
        z = self.prior.sample(n)
        return z @ self.weight.T + NOISE * torch.randn(n, OBSERVED), z

    def exact(self, x):
        covariance = (self.weight @ self.weight.T + NOISE**2 * torch.eye(OBSERVED)).numpy()
        centres = (self.prior.means @ self.weight.T).numpy()
        columns = [stats.multivariate_normal(c, covariance).logpdf(x.numpy()) for c in centres]
        return np.atleast_1d(np.logaddexp.reduce(columns)) - math.log(len(centres))


class Curved(Linear):
    """A decoder that is no linear map: x = W tanh(z) + U z^2 / 4 + noise."""

    def log_likelihood(self, x, z, full_precision=False):
        return Normal(self.decode(z), NOISE).log_prob(x).sum(-1)

    def decode(self, z):
        return torch.tanh(z) @ self.weight.T + 0.25 * z.square() @ self.weight.flip(0).T

    def draw(self, n):
        z = self.prior.sample(n)
        return self.decode(z) + NOISE * torch.randn(n, OBSERVED), z


@every_prior
def test_an_encoder_that_is_wrong_by_hundreds_of_nats_is_made_good(means):
    model = Linear(means, error=8.0)
    x, _ = model.draw(20)
    exact = model.exact(x)
    by_encoder = importance_weighted_log_prob(model, x, 200)["log_prob"].numpy()
    refined = refined_log_prob(model, x, THOROUGH)
    assert np.median(exact - by_encoder) > 100
    np.testing.assert_allclose(refined["log_prob_refined"], exact, atol=0.1)
    assert refined["effective_sample_size_refined"].median() > 500
    assert not refined["refinement_failed"].any()


@every_prior
def test_the_bound_is_that_of_the_closed_form(means):
    model = Linear(means)
    x, _ = model.draw(5)
    (mean, std), _ = refine(model, x, THOROUGH)
    noise = torch.randn(4000, 1, LATENT)
    bound = evidence_bound(model, x, (mean, std), noise).numpy()
    # the columns are orthogonal, so the posterior is diagonal and the bound is tight
    gap = model.exact(x) - bound
    assert (gap > -0.1).all()
    assert (gap < 0.6).all()


def test_starts_are_the_encoders_and_one_at_each_component():
    model = Linear([[-20.0], [20.0]])
    encoded = model.encode(model.draw(4)[0])
    found = starts(model, encoded)
    assert [part[0][:, 0].tolist() for part in found[1:]] == [[-20.0] * 4, [20.0] * 4]
    assert all(torch.equal(part[0][:, 1:], encoded[0][:, 1:]) for part in found)
    assert len(starts(Linear([[0.0]]), encoded)) == 1


def test_an_image_that_the_encoder_puts_between_the_components_finds_its_own():
    model = Linear([[-20.0], [20.0]])
    x, z = model.draw(10)
    model.encode = lambda images: (
        torch.zeros(len(images), LATENT),
        torch.ones(len(images), LATENT),
    )
    refined = refined_log_prob(model, x, THOROUGH)
    np.testing.assert_allclose(refined["latent_first_refined"], z[:, 0], atol=3)
    np.testing.assert_allclose(refined["log_prob_refined"], model.exact(x), atol=0.1)
    assert set(refined["refinement_start"].tolist()) <= {1, 2}


def test_a_refined_estimate_is_a_bound_and_no_worse_than_the_encoders():
    model = Linear([[0.0]], error=1.0)
    x = model.draw(1)[0].repeat(2000, 1)
    few = Refinement(steps=10, screening=5, samples=8)
    estimates = refined_log_prob(model, x, few)["log_prob_refined"].numpy()
    exact = model.exact(x[:1])[0]
    error = estimates.std() / math.sqrt(len(estimates))
    assert estimates.mean() < exact + 3 * error
    # unbiased in the likelihood itself
    likelihood = np.exp(estimates - exact)
    assert abs(likelihood.mean() - 1) < 4 * likelihood.std() / math.sqrt(len(likelihood))


def test_bounds_of_annealing_enclose_the_closed_form():
    model = Linear([[0.0]])
    x, z = model.draw(40)
    exact = model.exact(x)
    low = lower_bound(model, x, 200, 8).numpy()
    high = upper_bound(model, x, z, 200, 8).numpy()
    assert (low - exact).mean() < 0.1
    assert (high - exact).mean() > -0.1
    np.testing.assert_allclose(low, high, atol=1.0)
    np.testing.assert_allclose(low, exact, atol=1.0)


def test_refined_estimates_of_drawn_images_lie_between_the_bounds_of_annealing():
    model = Curved([[0.0]], error=4.0)
    x, z = model.draw(20)
    low, high = lower_bound(model, x, 300, 8), upper_bound(model, x, z, 300, 8)
    refined = refined_log_prob(model, x, THOROUGH)["log_prob_refined"]
    assert float((high - low).abs().max()) < 3
    assert float((refined - high).mean()) < 0.1
    assert float((refined - low).mean()) > -0.3
    joint = model.log_likelihood(x, z) + model.prior.log_prob(z)
    volume = normal_volume(model)
    assert (refined > joint + volume - 6).all()


def normal_volume(model):
    """log of the volume of a posterior's typical set, as for the linear model."""
    precision = 1 + model.weight.square().sum(0) / NOISE**2
    return float((0.5 * math.log(2 * math.pi) - 0.5 * precision.log()).sum())


def test_what_is_not_finite_falls_back_to_the_start_and_is_reported():
    class Broken(Linear):
        def log_likelihood(self, x, z, full_precision=False):
            beyond = z[:, 0] > self.wall
            return super().log_likelihood(x, z) * torch.where(beyond, math.nan, 1.0)

    model, Broken.wall = Broken([[0.0]]), 10.0
    x = model.draw(30)[0] + 40 * model.weight[:, 0]  # whose posterior lies beyond the wall
    mean, std = model.encode(x)
    near = torch.cat([torch.full((30, 1), 9.8), mean[:, 1:]], 1)
    model.encode = lambda images: (near, 0.01 * std)
    _, report = refine(model, x, Refinement(steps=40))
    assert (report["refinement_gain"] >= 0).all()
    assert report["refinement_failed"].any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps: 0: must be positive"),
        ({"tolerance": -1.0}, "tolerance: -1.0: must be positive"),
        ({"learning_rate": math.nan}, "learning_rate: nan: must be positive"),
        ({"samples": 1}, "samples: 1, defensive: 0.25 takes 0 from the encoder"),
        ({"defensive": 1.0}, "takes 64 from the encoder; at least one"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        Refinement(**wrong)


def test_no_gradient_reaches_the_model():
    model = Linear([[0.0]])
    model.weight = nn.Parameter(model.weight)
    refined_log_prob(model, model.draw(2)[0].detach(), Refinement(steps=20))
    assert model.weight.grad is None
