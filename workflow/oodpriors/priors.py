"""Mixture priors with uniform weights (Section 4); the paper trains nothing of them."""

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from oodpriors.io.errors import UserError
from oodpriors.kinds.priors import PRIORS
from oodpriors.kinds.rows import load

__all__ = ["GaussianPrior", "GeneralizedGaussianPrior", "Prior", "build_prior", "log_mean_exp"]

MONTE_CARLO_SAMPLES = 16
ROUGH = 8  # beta above which so few draws miss the tail that decides the expectation
# Gauss-Hermite quadrature; for a beta from there to 40 its relative error is below 1e-6.
NODES, WEIGHTS = (part.tolist() for part in np.polynomial.hermite_e.hermegauss(24))


class Prior(nn.Module, ABC):
    r"""Uniform mixture of K factorised components with a common scale.

    .. math:: p(z) = \frac{1}{K} \sum_{k=1}^K \prod_{d=1}^D \frac{1}{s}
              f\left(\frac{z_d - \mu_{kd}}{s}\right)

    where f is the standard density (mean 0, variance 1) of the subclass.
    K = 1 is the unimodal prior. The means are a buffer, or with ``trainable_means`` a
    parameter of the model.

    Args:
        means: leading coordinates of the K component means, K lists of at most D;
            the remaining coordinates are zero.
        dim: D, the number of latent coordinates.
        scale: s, the standard deviation of every component.
        unsupervised: whether a model is trained under the whole mixture, and not under the
            component to which an image is assigned.
        trainable_means: whether the means are trained with the model, in all D coordinates.

    Raises:
        UserError: no component, means longer than the latent or not finite, or scale <= 0.
    """

    means: Tensor

    def __init__(
        self,
        means: list[list[float]],
        dim: int,
        scale: float = 1.0,
        unsupervised: bool = False,
        trainable_means: bool = False,
    ) -> None:
        super().__init__()
        rows = [mean if isinstance(mean, list) else [] for mean in means]
        longest = max(map(len, rows), default=0)
        if longest == 0:
            raise UserError(f"prior means must be a non-empty list of K lists, got {means}")
        padded = [[*row, *[0.0] * (longest - len(row))] for row in rows]
        leading = torch.as_tensor(padded, dtype=torch.get_default_dtype())
        if leading.shape[1] > dim:
            raise UserError(
                f"prior means have {leading.shape[1]} coordinates, the latent has only {dim}: "
                "shorten the means or enlarge the latent"
            )
        if not leading.isfinite().all():
            raise UserError(f"prior means must be finite, got {means}")
        if not 0 < scale < math.inf:
            raise UserError(f"prior scale must be positive, got {scale}")
        self.scale, self.unsupervised = float(scale), unsupervised
        full = nn.functional.pad(leading, (0, dim - leading.shape[1]))
        if trainable_means:
            self.means = nn.Parameter(full)
        else:
            self.register_buffer("means", full)

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.means)

    @property
    def separating(self) -> Tensor:
        """Coordinates in which the component means differ, (D,) bool."""
        return (self.means != self.means[0]).any(0)

    @abstractmethod
    def _standard_log_prob(self, u: Tensor) -> Tensor:
        """log f(u), elementwise."""

    @abstractmethod
    def _standard_sample(self, shape: tuple[int, ...]) -> Tensor:
        """Draws from f."""

    @abstractmethod
    def _standard_expected_log_prob(self, mean: Tensor, std: Tensor) -> Tensor:
        """E[log f(u)] for u ~ N(mean, std^2), elementwise."""

    def _log_prob_coordinates(self, z: Tensor) -> Tensor:
        u = (z[:, None] - self.means) / self.scale  # (B, K, D)
        return self._standard_log_prob(u) - math.log(self.scale)

    def mean(self, k: int) -> Tensor:
        """Mean of component k, (D,)."""
        return self.means[k]

    def log_prob_components(self, z: Tensor) -> Tensor:
        """log p_k(z) under every component: (B, D) -> (B, K), nats."""
        return self._log_prob_coordinates(z).sum(-1)

    def log_prob_component(self, z: Tensor, k: Tensor) -> Tensor:
        """log p_k(z) under the components k (B,): (B,), nats."""
        u = (z - self.means[k]) / self.scale
        return (self._standard_log_prob(u) - math.log(self.scale)).sum(-1)

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) under the whole mixture, used in evaluation: (B, D) -> (B,), nats."""
        return log_mean_exp(self.log_prob_components(z), -1)

    def training_log_prob(self, z: Tensor, k: Tensor) -> Tensor:
        """Log-density that a flow learns with: (B, D) -> (B,), nats.

        It is that of the assigned components k (B,), or of the mixture if ``unsupervised``.
        """
        if not self.unsupervised:
            return self.log_prob_component(z, k)
        # by this name, because a training that names log_prob would run again if scores change
        return log_mean_exp(self.log_prob_components(z), -1)

    def log_prob_parts(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """log p(z) = separating + rest, exactly: (B, D) -> two (B,), nats.

        All components are equal in the coordinates that do not separate them, so the
        density factorises. Without separating coordinates the first part is zero.
        """
        coordinates = self._log_prob_coordinates(z)
        # masked, because indexing by booleans makes the CPU wait for the GPU to count them
        by_component = coordinates.masked_fill(~self.separating, 0).sum(-1)
        rest = coordinates[:, 0].masked_fill(self.separating, 0).sum(-1)
        return log_mean_exp(by_component, -1), rest

    def expected_log_prob_component(self, mean: Tensor, std: Tensor, k: Tensor) -> Tensor:
        """E[log p_k(z)] for z ~ N(mean, diag(std^2)): (B, D), (B, D), (B,) -> (B,), nats."""
        u_mean = (mean - self.means[k]) / self.scale
        expected = self._standard_expected_log_prob(u_mean, std / self.scale)
        return (expected - math.log(self.scale)).sum(-1)

    def kl_component(self, mean: Tensor, std: Tensor, k: Tensor) -> Tensor:
        """KL(N(mean, diag(std^2)) || p_k): (B, D), (B, D), (B,) -> (B,), nats.

        Exact for a Gaussian and for even beta, by quadrature for others above 8 (relative error
        below 1e-6), Monte Carlo otherwise.
        """
        return -normal_entropy(std) - self.expected_log_prob_component(mean, std, k)

    def expected_log_prob(self, mean: Tensor, std: Tensor) -> Tensor:
        """E[log p(z)] under the whole mixture for z ~ N(mean, diag(std^2)): (B,), nats.

        It has no closed form. That of the component which fits the mean best is taken as
        it is; only what the mixture adds to this component is averaged over draws. So the
        estimate has no bias, and no noise where one component fits all draws.
        """
        best = self.log_prob_components(mean).argmax(-1)
        noise = mean.new_empty((MONTE_CARLO_SAMPLES, *mean.shape)).normal_()
        components = self.log_prob_components((mean + std * noise).flatten(0, 1))
        own = components.gather(1, best.repeat(MONTE_CARLO_SAMPLES)[:, None])[:, 0]
        added = (log_mean_exp(components, -1) - own).view(MONTE_CARLO_SAMPLES, -1).mean(0)
        return self.expected_log_prob_component(mean, std, best) + added

    def training_kl(self, mean: Tensor, std: Tensor, k: Tensor) -> Tensor:
        """Divergence that a VAE learns with, to the assigned components k (B,): (B,), nats.

        If ``unsupervised``, it is that to the mixture, with :meth:`expected_log_prob`.
        """
        if not self.unsupervised:
            return self.kl_component(mean, std, k)
        return -normal_entropy(std) - self.expected_log_prob(mean, std)

    def sample(self, n: int, k: Tensor | None = None) -> Tensor:
        """Draw n latents, (n, D), from the mixture or from the given components k (n,)."""
        if k is None:
            k = torch.randint(self.n_components, (n,), device=self.means.device)
        noise = self._standard_sample((n, self.means.shape[1])).to(self.means)
        return self.means[k] + self.scale * noise


def log_mean_exp(log_values: Tensor, dim: int) -> Tensor:
    """log of the mean of exp(log_values) along dim."""
    return log_values.logsumexp(dim) - math.log(log_values.shape[dim])


def normal_entropy(std: Tensor) -> Tensor:
    """Entropy of a diagonal Gaussian: (B, D) -> (B,), nats."""
    return (std.log() + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


class GaussianPrior(Prior):
    """Components N(mu_k, s^2 I)."""

    def _standard_log_prob(self, u: Tensor) -> Tensor:
        return -0.5 * (u.square() + math.log(2 * math.pi))

    def _standard_sample(self, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape)

    def _standard_expected_log_prob(self, mean: Tensor, std: Tensor) -> Tensor:
        return -0.5 * (mean.square() + std.square() + math.log(2 * math.pi))


class GeneralizedGaussianPrior(Prior):
    r"""Generalised Gaussian components (Equation 3) with variance s^2.

    .. math:: f(u) = \frac{\beta}{2 \alpha \Gamma(1/\beta)}
              \exp\left(-\left(\frac{|u|}{\alpha}\right)^\beta\right), \quad
              \alpha = \sqrt{\Gamma(1/\beta) / \Gamma(3/\beta)}

    beta = 2 is the Gaussian; a larger beta has lighter tails (the paper uses 4).

    Raises:
        UserError: beta <= 0.
    """

    def __init__(
        self,
        means: list[list[float]],
        dim: int,
        scale: float = 1.0,
        beta: float = 4.0,
        **options: bool,
    ) -> None:
        super().__init__(means, dim, scale, **options)
        if not 0 < beta < math.inf:
            raise UserError(f"prior beta must be positive, got {beta}")
        self.beta = float(beta)
        self.alpha = math.exp((math.lgamma(1 / beta) - math.lgamma(3 / beta)) / 2)
        self._log_normalizer = math.log(beta / (2 * self.alpha)) - math.lgamma(1 / beta)

    def _standard_log_prob(self, u: Tensor) -> Tensor:
        magnitude = u.abs() / self.alpha
        if self.beta < 1:  # the density has a peak at 0 without a slope: its gradient there is 0
            peak = u == 0
            return self._log_normalizer - (magnitude + peak) ** self.beta + peak.to(u)
        return self._log_normalizer - magnitude**self.beta

    def _standard_sample(self, shape: tuple[int, ...]) -> Tensor:
        # |u / alpha|^beta is Gamma(1/beta, 1) distributed, as is V^beta G for uniform V and G of
        # Gamma(1 + 1/beta, 1) (Marsaglia and Tsang 2000); the first underflows for a large beta
        gamma = torch.distributions.Gamma(1 + 1 / self.beta, 1.0).sample(shape)
        sign = torch.randint(2, shape) * 2 - 1
        return sign * self.alpha * torch.rand(shape) * gamma ** (1 / self.beta)

    def _standard_expected_log_prob(self, mean: Tensor, std: Tensor) -> Tensor:
        if self.beta % 2 == 0:
            moment = normal_moment(mean, std, int(self.beta))
            return self._log_normalizer - moment / self.alpha**self.beta
        if self.beta > ROUGH:
            values = (self._standard_log_prob(mean + std * node) for node in NODES)
            weighted = (value * weight for value, weight in zip(values, WEIGHTS, strict=True))
            return sum(weighted, torch.zeros_like(mean)) / math.sqrt(2 * math.pi)
        noise = mean.new_empty((MONTE_CARLO_SAMPLES, *mean.shape)).normal_()
        return self._standard_log_prob(mean + std * noise).mean(0)


def normal_moment(mean: Tensor, std: Tensor, order: int) -> Tensor:
    """E[u^order] for u ~ N(mean, std^2) and an even order, elementwise."""
    terms = (
        float(math.comb(order, 2 * j) * math.prod(range(1, 2 * j, 2)))  # past 64 bits from 34 on
        * mean ** (order - 2 * j)
        * std ** (2 * j)
        for j in range(order // 2 + 1)
    )
    return sum(terms, torch.zeros_like(mean))


def build_prior(kind: str, dim: int, **parameters) -> Prior:
    """Build a prior of the given kind for a latent with dim coordinates.

    Raises:
        UserError: unknown kind, or parameters that the kind does not take.
    """
    if kind not in PRIORS:
        raise UserError(f"prior kind {kind!r} is unknown; choose one of {', '.join(PRIORS)}")
    try:
        return load(PRIORS[kind].place)(dim=dim, **parameters)
    except TypeError as error:
        raise UserError(f"prior kind {kind!r} does not take {parameters}: {error}") from error
