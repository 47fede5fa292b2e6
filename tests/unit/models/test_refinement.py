"""Refined estimates against closed forms, and between the bounds of annealing."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from torch.distributions import Normal

from oodpriors.io.errors import UserError
from oodpriors.models import refinement
from oodpriors.models.annealing import lower_bound, upper_bound
from oodpriors.models.glow import Glow
from oodpriors.models.likelihood import importance_weighted_log_prob
from oodpriors.models.refinement import Proposal, Refinement, refine, refined_log_prob, starts
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior

pytestmark = pytest.mark.usefixtures("double_precision")

LATENT, OBSERVED, NOISE = 3, 12, 0.5
PRIORS = {"unimodal": [[0.0]], "bimodal": [[-20.0], [20.0]]}
THOROUGH = Refinement(steps=40, samples=2000)

COLUMNS = [
    *("log_prob_refined", "std_error_refined", "effective_sample_size_refined"),
    *("reconstruction_refined", "prior_separating_refined", "prior_rest_refined"),
    *("posterior_entropy_refined", "importance_gain_refined", "latent_first_refined"),
    *("refinement_gain", "refinement_steps", "refinement_start", "refinement_failed"),
]

every_prior = pytest.mark.parametrize("means", PRIORS.values(), ids=PRIORS)


class Linear:
    """x = W z + noise; the encoder's posterior is the true one of orthogonal columns, moved.

    Without ``correlated`` the columns are orthogonal.
    """

    low_precision = False

    def __init__(self, means, error=0.0, correlated=0.0):
        self.prior, self.error = GaussianPrior(means, LATENT), error
        generator = torch.Generator().manual_seed(1)
        columns = torch.linalg.qr(torch.randn(OBSERVED, LATENT, generator=generator)).Q
        self.weight = columns * torch.tensor([1.0, 2.0, 0.5])
        self.weight = self.weight + correlated * self.weight[:, 1:2]

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


def standard_error(values):
    return float(values.std() / math.sqrt(len(values)))


@every_prior
@pytest.mark.parametrize("correlated", [0.0, 0.5])
def test_an_encoder_that_is_wrong_by_hundreds_of_nats_is_made_good(means, correlated):
    model = Linear(means, error=8.0, correlated=correlated)
    x, _ = model.draw(20)
    exact = model.exact(x)
    by_encoder = importance_weighted_log_prob(model, x, 200)["log_prob"].numpy()
    refined = refined_log_prob(model, x, THOROUGH)
    assert np.median(exact - by_encoder) > 100
    np.testing.assert_allclose(refined["log_prob_refined"], exact, atol=0.1)
    assert refined["effective_sample_size_refined"].median() > 500
    assert not refined["refinement_failed"].any()


@every_prior
def test_parts_are_the_evidence_bound_and_are_tight_for_a_gaussian_posterior(means):
    model = Linear(means, error=2.0, correlated=0.5)
    x, _ = model.draw(20)
    refined = refined_log_prob(model, x, THOROUGH)
    names = ("reconstruction", "prior_separating", "prior_rest", "posterior_entropy")
    bound = sum(refined[f"{name}_refined"] for name in names)
    total = bound + refined["importance_gain_refined"]
    torch.testing.assert_close(total, refined["log_prob_refined"])
    gap = model.exact(x) - bound.numpy()
    assert (gap > -0.2).all()  # the bound is a mean over 1750 samples
    assert gap.mean() < 1


def test_the_gain_is_that_of_the_bound_over_the_encoders():
    model = Linear([[0.0]], error=2.0)
    x, _ = model.draw(10)
    refined = refined_log_prob(model, x, THOROUGH)
    precision = 1 + model.weight.square().sum(0) / NOISE**2
    divergence = float(0.5 * (2.0**2 * precision).sum())  # of the encoder's from the posterior
    np.testing.assert_allclose(refined["refinement_gain"].mean(), divergence, rtol=0.2)


def test_columns_have_one_entry_for_each_image():
    refined = refined_log_prob(model := Linear([[-20.0], [20.0]]), model.draw(3)[0], Refinement())
    whole = {"refinement_steps", "refinement_start"}
    kinds = {name: torch.int64 if name in whole else torch.float64 for name in COLUMNS}
    kinds["refinement_failed"] = torch.bool
    assert {name: column.dtype for name, column in refined.items()} == kinds
    assert all(column.shape == (3,) for column in refined.values())


def test_starts_are_the_encoders_and_one_at_each_component():
    model = Linear([[-20.0], [20.0]])
    mean, _ = model.encode(model.draw(4)[0])
    found = starts(model, mean)
    assert [part[:, 0].tolist() for part in found[1:]] == [[-20.0] * 4, [20.0] * 4]
    assert all(torch.equal(part[:, 1:], mean[:, 1:]) for part in found)
    assert len(starts(Linear([[0.0]]), mean)) == 1
    # trained means differ in all coordinates, and the image stays in all but the first
    model.prior = GaussianPrior(
        [[-20.0, 0.3, 0.1], [20.0, -0.2, 0.4]], LATENT, trainable_means=True
    )
    found = starts(model, mean)
    assert [part[:, 0].tolist() for part in found[1:]] == [[-20.0] * 4, [20.0] * 4]
    assert all(torch.equal(part[:, 1:], mean[:, 1:]) for part in found)


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


def moved(mean, root):
    return Proposal(mean + 0.5, root)


def wide(mean, root):
    return Proposal(mean, 2 * root)


def narrow(mean, root):
    return Proposal(mean, 0.2 * root)


def correlated(mean, root):
    return Proposal(mean, root + 0.3 * root.max() * torch.ones(LATENT, LATENT).tril(-1))


def far(mean, root):
    return Proposal(mean + 30, root)


@pytest.mark.parametrize("wrong", [moved, wide, narrow, correlated, far])
def test_the_likelihood_has_no_bias_and_its_logarithm_none_upwards(wrong, monkeypatch):
    model = Linear([[0.0]], error=0.2)
    x = model.draw(1)[0].repeat(4000, 1)
    mean, std = model.encode(x)
    encoded = Proposal(mean, torch.diag_embed(1.2 * std))
    found = wrong(*encoded), encoded, {}
    monkeypatch.setattr(refinement, "refine", lambda *arguments: found)
    estimates = refined_log_prob(model, x, Refinement(samples=8, defensive=0.5))
    above = estimates["log_prob_refined"] - model.exact(x[:1])[0]
    assert abs(float(above.exp().mean()) - 1) < 4 * standard_error(above.exp())
    assert standard_error(above.exp()) < 0.02
    assert float(above.mean()) < 3 * standard_error(above)


def test_estimates_of_a_short_refinement_have_no_bias():
    model = Linear([[0.0]], error=1.0)
    x = model.draw(1)[0].repeat(4000, 1)
    few = Refinement(steps=2, screening=2, samples=8, defensive=0.25)
    above = refined_log_prob(model, x, few)["log_prob_refined"] - model.exact(x[:1])[0]
    assert abs(float(above.exp().mean()) - 1) < 4 * standard_error(above.exp())
    assert float(above.mean()) < 3 * standard_error(above)


def test_the_standard_error_is_the_spread_of_repeated_estimates():
    model = Linear([[0.0]], error=0.3)
    x = model.draw(1)[0].repeat(2000, 1)
    model.encode = lambda images, encode=model.encode: (encode(images)[0], 1.3 * encode(images)[1])
    scores = refined_log_prob(model, x, Refinement(samples=100, defensive=0.3))
    spread = float(scores["log_prob_refined"].std())
    assert float(scores["std_error_refined"].square().mean().sqrt()) == pytest.approx(
        spread, rel=0.1
    )


def test_there_is_no_standard_error_where_one_sample_dominates():
    model = Linear([[0.0]], error=30.0)
    x, _ = model.draw(50)
    scores = refined_log_prob(model, x, Refinement(steps=1, screening=1))
    dominated = scores["effective_sample_size_refined"] < 2
    assert dominated.any()
    assert torch.equal(scores["std_error_refined"].isnan(), dominated)


def test_bounds_of_annealing_enclose_the_closed_form():
    model = Linear([[0.0]])
    x, z = model.draw(40)
    exact = model.exact(x)
    low = lower_bound(model, x, 150, 8).numpy()
    high = upper_bound(model, x, z, 150, 8).numpy()
    assert (low - exact).mean() < 0.1
    assert (high - exact).mean() > -0.1
    np.testing.assert_allclose(low, high, atol=1.0)
    np.testing.assert_allclose(low, exact, atol=1.0)


def test_refined_estimates_of_drawn_images_lie_between_the_bounds_of_annealing():
    model = Curved([[0.0]], error=4.0)
    x, z = model.draw(20)
    low, high = lower_bound(model, x, 100, 8), upper_bound(model, x, z, 100, 8)
    some = Refinement(samples=200)
    repeats = [refined_log_prob(model, x, some)["log_prob_refined"] for _ in range(5)]
    refined = torch.stack(repeats).mean(0)
    assert float((high - low).abs().max()) < 3
    assert float((refined - high).mean()) < 0.1
    assert float((refined - low).median()) > -0.3  # some have modes that are not found


def real_vae():
    """A VAE as it is defined, with batch norm in evaluation, and a decoder that uses its latent."""
    model = VAE((1, 28, 28), GaussianPrior([[-3.0], [3.0]], 4), decoder_width=4)
    with torch.no_grad():
        model.decoder[0].weight *= 8
        model.decoder[-1].weight *= 8
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.1)
                layer.running_var.uniform_(0.1, 0.3)
    return model.eval().requires_grad_(False)


def draw(model, n):
    z = model.prior.sample(n)
    return torch.distributions.Categorical(logits=model.decode(z)).sample().permute(0, 3, 1, 2).to(
        torch.uint8
    ), z


def test_a_real_vae_is_refined_up_to_the_bound_of_true_latents():
    """A latent z from which x was drawn is a sample of the posterior. So the mean of
    log p(x, z) - log q(z) is log p(x) + KL(posterior, q): above log p(x) for every q.

    That log p(x, z) alone is below log p(x) is wrong where the posterior's density is above 1.
    """
    model = real_vae().float()
    x, z = draw(model, 4)
    by_encoder = importance_weighted_log_prob(model, x, 20)["log_prob"]
    refined = refined_log_prob(model, x, Refinement())["log_prob_refined"]
    proposal, _, _ = refine(model, x, Refinement())
    joint = model.log_likelihood(x, z) + model.prior.log_prob(z)
    above = joint - proposal.log_prob(z)
    assert float((refined - by_encoder).mean()) > 20
    assert float((above - refined).mean()) > -3 * standard_error(above - refined)
    assert float((above - refined).mean()) < 3


def test_images_do_not_depend_on_the_others_of_their_batch(monkeypatch):
    model = Curved([[-2.0], [2.0]], error=3.0)
    x, _ = model.draw(1)
    x = torch.cat([x, x + 0.5, x - 1])
    monkeypatch.setattr(torch, "randn", lambda *shape: torch.full(shape, 0.3))
    monkeypatch.setattr(torch, "randn_like", lambda z: torch.full_like(z, 0.3))
    together = refined_log_prob(model, x, Refinement())
    alone = [refined_log_prob(model, one[None], Refinement()) for one in x]
    for name, column in together.items():
        values = torch.cat([scores[name] for scores in alone])
        torch.testing.assert_close(column, values, equal_nan=True)


class Wall(Linear):
    """Not finite for all latents but the encoder's neighbours."""

    def log_likelihood(self, x, z, full_precision=False):
        there = (z - self.encode(x)[0]).abs().amax(1) < 1.5
        return super().log_likelihood(x, z) * torch.where(there, 1.0, math.nan)


class Trap(Linear):
    """A narrow peak of log p(x, z) that has next to no mass."""

    def log_likelihood(self, x, z, full_precision=False):
        distance = (z - self.encode(x)[0] - 0.05).square().sum(1)
        return super().log_likelihood(x, z) + 10 * torch.exp(-200 * distance)


class Steep(Linear):
    """Gradients that are not finite."""

    def log_likelihood(self, x, z, full_precision=False):
        return super().log_likelihood(x, z) + 0 * (z - z).abs().sqrt().sum(1)


@pytest.mark.parametrize("kind", [Wall, Trap, Steep])
def test_a_refinement_that_diverges_falls_back_to_its_start_and_is_reported(kind):
    model = kind([[0.0]], error=0.1)
    model.weight = 0.2 * model.weight
    x, _ = model.draw(30)
    refined, encoded, report = refine(model, x, Refinement())
    failed = report["refinement_failed"]
    assert failed.any()
    assert torch.equal(refined.mean[failed], encoded.mean[failed])
    assert torch.equal(refined.root[failed], encoded.root[failed])
    assert (report["refinement_gain"][failed] == 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps: 0: must be positive"),
        ({"steps": 2.5}, "steps: 2.5: must be .* whole"),
        ({"screening": True}, "screening: True: must be"),
        ({"samples": "many"}, "samples: 'many': must be"),
        ({"defensive": math.nan}, "defensive: nan: must be"),
        ({"steps": -1, "defensive": math.inf}, "steps: -1, defensive: inf: must be"),
        ({"samples": 8}, "samples: 8, defensive: 0.125 takes 1 samples from the encoder"),
        ({"defensive": 1.0}, "takes 48 samples from the encoder and 0 from the refined"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        Refinement(**wrong)


class Unused(nn.Module):
    """Fails if any work is done."""

    def forward(self, *arguments):
        raise AssertionError


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 1, 28, 28), "pixels must be uint8"),
        (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), "the model takes \\(number, 1, 28, 28\\)"),
        (torch.zeros(2, 28, 28, dtype=torch.uint8), "the model takes \\(number, 1, 28, 28\\)"),
    ],
)
def test_images_that_the_model_does_not_take_are_refused_before_any_work(images, message):
    model = VAE((1, 28, 28), GaussianPrior([[0.0]], 4), decoder_width=4).eval()
    model.encoder = model.decoder = Unused()
    with pytest.raises(UserError, match=message):
        refined_log_prob(model, images, Refinement())


def test_a_model_without_an_encoder_is_refused():
    with pytest.raises(UserError, match="Glow has no encoder"):
        refined_log_prob(Glow.__new__(Glow), torch.zeros(1), Refinement())


@pytest.mark.parametrize(("temperatures", "chains"), [(1, 4), (10, 0)])
def test_numbers_of_annealing_that_make_no_sense_are_refused(temperatures, chains):
    model = Linear([[0.0]])
    x, z = model.draw(2)
    with pytest.raises(UserError, match="two temperatures and one chain"):
        lower_bound(model, x, temperatures, chains)
    with pytest.raises(UserError, match="two temperatures and one chain"):
        upper_bound(model, x, z, temperatures, chains)


def test_no_gradient_reaches_the_model():
    model = Linear([[0.0]])
    model.weight = nn.Parameter(model.weight)
    refined_log_prob(model, model.draw(2)[0].detach(), Refinement())
    assert model.weight.grad is None
