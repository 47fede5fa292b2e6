"""The steps of a Glow as functions of tensors with channels last, which a compiler can fuse.

Used on GPUs; elsewhere :class:`.glow.Glow` computes the same layer by layer. One step (actnorm,
1x1 convolution, coupling) is one function. Values that depend only on weights are prepared for
all steps of one shape together, so that the GPU starts few kernels.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from oodpriors.models.compilation import compiled
from oodpriors.models.coupling_network import LOG_SCALE_FACTOR
from oodpriors.models.layers import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    AxisConvolution,
    Squeeze,
)

AXES = {1: 3, 2: 1, 3: 2}  # axis of (B, C, H, W): axis of (B, H, W, C)
ALIGNMENT = 8  # products in low precision take twice as long if a side is not a multiple of it


class Step(NamedTuple):
    """One step of a flow: three layers in the order of Glow."""

    norm: ActNorm
    mix: AxisConvolution
    coupling: AffineCoupling | AdditiveCoupling

    def tensors(self) -> list[Tensor]:
        """Tensors of this step that :func:`prepared` takes."""
        network = self.coupling.network
        first, second, third = network.conv1, network.conv2, network.conv3
        return [
            self.norm.bias,
            self.norm.log_scale,
            self.mix.weight,
            *(first.weight, network.norm1.bias, network.norm1.log_scale),
            *(second.weight, network.norm2.bias, network.norm2.log_scale),
            *(third.weight, third.bias, third.log_scale),
        ]


def steps_of(layers: Iterable[Any]) -> Iterator[Step | Squeeze | AxisConvolution]:
    """The layers of a Glow, with each actnorm, 1x1 convolution and coupling joined to a step."""
    remaining = iter(layers)
    for layer in remaining:
        yield Step(layer, next(remaining), next(remaining)) if isinstance(layer, ActNorm) else layer


def flow_steps(layers: Iterable[nn.Module], y: Tensor) -> tuple[Tensor, Tensor]:
    """Dequantised images (B, C, H, W) -> latents (B, D) in the order (H, W, C), ladj (B,)."""
    x = y.permute(0, 2, 3, 1)
    ladj, mixes = y.new_zeros(len(y)), []
    for _, group in groupby(steps_of(layers), type):
        parts = list(group)
        if steps := [part for part in parts if isinstance(part, Step)]:
            x, term = _equal_steps(steps, x)
            ladj = ladj + term
            mixes += [(step.mix.weight, x.shape[1] * x.shape[2]) for step in steps]
        for part in parts:
            if isinstance(part, Squeeze):
                x = _squeezed(x)
            elif isinstance(part, AxisConvolution):
                axis = AXES[part.axis]
                x = (x.movedim(axis, -1) @ part.weight.T).movedim(-1, axis)
                mixes.append((part.weight, x[0].numel() // x.shape[axis]))
    return x.flatten(1), ladj + _log_determinants(mixes)


def _equal_steps(steps: Sequence[Step], x: Tensor) -> tuple[Tensor, Tensor]:
    """Apply steps of one shape: (B, H, W, C) -> (B, H, W, C), ladj (B,) without mix layers."""
    coupling = steps[0].coupling
    network = coupling.network
    low = network.low_precision and network.training and x.dtype == torch.float32
    dtype = torch.bfloat16 if low else x.dtype
    floor = coupling.scale_floor if isinstance(coupling, AffineCoupling) else None
    columns = zip(*(step.tensors() for step in steps), strict=True)
    *weights, log_scales = prepared(dtype, *map(list, columns))
    ladj = log_scales * (x.shape[1] * x.shape[2])
    for own in zip(*(weight.unbind() for weight in weights), strict=True):
        x, term = flow_step(x.contiguous(), floor, *own)
        ladj = ladj + term
    return x, ladj


def _prepared(dtype: torch.dtype, *columns: list[Tensor]) -> tuple[Tensor, ...]:
    """Prepare the weights of N equal steps for :func:`flow_step`.

    Args:
        dtype: precision of the products of the coupling networks.
        columns: for each of ``Step.tensors``, the N tensors of the steps.

    Returns:
        Matrix (N, C, C) and bias (N, C) of the actnorm with the 1x1 convolution; matrices and
        biases of the three convolutions: (N, A, K) with the bias as one of its rows, (N, K, K),
        (N, K), (N, K, A'), (N, C'), where A and A' are 9 C/2 + 1 and 9 C' padded to a multiple
        of ALIGNMENT; and the sum of all log-scales of actnorms.
    """
    bias, log_scale, mix, w1, b1, s1, w2, b2, s2, w3, b3, s3 = map(torch.stack, columns)
    scale, e1, e2, e3 = ((LOG_SCALE_FACTOR * s.flatten(1)).exp() for s in (log_scale, s1, s2, s3))
    scaled = mix * scale[:, None]
    m1 = (w1 * e1[..., None, None, None]).permute(0, 3, 4, 2, 1).flatten(1, 3)
    m1 = torch.cat([m1, (b1.flatten(1) * e1)[:, None]], 1)
    m3 = (w3 * e3[..., None, None, None]).permute(0, 2, 3, 4, 1).flatten(2)
    return (
        scaled.mT,
        (scaled @ bias.flatten(1)[..., None])[..., 0],
        F.pad(m1, (0, 0, 0, -m1.shape[1] % ALIGNMENT)).to(dtype),
        (w2[..., 0, 0] * e2[..., None]).mT.to(dtype),
        (b2.flatten(1) * e2).to(dtype),
        F.pad(m3, (0, -m3.shape[2] % ALIGNMENT)).to(dtype),
        b3 * e3,
        LOG_SCALE_FACTOR * log_scale.sum(),
    )


def _flow_step(
    x: Tensor,
    floor: float | None,
    mix: Tensor,
    row: Tensor,
    m1: Tensor,
    m2: Tensor,
    b2: Tensor,
    m3: Tensor,
    b3: Tensor,
) -> tuple[Tensor, Tensor]:
    """Actnorm, 1x1 convolution, coupling: (B, H, W, C) -> (B, H, W, C), the coupling's ladj (B,).

    A 3x3 convolution is one product with nine shifted copies, or nine shifted sums of one
    product. floor is added to the scale of an affine coupling; None: additive coupling.
    """
    b, h, w, c = x.shape
    x = torch.addmm(row, x.view(-1, c), mix).view(b, h, w, c)
    kept, changed = x[..., : c // 2], x[..., c // 2 :]
    unit = F.pad(x.new_ones((b, h, w, 1)), (0, len(m1) - 9 * kept.shape[-1] - 1))
    patches = torch.cat([*_shifted(kept), unit], -1).to(m1.dtype).view(b * h * w, -1)
    hidden = F.relu(torch.addmm(b2, F.relu(patches @ m1), m2))
    products = (hidden @ m3)[:, : 9 * len(b3)].view(b, h, w, 9, -1)
    out = sum(window[..., t, :].to(x.dtype) for t, window in enumerate(_shifted(products)))
    out = out + b3
    if floor is None:
        return torch.cat([kept, changed + out], -1), x.new_zeros(b)
    scale = torch.sigmoid(out[..., 1::2] + 2.0) + floor
    y = torch.cat([kept, (changed + out[..., 0::2]) * scale], -1)
    return y, scale.log().sum((1, 2, 3))


def _shifted(x: Tensor) -> list[Tensor]:
    """(B, H, W, ...) -> nine copies shifted by -1, 0 or 1 pixel per axis, zero outside."""
    h, w = x.shape[1:3]
    padded = F.pad(x, (0, 0) * (x.ndim - 3) + (1, 1, 1, 1))
    return [padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)]


def _squeezed(x: Tensor) -> Tensor:
    """:class:`.layers.Squeeze` with channels last: (B, H, W, C) -> (B, H/2, W/2, 4C)."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 5, 2, 4).flatten(3)


def _log_determinants(mixes: Sequence[tuple[Tensor, int]]) -> Tensor:
    """Sum of log |det W| times the number of its positions, computed together for each size."""
    total = mixes[0][0].new_zeros(())
    ordered = sorted(mixes, key=lambda pair: (len(pair[0]), pair[1]))
    for _, group in groupby(ordered, key=lambda pair: len(pair[0])):
        weights, positions = zip(*group, strict=True)
        values = torch.linalg.slogdet(torch.stack(weights)).logabsdet
        for number in dict.fromkeys(positions):
            start, count = positions.index(number), positions.count(number)
            total = total + values[start : start + count].sum() * number
    return total


prepared = compiled(_prepared)
flow_step = compiled(_flow_step)
