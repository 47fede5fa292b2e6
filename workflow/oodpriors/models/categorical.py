"""Log-likelihood of pixel values under logits, without storing normalised logits."""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

ROWS_AT_ONCE = 1024


def categorical_log_prob(logits: Tensor, values: Tensor) -> Tensor:
    """log softmax(logits)[values]: (N, V), (N,) int64 -> (N,), in float32 at least.

    Computes a few rows at a time, which fit in the processor's cache. Normalised logits
    and copies in another precision are never stored. A compiler does the same with the
    plain formula.
    """
    if torch.compiler.is_compiling():
        logits = logits.to(_sum_dtype(logits))
        # no gather: its derivative would fill another tensor of the logits' size
        others = torch.arange(logits.shape[1], device=logits.device) != values[:, None]
        return logits.masked_fill(others, 0).sum(1) - logits.logsumexp(1)
    return _CategoricalLogProb.apply(logits, values)


class _CategoricalLogProb(Function):
    @staticmethod
    def forward(ctx, logits: Tensor, values: Tensor) -> Tensor:
        probabilities = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        log_prob = torch.empty_like(values, dtype=_sum_dtype(logits))
        rows = ROWS_AT_ONCE if logits.device.type == "cpu" else max(1, len(logits))
        for start in range(0, len(logits), rows):
            some = slice(start, start + rows)
            piece, index = logits[some].to(log_prob), values[some, None]
            if probabilities is not None:
                normalized = probabilities[some] = piece.softmax(1)
                # relative to the largest logit, whose probability cannot be zero
                relative = piece.gather(1, index)[:, 0] - piece.amax(1)
                log_prob[some] = relative + normalized.amax(1).log()
            else:
                log_prob[some] = piece.log_softmax(1).gather(1, index)[:, 0]
        ctx.save_for_backward(probabilities, values)
        return log_prob

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        probabilities, values = ctx.saved_tensors
        factor = gradient.to(probabilities)
        result = -factor[:, None] * probabilities
        rows = torch.arange(len(values), device=values.device)
        return result.index_put_((rows, values), factor, accumulate=True), None


def _sum_dtype(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)
