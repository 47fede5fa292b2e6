"""The variational autoencoders of Appendix B (Tables 2 and 3)."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oodpriors.io.devices import GpuLimits
from oodpriors.io.errors import UserError
from oodpriors.models.base import PIXEL_VALUES, ImageModel, check_images, low_precision
from oodpriors.models.categorical import categorical_log_prob
from oodpriors.models.compilation import compiled
from oodpriors.models.likelihood import Tolerance, importance_weighted_log_prob
from oodpriors.priors import Prior


class Layer(NamedTuple):
    """A row of Table 2 or 3."""

    kernel: int
    stride: int
    channels: int
    padding: int


class Architecture(NamedTuple):
    """Rows of one table, and the shape (C, H, W) in which its decoder starts."""

    encoder: tuple[Layer, ...]
    start: tuple[int, int, int] | None
    decoder: tuple[Layer, ...]


ENCODER = (
    Layer(5, 2, 8, 1),
    Layer(5, 1, 16, 1),
    Layer(5, 2, 32, 1),
    Layer(5, 1, 64, 1),
    Layer(5, 2, 64, 1),
)
# Table 2 prints padding 1 in the third row, which gives 30 x 30: see docs/assumptions.md.
ARCHITECTURES: dict[tuple[int, ...], Architecture] = {
    (1, 28, 28): Architecture(
        ENCODER,
        (64, 7, 7),
        (Layer(5, 2, 64, 2), Layer(5, 2, 32, 1), Layer(5, 1, 64, 2), Layer(4, 1, 256, 1)),
    ),
    (3, 32, 32): Architecture(
        ENCODER,
        None,
        (Layer(4, 1, 64, 0), Layer(4, 2, 32, 1), Layer(4, 2, 32, 1), Layer(4, 2, 256 * 3, 1)),
    ),
}


class VAE(ImageModel):
    """VAE with a 256-way categorical per pixel and an untrained mixture prior.

    Args:
        image_shape: (C, H, W), a shape from Table 2 or 3.
        prior: prior over the latent; has the dimension of the latent.
        decoder_width: channels of the decoder's last hidden layer (Table 2: 64,
            Table 3: 32). Smaller values are for small budgets.
        encoder_norm_last: also use batch norm after the encoder's last convolution (the
            paper's sentence can be read both ways).
        scaled_start: let :meth:`initialize` scale the latent to the prior's size.
        decoder_precision: ``float32``, ``bfloat16`` or ``auto``, for products in the decoder's
            convolutions except that of the latent; they are most of the cost.
            Everything else uses the precision of the weights. A model in double
            precision always computes in double precision.

    Raises:
        UserError: the paper gives no architecture for image_shape; unknown precision.
    """

    default_draws = 5000
    parts = (
        "reconstruction",
        "prior_separating",
        "prior_rest",
        "posterior_entropy",
        "importance_gain",
    )

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        prior: Prior,
        decoder_width: int | None = None,
        encoder_norm_last: bool = True,
        scaled_start: bool = False,
        decoder_precision: str = "float32",
    ) -> None:
        super().__init__()
        if tuple(image_shape) not in ARCHITECTURES:
            shapes = ", ".join(map(str, ARCHITECTURES))
            raise UserError(f"the VAE takes images (C, H, W) of {shapes}, not {image_shape}")
        self.image_shape = tuple(image_shape)
        self.prior = prior
        self.scaled_start = scaled_start
        latent_dim = prior.means.shape[1]
        rows = ARCHITECTURES[self.image_shape]
        # In both tables the convolutions end at 1 x 1.
        self.encoder = nn.Sequential(
            *_encoder(rows.encoder, self.image_shape[0], encoder_norm_last),
            nn.Flatten(),
            nn.Linear(rows.encoder[-1].channels, 2 * latent_dim),
        )
        self.decoder = nn.Sequential(
            *_start(latent_dim, rows.start),
            *_decoder(_narrowed(rows.decoder, decoder_width), rows.start, latent_dim),
        )
        self.low_precision = low_precision(decoder_precision)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and std of the posterior N(mean, diag(std^2)): uint8 (B, C, H, W) -> two (B, D).

        Raises:
            UserError: x is not uint8 or does not have the model's shape.
        """
        check_images(x, self.image_shape)
        hidden = x.to(self.prior.means.dtype) / (PIXEL_VALUES - 1)
        hidden = hidden.contiguous(memory_format=torch.channels_last)
        mean, log_var = self.encoder(hidden).chunk(2, dim=1)
        return mean, (log_var / 2).exp()

    def decode(self, z: Tensor) -> Tensor:
        """Logits of the pixel values with channels last: (B, D) -> (B, H, W, C, 256)."""
        return self._logits(z, self.low_precision).to(z.dtype)

    def _logits(self, z: Tensor, low_precision: bool) -> Tensor:
        hidden = z
        for layer in self.decoder:
            convolution = isinstance(layer, DecoderConvolution)
            hidden = layer(hidden, low_precision) if convolution else layer(hidden)
        return hidden.permute(0, 2, 3, 1).unflatten(3, (self.image_shape[0], PIXEL_VALUES))

    def decode_mean(self, z: Tensor) -> Tensor:
        """Expected image in [0, 1]: (B, D) -> (B, C, H, W)."""
        values = torch.linspace(0, 1, PIXEL_VALUES, dtype=z.dtype, device=z.device)
        return (self.decode(z).softmax(-1) @ values).permute(0, 3, 1, 2)

    @torch.no_grad()
    def draw_images(self, n: int) -> Tensor:
        """Draw n images of pixel values, each from its distribution: uint8 (n, C, H, W)."""
        logits = self.decode(self.prior.sample(n))
        values = torch.distributions.Categorical(logits=logits).sample()
        return values.permute(0, 3, 1, 2).to(torch.uint8)

    def log_likelihood(self, x: Tensor, z: Tensor, full_precision: bool = False) -> Tensor:
        """log p(x|z): uint8 (B, C, H, W), (B, D) -> (B,), nats per image.

        full_precision: compute products in the precision of the weights.

        Raises:
            UserError: x is not uint8 or does not have the model's shape.
        """
        check_images(x, self.image_shape)
        return log_likelihood(self, x, z, self.low_precision and not full_precision)

    def loss(self, x: Tensor, k: Tensor) -> dict[str, Tensor]:
        """Negative ELBO under the assigned components k (B,), and its parts.

        Returns:
            Means over the batch of ``loss`` = ``kl`` - ``reconstruction``, in nats
            per image.

        Raises:
            UserError: x is not uint8 or does not have the model's shape.
        """
        check_images(x, self.image_shape)  # a compiled function cannot raise
        means = self.prior.means
        noise = torch.randn((len(x), means.shape[1]), dtype=means.dtype, device=means.device)
        mean, std, reconstruction = one_sample(self, x, noise)
        reconstruction = reconstruction.mean()
        kl = self.prior.training_kl(mean, std, k).mean()
        return {"loss": kl - reconstruction, "reconstruction": reconstruction, "kl": kl}

    def _scores(
        self,
        x: Tensor,
        n_draws: int,
        tolerance: Tolerance | None = None,
        decoded: int | None = None,
    ) -> dict[str, Tensor]:
        return importance_weighted_log_prob(self, x, n_draws, tolerance=tolerance, decoded=decoded)

    def at_once(self, limits: GpuLimits) -> tuple[int, dict]:
        return min(32, limits.samples_at_once), {"decoded": limits.samples_at_once}

    def _latents(self, x: Tensor) -> dict[str, Tensor]:
        mean, std = self.encode(x)
        return {"mean": mean, "std": std}

    @torch.no_grad()
    def initialize(self, x: Tensor) -> None:
        """With scaled_start, scale the latent to the components before the first step.

        Rows of the encoder's mean are multiplied by the largest |mean| of the
        components. Columns of the decoder's first layer are divided by it, so that the
        reconstruction from the posterior's mean stays the same. Otherwise a short
        training does not move the posterior to components 75 standard deviations away.
        The images x are not used: a VAE has no data-dependent initialisation.
        """
        if not self.scaled_start:
            return
        factor = self.prior.means.abs().amax(0).clamp(min=1.0)
        head: Any = self.encoder[-1]
        head.weight[: len(factor)] *= factor[:, None]
        head.bias[: len(factor)] *= factor
        first = next(m for m in self.decoder if isinstance(m, nn.Linear | nn.ConvTranspose2d))
        along_inputs = (1, -1) if isinstance(first, nn.Linear) else (-1, 1, 1, 1)
        first.weight /= factor.view(along_inputs)


def _log_likelihood(model: VAE, x: Tensor, z: Tensor, low_precision: bool) -> Tensor:
    logits = model._logits(z, low_precision).reshape(-1, PIXEL_VALUES)
    values = x.permute(0, 2, 3, 1).reshape(-1).long()
    return categorical_log_prob(logits, values).view(len(x), -1).sum(1)


def _one_sample(model: VAE, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Posterior mean and standard deviation, and log p(x|z) for z with the given noise."""
    mean, std = model.encode(x)
    return mean, std, _log_likelihood(model, x, mean + std * noise, model.low_precision)


log_likelihood, one_sample = compiled(_log_likelihood), compiled(_one_sample)


class EncoderConvolution(nn.Conv2d):
    """A convolution; when compiled, one matrix product of all windows in a fixed order.

    For so few channels cuDNN's deterministic routines take several times as long.
    """

    padding: tuple[int, int]  # never by name

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        if not torch.compiler.is_compiling():
            return super().forward(x)
        windows = torch.cat(list(self._windows(x.permute(0, 2, 3, 1))), -1)  # (B, H', W', k k C)
        weight = self.weight.permute(2, 3, 1, 0).flatten(0, 2)
        y = windows @ weight if self.bias is None else windows @ weight + self.bias
        return y.permute(0, 3, 1, 2)

    def _windows(self, x: Tensor) -> Iterator[Tensor]:
        (kernel, _), (stride, _), (padding, _) = self.kernel_size, self.stride, self.padding
        x = F.pad(x, (0, 0, padding, padding, padding, padding))
        rows, columns = (side - kernel + 1 for side in x.shape[1:3])
        for i in range(kernel):
            for j in range(kernel):
                yield x[:, i : i + rows : stride, j : j + columns : stride]


class DecoderConvolution(nn.ConvTranspose2d):
    """A transposed convolution that can compute in bfloat16, and then returns bfloat16."""

    padding: tuple[int, int]  # never by name

    def forward(self, x: Tensor, low_precision: bool = False) -> Tensor:  # type: ignore[override]
        """(B, C, H, W) -> (B, C', H', W')."""
        low = low_precision and x.dtype != torch.float64
        dtype = torch.bfloat16 if low else self.weight.dtype
        weight, bias = self._weight_and_bias()
        x, weight = x.to(dtype), weight.to(dtype)
        if self.stride != (1, 1):
            y = F.conv_transpose2d(x, weight, None, self.stride, self.padding)
            return y if bias is None else _sum(y, bias[:, None, None])
        # with stride 1 this equals a convolution with the flipped kernel, which is faster
        weight, padding = (
            weight.transpose(0, 1).flip(2, 3),
            self.kernel_size[0] - 1 - self.padding[0],
        )
        if bias is None or not torch.compiler.is_compiling():
            bias = None if bias is None else bias.to(dtype)
            return F.conv2d(x, weight, bias, padding=padding)
        return _sum(F.conv2d(x, weight, None, padding=padding), bias[:, None, None])

    def _weight_and_bias(self) -> tuple[Tensor, Tensor | None]:
        return self.weight, self.bias


class LogitConvolution(DecoderConvolution):
    """The last convolution, without the part that it would add to all values of a pixel.

    A softmax removes this part, so no gradient limits it. Adam takes full steps even with
    small gradients, so it would drift. In bfloat16, logits in the thousands lose the
    differences between values, and the loss then grows without bound.
    """

    bias: nn.Parameter  # because it is the last

    def _weight_and_bias(self) -> tuple[Tensor, Tensor]:
        weight, bias = (
            self.weight.unflatten(1, (-1, PIXEL_VALUES)),
            self.bias.view(-1, PIXEL_VALUES),
        )
        weight = weight - weight.mean(2, keepdim=True)
        return weight.flatten(1, 2), (bias - bias.mean(1, keepdim=True)).flatten()


def _sum(y: Tensor, bias: Tensor) -> Tensor:
    """Add the bias separately: with it, oneDNN's convolution takes up to six times as long.

    A compiler adds without rounding but may store a rounded sum for the backward pass. There
    the probabilities of the logits would not sum to one, and all logits would drift. So the
    compiled sum has the precision of the bias.
    """
    if torch.compiler.is_compiling():
        return y.to(bias.dtype) + bias
    return y.add_(bias.to(y.dtype))


class LatentConvolution(nn.ConvTranspose2d):
    """A transposed convolution of one position, computed as one matrix product."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """(B, C, 1, 1) -> (B, C', k, k)."""
        return (x.flatten(1) @ self.weight.flatten(1)).unflatten(1, self.weight.shape[1:])


def _encoder(rows: tuple[Layer, ...], channels: int, norm_last: bool) -> list[nn.Module]:
    modules: list[nn.Module] = []
    for i, row in enumerate(rows):
        last = i == len(rows) - 1
        norm = [nn.BatchNorm2d(row.channels)] if norm_last or not last else []
        modules.append(_convolution(EncoderConvolution, channels, row, bias=not norm))
        modules += [*norm, nn.ReLU(inplace=True)]
        channels = row.channels
    return modules


def _convolution(kind: type, channels: int, row: Layer, bias: bool) -> nn.Module:
    """Layer for a row of a table; no bias before batch norm, which would cancel it."""
    sizes = (row.kernel, row.stride, row.padding)
    return kind(channels, row.channels, *sizes, bias=bias)


def _start(latent_dim: int, start: tuple[int, int, int] | None) -> list[nn.Module]:
    if start is None:
        return [nn.Unflatten(1, (latent_dim, 1, 1))]
    return [nn.Linear(latent_dim, math.prod(start)), nn.Unflatten(1, start)]


def _decoder(
    rows: tuple[Layer, ...], start: tuple[int, int, int] | None, latent_dim: int
) -> list[nn.Module]:
    channels = latent_dim if start is None else start[0]
    modules: list[nn.Module] = []
    for i, row in enumerate(rows):
        last = i == len(rows) - 1
        # bfloat16 rounds latents near 100 to steps of 1/2
        of_latent = i == 0 and start is None
        kind = LatentConvolution if of_latent else LogitConvolution if last else DecoderConvolution
        modules.append(_convolution(kind, channels, row, bias=last))
        modules += [] if last else [nn.BatchNorm2d(row.channels), nn.ReLU(inplace=True)]
        channels = row.channels
    return modules


def _narrowed(rows: tuple[Layer, ...], width: int | None) -> tuple[Layer, ...]:
    if width is None:
        return rows
    return (*rows[:-2], rows[-2]._replace(channels=width), rows[-1])
