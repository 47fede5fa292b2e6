"""Glow without the multi-scale split, with an untrained mixture prior (Appendix B)."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from oodpriors.io.errors import UserError
from oodpriors.models.base import PIXEL_VALUES, ImageModel, check_pixels
from oodpriors.models.flow_steps import flow_steps
from oodpriors.models.layers import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    AxisConvolution,
    Squeeze,
    data_dependent_initialization,
)
from oodpriors.models.likelihood import flow_log_prob
from oodpriors.priors import Prior

COUPLINGS = {"affine": AffineCoupling, "additive": AdditiveCoupling}


def dequantize(x: Tensor, dtype: torch.dtype) -> Tensor:
    """uint8 images -> (x + u) / 256 - 1/2 with u uniform on [0, 1).

    Raises:
        UserError: x is not uint8.
    """
    check_pixels(x)
    return (x + torch.rand(x.shape, dtype=dtype, device=x.device)) / PIXEL_VALUES - 0.5


class Glow(ImageModel):
    """One level of affine couplings, then 1x1 convolutions over height, width and channel.

    A squeeze comes first, because a one-channel image cannot be split. The latent
    is flattened in the order (H, W, C) of the TensorFlow code, so that indices
    have the same meaning as in the paper (Figure 5).

    Args:
        image_shape: (C, H, W).
        prior: prior over the C*H*W latent coordinates.
        couplings: number of coupling layers (paper: 32 for grey, 24 for colour).
        squeeze_after: numbers of the couplings that a further squeeze follows, from 1
            (paper: 16, or 8 and 16).
        width: hidden channels of the coupling networks (OpenAI: 512).
        coupling: ``affine``, or ``additive`` for a constant-volume Glow (Section 3.2).
        parameters: further arguments of the couplings: ``precision``, and for affine ones
            ``scale_floor``, which is added to their scale (paper: 0.1).

    Raises:
        UserError: the image cannot be squeezed that often, or the prior's dimension
            differs from the image's.
    """

    parts = ("prior_separating", "prior_rest", "log_det")

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        prior: Prior,
        couplings: int = 32,
        squeeze_after: tuple[int, ...] = (16,),
        width: int = 512,
        coupling: str = "affine",
        **parameters,
    ) -> None:
        super().__init__()
        channels, height, columns = image_shape
        if prior.means.shape[1] != math.prod(image_shape):
            raise UserError(
                f"the prior has {prior.means.shape[1]} coordinates, "
                f"an image {tuple(image_shape)} has {math.prod(image_shape)}"
            )
        squeezes = 1 + len(squeeze_after)
        if height % 2**squeezes or columns % 2**squeezes:
            raise UserError(
                f"images of {height} x {columns} cannot be squeezed {squeezes} times: "
                "shorten squeeze_after"
            )
        self.image_shape = tuple(image_shape)
        self.prior = prior
        layers: list[nn.Module] = [Squeeze()]
        channels *= 4
        for number in range(1, couplings + 1):
            layers += [
                ActNorm(channels),
                AxisConvolution(channels),
                COUPLINGS[coupling](channels, width, **parameters),
            ]
            if number in squeeze_after:
                layers.append(Squeeze())
                channels *= 4
        sides = (height // 2**squeezes, columns // 2**squeezes)
        layers += [
            AxisConvolution(sides[0], axis=2),
            AxisConvolution(sides[1], axis=3),
            AxisConvolution(channels, axis=1),
        ]
        self.layers = nn.ModuleList(layers)
        self.latent_shape = (channels, *sides)

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Dequantised images (B, C, H, W) -> latents (B, D), ladj (B,) in nats."""
        if y.is_cuda and self.layers[1].initialized:
            return flow_steps(self.layers, y)
        return self._forward_by_layers(y)

    def _forward_by_layers(self, y: Tensor) -> tuple[Tensor, Tensor]:
        ladj = y.new_zeros(len(y))
        for layer in self.layers:
            y, term = layer(y)
            ladj = ladj + term
        return y.permute(0, 2, 3, 1).flatten(1), ladj

    def inverse(self, z: Tensor) -> Tensor:
        """Latents (B, D) -> dequantised images (B, C, H, W)."""
        channels, *sides = self.latent_shape
        y = z.unflatten(1, (*sides, channels)).permute(0, 3, 1, 2)
        layer: Any  # one with an inverse
        for layer in reversed(self.layers):
            y = layer.inverse(y)
        return y

    def initialize(self, x: Tensor) -> None:
        """Initialise every actnorm from images x (B, C, H, W); possible only once.

        Raises:
            RuntimeError: the model is already initialised.
        """
        with torch.no_grad(), data_dependent_initialization(self):
            self._forward_by_layers(dequantize(x, self.prior.means.dtype))

    def transform(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Dequantise images x once -> latents (B, D), log |det| - D log 256 (B,), nats.

        Their sum log p(z) + log |det| - D log 256 is the density of (x + u)/256 times
        the volume 256^-D of a pixel cell. Its mean over u is a lower bound of log p(x),
        the log-probability of the discrete pixel values.
        """
        z, ladj = self.forward(dequantize(x, self.prior.means.dtype))
        return z, ladj - z.shape[1] * math.log(PIXEL_VALUES)

    def loss(self, x: Tensor, k: Tensor) -> dict[str, Tensor]:
        """Negative log-likelihood to learn with, for assigned components k (B,), and its parts.

        Returns:
            Means over the batch of ``loss`` = -(``prior`` + ``log_det``), in nats per
            image.
        """
        z, log_det = self.transform(x)
        prior = self.prior.training_log_prob(z, k).mean()
        log_det = log_det.mean()
        return {"loss": -(prior + log_det), "prior": prior, "log_det": log_det}

    def _scores(self, x: Tensor, n_draws: int) -> dict[str, Tensor]:
        return flow_log_prob(self, x, n_draws)

    def _latents(self, x: Tensor) -> dict[str, Tensor]:
        # of one dequantisation
        return {"mean": self.transform(x)[0]}

    def sample(self, n: int) -> Tensor:
        """Draw n images in [0, 1], (n, C, H, W)."""
        return self.decode_mean(self.prior.sample(n))

    @torch.no_grad()
    def decode_mean(self, z: Tensor) -> Tensor:
        """Images of latents z, clipped to [0, 1]: (B, D) -> (B, C, H, W)."""
        return (self.inverse(z) + 0.5).clamp(0, 1)

    @torch.no_grad()
    def diagnostics(self, x: Tensor) -> dict[str, float]:
        """``round_trip_error``: largest |inverse(forward(y)) - y|, y the dequantised images x."""
        y = dequantize(x, self.prior.means.dtype)
        return {"round_trip_error": float((self.inverse(self.forward(y)[0]) - y).abs().max())}
