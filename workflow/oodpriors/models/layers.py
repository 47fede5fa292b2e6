"""Invertible layers: ``forward(x)`` gives ``(y, ladj)``, with ladj = log |det dy/dx|, (B,)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oodpriors.io.errors import UserError
from oodpriors.models.base import low_precision
from oodpriors.models.coupling_network import (
    LOG_SCALE_FACTOR,
    forward_convolutions,
    three_convolutions,
)


class ActNorm(nn.Module):
    """Per-channel affine layer, y = (x + bias) exp(3 log_scale), initialised from data.

    After the first batch the outputs have mean 0 and variance 1 per channel. The
    factor 3 on the log-scale is from OpenAI's code. The weights file also stores
    whether the layer is initialised.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.initialized = False

    def get_extra_state(self) -> bool:
        return self.initialized

    def set_extra_state(self, state: bool) -> None:
        self.initialized = bool(state)

    @torch.no_grad()
    def initialize(self, x: Tensor) -> None:
        """Set bias and scale from a batch x (B, C, H, W); possible only once.

        Raises:
            RuntimeError: the layer is already initialised.
        """
        if self.initialized:
            raise RuntimeError("actnorm is already initialised; this must not happen twice")
        mean = x.mean((0, 2, 3))[:, None, None]
        std = x.std((0, 2, 3), correction=0)[:, None, None]
        self.bias.copy_(-mean)
        self.log_scale.copy_(-(std + 1e-6).log() / LOG_SCALE_FACTOR)
        self.initialized = True

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> (B, C, H, W), (B,).

        Raises:
            RuntimeError: the layer was never initialised.
        """
        self._check_initialized()
        log_scale = LOG_SCALE_FACTOR * self.log_scale
        ladj = log_scale.sum() * (x.shape[2] * x.shape[3])
        return (x + self.bias) * log_scale.exp(), ladj.expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W).

        Raises:
            RuntimeError: the layer was never initialised.
        """
        self._check_initialized()
        return y * (-LOG_SCALE_FACTOR * self.log_scale).exp() - self.bias

    def _check_initialized(self) -> None:
        if not self.initialized:
            raise RuntimeError("actnorm is not initialised: call initialize with a batch first")


@contextmanager
def data_dependent_initialization(module: nn.Module) -> Iterator[None]:
    """Inside the block, a forward pass initialises every ActNorm in module from its input."""
    layers = [m for m in module.modules() if isinstance(m, ActNorm)]
    handles = [m.register_forward_pre_hook(lambda m, args: m.initialize(*args)) for m in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class AxisConvolution(nn.Module):
    """Invertible 1x1 convolution along one axis of (B, C, H, W); starts as a rotation.

    ``axis`` 1 mixes channels (the 1x1 convolution of Glow), ``axis`` 2 mixes rows and
    ``axis`` 3 columns (Listing 1).
    """

    def __init__(self, size: int, axis: int = 1) -> None:
        super().__init__()
        self.axis = axis
        self.weight = nn.Parameter(torch.linalg.qr(torch.randn(size, size)).Q)

    def _mix(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.axis == 1:  # one matrix product; its result has channels first in memory
            first = x.transpose(0, 1)
            return (weight @ first.flatten(1)).view(-1, *first.shape[1:]).transpose(0, 1)
        return (x.movedim(self.axis, -1) @ weight.T).movedim(-1, self.axis)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> (B, C, H, W), (B,)."""
        positions = x[0].numel() // x.shape[self.axis]
        ladj = torch.linalg.slogdet(self.weight).logabsdet * positions
        return self._mix(x, self.weight), ladj.expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        # in double precision: a float32 inverse would dominate the round-trip error
        return self._mix(y, torch.linalg.inv(self.weight.double()).to(y))


class Squeeze(nn.Module):
    """Space to depth, (B, C, H, W) -> (B, 4C, H/2, W/2); only moves values."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> (B, 4C, H/2, W/2), zeros (B,)."""
        return F.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """(B, 4C, H/2, W/2) -> (B, C, H, W)."""
        return F.pixel_shuffle(y, 2)


class ZeroConv2d(nn.Conv2d):
    """3x3 convolution that starts at zero, with a learned output scale exp(3 log_scale)."""

    bias: nn.Parameter

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)
        self.log_scale = nn.Parameter(torch.zeros(out_channels, 1, 1))
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


class CouplingNetwork(nn.Module):
    """3x3, 1x1 and 3x3 convolutions; actnorm and ReLU follow the first two.

    With ``precision`` bfloat16, products are in bfloat16 in training mode; they are most
    of a flow's work. Weights and sums are float32. In evaluation mode products are float32
    as well: bfloat16 would change log p by nats, and forward and inverse would round
    different inputs and no longer invert each other.

    Raises:
        UserError: unknown precision, see :func:`oodpriors.models.base.low_precision`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, width: int, precision: str = "float32"
    ) -> None:
        super().__init__()
        self.low_precision = low_precision(precision)
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.norm1 = ActNorm(width)
        self.conv2 = nn.Conv2d(width, width, 1, bias=False)
        self.norm2 = ActNorm(width)
        self.conv3 = ZeroConv2d(width, out_channels)
        for conv in (self.conv1, self.conv2):
            nn.init.normal_(conv.weight, std=0.05)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W), in the precision of x."""
        if not (self.norm1.initialized and self.norm2.initialized):
            return self._forward_by_layers(x)
        layers = ((self.conv1, self.norm1), (self.conv2, self.norm2), (self.conv3, self.conv3))
        parameters = [(conv.weight, norm.bias, norm.log_scale) for conv, norm in layers]
        if not self.training:
            return forward_convolutions(x, parameters)
        low = self.low_precision and x.dtype == torch.float32
        return three_convolutions(x, parameters, torch.bfloat16 if low else x.dtype)

    def _forward_by_layers(self, x: Tensor) -> Tensor:
        """The same layer by layer, so that actnorms receive their inputs."""
        hidden = F.relu(self.norm1(self.conv1(x))[0])
        hidden = F.relu(self.norm2(self.conv2(hidden))[0])
        return self.conv3(hidden) * (LOG_SCALE_FACTOR * self.conv3.log_scale).exp()


class AffineCoupling(nn.Module):
    """Second half y2 = (x2 + t(x1)) (sigmoid(s(x1) + 2) + scale_floor), first half kept.

    The paper uses the floor of 0.1 to prevent divergence (Appendix B).

    Raises:
        UserError: fewer than two channels, which cannot be split.
    """

    def __init__(
        self, channels: int, width: int, scale_floor: float = 0.1, precision: str = "float32"
    ) -> None:
        super().__init__()
        self.kept = _half(channels)
        self.scale_floor = scale_floor
        self.network = CouplingNetwork(self.kept, 2 * (channels - self.kept), width, precision)

    def _shift_and_scale(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        h = self.network(kept)
        return h[:, 0::2], torch.sigmoid(h[:, 1::2] + 2.0) + self.scale_floor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> (B, C, H, W), (B,)."""
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        shift, scale = self._shift_and_scale(kept)
        y = _joined(kept, (changed + shift) * scale)
        return y, scale.log().flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        kept, changed = y[:, : self.kept], y[:, self.kept :]
        shift, scale = self._shift_and_scale(kept)
        return _joined(kept, changed / scale - shift)


class AdditiveCoupling(nn.Module):
    """Second half y2 = x2 + t(x1), first half kept: the coupling of a constant-volume Glow.

    Raises:
        UserError: fewer than two channels, which cannot be split.
    """

    def __init__(self, channels: int, width: int, precision: str = "float32") -> None:
        super().__init__()
        self.kept = _half(channels)
        self.network = CouplingNetwork(self.kept, channels - self.kept, width, precision)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> (B, C, H, W), zeros (B,)."""
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        return _joined(kept, changed + self.network(kept)), x.new_zeros(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        kept, changed = y[:, : self.kept], y[:, self.kept :]
        return _joined(kept, changed - self.network(kept))


def _joined(kept: Tensor, changed: Tensor) -> Tensor:
    """Join both halves, with channels first in memory."""
    return torch.cat([kept.transpose(0, 1), changed.transpose(0, 1)]).transpose(0, 1)


def _half(channels: int) -> int:
    if channels < 2:
        raise UserError(f"a coupling needs at least 2 channels, got {channels}: squeeze first")
    return channels // 2
