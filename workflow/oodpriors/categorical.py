"""Log-likelihood of pixel values under logits, without keeping what is normalised."""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

__all__ = ["categorical_log_prob"]

ROWS_AT_ONCE = 1024


def categorical_log_prob(logits: Tensor, values: Tensor) -> Tensor:
    """log softmax(logits)[values]: (N, V), (N,) int64 -> (N,), in float32 at least.

    A few rows at a time, while they are in the processor's cache: neither normalised
    logits nor their copies in another precision are ever kept.
    """
    return _CategoricalLogProb.apply(logits, values)


class _CategoricalLogProb(Function):
    @staticmethod
    def forward(ctx, logits: Tensor, values: Tensor) -> Tensor:
        keep = ctx.needs_input_grad[0]
        probabilities = torch.empty_like(logits) if keep else None
        log_prob = torch.empty_like(values, dtype=_sum_dtype(logits))
        rows = ROWS_AT_ONCE if logits.device.type == "cpu" else max(1, len(logits))
        for start in range(0, len(logits), rows):
            some = slice(start, start + rows)
            normalized = logits[some].log_softmax(1, dtype=log_prob.dtype)
            log_prob[some] = normalized.gather(1, values[some, None])[:, 0]
            if keep:
                probabilities[some] = normalized.exp_()
        ctx.save_for_backward(probabilities, values)
        return log_prob

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        probabilities, values = ctx.saved_tensors
        factor = gradient[:, None].to(probabilities)
        return (-factor * probabilities).scatter_add_(1, values[:, None], factor), None


def _sum_dtype(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)
