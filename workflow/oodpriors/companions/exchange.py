"""The prior exchanged after training: log p with another density of the latents.

A flow's log p(x) = log q(z) + log-determinant is exact up to the dequantisation, of which
the latents are one draw. A VAE's is the evidence lower bound: mean log p(x given z), plus
E[log q(z)] under the stored posterior, plus the posterior's entropy. Its second term is a
mean over draws with the posterior's own mean and variance in each coordinate, so that it
is exact where log q is quadratic and factorises.
"""

import numpy as np
import torch

from oodpriors.companions.densities import Density, fit_gaussian, fit_kernels, fit_mixture
from oodpriors.companions.training import NotApplicable, Training, in_blocks
from oodpriors.priors import Prior

DRAWS = 16
REST = ("log_det", "reconstruction", "posterior_entropy")  # parts of log p without a prior


def with_own_prior(training: Training) -> np.ndarray:
    """log p with the prior of the training, (N,), nats."""
    return exchanged(training, _of_prior(training.prior))


def with_other_prior(training: Training) -> np.ndarray:
    """log p with the other prior of the pair, (N,), nats."""
    if training.other is None:
        raise NotApplicable("no model of these images has a prior to exchange")
    return exchanged(training, _of_prior(training.other))


def with_gaussian(training: Training) -> np.ndarray:
    """log p with a Gaussian fitted to the latents of the training images, (N,), nats."""
    return exchanged(training, fit_gaussian(training.of_train(training.latents)))


def with_mixture(training: Training) -> np.ndarray:
    """log p with a mixture fitted to them, of as many components as the priors, at least 2."""
    priors = filter(None, (training.prior, training.other))
    components = max(2, *(prior.n_components for prior in priors))
    return exchanged(training, fit_mixture(training.of_train(training.latents), components))


def with_kernels(training: Training) -> np.ndarray:
    """log p with kernels at the latents of the training images, (N,), nats."""
    return exchanged(training, fit_kernels(training.of_train(training.latents)))


def _of_prior(prior: Prior) -> Density:
    return lambda z: prior.log_prob(torch.from_numpy(z)).numpy()


def exchanged(training: Training, density: Density) -> np.ndarray:
    """log p with this density of the latents, (N,), nats; a bound for a VAE."""
    parts = [name for name in REST if name in training.scores]
    rest = training.scores[parts].sum(axis=1, skipna=False).to_numpy()
    if training.stds is None:
        return rest + in_blocks(density, training.means)
    noise = standard_draws(DRAWS, training.means.shape[1])

    def expected(means: np.ndarray, stds: np.ndarray) -> np.ndarray:
        draws = means[:, None] + stds[:, None] * noise
        return density(draws.reshape(-1, means.shape[1])).reshape(len(means), -1).mean(1)

    return rest + in_blocks(expected, training.means, training.stds)


def standard_draws(number: int, dim: int) -> np.ndarray:
    """Standard normal draws, shifted and scaled to mean 0 and variance 1: (number, dim)."""
    draws = np.random.default_rng(0).standard_normal((number, dim))
    return (draws - draws.mean(0)) / draws.std(0)
