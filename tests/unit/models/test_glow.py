"""Glow against autograd's Jacobian, SciPy's densities and the shapes of Appendix B."""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from torch import nn

from oodpriors.models.build import load_weights, save_weights
from oodpriors.models.glow import Glow, dequantize
from oodpriors.models.layers import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    AxisConvolution,
    Squeeze,
)
from oodpriors.models.likelihood import bits_per_dim
from oodpriors.priors import GaussianPrior, GeneralizedGaussianPrior, Prior

pytestmark = pytest.mark.usefixtures("double_precision")

MEANS = [[-5.0], [5.0]]
PRIORS = {"gaussian": GaussianPrior, "generalized": GeneralizedGaussianPrior}


class Case(NamedTuple):
    """A small Glow for images (C, H, W)."""

    shape: tuple[int, int, int]
    couplings: int
    squeeze_after: tuple[int, ...]
    coupling: str = "affine"

    @property
    def dim(self):
        return math.prod(self.shape)

    def fresh(self, prior="gaussian"):
        prior = PRIORS[prior](MEANS, self.dim)
        return Glow(
            self.shape, prior, self.couplings, self.squeeze_after, width=6, coupling=self.coupling
        )

    def build(self, prior="gaussian", size=0.1):
        """The model, initialised and with nontrivial weights."""
        model = self.fresh(prior)
        model.initialize(self.images(64))
        return perturbed(model, size)

    def images(self, n=3):
        return torch.randint(256, (n, *self.shape), dtype=torch.uint8)


CASES = [
    Case((1, 8, 8), 4, (2,)),
    Case((3, 8, 8), 3, (1,)),
    Case((1, 4, 8), 2, ()),
    Case((1, 4, 8), 3, (), "additive"),
]
every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_prior = pytest.mark.parametrize("prior", PRIORS)


@pytest.fixture
def single_precision(double_precision):
    torch.set_default_dtype(torch.float32)


@torch.no_grad()
def perturbed(model, size):
    for parameter in model.parameters():
        parameter.add_(size * torch.randn(parameter.shape))
    return model


def log_abs_det(model, image):
    jacobian = torch.autograd.functional.jacobian(
        lambda values: model(values.view(1, *image.shape))[0].flatten(), image.flatten()
    )
    return float(torch.linalg.slogdet(jacobian).logabsdet)


def dequantized(x, seed):
    torch.manual_seed(seed)
    return (x + torch.rand(x.shape)) / 256 - 0.5


def scipy_components(prior, z):
    unit_variance = stats.gennorm(4, scale=1 / stats.gennorm(4).std())
    coordinate = stats.norm if prior == "gaussian" else unit_variance
    means = np.pad(np.array(MEANS), ((0, 0), (0, z.shape[1] - 1)))
    return coordinate.logpdf(z.detach().numpy()[:, None] - means).sum(-1)


def scipy_log_det(model, y):
    return np.array([log_abs_det(model, image) for image in y]) - y[0].numel() * math.log(256)


def output_of(module, run):
    seen = []
    handle = module.register_forward_hook(lambda module, inputs, output: seen.append(output))
    run()
    handle.remove()
    return seen[0]


@every_case
@pytest.mark.parametrize("training", [True, False])
def test_ladj_is_that_of_the_autograd_jacobian(case, training):
    model, y = case.build().train(training), torch.rand(2, *case.shape) - 0.5
    truth = [log_abs_det(model, image) for image in y]
    np.testing.assert_allclose(model(y)[1].detach(), truth, rtol=1e-9)


@every_case
def test_inverse_undoes_forward(case):
    model, y = case.build(), torch.rand(3, *case.shape) - 0.5
    torch.testing.assert_close(model.inverse(model(y)[0]), y, rtol=0, atol=1e-8)
    assert model.diagnostics(case.images())["round_trip_error"] < 1e-8


@every_case
def test_forward_undoes_inverse(case):
    model, z = case.build(), torch.randn(3, case.dim)
    torch.testing.assert_close(model(model.inverse(z))[0], z, rtol=0, atol=1e-8)


@pytest.mark.usefixtures("single_precision")
def test_single_precision_round_trip_of_the_papers_depth_keeps_four_digits():
    model = Glow((1, 28, 28), GaussianPrior([[0.0]], 784), width=16)
    images = torch.randint(256, (16, 1, 28, 28), dtype=torch.uint8)
    model.initialize(images)
    error = perturbed(model, 0.02).diagnostics(images)["round_trip_error"]
    assert 0 < error < 1e-4


@pytest.mark.usefixtures("single_precision")
def test_a_model_with_products_of_low_precision_is_scored_and_inverted_in_single():
    models = []
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(2)
        model = Glow((1, 28, 28), GaussianPrior([[0.0]], 784), 8, (4,), 16, precision=precision)
        images = torch.randint(256, (16, 1, 28, 28), dtype=torch.uint8)
        model.initialize(images)
        models.append(perturbed(model, 0.02))
    plain, low = models
    y = torch.rand(4, 1, 28, 28) - 0.5
    assert not torch.equal(low(y)[0], plain(y)[0])
    torch.testing.assert_close(low(y)[0], plain(y)[0], rtol=0.02, atol=0.1)
    assert torch.equal(low.eval()(y)[0], plain.eval()(y)[0])
    assert 0 < low.diagnostics(images)["round_trip_error"] < 1e-4


@every_prior
@every_case
def test_log_prob_is_the_change_of_variables(case, prior):
    model, x = case.build(prior).eval(), case.images()
    y = dequantized(x, seed=7)
    components = scipy_components(prior, model(y)[0])
    truth = logsumexp(components, -1) - math.log(2) + scipy_log_det(model, y)
    torch.manual_seed(7)
    np.testing.assert_allclose(model.log_prob(x), truth, rtol=1e-9)


@every_prior
@every_case
def test_loss_is_the_negative_log_density_under_the_assigned_component(case, prior):
    model, x, k = case.build(prior), case.images(), torch.tensor([1, 0, 1])
    y = dequantized(x, seed=7)
    assigned = scipy_components(prior, model(y)[0])[np.arange(3), k]
    log_det = scipy_log_det(model, y)
    torch.manual_seed(7)
    parts = {name: value.item() for name, value in model.loss(x, k).items()}
    assert parts["loss"] == pytest.approx(-(assigned + log_det).mean(), rel=1e-9)
    assert parts["prior"] == pytest.approx(assigned.mean(), rel=1e-9)
    assert parts["log_det"] == pytest.approx(log_det.mean(), rel=1e-9)


@every_case
def test_loss_without_assignment_is_the_negative_log_likelihood(case):
    model, x = case.build(), case.images()
    model.prior.unsupervised = True
    torch.manual_seed(7)
    log_prob = model.log_prob(x)
    for k in ([0, 0, 0], [1, 0, 1]):
        torch.manual_seed(7)
        loss = model.loss(x, torch.tensor(k))["loss"]
        torch.testing.assert_close(loss, -log_prob.mean(), check_dtype=False)


@every_prior
def test_density_integrates_to_one(prior):
    case, n = Case((1, 2, 2), 2, ()), 100_000
    model = case.build(prior, size=0.05)
    with torch.no_grad():
        model.prior.means.mul_(0.2)
        drawn = model.inverse(model.prior.sample(2000)).flatten(1).numpy()
        # tails heavier than the model's keep the variance of the ratio finite
        proposal = stats.multivariate_t(drawn.mean(0), 1.5 * np.cov(drawn.T), df=5, seed=0)
        y = proposal.rvs(n)
        z, ladj = model(torch.from_numpy(y).view(n, 1, 2, 2))
        ratio = np.exp((model.prior.log_prob(z) + ladj).numpy() - proposal.logpdf(y))
    error = ratio.std() / math.sqrt(n)
    assert error < 0.03
    assert ratio.mean() == pytest.approx(1, abs=4 * error)


@every_case
def test_gradient_reaches_every_parameter(case):
    model = case.build()
    model.loss(case.images(), torch.tensor([1, 0, 1]))["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@every_case
def test_scores_hold_the_parts_that_add_up(case):
    model = case.build()
    scores = model.scores(case.images(), n_draws=3)
    total = sum(scores[part] for part in model.parts)
    torch.testing.assert_close(total, scores["log_prob"], rtol=1e-12, atol=0)


def test_dequantisation_stays_within_the_cell_of_its_pixel_value():
    x = torch.arange(256, dtype=torch.uint8).repeat(200).view(200, 1, 16, 16)
    y = dequantize(x, torch.float64)
    assert torch.equal(((y + 0.5) * 256).floor(), x.double())
    assert stats.kstest((((y + 0.5) * 256) % 1).flatten().numpy(), "uniform").pvalue > 1e-3


@every_case
def test_latents_are_flattened_in_the_order_height_width_channel(case):
    model, y = case.build(), torch.rand(2, *case.shape) - 0.5
    last = output_of(model.layers[-1], lambda: model(y))[0]
    channels, height, width = model.latent_shape
    z = model(y)[0]
    assert last.shape == (2, channels, height, width)
    for c, i, j in np.ndindex(channels, height, width):
        assert torch.equal(z[:, (i * width + j) * channels + c], last[:, c, i, j])


@pytest.mark.parametrize(
    ("shape", "couplings", "squeeze_after", "latent_shape"),
    [
        ((1, 28, 28), 32, (16,), (16, 7, 7)),
        ((3, 32, 32), 24, (8, 16), (192, 4, 4)),
    ],
)
def test_papers_configurations_have_its_couplings_squeezes_and_latents(
    shape, couplings, squeeze_after, latent_shape
):
    prior = GaussianPrior([[0.0]], math.prod(shape))
    model = Glow(shape, prior, couplings, squeeze_after, width=16)
    kinds = [type(layer) for layer in model.layers]
    expected = [Squeeze]
    for number in range(1, couplings + 1):
        expected += [ActNorm, AxisConvolution, AffineCoupling]
        expected += [Squeeze] * (number in squeeze_after)
    assert kinds == [*expected, AxisConvolution, AxisConvolution, AxisConvolution]
    assert [layer.axis for layer in model.layers[-3:]] == [2, 3, 1]
    assert model.latent_shape == latent_shape
    assert math.prod(shape) == math.prod(latent_shape)


@pytest.mark.parametrize("squeeze_after", [(), (1,)])
def test_with_additive_couplings_the_volume_is_constant(squeeze_after):
    case = Case((1, 8, 8), 2, squeeze_after, "additive")
    model, y = case.build(), torch.rand(4, *case.shape) - 0.5
    assert sum(isinstance(layer, AdditiveCoupling) for layer in model.layers) == 2
    ladj = model(y)[1].detach()
    np.testing.assert_allclose(ladj, ladj[0], rtol=1e-14)
    assert ladj[0] == pytest.approx(log_abs_det(model, y[0]), rel=1e-9)
    # so that log p and the prior's log-density differ by a constant
    torch.manual_seed(1)
    scores = model.scores(case.images(4), n_draws=2)
    assert float(scores["log_det"].std()) == pytest.approx(0, abs=1e-9)


def test_an_additive_coupling_has_no_scale_whose_floor_could_be_set():
    prior = GaussianPrior(MEANS, 64)
    with pytest.raises(TypeError, match="scale_floor"):
        Glow((1, 8, 8), prior, 1, (), width=6, coupling="additive", scale_floor=0.1)


def test_initialisation_gives_every_actnorm_mean_0_and_variance_1():
    case = CASES[0]
    model, x = case.fresh(), case.images(64)
    torch.manual_seed(3)
    model.initialize(x)
    y = dequantized(x, seed=3)
    for norm in (layer for layer in model.layers if isinstance(layer, ActNorm)):
        out = output_of(norm, lambda: model(y))[0].detach().numpy()
        np.testing.assert_allclose(out.mean((0, 2, 3)), 0, atol=1e-8)
        np.testing.assert_allclose(out.var((0, 2, 3)), 1, rtol=1e-3)


def test_initialisation_happens_once():
    case = CASES[0]
    model = case.build()
    before = {name: value for name, value in model.state_dict().items() if "extra" not in name}
    with pytest.raises(RuntimeError, match="already initialised"):
        model.initialize(case.images())
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


@pytest.mark.parametrize("method", ["log_prob", "latents"])
def test_a_model_that_was_never_initialised_refuses_to_score(method):
    with pytest.raises(RuntimeError, match="actnorm is not initialised"):
        getattr(CASES[0].fresh(), method)(CASES[0].images())


def test_a_model_that_was_never_initialised_refuses_to_draw():
    with pytest.raises(RuntimeError, match="actnorm is not initialised"):
        CASES[0].fresh().sample(2)


@every_case
def test_saved_and_loaded_model_gives_the_same_bits(case, tmp_path):
    model, x = case.build().eval(), case.images()
    save_weights(model, tmp_path / "weights.pt")
    loaded = load_weights(case.fresh(), tmp_path / "weights.pt")
    for run in (lambda m: m.log_prob(x), lambda m: m.latents(x)["mean"], lambda m: m.sample(2)):
        torch.manual_seed(1)
        ours = run(model)
        torch.manual_seed(1)
        assert torch.equal(ours, run(loaded))


@every_case
def test_samples_are_images_in_the_unit_interval(case):
    images = case.build().sample(4)
    assert images.shape == (4, *case.shape)
    assert images.min() >= 0
    assert images.max() <= 1


@every_case
def test_decoded_latents_are_the_image_to_one_pixel_value(case):
    model, x = case.build(), case.images()
    difference = 256 * model.decode_mean(model.latents(x)["mean"]) - x
    assert difference.min() >= -1e-6
    assert difference.max() <= 1 + 1e-6


@pytest.mark.parametrize("bias", [-1000.0, 0.0, 1000.0])
def test_couplings_scale_by_no_less_than_their_floor(bias):
    case = CASES[0]
    model = case.build()
    for layer in (layer for layer in model.layers if isinstance(layer, AffineCoupling)):
        nn.init.constant_(layer.network.conv3.bias, bias)
        kept = torch.randn(3, layer.kept, 2, 2)
        one, two = (layer(torch.cat([kept, kept + shift], 1))[0] for shift in (0.0, 1.0))
        assert (two - one)[:, layer.kept :].min() > 0.1 - 1e-9


@pytest.mark.parametrize(
    ("shape", "dim", "message"),
    [
        ((1, 6, 6), 36, "6 x 6 cannot be squeezed 2 times: shorten squeeze_after"),
        ((1, 8, 6), 48, "8 x 6 cannot be squeezed 2 times"),
        ((1, 8, 8), 63, "the prior has 63 coordinates, an image .* has 64"),
    ],
)
def test_an_impossible_glow_is_refused_with_the_reason(shape, dim, message):
    with pytest.raises(ValueError, match=message):
        Glow(shape, GaussianPrior([[0.0]], dim), couplings=2, squeeze_after=(1,), width=6)


class UniformPrior(Prior):
    """Uniform over the cube [-1/2, 1/2)."""

    def _standard_log_prob(self, u):
        return torch.where((u >= -0.5) & (u < 0.5), 0.0, -math.inf)

    def _standard_sample(self, shape):
        return torch.rand(shape) - 0.5

    def _standard_expected_log_prob(self, mean, std):
        return mean.new_full(mean.shape, math.nan)  # not used by tests


@pytest.mark.parametrize(("shape", "nats"), [((1, 28, 28), 4347.42), ((3, 32, 32), 17034.79)])
def test_a_uniform_model_of_bytes_scores_8_bits_per_dimension(shape, nats):
    dim = math.prod(shape)
    model = Glow(shape, UniformPrior([[0.0]], dim), couplings=0, squeeze_after=())
    for layer in model.layers[1:]:
        nn.init.eye_(layer.weight)
    log_prob = model.log_prob(torch.randint(256, (4, *shape), dtype=torch.uint8))
    np.testing.assert_allclose(log_prob, -dim * math.log(256), rtol=1e-12)
    np.testing.assert_allclose(log_prob, -nats, atol=0.005)
    np.testing.assert_allclose(bits_per_dim(log_prob, dim), 8, rtol=1e-12)
