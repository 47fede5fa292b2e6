"""Likelihoods of discrete pixel values under trained models, part by part.

Every function returns a dict of (B,) float64 tensors in nats per image: ``log_prob``,
the parts that add up to it (``parts`` of the model), and ``log_prob_component_k``, which
uses component k of the prior instead of the mixture.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from oodpriors.io.errors import UserError
from oodpriors.priors import Prior, normal_entropy

DECODED_AT_ONCE = 64
# Fraction of an image's sample budget that is recomputed in full precision.
RECOMPUTED = 1 / 256


class LatentVariableModel(Protocol):
    """A model for importance weighting: it has a proposal, a likelihood and a prior."""

    prior: Prior
    low_precision: bool

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the proposal, two (B, D)."""

    def log_likelihood(self, x: Tensor, z: Tensor, full_precision: bool = False) -> Tensor:
        """log p(x|z), (B,). Uses the model's low precision unless full_precision is set."""


class Flow(Protocol):
    """A model with dequantised likelihoods."""

    prior: Prior

    def transform(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (B, D) and the log-determinant (B,) of one dequantisation."""


@dataclass(frozen=True)
class Tolerance:
    """Stopping rule: when an image has enough importance samples.

    The rule is checked only when the number of samples has doubled. A check after every
    sample would stop when the estimated error is small by chance.

    Attributes:
        std_error: largest standard error of log p, nats.
        effective_sample_size: smallest effective sample size.
    """

    std_error: float
    effective_sample_size: float

    def looks(self, at_most: int) -> list[int]:
        """Numbers of samples at which to check; the first allows the effective size."""
        number, looks = max(2, math.ceil(2 * self.effective_sample_size)), []
        while number < at_most:
            looks.append(number)
            number *= 2
        return [*looks, at_most]

    def met(self, scores: dict[str, Tensor]) -> Tensor:
        """Which images meet both limits, (B,) bool."""
        enough = scores["effective_sample_size"] >= self.effective_sample_size
        return enough & (scores["std_error"] <= self.std_error)


def to_numpy(scores: Mapping[str, Tensor], n: int | None = None) -> dict[str, np.ndarray]:
    """The same of the first n images, as arrays; None takes all images."""
    return {name: tensor[:n].cpu().numpy() for name, tensor in scores.items()}


def bits_per_dim(log_prob, n_dims: int):
    """Nats per image -> bits per dimension; a uniform model of bytes has 8."""
    return -log_prob / (n_dims * math.log(2))


@torch.no_grad()
def importance_weighted_log_prob(
    model: LatentVariableModel,
    x: Tensor,
    n_samples: int,
    chunk: int | None = None,
    tolerance: Tolerance | None = None,
    decoded: int | None = None,
) -> dict[str, Tensor]:
    r"""Likelihood of a VAE by importance weighting, with the encoder as proposal.

    .. math:: \log p(x) \approx \log \frac{1}{S} \sum_{s=1}^S w_s, \quad
              w_s = \frac{p(x \mid z_s) p(z_s)}{q(z_s \mid x)}, \quad z_s \sim q(z \mid x)

    where p(z) is the whole mixture (Appendix B: S = 5,000). Samples are computed in
    chunks, so only a few of S are in memory. Sums are in double precision.

    For a model in low precision, the largest weights of each image (RECOMPUTED of S, at
    least one) are recomputed in full precision. The closer their share of all weights is
    to one, the more exact is log p.

    Args:
        x: uint8 images (B, C, H, W).
        n_samples: S, at least 2.
        chunk: samples per image that are decoded at once; the default is the most that
            ``decoded`` allows.
        tolerance: an image that meets it gets no more samples; without it, each gets S.
            It is checked before weights are recomputed.
        decoded: samples of all images together that are decoded at once; the default is
            DECODED_AT_ONCE. A GPU needs thousands for full use.

    Returns:
        ``log_prob`` and ``log_prob_component_k``; the parts ``reconstruction``,
        ``prior_separating``, ``prior_rest``, ``posterior_entropy`` and
        ``importance_gain`` (log_prob minus the evidence lower bound); ``kl``, from the
        posterior to the mixture; ``effective_sample_size`` (sum w)^2 / sum w^2;
        ``std_error`` of log_prob by the delta method; ``draws``, the number of samples;
        and ``full_precision_share``, the share of the weights in full precision.

    Raises:
        UserError: fewer than 2 samples, or an empty chunk.
    """
    if n_samples < 2 or (chunk is not None and chunk < 1):
        raise UserError(
            f"n_samples must be at least 2 for a standard error, got {n_samples}, "
            f"and chunk at least 1, got {chunk}"
        )
    looks = tolerance.looks(n_samples) if tolerance else [n_samples]
    # at most the smallest number of samples that an image may have with this tolerance
    again = min(looks[0], math.ceil(RECOMPUTED * n_samples)) if model.low_precision else 0
    mean, std = model.encode(x)
    sums, largest = _RunningSums(len(x)), _LargestWeights(len(x), again)
    drawn, unfinished = 0, torch.arange(len(x), device=x.device)
    decoded = decoded or DECODED_AT_ONCE
    for look in looks:
        at_once = _equal_parts(look - drawn, chunk or max(1, decoded // len(unfinished)))
        for start in range(drawn, look, at_once):
            shape = min(at_once, look - start), len(unfinished), mean.shape[1]
            noise = torch.randn(shape, dtype=mean.dtype, device=mean.device)
            of_images = x[unfinished], mean[unfinished], std[unfinished]
            terms = _terms(model, *of_images, noise)
            sums.add(unfinished, largest.exchange(unfinished, terms))
        drawn = look
        if tolerance:
            met = tolerance.met(_averages(sums.plus(largest.terms)))
            unfinished = unfinished[~met[unfinished]]
        if len(unfinished) == 0:
            break
    in_low_precision = sums.values["log_weight"].clone()
    if again:  # half as many at once, because each takes twice the memory
        for noise in largest.terms["noise"].split(max(1, decoded // (2 * len(x)))):
            sums.add(slice(None), _terms(model, x, mean, std, noise, full_precision=True))
    scores = _averages(sums)
    share = 1 - (in_low_precision - sums.values["log_weight"]).exp()
    scores["full_precision_share"] = share if again else torch.ones_like(share)
    scores["posterior_entropy"] = normal_entropy(std).double()
    scores["kl"] = -(
        scores["prior_separating"] + scores["prior_rest"] + scores["posterior_entropy"]
    )
    scores["importance_gain"] = scores["log_prob"] - (scores["reconstruction"] - scores["kl"])
    return scores


def _equal_parts(number: int, at_most: int) -> int:
    """Size of nearly equal parts of a number, so that a compiler sees few shapes."""
    return math.ceil(number / math.ceil(number / at_most))


def _terms(
    model: LatentVariableModel,
    x: Tensor,
    mean: Tensor,
    std: Tensor,
    noise: Tensor,
    full_precision: bool = False,
) -> dict[str, Tensor]:
    """Noise of the samples, (S, B, D), and the terms that are summed over them, (S, B, ...)."""
    draws = len(noise)
    z = (mean + std * noise).flatten(0, 1)  # (S B, D)
    log_q = (-0.5 * noise.square()).sum(-1).double() - 0.5 * mean.shape[1] * math.log(2 * math.pi)
    log_q = log_q - std.log().sum(-1).double()  # (S, B)
    images = x.repeat(draws, *[1] * (x.ndim - 1))
    likelihood = model.log_likelihood(images, z, full_precision)
    reconstruction = likelihood.view(draws, -1).double()
    separating, rest = (part.view(draws, -1).double() for part in model.prior.log_prob_parts(z))
    components = model.prior.log_prob_components(z).view(draws, len(x), -1).double()
    return {
        "noise": noise,
        "draws": torch.ones_like(reconstruction),
        "reconstruction": reconstruction,
        "prior_separating": separating,
        "prior_rest": rest,
        "log_weight": reconstruction + separating + rest - log_q,
        "component_log_weight": (reconstruction - log_q)[..., None] + components,
    }


class _LargestWeights:
    """The ``size`` samples with the largest weights of each of n images."""

    def __init__(self, n: int, size: int) -> None:
        self.n, self.size = n, size
        self.terms: dict[str, Tensor] = {}

    def exchange(self, images: Tensor, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add samples (S, N, ...) of N images; return the S samples with smaller weights.

        The first returned samples contribute nothing to sums.
        """
        if not self.size:
            return terms
        if not self.terms:  # weight zero, placed last so that real samples displace them first
            self.terms = {
                name: term.new_full((self.size, self.n, *term.shape[2:]), _neutral(name))
                for name, term in terms.items()
            }
        smaller = {}
        joined = {name: torch.cat([terms[name], self.terms[name][:, images]]) for name in terms}
        order = joined["log_weight"].argsort(dim=0, descending=True, stable=True)
        for name, term in joined.items():
            ordered = term.take_along_dim(order.view(*order.shape, *[1] * (term.ndim - 2)), 0)
            self.terms[name][:, images] = ordered[: self.size]
            smaller[name] = ordered[self.size :]
        return smaller


class _RunningSums:
    """Sums over the samples of each of n images; sums of weights are on the log scale."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.values: dict[str, Tensor] = {}

    def add(self, images: Tensor | slice, terms: dict[str, Tensor]) -> None:
        """Add samples (S, N, ...) of N images."""
        squares = {"square_log_weight": 2 * terms["log_weight"]}
        for name, term in (terms | squares).items():
            if name == "noise":
                continue
            logarithmic = name.endswith("log_weight")
            if name not in self.values:
                self.values[name] = term.new_full((self.n, *term.shape[2:]), _neutral(name))
            total = self.values[name]
            term = term.logsumexp(0) if logarithmic else term.sum(0)
            operation = torch.logaddexp if logarithmic else torch.add
            total[images] = operation(total[images], term)

    def plus(self, terms: dict[str, Tensor]) -> "_RunningSums":
        """These sums plus further samples (S, n, ...) of all images, if any."""
        if not terms:
            return self
        result = copy.deepcopy(self)
        result.add(slice(None), terms)
        return result


def _neutral(name: str) -> float:
    """Value that leaves a sum of these terms unchanged."""
    return -math.inf if name.endswith("log_weight") else 0.0


def _averages(sums: _RunningSums) -> dict[str, Tensor]:
    values, n = sums.values, sums.values["draws"]
    ess = (2 * values["log_weight"] - values["square_log_weight"]).exp()
    scores = {
        "log_prob": values["log_weight"] - n.log(),
        # variance of the mean of w / mean(w): (n / ess - 1) / (n - 1)
        "std_error": ((n / ess - 1).clamp(min=0) / (n - 1)).sqrt(),
        "effective_sample_size": ess,
        "draws": n,
    }
    for name in ("reconstruction", "prior_separating", "prior_rest"):
        scores[name] = values[name] / n
    return scores | _by_component(values["component_log_weight"] - n.log()[:, None])


@torch.no_grad()
def flow_log_prob(model: Flow, x: Tensor, n_draws: int = 1) -> dict[str, Tensor]:
    """Likelihood of a flow with uniform dequantisation, averaged over n_draws draws.

    The mean of log p over draws is the usual lower bound of the discrete
    log-likelihood. n_draws changes only its noise.

    Returns:
        ``log_prob`` and ``log_prob_component_k``; the parts ``prior_separating``,
        ``prior_rest`` and ``log_det``; and ``std_error`` of the mean (NaN for one draw).

    Raises:
        UserError: fewer than 1 draw.
    """
    if n_draws < 1:
        raise UserError(f"n_draws must be at least 1, got {n_draws}")
    draws = [_one_draw(model, x) for _ in range(n_draws)]
    stacked = {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}
    scores = {name: values.mean(0) for name, values in stacked.items()}
    spread = stacked["log_prob"].std(0) if n_draws > 1 else scores["log_prob"] * math.nan
    return scores | {"std_error": spread / math.sqrt(n_draws)}


def _one_draw(model: Flow, x: Tensor) -> dict[str, Tensor]:
    z, log_det = model.transform(x)
    separating, rest = (part.double() for part in model.prior.log_prob_parts(z))
    log_det = log_det.double()
    components = model.prior.log_prob_components(z).double() + log_det[:, None]
    return {
        "log_prob": separating + rest + log_det,
        "prior_separating": separating,
        "prior_rest": rest,
        "log_det": log_det,
    } | _by_component(components)


def _by_component(values: Tensor) -> dict[str, Tensor]:
    return {f"log_prob_component_{k}": column for k, column in enumerate(values.unbind(-1))}
