"""Interfaces of models: for the training loop and for scoring images."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from oodpriors.io.devices import GpuLimits
from oodpriors.io.errors import AS_UINT8, UserError
from oodpriors.io.machine import fast_bfloat16
from oodpriors.priors import Prior

PIXEL_VALUES = 256
PRECISIONS = ("float32", "bfloat16", "auto")


class Model(nn.Module, ABC):
    """Interface of a model for the training loop."""

    prior: Prior

    @abstractmethod
    def loss(self, x: Tensor, k: Tensor) -> dict[str, Tensor]:
        """``loss`` to minimise and its parts for data x with components k (B,), nats per image."""

    @abstractmethod
    def initialize(self, x: Tensor) -> None:
        """Data-dependent initialisation from data x, before the first step."""

    def diagnostics(self, x: Tensor) -> dict[str, float]:
        """Diagnostics of the trained model, measured on data x."""
        return {}


class ImageModel(Model):
    """A model of uint8 images (B, C, H, W).

    Attributes:
        image_shape: (C, H, W).
        parts: columns of :meth:`scores` that add up to ``log_prob``.
        default_draws: random draws per image in :meth:`log_prob`.
    """

    image_shape: tuple[int, ...]
    parts: tuple[str, ...]
    default_draws = 1

    def scores(self, x: Tensor, n_draws: int, **options) -> dict[str, Tensor]:
        """log p(x) of each image and its parts, (B,) each, in nats: see :mod:`.likelihood`.

        Raises:
            UserError: x is not uint8, is empty or does not have the model's shape; or the model has
                batch norm and is in training mode, where scores depend on the other images.
        """
        self._check_ready(x)
        if not len(x):
            raise UserError("there are no images to score")
        return self._scores(x, n_draws, **options)

    def log_prob(self, x: Tensor, n_draws: int | None = None) -> Tensor:
        """log p(x) under the whole mixture: uint8 (B, C, H, W) -> (B,), nats."""
        n_draws = self.default_draws if n_draws is None else n_draws
        return self.scores(x, n_draws)["log_prob"]

    @torch.no_grad()
    def latents(self, x: Tensor) -> dict[str, Tensor]:
        """``mean`` and possibly further arrays of the latents of uint8 images x, (B, D) each.

        Raises:
            UserError: see :meth:`scores`.
        """
        self._check_ready(x)
        return self._latents(x)

    def _check_ready(self, x: Tensor) -> None:
        check_images(x, self.image_shape)
        if any(isinstance(module, nn.BatchNorm2d) and module.training for module in self.modules()):
            raise UserError("the model is in training mode: call model.eval() first")

    def at_once(self, limits: GpuLimits) -> tuple[int, dict]:
        """Number of images that a GPU scores at once, and extra options of :meth:`scores`."""
        return limits.images_at_once, {}

    @abstractmethod
    def _scores(self, x: Tensor, n_draws: int, *args: Any, **options: Any) -> dict[str, Tensor]: ...

    @abstractmethod
    def _latents(self, x: Tensor) -> dict[str, Tensor]: ...

    @abstractmethod
    def decode_mean(self, z: Tensor) -> Tensor:
        """Decode latents z to images in [0, 1]: (B, D) -> (B, C, H, W)."""

    @torch.no_grad()
    def draw_images(self, n: int) -> Tensor:
        """Draw n images of pixel values, uint8 (n, C, H, W).

        The prior's noise is of the CPU's generator, its components of the device's. A flow's
        density is that of (x + u)/256 with u in [0, 1): see :func:`.glow.dequantize`.
        """
        levels = self.decode_mean(self.prior.sample(n)) * PIXEL_VALUES
        # the inverse of a poor flow may overflow
        return levels.nan_to_num().clamp(max=PIXEL_VALUES - 1).to(torch.uint8)


def low_precision(precision: str) -> bool:
    """Whether products are in bfloat16; ``auto``: where a GPU or the processor is fast at it.

    Raises:
        UserError: unknown precision.
    """
    if precision not in PRECISIONS:
        raise UserError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if precision == "auto":
        return torch.cuda.is_available() or fast_bfloat16()
    return precision == "bfloat16"


def check_pixels(x: Tensor) -> None:
    """Refuse pixels that are not uint8, with a UserError: their likelihood would be wrong."""
    if not isinstance(x, Tensor):
        kind = type(x).__name__
        raise UserError(f"images are of type {kind}, not a tensor; use torch.from_numpy(images)")
    if x.dtype != torch.uint8:
        found = str(x.dtype).removeprefix("torch.")
        raise UserError(f"pixels must be uint8, from 0 to 255, and are {found}; {AS_UINT8}")


def check_images(x: Tensor, image_shape: tuple[int, ...]) -> None:
    """Refuse images that are not uint8 (B, *image_shape), with a UserError."""
    check_pixels(x)
    if tuple(x.shape[1:]) != tuple(image_shape):
        sides = ", ".join(map(str, image_shape))
        raise UserError(f"images are {tuple(x.shape)}, the model takes (number, {sides})")
