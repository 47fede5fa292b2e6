"""Bias of an adaptive number of importance samples where log p is known.

    python -m benchmarks.adaptive    # 15 seconds on one core

A linear Gaussian model: z ~ N(0, I) in D dimensions, x | z ~ N(z, I / 4). The proposal is the
posterior, each coordinate shifted by SHIFT of its standard deviations. Prints the Markdown
table of docs/performance.md: the error of log p against the exact value, with as many samples
as the tolerance asks for, and with a fixed number equal to the mean of those.
"""

import math

import torch
from benchmarks.trained import AT_MOST
from torch import Tensor
from torch.distributions import Normal

from oodpriors.models.likelihood import Tolerance, importance_weighted_log_prob
from oodpriors.priors import GaussianPrior

DIMS, SHIFT, NOISE, IMAGES = (2, 10, 20), 0.5, 0.5, 2000
TOLERANCES = [Tolerance(0.5, 10), Tolerance(0.2, 20), Tolerance(0.1, 20)]


class LinearGaussian:
    """The model, with observations (B, D) in place of images."""

    low_precision = False

    def __init__(self, dim: int) -> None:
        self.prior = GaussianPrior([[0.0]], dim).double()

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the proposal, two (B, D)."""
        std = torch.full_like(x, math.sqrt(1 / (1 + NOISE**-2)))
        return x / (1 + NOISE**2) + SHIFT * std, std

    def log_likelihood(self, x: Tensor, z: Tensor, full_precision: bool = False) -> Tensor:
        """log p(x|z), (B,)."""
        return Normal(z, NOISE).log_prob(x).sum(1)

    def exact(self, x: Tensor) -> Tensor:
        """log p(x), (B,)."""
        return Normal(0.0, math.sqrt(1 + NOISE**2)).log_prob(x).sum(1)


def row(dim: int, tolerance: Tolerance) -> str:
    """Mean error ± its standard error, and its spread over the reported standard error."""
    model = LinearGaussian(dim)
    x = math.sqrt(1 + NOISE**2) * torch.randn(IMAGES, dim, dtype=torch.float64)
    adaptive = importance_weighted_log_prob(model, x, AT_MOST, 8, tolerance)
    samples = round(float(adaptive["draws"].mean()))
    limited = float((adaptive["draws"] == AT_MOST).double().mean())
    cells = []
    for scores in (adaptive, importance_weighted_log_prob(model, x, samples, 8)):
        error = scores["log_prob"] - model.exact(x)
        ratio = error.std() / scores["std_error"].square().mean().sqrt()
        cells += [f"{error.mean():+.3f} ± {error.std() / math.sqrt(IMAGES):.3f}", f"{ratio:.2f}"]
    limits = f"{tolerance.std_error:g}, {tolerance.effective_sample_size:g}"
    return f"| {dim} | {limits} | {samples} | {limited:.0%} | {' | '.join(cells)} |"


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(
        "| D | tolerance | samples | at the limit | error | spread "
        "| error with a fixed number | spread |"
    )
    print("|" + 8 * " --- |")
    for dim in DIMS:
        for tolerance in TOLERANCES:
            print(row(dim, tolerance), flush=True)


if __name__ == "__main__":
    main()
