"""The VAE against Tables 2 and 3 and against distributions of PyTorch and SciPy."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from torch import nn
from torch.distributions import Categorical, Independent, Normal, kl_divergence

from oodpriors.models import likelihood
from oodpriors.models.build import load_weights, save_weights
from oodpriors.models.likelihood import bits_per_dim
from oodpriors.models.vae import VAE, DecoderConvolution, LatentConvolution
from oodpriors.priors import GaussianPrior, GeneralizedGaussianPrior

pytestmark = pytest.mark.usefixtures("double_precision")

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
# kernel, stride, channels, padding, side of the output; copied from the paper's tables, except
# the padding in Table 2b's third row, because 1 gives an image of 30 x 30
ENCODER = [(5, 2, 8, 1), (5, 1, 16, 1), (5, 2, 32, 1), (5, 1, 64, 1), (5, 2, 64, 1)]
ENCODER_SIDES = {GREY: [13, 11, 5, 3, 1], COLOUR: [15, 13, 6, 4, 1]}
DECODER = {
    GREY: [(5, 2, 64, 2), (5, 2, 32, 1), (5, 1, 64, 2), (4, 1, 256, 1)],
    COLOUR: [(4, 1, 64, 0), (4, 2, 32, 1), (4, 2, 32, 1), (4, 2, 768, 1)],
}
DECODER_SIDES = {GREY: [7, 13, 27, 27, 28], COLOUR: [1, 4, 8, 16, 32]}
LATENTS = {GREY: 50, COLOUR: 100}

every_shape = pytest.mark.parametrize("shape", [GREY, COLOUR], ids=["28x28", "32x32"])


def images(shape, n=3):
    return torch.randint(256, (n, *shape), dtype=torch.uint8)


def fresh(shape, dim=4, prior=GaussianPrior, **arguments):
    return VAE(shape, prior([[-2.0], [2.0]], dim), decoder_width=8, **arguments)


def build(shape, **arguments):
    """A small VAE in evaluation mode with batch statistics from data."""
    model = fresh(shape, **arguments)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    model.loss(images(shape, 8), torch.zeros(8, dtype=torch.long))
    return model.eval()


def papers(shape):
    return VAE(shape, GaussianPrior([[0.0]], LATENTS[shape])).eval()


def outputs_of(modules, run):
    seen = []
    handles = [m.register_forward_hook(lambda m, args, out: seen.append(out)) for m in modules]
    run()
    for handle in handles:
        handle.remove()
    return seen


def of_kind(sequence, kind):
    return [module for module in sequence if isinstance(module, kind)]


def row(conv):
    return (conv.kernel_size[0], conv.stride[0], conv.out_channels, conv.padding[0])


def channels_and_sides(tensors):
    return [(tensor.shape[1], *tensor.shape[2:]) for tensor in tensors]


@every_shape
def test_encoder_has_the_rows_and_sides_of_the_table(shape):
    model = papers(shape)
    convolutions = of_kind(model.encoder, nn.Conv2d)
    seen = outputs_of(convolutions, lambda: model.encode(images(shape)))
    expected = [(r[2], s, s) for r, s in zip(ENCODER, ENCODER_SIDES[shape], strict=True)]
    assert [row(c) for c in convolutions] == ENCODER
    assert channels_and_sides(seen) == expected


@every_shape
def test_decoder_has_the_rows_and_sides_of_the_table(shape):
    model = papers(shape)
    start, *convolutions = of_kind(model.decoder, nn.Unflatten | nn.ConvTranspose2d)
    z = torch.randn(2, LATENTS[shape])
    seen = outputs_of([start, *convolutions], lambda: model.decode(z))
    first = 64 if shape == GREY else LATENTS[shape]
    channels = [first, *(r[2] for r in DECODER[shape])]
    sides = DECODER_SIDES[shape]
    assert [row(c) for c in convolutions] == DECODER[shape]
    assert channels_and_sides(seen) == [(c, s, s) for c, s in zip(channels, sides, strict=True)]


def test_the_grey_decoder_starts_fully_connected_with_3136_units():
    assert papers(GREY).decoder[0].out_features == 3136


@every_shape
def test_latents_have_the_tables_size_and_a_mean_and_a_log_variance_each(shape):
    model = papers(shape)
    mean, std = model.encode(images(shape))
    assert mean.shape == std.shape == (3, LATENTS[shape])
    assert model.encoder[-1].out_features == 2 * LATENTS[shape]


@every_shape
def test_batch_norm_follows_every_convolution_but_the_last_layer_of_each_half(shape):
    """The encoder's last layer is fully connected; see A10 of the assumptions."""
    assert normed(papers(shape).encoder) == [True] * 5
    assert normed(papers(shape).decoder) == [True] * 3 + [False]


@every_shape
def test_the_other_reading_spares_the_last_convolution_of_each_half(shape):
    prior = GaussianPrior([[0.0]], LATENTS[shape])
    model = VAE(shape, prior, encoder_norm_last=False)
    assert normed(model.encoder) == [True] * 4 + [False]
    assert normed(model.decoder) == [True] * 3 + [False]


def normed(sequence):
    """For each convolution, whether a batch norm follows it."""
    modules = [*sequence, None]
    convolution = nn.Conv2d | nn.ConvTranspose2d
    return [
        isinstance(follower, nn.BatchNorm2d)
        for module, follower in pairwise(modules)
        if isinstance(module, convolution)
    ]


@every_shape
def test_relu_follows_every_batch_norm(shape):
    for sequence in (papers(shape).encoder, papers(shape).decoder):
        modules = list(sequence)
        places = [i for i, module in enumerate(modules) if isinstance(module, nn.BatchNorm2d)]
        assert all(isinstance(modules[i + 1], nn.ReLU) for i in places)


@every_shape
def test_decoder_width_narrows_the_last_hidden_layer_alone(shape):
    widths = [c.out_channels for c in of_kind(fresh(shape).decoder, nn.ConvTranspose2d)]
    expected = [r[2] for r in DECODER[shape]]
    expected[-2] = 8
    assert widths == expected


@every_shape
def test_logits_have_256_values_for_every_pixel_and_channel(shape):
    channels, height, width = shape
    assert build(shape).decode(torch.randn(2, 4)).shape == (2, height, width, channels, 256)


@every_shape
def test_encode_gives_the_deviation_whose_log_variance_the_network_gives(shape):
    model, x = build(shape), images(shape)
    head = outputs_of([model.encoder], lambda: model.encode(x))[0]
    mean, std = model.encode(x)
    torch.testing.assert_close(mean, head[:, :4])
    torch.testing.assert_close(2 * std.log(), head[:, 4:])


@every_shape
def test_encoder_sees_pixels_in_the_unit_interval(shape):
    model = build(shape)
    x = torch.stack([torch.full(shape, value, dtype=torch.uint8) for value in (0, 51, 255)])
    seen = []
    model.encoder[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.encode(x)
    assert seen[0][:, 0, 0, 0].tolist() == [0, 0.2, 1]


@every_shape
def test_log_likelihood_is_that_of_torchs_categorical(shape):
    model, x, z = build(shape), images(shape), torch.randn(3, 4)
    pixels = Categorical(logits=model.decode(z))
    truth = pixels.log_prob(x.permute(0, 2, 3, 1).double()).sum((1, 2, 3))
    torch.testing.assert_close(model.log_likelihood(x, z), truth, rtol=1e-12, atol=0)


@every_shape
def test_log_likelihood_is_that_of_scipy_on_the_decoders_output(shape):
    model, x, z = build(shape), images(shape), torch.randn(3, 4)
    raw = model.decoder(z).detach().numpy().reshape(3, shape[0], 256, *shape[1:])
    chosen = np.take_along_axis(log_softmax(raw, axis=2), x.numpy()[:, :, None], axis=2)
    truth = chosen.reshape(3, -1).sum(1)
    np.testing.assert_allclose(model.log_likelihood(x, z).detach(), truth, rtol=1e-12)


@every_shape
def test_zero_logits_cost_log_256_nats_a_pixel(shape):
    model = build(shape)
    nn.init.zeros_(model.decoder[-1].weight)
    nn.init.zeros_(model.decoder[-1].bias)
    value = model.log_likelihood(images(shape), torch.randn(3, 4)).detach()
    np.testing.assert_allclose(value, -math.prod(shape) * math.log(256), rtol=1e-12)
    np.testing.assert_allclose(bits_per_dim(value, math.prod(shape)), 8, rtol=1e-12)
    assert shape != GREY or value.numpy() == pytest.approx(-4347.42, abs=0.005)


@every_shape
def test_loss_is_the_kl_to_the_assigned_component_less_the_reconstruction(shape):
    model, x, k = build(shape), images(shape), torch.tensor([0, 1, 1])
    mean, std = model.encode(x)
    centers = torch.zeros(3, 4)
    centers[:, 0] = torch.tensor([-2.0, 2.0, 2.0])
    kl = kl_divergence(Normal(mean, std), Normal(centers, 1.0)).sum(1).mean()
    torch.manual_seed(5)
    z = mean + std * torch.randn(std.shape)
    pixels = Independent(Categorical(logits=model.decode(z)), 3)
    reconstruction = pixels.log_prob(x.permute(0, 2, 3, 1).double()).mean()
    torch.manual_seed(5)
    parts = model.loss(x, k)
    torch.testing.assert_close(parts["kl"], kl)
    torch.testing.assert_close(parts["reconstruction"], reconstruction)
    torch.testing.assert_close(parts["loss"], kl - reconstruction)


@every_shape
def test_loss_without_assignment_is_a_bound_under_the_whole_mixture(shape):
    def unsupervised(means, dim):
        return GaussianPrior(means, dim, unsupervised=True)

    model, x, k = build(shape, prior=unsupervised), images(shape), torch.tensor([0, 1, 1])
    mean, std = model.encode(x)
    torch.manual_seed(5)
    parts = model.loss(x, k)
    torch.manual_seed(5)
    torch.randn(std.shape)  # of the reconstruction
    kl = model.prior.training_kl(mean, std, k).mean()
    torch.testing.assert_close(parts["kl"], kl)
    torch.testing.assert_close(parts["loss"], kl - parts["reconstruction"])
    # the divergence from a mixture is at most log 2 above that from its nearer component
    both = [model.prior.kl_component(mean, std, torch.full((3,), i)) for i in range(2)]
    assert parts["kl"] < torch.minimum(*both).mean() + math.log(2) + 0.01


@every_shape
def test_gradient_reaches_every_parameter(shape):
    # in evaluation mode, because batch statistics would cancel the biases before them
    model = build(shape)
    model.loss(images(shape), torch.tensor([0, 1, 1]))["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@every_shape
def test_decode_mean_is_the_expected_pixel_value(shape):
    model, z = build(shape), 3 * torch.randn(3, 4)
    probabilities = Categorical(logits=model.decode(z)).probs.detach().numpy()
    truth = (probabilities * (np.arange(256) / 255)).sum(-1).transpose(0, 3, 1, 2)
    images = model.decode_mean(z).detach().numpy()
    np.testing.assert_allclose(images, truth, rtol=1e-12)
    assert images.min() >= 0
    assert images.max() <= 1


# the decoder's convolutions

# channels in and out, kernel, stride, padding; Tables 2 and 3 first
CONVOLUTIONS = [
    *((8, 256, 4, 1, 1), (8, 768, 4, 2, 1), (8, 4, 5, 2, 2), (8, 4, 5, 2, 1)),
    *((3, 5, 5, 1, 2), (3, 5, 3, 1, 0)),
]
every_convolution = pytest.mark.parametrize("arguments", CONVOLUTIONS, ids=str)


def pair_of_layers(arguments, dtype):
    """The layer, and PyTorch's layer with the same weights."""
    layer = DecoderConvolution(*arguments).to(dtype)
    truth = nn.ConvTranspose2d(*arguments).to(dtype)
    truth.load_state_dict(layer.state_dict())
    return layer, truth


@every_convolution
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 2e-6)], ids=["64", "32"]
)
def test_a_decoder_convolution_is_the_transposed_one(arguments, dtype, tolerance):
    layer, truth = pair_of_layers(arguments, dtype)
    x = torch.randn(2, arguments[0], 6, 7, dtype=dtype)
    assert layer(x).dtype == dtype
    torch.testing.assert_close(layer(x), truth(x), rtol=tolerance, atol=tolerance)


@every_convolution
def test_a_decoder_convolution_has_the_gradients_of_the_transposed_one(arguments):
    layers = pair_of_layers(arguments, torch.float64)
    x = torch.randn(2, arguments[0], 6, 7)
    direction = torch.randn(layers[1](x).shape)
    ours, theirs = (
        torch.autograd.grad((layer(x) * direction).sum(), list(layer.parameters()))
        for layer in layers
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


@every_convolution
def test_low_precision_is_near_and_stays_low(arguments):
    layer, truth = pair_of_layers(arguments, torch.float32)
    x = torch.randn(4, arguments[0], 12, 12, dtype=torch.float32)
    found, exact = layer(x, low_precision=True), truth(x)
    assert found.dtype == torch.bfloat16
    error = (found.float() - exact).norm() / exact.norm()
    # bfloat16 has 8 bits of precision
    assert 1e-5 < error < 2**-7


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@every_shape
def test_low_precision_is_of_the_decoders_convolutions_of_images_alone(shape, precision):
    model = build(shape, decoder_precision=precision).float()
    reference = build(shape).float()
    reference.load_state_dict(model.state_dict())
    assert len(of_kind(model.decoder, DecoderConvolution)) == (4 if shape == GREY else 3)
    x, z = images(shape), torch.randn(3, 4, dtype=torch.float32)
    for ours, theirs in zip(model.encode(x), reference.encode(x), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(model.decoder[:2](z), reference.decoder[:2](z))
    likelihoods = [m.log_likelihood(x, z) for m in (model, reference)]
    assert torch.equal(*likelihoods) == (precision == "float32")
    torch.testing.assert_close(*likelihoods, rtol=1e-3, atol=0)
    assert all(value.dtype == torch.float32 for value in likelihoods)
    assert torch.equal(*(m.double().log_likelihood(x, z.double()) for m in (model, reference)))


@every_shape
def test_full_precision_is_there_for_the_asking(shape):
    model = build(shape, decoder_precision="bfloat16").float()
    reference = build(shape).float()
    reference.load_state_dict(model.state_dict())
    assert (model.low_precision, reference.low_precision) == (True, False)
    x, z = images(shape), torch.randn(3, 4, dtype=torch.float32)
    low = model.log_likelihood(x, z)
    full = model.log_likelihood(x, z, full_precision=True)
    assert torch.equal(full, reference.log_likelihood(x, z))
    assert torch.equal(low, model.log_likelihood(x, z))
    assert not torch.equal(low, full)


@every_shape
def test_scores_with_every_weight_recomputed_are_those_of_full_precision(shape, monkeypatch):
    monkeypatch.setattr(likelihood, "DECODED_AT_ONCE", 6)  # two samples of three images
    model = build(shape, decoder_precision="bfloat16").float()
    reference = build(shape).float()
    reference.load_state_dict(model.state_dict())

    def scores(model, recomputed):
        monkeypatch.setattr(likelihood, "RECOMPUTED", recomputed)
        torch.manual_seed(2)
        return model.scores(images(shape), 6)

    low, again, full = scores(model, 1 / 6), scores(model, 1), scores(reference, 1)
    # sums of several thousand nats in single precision
    for name, value in full.items():
        torch.testing.assert_close(again[name], value, rtol=0, atol=5e-4)
    assert (low["reconstruction"] - full["reconstruction"]).abs().max() > 5e-4


def loss_and_gradients(model, x):
    torch.manual_seed(3)
    loss = model.train().loss(x, torch.arange(len(x)) % 2)["loss"]
    return loss.detach(), torch.autograd.grad(loss, list(model.parameters()))


@every_shape
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_all_values_of_a_pixel_share_changes_neither_loss_nor_gradients(shape, precision):
    model = fresh(shape, decoder_precision=precision).float()
    x = images(shape)
    loss, gradients = loss_and_gradients(model, x)
    with torch.no_grad():
        # of the size that Adam lets it reach; logits of thousands have no fraction in bfloat16
        model.decoder[-1].weight += 2
        model.decoder[-1].bias += 2
    shifted_loss, shifted = loss_and_gradients(model, x)
    torch.testing.assert_close(shifted_loss, loss, rtol=1e-4, atol=0)
    for one, other in zip(shifted, gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0.03 * float(other.abs().max()))


@every_shape
def test_gradients_of_the_last_layer_leave_alone_what_all_values_share(shape):
    model = fresh(shape, decoder_precision="bfloat16").float()
    *_, weight, bias = loss_and_gradients(model, images(shape))[1]
    for gradient, dim in ((weight, 1), (bias, 0)):
        shared = gradient.unflatten(dim, (-1, 256)).sum(dim + 1)
        assert shared.abs().max() < 1e-4 * gradient.abs().max()


def test_a_convolution_of_one_position_is_the_transposed_one():
    ours = LatentConvolution(5, 3, 4, bias=False)
    z = torch.randn(2, 5, 1, 1)
    torch.testing.assert_close(ours(z), nn.functional.conv_transpose2d(z, ours.weight))


def test_low_precision_leaves_the_gradient_in_full_precision():
    model = build(GREY, decoder_precision="bfloat16").float()
    model.loss(images(GREY), torch.tensor([0, 1, 1]))["loss"].backward()
    for parameter in model.parameters():
        assert parameter.grad.dtype == torch.float32
        assert parameter.grad.abs().sum() > 0


FACTOR = torch.tensor([75.0, 1.0, 30.0, 1.0])
FAR = [[75.0, 0.5, 0.0], [-75.0, 0.0, 30.0]]


def scaled(shape, **arguments):
    model = VAE(shape, GaussianPrior(FAR, 4), decoder_width=8, scaled_start=True, **arguments)
    return model.eval()


@every_shape
def test_scaled_start_keeps_the_decoders_function_of_scaled_latents(shape):
    model, z = scaled(shape), torch.randn(3, 4)
    before = model.decode(z)
    model.initialize(images(shape))
    torch.testing.assert_close(model.decode(z * FACTOR), before, rtol=1e-9, atol=1e-12)


@every_shape
def test_scaled_start_scales_posterior_means_to_the_components_and_no_deviation(shape):
    model, x = scaled(shape), images(shape)
    mean, std = model.encode(x)
    model.initialize(x)
    torch.testing.assert_close(model.encode(x)[0], FACTOR * mean, rtol=1e-12, atol=1e-14)
    assert torch.equal(model.encode(x)[1], std)


@every_shape
def test_scaled_start_leaves_the_gradient_flowing(shape):
    model, x = scaled(shape), images(shape)
    model.initialize(x)
    model.loss(x, torch.tensor([0, 1, 1]))["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@every_shape
def test_without_a_scaled_start_initialisation_changes_nothing(shape):
    model = fresh(shape)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.initialize(images(shape))
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


@every_shape
def test_saved_and_loaded_model_gives_the_same_bits(shape, tmp_path):
    model, x = build(shape), images(shape)
    save_weights(model, tmp_path / "weights.pt")
    loaded = load_weights(fresh(shape), tmp_path / "weights.pt")
    for name, value in model.latents(x).items():
        assert torch.equal(loaded.latents(x)[name], value)
    torch.manual_seed(1)
    ours = model.log_prob(x, 4)
    torch.manual_seed(1)
    assert torch.equal(loaded.log_prob(x, 4), ours)


@pytest.mark.parametrize("prior", [GaussianPrior, GeneralizedGaussianPrior])
def test_scores_hold_the_parts_that_add_up(prior):
    model = build(GREY, prior=prior)
    scores = model.scores(images(GREY), n_draws=5)
    total = sum(scores[part] for part in model.parts)
    torch.testing.assert_close(total, scores["log_prob"], rtol=1e-12, atol=0)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 28, 28), (1, 8, 8)])
def test_an_image_shape_without_a_table_is_refused_with_those_that_have_one(shape):
    with pytest.raises(ValueError, match=r"\(1, 28, 28\), \(3, 32, 32\), not"):
        fresh(shape)
