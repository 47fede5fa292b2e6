"""Annealed importance sampling with Hamiltonian moves: log p(x) without an encoder.

Forward chains go from the prior to the posterior and give a lower bound in expectation
(Neal 2001). Reverse chains start at an exact sample of the posterior and give an upper bound
(Grosse et al. 2015, Wu et al. 2017); such samples exist for images drawn from the model. The
method is expensive. It is independent of :mod:`.refinement`, which it checks: the pipeline
does not use it (docs/performance.md has its results).
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from oodpriors.io.errors import UserError
from oodpriors.models.likelihood import LatentVariableModel

LEAPFROG_STEPS = 5
ACCEPTED = 0.8  # target share of accepted moves for the step sizes


class _Point(NamedTuple):
    """Latents (N, D), log p(z) and log p(x|z) of each, (N,), and their gradients (N, D)."""

    z: Tensor
    log_prior: Tensor
    log_likelihood: Tensor
    prior_gradient: Tensor
    likelihood_gradient: Tensor

    def energy(self, temperature: float) -> tuple[Tensor, Tensor]:
        """Log-density at an inverse temperature, and its gradient."""
        return (
            self.log_prior + temperature * self.log_likelihood,
            self.prior_gradient + temperature * self.likelihood_gradient,
        )


def inverse_temperatures(number: int) -> Tensor:
    """Inverse temperatures from 0 to 1, (number,), close together at both ends."""
    values = torch.sigmoid(torch.linspace(-6, 6, number, dtype=torch.float64))
    return (values - values[0]) / (values[-1] - values[0])


def lower_bound(
    model: LatentVariableModel, x: Tensor, n_temperatures: int, n_chains: int
) -> Tensor:
    """Lower bound of log p(x) in expectation, from forward chains: (B, ...) -> (B,), nats.

    Raises:
        UserError: fewer than two temperatures, or no chain.
    """
    temperatures = inverse_temperatures(_checked(n_temperatures, n_chains))
    images = x.repeat(n_chains, *[1] * (x.ndim - 1))
    z = model.prior.sample(len(images)).to(model.prior.means)
    log_weights = _anneal(model, images, z, temperatures.tolist())
    return log_weights.view(n_chains, -1).logsumexp(0) - math.log(n_chains)


def upper_bound(
    model: LatentVariableModel, x: Tensor, z: Tensor, n_temperatures: int, n_chains: int
) -> Tensor:
    """Upper bound of log p(x) in expectation, from reverse chains: (B,), nats.

    Args:
        x: images (B, ...), drawn from the model.
        z: the latents (B, D) from which they were drawn.

    Raises:
        UserError: fewer than two temperatures, or no chain.
    """
    temperatures = inverse_temperatures(_checked(n_temperatures, n_chains)).flip(0)
    images, z = (t.repeat(n_chains, *[1] * (t.ndim - 1)) for t in (x, z))
    log_weights = _anneal(model, images, z, temperatures.tolist())
    return -(log_weights.view(n_chains, -1).logsumexp(0) - math.log(n_chains))


def _checked(n_temperatures: int, n_chains: int) -> int:
    if n_temperatures < 2 or n_chains < 1:
        raise UserError(
            f"annealing needs at least two temperatures and one chain, got {n_temperatures} "
            f"and {n_chains}"
        )
    return n_temperatures


def _anneal(model: LatentVariableModel, x: Tensor, z: Tensor, temperatures: list[float]) -> Tensor:
    """Log-weights (N,) of chains through the temperatures in this order, float64."""
    point, step = _evaluate(model, x, z), torch.full((len(x), 1), 0.1).to(z)
    log_weights = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    for before, after in pairwise(temperatures):
        log_weights += (after - before) * point.log_likelihood.double()
        point, accepted = _move(model, x, point, after, step)
        step *= torch.where(accepted, 1.02, 1.02 ** (-ACCEPTED / (1 - ACCEPTED)))[:, None]
    return log_weights


def _move(
    model: LatentVariableModel, x: Tensor, point: _Point, temperature: float, step: Tensor
) -> tuple[_Point, Tensor]:
    """One Hamiltonian trajectory with Metropolis' rule: new point, and which were accepted."""
    momentum, end = torch.randn_like(point.z), point
    energy, gradient = point.energy(temperature)
    start = energy - 0.5 * momentum.square().sum(1)
    for _ in range(LEAPFROG_STEPS):
        momentum = momentum + 0.5 * step * gradient
        end = _evaluate(model, x, end.z + step * momentum)
        energy, gradient = end.energy(temperature)
        momentum = momentum + 0.5 * step * gradient
    change = energy - 0.5 * momentum.square().sum(1) - start
    accepted = torch.rand_like(change).log() < change  # false for NaN
    parts = [
        torch.where(accepted if new.ndim == 1 else accepted[:, None], new, old)
        for new, old in zip(end, point, strict=True)
    ]
    return _Point(*parts), accepted


def _evaluate(model: LatentVariableModel, x: Tensor, z: Tensor) -> _Point:
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        log_prior, log_likelihood = model.prior.log_prob(z), model.log_likelihood(x, z, True)
        gradients = [
            torch.autograd.grad(value.sum(), z, retain_graph=True)[0]
            for value in (log_prior, log_likelihood)
        ]
    return _Point(z.detach(), log_prior.detach(), log_likelihood.detach(), *gradients)
