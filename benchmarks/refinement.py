"""A refined posterior: its optimiser against others, and its cost against annealing.

    snakemake results/quick/models/vae/fashion_1_7/bimodal_75/seed0/weights.pt \\
        results/quick/data/{fashion_1_7,mnist}/test.npz
    python -m benchmarks.refinement --model results/quick/models/vae/fashion_1_7/bimodal_75/seed0 \\
        --data results/quick/data

Prints the Markdown tables of docs/performance.md (some minutes on one core). Seconds are CPU
time of one thread, nats are means over images.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oodpriors.data.datasets import load_arrays
from oodpriors.data.subsets import to_nchw
from oodpriors.models import refinement
from oodpriors.models.annealing import lower_bound
from oodpriors.models.build import load_folder
from oodpriors.models.refinement import Proposal, Refinement, refined_log_prob
from oodpriors.models.vae import VAE

SETS = {"test": "fashion_1_7/test", "MNIST": "mnist/test"}
CHAINS, TEMPERATURES = 2, (25, 50, 100, 200, 400)
STEPS = 28  # of BFGS; the others take as many gradients and twice as many
Climb = Callable[[VAE, Tensor, Tensor, Tensor], Proposal]


def images(folder: Path, name: str, n: int) -> Tensor:
    """n evenly spaced images, (n, C, H, W) uint8."""
    data = load_arrays(folder / f"{name}.npz")["images"]
    return torch.from_numpy(to_nchw(data[np.linspace(0, len(data) - 1, n).round().astype(int)]))


def diagonal(mean: Tensor, log_std: Tensor) -> Proposal:
    return Proposal(mean, torch.diag_embed(log_std.exp()))


def bound(model: VAE, x: Tensor, place: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Evidence bound of diagonal Gaussians (mean, log std) (B, 2 D), and its gradient."""
    with torch.enable_grad():
        place = place.detach().requires_grad_()
        mean, log_std = place.chunk(2, 1)
        z = mean + log_std.exp() * noise
        values = model.log_likelihood(x, z, True) + model.prior.log_prob(z) + log_std.sum(1)
        (gradient,) = torch.autograd.grad(values.sum(), place)
    return values.detach(), gradient


def bfgs(steps: int) -> Climb:
    """The library's: a full covariance."""

    def climb(model: VAE, x: Tensor, mean: Tensor, std: Tensor) -> Proposal:
        return refinement._Climb.begin(model, x, mean, std).run(model, x, steps).proposal()

    return climb


def adam(steps: int, rate: float) -> Climb:
    """Adam on mean and log std with one latent for each step, and a rate that falls to zero."""

    def climb(model: VAE, x: Tensor, mean: Tensor, std: Tensor) -> Proposal:
        place = torch.cat([mean, std.log()], 1)
        first, second = torch.zeros_like(place), torch.zeros_like(place)
        for step in range(steps):
            _, gradient = bound(model, x, place, torch.randn_like(mean))
            first, second = 0.5 * first + 0.5 * gradient, 0.9 * second + 0.1 * gradient.square()
            size = (second / (1 - 0.9 ** (step + 1))).sqrt() + 1e-8
            decay = min(1.0, 2 * (1 - step / steps))
            place = place + rate * decay * first / (1 - 0.5 ** (step + 1)) / size
        return diagonal(*place.chunk(2, 1))

    return climb


def variational_newton(steps: int, rate: float = 0.3, share: float = 0.1) -> Climb:
    """Natural gradients; curvatures by Stein's identity (Khan et al. 2018, Lin et al. 2020)."""

    def climb(model: VAE, x: Tensor, mean: Tensor, std: Tensor) -> Proposal:
        _, average = refinement._slope(model, x, mean)
        for step in range(steps):
            decay, noise = min(1.0, 2 * (1 - step / steps)), torch.randn_like(mean)
            _, gradient = refinement._slope(model, x, mean + std * noise)
            curvature = (average - gradient) * noise * std
            average = 0.5 * average + 0.5 * gradient
            mean = mean + std * (rate * decay * std * average).clamp(-1, 1)
            change = (share * decay * (curvature - 1)).clamp(-1, 1)
            std = std * (1 + change + 0.5 * change.square()).rsqrt()
        return diagonal(mean, std.log())

    return climb


def limited_bfgs(steps: int, memory: int = 8) -> Climb:
    """L-BFGS on mean and log std, with the same two opposite latents at each step."""

    def climb(model: VAE, x: Tensor, mean: Tensor, std: Tensor) -> Proposal:
        noise = torch.randn_like(mean)

        def evaluate(place: Tensor) -> tuple[Tensor, Tensor]:
            pairs = [bound(model, x, place, sign * noise) for sign in (1, -1)]
            return (pairs[0][0] + pairs[1][0]) / 2, (pairs[0][1] + pairs[1][1]) / 2

        place, scale = (
            torch.cat([mean, std.log()], 1),
            torch.cat([std, 0.3 * torch.ones_like(std)], 1),
        )
        height, gradient = evaluate(place)
        length, pairs = torch.ones(len(x), 1), []
        for _ in range(steps // 2):
            direction = two_loops(gradient, pairs, scale.square())
            limit = (10 / (direction / scale).norm(dim=1, keepdim=True)).clamp(max=1)
            step = length * limit * direction
            new_height, new_gradient = evaluate(place + step)
            up = (new_height > height)[:, None]
            fall = gradient - new_gradient
            usable = up & ((step * fall).sum(1, keepdim=True) > 1e-3)
            pairs = [*pairs, (step * usable, fall * usable)][-memory:]
            place, gradient = (
                torch.where(up, place + step, place),
                torch.where(up, new_gradient, gradient),
            )
            height = torch.where(up[:, 0], new_height, height)
            length = torch.where(up, (2 * length).clamp(max=1), 0.3 * length)
        return diagonal(*place.chunk(2, 1))

    return climb


def two_loops(gradient: Tensor, pairs: list, variance: Tensor) -> Tensor:
    """L-BFGS's inverse curvature times the gradient; pairs of zeros count for nothing."""
    shares = [1 / (s * y).sum(1, keepdim=True).clamp(min=1e-3) for s, y in pairs]
    result, factors = gradient, []
    for (s, y), share in zip(reversed(pairs), reversed(shares), strict=True):
        factors.append(share * (s * result).sum(1, keepdim=True))
        result = result - factors[-1] * y
    result = variance * result
    for (s, y), share, factor in zip(pairs, shares, reversed(factors), strict=True):
        result = result + (factor - share * (y * result).sum(1, keepdim=True)) * s
    return result


def gauss_newton(steps: int) -> Climb:
    """Newton's method; with ReLU the logits are linear in pieces, so the curvature is exact."""

    def climb(model: VAE, x: Tensor, mean: Tensor, std: Tensor) -> Proposal:
        place, (height, gradient) = mean, refinement._slope(model, x, mean)
        length = torch.ones(len(x), 1)
        for _ in range(steps):
            precision = torch.stack([curvature(model, z) for z in place])
            direction = torch.linalg.solve(precision, gradient[..., None])[..., 0]
            limit = (10 / (direction / std).norm(dim=1, keepdim=True)).clamp(max=1)
            for _ in range(2):  # a curvature is dear, a shorter step is cheap
                step = length * limit * direction
                new_height, new_gradient = refinement._slope(model, x, place + step)
                up = (new_height > height)[:, None]
                place = torch.where(up, place + step, place)
                gradient = torch.where(up, new_gradient, gradient)
                height = torch.where(up[:, 0], new_height, height)
                length = torch.where(up, torch.ones_like(length), 0.3 * length)
                if up.all():
                    break
        precision = torch.stack([curvature(model, z) for z in place])
        return Proposal(place, torch.linalg.cholesky(precision.inverse()))

    return climb


def curvature(model: VAE, z: Tensor, width: float = 0.01) -> Tensor:
    """Negative Hessian of log p(x, z) for a Gaussian component: (D,) -> (D, D)."""
    near = torch.cat([z[None], z + width * torch.eye(len(z))])
    logits = model._logits(near, False).flatten(1, 3)  # (1 + D, pixels, 256)
    slopes, p = (logits[1:] - logits[:1]) / width, logits[0].softmax(-1)
    centred = slopes - (slopes * p).sum(-1, keepdim=True)
    weighted = (centred * p.sqrt()).flatten(1)
    return weighted @ weighted.T + torch.eye(len(z)) / model.prior.scale**2


OPTIMISERS: dict[str, Climb] = {
    f"BFGS, full covariance, {STEPS} steps": bfgs(STEPS),
    f"Adam, rate 0.3, {STEPS} steps": adam(STEPS, 0.3),
    f"Adam, rate 0.3, {2 * STEPS} steps": adam(2 * STEPS, 0.3),
    f"variational Newton, diagonal, {2 * STEPS} steps": variational_newton(2 * STEPS),
    f"L-BFGS, diagonal, {STEPS} steps of 2 latents": limited_bfgs(2 * STEPS),
    "Gauss-Newton, full covariance, 3 steps": gauss_newton(3),
}


def best_start(model: VAE, x: Tensor, mean: Tensor) -> Tensor:
    """Of the starts, those with the highest log p(x, z): (B, D)."""
    begun = refinement.starts(model, mean)
    heights = torch.stack(
        [model.log_likelihood(x, z, True) + model.prior.log_prob(z) for z in begun]
    )
    return torch.stack(begun)[heights.argmax(0), torch.arange(len(x))]


def optimiser_rows(model: VAE, title: str, x: Tensor) -> Iterator[str]:
    counts = Refinement().counts
    mean, std = model.encode(x)
    encoded, start = Proposal(mean, torch.diag_embed(std)), best_start(model, x, mean)
    before = estimate(model, x, encoded, encoded, counts)
    for name, climb in OPTIMISERS.items():
        torch.manual_seed(0)
        began = time.process_time()
        refined = climb(model, x, start, std)
        taken = (time.process_time() - began) / len(x)
        gain = (estimate(model, x, refined, encoded, counts) - before).mean()
        yield f"| {title} | {name} | {gain:.1f} | {taken:.3f} | {gain / taken:,.0f} |"


def estimate(model: VAE, x: Tensor, refined: Proposal, encoded: Proposal, counts) -> Tensor:
    log_weights = refinement._terms(model, x, (refined, encoded), counts)["log_weight"]
    return refinement._estimates(log_weights, counts)["log_prob_refined"]


def annealing_rows(model: VAE, title: str, x: Tensor) -> Iterator[str]:
    """Refined, then annealing with more temperatures until it is as tight."""

    def row(name: str, work: Callable[[], Tensor]) -> tuple[str, float]:
        torch.manual_seed(0)
        began = time.process_time()
        values = work()
        taken = (time.process_time() - began) / len(x)
        error = values.std() / math.sqrt(len(x))
        cells = f"{values.mean():.1f} ± {error:.1f} | {taken:.2f}"
        return f"| {title}, {len(x)} | {name} | {cells} |", float(values.mean())

    text, reached = row(
        "refined", lambda: refined_log_prob(model, x, Refinement())["log_prob_refined"]
    )
    yield text
    for number in TEMPERATURES:
        text, found = row(
            f"annealing, {number} temperatures", lambda n=number: lower_bound(model, x, n, CHAINS)
        )
        yield text
        if found >= reached:
            return


@torch.no_grad()
def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained VAE")
    parser.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    parser.add_argument("--images", type=int, default=32, help="of each set")
    parser.add_argument("--annealed", type=int, default=4, help="of each set, for annealing")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model = load_folder(given.model).requires_grad_(False)
    sets = {title: images(given.data, name, given.images) for title, name in SETS.items()}
    print("| images | optimiser | gain of log p over the encoder | s per image | nats per s |")
    print("| --- | --- | --- | --- | --- |")
    for title, x in sets.items():
        for row in optimiser_rows(model, title, x):
            print(row, flush=True)
    print("\n| images | method | log p | s per image |\n| --- | --- | --- | --- |")
    for title, x in sets.items():
        some = x[:: max(1, len(x) // given.annealed)][: given.annealed]
        for row in annealing_rows(model, title, some):
            print(row, flush=True)


if __name__ == "__main__":
    main()
