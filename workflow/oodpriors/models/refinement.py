"""Refines the posterior for each image, for images unlike the encoder's training data.

Importance sampling with the encoder as proposal gives a lower bound in expectation. For an
image unlike the training images it can be hundreds of nats too low with any number of
samples, because no sample comes near the posterior. Here the proposal is first optimised for
each image (Cremer et al. 2018, Mattei and Frellsen 2018); the model is unchanged.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from oodpriors.io.errors import UserError
from oodpriors.models.likelihood import LatentVariableModel
from oodpriors.priors import Prior, log_mean_exp

T = TypeVar("T", bound=tuple)

LONGEST_STEP = 10.0  # norm of a step, in standard deviations of the start
CONVERGED = 0.3  # nats that a step promises; an image with less is finished
LEAST_CURVATURE = 0.01  # of the start's; less along a step does not change the covariance
JITTER = 1e-5  # share of the start's variance that is added to the covariance
CHECKS = 8  # latents for each bound by which a refined posterior is accepted
LEAST_EFFECTIVE = 2.0  # effective sample size below which there is no standard error


class Proposal(NamedTuple):
    """Gaussians N(mean, root root^T) of B images: (B, D), and lower triangular (B, D, D)."""

    mean: Tensor
    root: Tensor

    def latents(self, noise: Tensor) -> Tensor:
        """Latents with standard normal noise (B, D), (B, D)."""
        return self.mean + (self.root @ noise[..., None])[..., 0]

    def log_scale(self) -> Tensor:
        """Half the log-determinant of the covariance, (B,) float64."""
        return self.root.diagonal(dim1=1, dim2=2).log().double().sum(1)

    def entropy(self) -> Tensor:
        """Entropy, (B,) float64, nats."""
        return self.log_scale() + 0.5 * self.mean.shape[1] * math.log(2 * math.pi * math.e)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density at the latents (B, D), (B,) float64, nats."""
        noise = torch.linalg.solve_triangular(self.root, (z - self.mean)[..., None], upper=False)
        squares = noise.double().square().sum((1, 2)) + z.shape[1] * math.log(2 * math.pi)
        return -0.5 * squares - self.log_scale()


@dataclass(frozen=True)
class Refinement:
    """Settings of the refinement and of sampling from the refined posterior.

    Attributes:
        screening: steps from each start before the best one continues.
        steps: largest number of steps that follow.
        samples: importance samples from the refined and the encoder's posterior together.
        defensive: share of them from the encoder's posterior.

    Raises:
        UserError: a value is of another type or out of range.
    """

    screening: int = 8
    steps: int = 20
    samples: int = 48
    defensive: float = 0.125

    def __post_init__(self) -> None:
        wrong = [
            f"{field.name}: {value!r}"
            for field in fields(self)
            if not _positive(value := getattr(self, field.name), whole=field.type is int)
        ]
        if wrong:
            raise UserError(
                f"refinement: {', '.join(wrong)}: must be positive and finite, and numbers of "
                "steps and samples whole"
            )
        if min(self.counts) < 2:
            raise UserError(
                f"refinement: samples: {self.samples}, defensive: {self.defensive} takes "
                f"{self.counts[1]} samples from the encoder and {self.counts[0]} from the refined "
                "posterior; a standard error needs at least two from each"
            )

    @property
    def counts(self) -> tuple[int, int]:
        """Numbers of samples from the refined and from the encoder's posterior."""
        from_encoder = round(self.samples * self.defensive)
        return self.samples - from_encoder, from_encoder


def _positive(value: object, whole: bool) -> bool:
    allowed = int if whole else int | float
    return isinstance(value, allowed) and not isinstance(value, bool) and 0 < value < math.inf


def evidence_bound(
    model: LatentVariableModel, x: Tensor, proposal: Proposal, noise: Tensor
) -> Tensor:
    """E_q[log p(x, z)] + H(q) under the whole mixture, from noise (S, B, D): (B,), nats."""
    joints = [_joint(model, x, proposal.latents(some)).double() for some in noise]
    return torch.stack(joints).mean(0) + proposal.entropy()


def _joint(model: LatentVariableModel, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z), (B,), in full precision: BFGS would take rounding for curvature."""
    return model.log_likelihood(x, z, full_precision=True) + model.prior.log_prob(z)


def starts(model: LatentVariableModel, mean: Tensor) -> list[Tensor]:
    """The encoder's means, and copies moved to each component's separating coordinates."""
    moved = _moved(model.prior)
    if not moved.any():
        return [mean]
    return [mean, *(torch.where(moved, one, mean) for one in model.prior.means)]


def _moved(prior: Prior) -> Tensor:
    """Separating coordinates, (D,) bool; trained means differ in all: those that differ most."""
    if not isinstance(prior.means, nn.Parameter):
        return prior.separating
    spread = prior.means.amax(0) - prior.means.amin(0)
    return spread > spread.amax() / 2


@torch.no_grad()
def refine(
    model: LatentVariableModel, x: Tensor, settings: Refinement
) -> tuple[Proposal, Proposal, dict[str, Tensor]]:
    """Find a Gaussian for each image with a high evidence lower bound.

    From each start a quasi-Newton method (BFGS) climbs log p(x, z), with the encoder's
    variances as its first inverse curvature. The start that comes highest continues. The end
    of the climb is the mean of the Gaussian, and the inverse curvature learnt on the way its
    covariance (as in Pathfinder, Zhang et al. 2022). Of the encoder's
    posterior, the start with the encoder's covariance and the result, the one with the
    highest bound is kept. The three bounds have the same noise, because differences of the
    noise would dominate.

    Args:
        x: images (B, ...).

    Returns:
        The refined and the encoder's posterior, and for each image: ``refinement_gain``, the
        gain of the bound over the encoder's (float64, nats, never negative);
        ``refinement_steps``, the gradients that were taken; ``refinement_start``, the number
        of the start; and ``refinement_failed``, whether the result was not finite, or no
        better than its start or the encoder's posterior.
    """
    mean, std = model.encode(x)
    begun = starts(model, mean)
    climbs = [_Climb.begin(model, x, one, std).run(model, x, settings.screening) for one in begun]
    best = torch.stack([c.height for c in climbs]).nan_to_num(-math.inf).argmax(0)
    climb = _chosen(climbs, best).run(model, x, settings.steps)
    encoded = Proposal(mean, torch.diag_embed(std))
    start = Proposal(torch.stack(begun)[best, torch.arange(len(x), device=x.device)], encoded.root)
    candidates = [encoded, *([start] if len(begun) > 1 else []), climb.proposal()]
    kept, gain = _compared(model, x, candidates)
    report = {
        "refinement_gain": gain,
        "refinement_steps": climb.steps + (len(begun) - 1) * settings.screening,
        "refinement_start": best,
        "refinement_failed": kept < len(candidates) - 1,
    }
    return _chosen(candidates, kept), encoded, report


def _compared(
    model: LatentVariableModel, x: Tensor, candidates: Sequence[Proposal]
) -> tuple[Tensor, Tensor]:
    """Number of the candidate with the highest bound, and how far it is above the first: (B,)."""
    noise = torch.randn(CHECKS, *candidates[0].mean.shape).to(candidates[0].mean)
    bounds = torch.stack([evidence_bound(model, x, one, noise) for one in candidates])
    kept = bounds.nan_to_num(-math.inf).argmax(0)
    gain = bounds.gather(0, kept[None])[0] - bounds[0]
    return kept, gain.masked_fill(kept == 0, 0)


def _chosen(alternatives: Sequence[T], number: Tensor) -> T:
    """For each image, the alternative with its number (B,)."""
    images = torch.arange(len(number), device=number.device)
    fields = zip(*alternatives, strict=True)
    return type(alternatives[0])(*(torch.stack(field)[number, images] for field in fields))


class _Climb(NamedTuple):
    """Places of B images on their way up log p(x, z)."""

    place: Tensor  # (B, D)
    height: Tensor  # log p(x, z), (B,)
    gradient: Tensor  # (B, D)
    covariance: Tensor  # inverse of the negative Hessian, (B, D, D) float64
    std: Tensor  # of the start, (B, D)
    length: Tensor  # of the next step, as a share of Newton's, (B,)
    steps: Tensor  # taken, (B,)

    @classmethod
    def begin(cls, model: LatentVariableModel, x: Tensor, place: Tensor, std: Tensor) -> "_Climb":
        covariance = torch.diag_embed(std.double().square())
        ones = torch.ones_like(place[:, 0])
        return cls(place, *_slope(model, x, place), covariance, std, ones, ones.long())

    def direction(self) -> Tensor:
        """Newton's step, (B, D)."""
        return (self.covariance @ self.gradient.double()[..., None])[..., 0].to(self.place)

    def going(self) -> Tensor:
        """Images that Newton's step promises to lift noticeably, (B,) bool."""
        return (self.direction() * self.gradient).sum(1) > 2 * CONVERGED

    def run(self, model: LatentVariableModel, x: Tensor, steps: int) -> "_Climb":
        """Do at most this number of steps for each image."""
        climb = self
        for _ in range(steps):
            if not climb.going().any():
                break
            climb = climb.step(model, x)
        return climb

    def step(self, model: LatentVariableModel, x: Tensor) -> "_Climb":
        """A step along Newton's direction where it goes up, and otherwise a shorter one next."""
        direction, going = self.direction(), self.going()
        limit = (LONGEST_STEP / (direction / self.std).norm(dim=1)).clamp(max=1)
        step = (self.length * limit)[:, None] * direction
        # on a GPU all images, because its compiled functions are for one number of images
        some = torch.ones_like(going) if x.is_cuda else going
        height, gradient = self.height.clone(), self.gradient.clone()
        height[some], gradient[some] = _slope(model, x[some], (self.place + step)[some])
        up = going & (height > self.height)
        covariance = _updated(self.covariance, step, self.gradient - gradient, self.std)
        return _Climb(
            torch.where(up[:, None], self.place + step, self.place),
            torch.where(up, height, self.height),
            torch.where(up[:, None], gradient, self.gradient),
            torch.where(up[:, None, None], covariance, self.covariance),
            self.std,
            torch.where(up, (2 * self.length).clamp(max=1), 0.3 * self.length),
            self.steps + going,
        )

    def proposal(self) -> Proposal:
        """The Gaussian with this mean and covariance; NaN where it has none."""
        jitter = torch.diag_embed(JITTER * self.std.double().square())
        symmetric = (self.covariance + self.covariance.mT) / 2 + jitter
        root, problem = torch.linalg.cholesky_ex(symmetric)
        root = root.masked_fill(problem[:, None, None] > 0, math.nan)
        return Proposal(self.place, root.to(self.place))


def _updated(covariance: Tensor, step: Tensor, fall: Tensor, std: Tensor) -> Tensor:
    """BFGS: the covariance (B, D, D) after the gradient fell by ``fall`` (B, D) along a step."""
    curvature = (step * fall).double().sum(1)
    usable = curvature > LEAST_CURVATURE * (step / std).double().square().sum(1)
    step, fall = step.double()[..., None], fall.double()[..., None]
    share = (1 / curvature)[:, None, None]
    moved = covariance @ fall
    outer = moved @ step.mT
    square = (1 + share * (fall.mT @ moved)) * (step @ step.mT)
    change = share * (square - outer - outer.mT)
    return torch.where(usable[:, None, None], covariance + change, covariance)


def _slope(model: LatentVariableModel, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """log p(x, z), (B,), and its gradient with respect to the latents, (B, D)."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        joint = _joint(model, x, z)
        (gradient,) = torch.autograd.grad(joint.sum(), z)
    return joint.detach(), gradient


@torch.no_grad()
def refined_log_prob(
    model: LatentVariableModel, x: Tensor, settings: Refinement
) -> dict[str, Tensor]:
    r"""Estimate log p(x) with samples from the refined and the encoder's posterior together.

    .. math:: q(z) = (1 - a) q_{refined}(z \mid x) + a\, q_{encoder}(z \mid x)

    with a fixed number of samples from each (the balance heuristic of Veach and Guibas 1995).
    A weight is at most 1/a times the weight with the encoder alone, so weights are bounded
    whenever the paper's are. The estimate of p(x) has no bias, whatever the refinement found;
    so the estimate of log p(x) is a lower bound in expectation.

    Memory is that of one gradient of the batch, for any number of starts, steps and samples.
    It grows with the batch: give few images at once (32 on a CPU).

    Args:
        x: images (B, ...), uint8 for an image model.

    Returns:
        For each image (B,), float64 and in nats unless said:

        - ``log_prob_refined``; its parts under the refined posterior,
          ``reconstruction_refined``, ``prior_separating_refined``, ``prior_rest_refined`` and
          ``posterior_entropy_refined``; and ``importance_gain_refined``, log p minus their sum
          (the evidence lower bound).
        - ``std_error_refined`` by the delta method, from the variances within the samples from
          each posterior. NaN where the effective sample size is below 2: there one sample
          dominates, and the variance of the others says nothing about the error.
        - ``effective_sample_size_refined``, (sum w)^2 / sum w^2.
        - ``latent_first_refined``, the first coordinate of the refined mean.
        - ``refinement_gain``, ``refinement_steps`` (int64), ``refinement_start`` (int64) and
          ``refinement_failed`` (bool): see :func:`refine`. The gain resembles the likelihood
          regret of Xiao et al. (2020), which is the gain of the bound when the encoder is
          trained on the image alone. Here mean and standard deviation themselves are
          optimised, from several starts, and the bound is that of the whole mixture.

    Raises:
        UserError: the model has no encoder, or takes other images.
    """
    if not hasattr(model, "encode"):
        raise UserError(
            f"a posterior is refined from an encoder's, and {type(model).__name__} has no encoder"
        )
    refined, encoded, report = refine(model, x, settings)
    terms = _terms(model, x, (refined, encoded), settings.counts)
    estimates = _estimates(terms["log_weight"], settings.counts)
    parts = _parts(terms, refined, settings.counts)
    gain = estimates["log_prob_refined"] - sum(parts.values())
    first = refined.mean[:, 0].double()
    more = {"importance_gain_refined": gain, "latent_first_refined": first}
    return estimates | parts | more | report


def _terms(
    model: LatentVariableModel, x: Tensor, proposals: Sequence[Proposal], counts: Sequence[int]
) -> dict[str, Tensor]:
    """Terms of the samples of each image, those of the first proposal first: (S, B), float64."""
    rows = []
    for z in _latents(proposals, counts):
        likelihood = model.log_likelihood(x, z, full_precision=True).double()
        separating, rest = (part.double() for part in model.prior.log_prob_parts(z))
        log_weight = likelihood + separating + rest - _mixture_log_prob(z, proposals, counts)
        rows.append((likelihood, separating, rest, log_weight))
    names = ("reconstruction", "prior_separating", "prior_rest", "log_weight")
    return {name: torch.stack(c) for name, c in zip(names, zip(*rows, strict=True), strict=True)}


def _latents(proposals: Sequence[Proposal], counts: Sequence[int]) -> Iterator[Tensor]:
    for proposal, count in zip(proposals, counts, strict=True):
        for _ in range(count):
            yield proposal.latents(torch.randn_like(proposal.mean))


def _mixture_log_prob(z: Tensor, proposals: Sequence[Proposal], counts: Sequence[int]) -> Tensor:
    by_proposal = [
        math.log(count / sum(counts)) + proposal.log_prob(z)
        for proposal, count in zip(proposals, counts, strict=True)
    ]
    return torch.stack(by_proposal).logsumexp(0)


def _estimates(log_weights: Tensor, counts: Sequence[int]) -> dict[str, Tensor]:
    log_prob = log_mean_exp(log_weights, 0)
    weights = (log_weights - log_prob).exp()  # their mean is 1
    size = weights.sum(0).square() / weights.square().sum(0)
    strata = weights.split(list(counts))
    variance = torch.stack([len(some) * some.var(0) for some in strata]).sum(0)
    std_error = variance.sqrt() / len(weights)
    return {
        "log_prob_refined": log_prob,
        "std_error_refined": std_error.where(size >= LEAST_EFFECTIVE, math.nan),
        "effective_sample_size_refined": size,
    }


def _parts(terms: dict[str, Tensor], refined: Proposal, counts: Sequence[int]) -> dict[str, Tensor]:
    """Parts of the evidence lower bound of the refined posterior, (B,) each."""
    names = ("reconstruction", "prior_separating", "prior_rest")
    parts = {f"{name}_refined": terms[name][: counts[0]].mean(0) for name in names}
    return parts | {"posterior_entropy_refined": refined.entropy()}
