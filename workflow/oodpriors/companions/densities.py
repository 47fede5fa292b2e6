"""Densities fitted to latents; each is a function (B, D) -> (B,), nats."""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp, softmax

Density = Callable[[np.ndarray], np.ndarray]

STEPS = 30  # of the search for a width
SMALLEST = 1e-9  # of a variance, as a share of the mean variance


def fit_gaussian(z: np.ndarray) -> Density:
    """A Gaussian with full covariance, shrunk to a multiple of the identity (Ledoit and Wolf 2004).

    Args:
        z: (N, D); N may be smaller than D.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    (n, dim), centre = z.shape, z.mean(0)
    shrinkage = float(ledoit_wolf_shrinkage(z))
    _, lengths, axes = np.linalg.svd(z - centre, full_matrices=False)
    rest = max(shrinkage, SMALLEST) * (lengths**2).sum() / (n * dim)
    variances = (1 - shrinkage) * lengths**2 / n + rest
    volume = np.log(variances).sum() + (dim - len(variances)) * math.log(rest)

    def log_density(z: np.ndarray) -> np.ndarray:
        offset = z - centre
        along = (offset @ axes.T) ** 2
        beyond = np.maximum((offset**2).sum(1) - along.sum(1), 0) / rest
        return -0.5 * ((along / variances).sum(1) + beyond + volume + dim * math.log(2 * math.pi))

    return log_density


def fit_mixture(z: np.ndarray, components: int) -> Density:
    """A mixture of Gaussians with equal variance in all directions, by EM from k-means."""
    from sklearn.mixture import GaussianMixture

    least = max(SMALLEST * z.var(0).mean(), np.finfo(float).tiny)
    fit = GaussianMixture(components, covariance_type="spherical", reg_covar=least, random_state=0)
    return fit.fit(z).score_samples


def fit_kernels(z: np.ndarray) -> Density:
    """A Gaussian kernel at each latent; its width makes each most likely without its own kernel.

    The width is found by EM for this leave-one-out likelihood (Duin 1976).
    """
    n, dim = z.shape
    distance = squared_distances(z, z)
    np.fill_diagonal(distance, np.inf)
    others = np.where(np.isfinite(distance), distance, 0)
    start = others.sum() / (n * (n - 1) * dim)
    variance = start
    for _ in range(STEPS):
        weights = softmax(-distance / (2 * variance), axis=1)
        variance = max((weights * others).sum() / (n * dim), SMALLEST * start)
    volume = math.log(n) + 0.5 * dim * math.log(2 * math.pi * variance)
    return lambda x: logsumexp(-squared_distances(x, z) / (2 * variance), axis=1) - volume


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N, D), (M, D) -> (N, M)."""
    x, y = x - y.mean(0), y - y.mean(0)  # numbers of their spread's size keep most digits
    squares = (x**2).sum(1)[:, None] - 2 * x @ y.T + (y**2).sum(1)
    return np.maximum(squares, 0)
