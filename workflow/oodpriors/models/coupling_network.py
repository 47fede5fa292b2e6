"""The three convolutions of a coupling network, for training and for evaluation."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

LOG_SCALE_FACTOR = 3.0
VECTOR = 16  # float32 numbers in a processor's vector; fewer output channels do not fill it


def three_convolutions(x: Tensor, layers: Sequence[Sequence[Tensor]], dtype: torch.dtype) -> Tensor:
    r"""Convolutions of 3x3, 1x1 and 3x3 with ReLU between: (B, C, H, W) -> (B, C', H, W).

    .. math:: f_3(\max(0, f_2(\max(0, f_1(x))))), \quad
              f_i(x) = (W_i * x + b_i) \exp(3 s_i)

    Channels are first in memory, so that every convolution is one matrix product over
    all positions of all images. Scales are multiplied into its weights and biases. This
    is faster than convolution routines, which are slow with two or four channels.

    Args:
        x: images.
        layers: weight, bias and log-scale s of each convolution.
        dtype: precision of the products; sums, biases and the result have that of x.
    """
    return _ThreeConvolutions.apply(x, dtype, *(tensor for layer in layers for tensor in layer))


def forward_convolutions(x: Tensor, layers: Sequence[Sequence[Tensor]]) -> Tensor:
    """The same with PyTorch's convolutions, in the precision of x.

    Without a derivative they are faster in float32: oneDNN's convolutions use the full
    width of the processor's vectors, MKL's matrix products only half on some processors.
    """
    first, second, third = (_Scaled(*layer) for layer in layers)
    hidden = F.conv2d(x, first.filters(), first.bias, padding=1).relu_()
    hidden = F.conv2d(hidden, second.filters(), second.bias).relu_()
    if len(third.bias) >= VECTOR:
        return F.conv2d(hidden, third.filters(), third.bias, padding=1)
    patches = F.conv2d(hidden, third.matrix(turned=True)[..., None, None])
    patches = patches.permute(0, 2, 3, 1).flatten(0, 2).T.contiguous()
    shape = (len(x), len(third.bias), *x.shape[2:])
    return _overlap(patches, shape).add_(third.bias[:, None, None, None]).transpose(0, 1)


class _ThreeConvolutions(Function):
    @staticmethod
    def forward(ctx, x: Tensor, dtype: torch.dtype, *parameters: Tensor) -> Tensor:
        first, second, third = (_Scaled(*parameters[i : i + 3]) for i in (0, 3, 6))
        w1, w2 = first.matrix().to(dtype), second.matrix().to(dtype)
        w3 = third.matrix(turned=True).to(dtype)
        patches = _patches(x.transpose(0, 1), dtype)
        hidden1 = torch.addmm(first.bias.to(dtype)[:, None], w1, patches).relu_()
        hidden2 = torch.addmm(second.bias.to(dtype)[:, None], w2, hidden1).relu_()
        y = _overlap((w3 @ hidden2).to(x), x.shape)
        ctx.save_for_backward(patches, hidden1, hidden2, w1, w2, w3)
        ctx.scaled, ctx.image_shape = (first, second, third), x.shape
        return y.add_(third.bias[:, None, None, None]).transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple:
        patches, hidden1, hidden2, w1, w2, w3 = ctx.saved_tensors
        first, second, third = ctx.scaled
        gradient = gradient.transpose(0, 1)
        bias3 = gradient.flatten(1).sum(1)
        g = _patches(gradient, w3.dtype)
        weight3 = g @ hidden2.T
        g = torch.ops.aten.threshold_backward(w3.T @ g, hidden2, 0)
        weight2, bias2 = g @ hidden1.T, g.sum(1)
        g = torch.ops.aten.threshold_backward(w2.T @ g, hidden1, 0)
        weight1, bias1 = g @ patches.T, g.sum(1)
        x = _overlap((w1.T @ g).to(gradient), ctx.image_shape) if ctx.needs_input_grad[0] else None
        return (
            None if x is None else x.transpose(0, 1),
            None,
            *first.gradients(weight1, bias1),
            *second.gradients(weight2, bias2),
            *third.gradients(weight3, bias3, turned=True),
        )


class _Scaled:
    """Weight (K, C, h, w) and bias of a convolution, multiplied by exp(3 log_scale)."""

    def __init__(self, weight: Tensor, bias: Tensor, log_scale: Tensor) -> None:
        self.scale = (LOG_SCALE_FACTOR * log_scale).exp().flatten()
        self.weight = weight * self.scale[:, None, None, None]
        self.shape, self.log_scale_shape = bias.shape, log_scale.shape
        self.bias = bias.flatten() * self.scale

    def matrix(self, turned: bool = False) -> Tensor:
        """(K, C h w), to multiply patches; or turned, (K h w, C), to give overlapping patches."""
        if turned:
            return self.weight.flip(2, 3).permute(0, 2, 3, 1).flatten(0, 2)
        return self.weight.flatten(1)

    def filters(self) -> Tensor:
        """(K, C, h, w), channels last in memory."""
        return self.weight.contiguous(memory_format=torch.channels_last)

    def gradients(
        self, matrix: Tensor, bias: Tensor, turned: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of weight, bias and log-scale, from those of the scaled weight and bias."""
        k, c, *sides = self.weight.shape
        if turned:
            weight = matrix.view(k, *sides, c).flip(1, 2).permute(0, 3, 1, 2).to(self.weight)
        else:
            weight = matrix.view(self.weight.shape).to(self.weight)
        log_scale = (weight * self.weight).flatten(1).sum(1) + bias * self.bias
        return (
            weight * self.scale[:, None, None, None],
            (bias * self.scale).view(self.shape),
            (LOG_SCALE_FACTOR * log_scale).view(self.log_scale_shape),
        )


def _patches(x: Tensor, dtype: torch.dtype) -> Tensor:
    """The 3x3 patch around every position: (C, B, H, W) -> (9 C, B H W)."""
    c, b, h, w = x.shape
    columns = x.new_zeros((c, 3, b, h, w), dtype=dtype)
    columns[:, 0, ..., 1:] = x[..., :-1]
    columns[:, 1] = x
    columns[:, 2, ..., :-1] = x[..., 1:]
    patches = x.new_zeros((c, 3, 3, b, h, w), dtype=dtype)
    patches[:, 0, ..., 1:, :] = columns[..., :-1, :]
    patches[:, 1] = columns
    patches[:, 2, ..., :-1, :] = columns[..., 1:, :]
    return patches.view(9 * c, b * h * w)


def _overlap(patches: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Sum of overlapping patches, the transpose of ``_patches``: (9 C, B H W) -> (C, B, H, W)."""
    b, _, h, w = image_shape
    above, columns, below = patches.view(-1, 3, 3, b, h, w).unbind(1)
    columns = columns.clone(memory_format=torch.contiguous_format)
    columns[..., :-1, :] += above[..., 1:, :]
    columns[..., 1:, :] += below[..., :-1, :]
    left, x, right = columns.unbind(1)
    x = x.clone(memory_format=torch.contiguous_format)
    x[..., :-1] += left[..., 1:]
    x[..., 1:] += right[..., :-1]
    return x
