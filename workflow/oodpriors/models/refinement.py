"""Refines the posterior for each image, for images unlike the encoder's training data.

Importance sampling with the encoder as proposal gives a lower bound in expectation. For an
image unlike the training images it can be hundreds of nats too low with any number of
samples, because no sample comes near the posterior. Here the proposal is first optimised for
each image (Cremer et al. 2018, Mattei and Frellsen 2018); the model is unchanged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oodpriors.io.errors import UserError
from oodpriors.models.likelihood import LatentVariableModel
from oodpriors.priors import log_mean_exp, normal_entropy

Proposal = tuple[Tensor, Tensor]  # mean and standard deviation, two (B, D)


@dataclass(frozen=True)
class Refinement:
    """Settings of the refinement and of sampling from the refined posterior.

    Attributes:
        steps: largest number of Adam steps for each image.
        screening: number of steps after which only the best start continues.
        tolerance: nats; if the bound has gained less since the last check, the learning
            rate is halved; at the fourth halving the image is finished.
        learning_rate: Adam's learning rate, in the units of the latent.
        looks: number of steps between two checks of the bound.
        samples: importance samples from the refined and the encoder's posterior together.
        defensive: share of them from the encoder's posterior.

    Raises:
        UserError: a value is out of range.
    """

    steps: int = 150
    screening: int = 20
    tolerance: float = 0.5
    learning_rate: float = 0.1
    looks: int = 10
    samples: int = 64
    defensive: float = 0.25

    def __post_init__(self) -> None:
        positive = ("steps", "screening", "tolerance", "learning_rate", "looks")
        wrong = [
            f"{name}: {getattr(self, name)}" for name in positive if not getattr(self, name) > 0
        ]
        if wrong:
            raise UserError(f"refinement: {', '.join(wrong)}: must be positive")
        from_encoder = round(self.samples * self.defensive)
        if not 1 <= from_encoder < self.samples:
            raise UserError(
                f"refinement: of samples: {self.samples}, defensive: {self.defensive} takes "
                f"{from_encoder} from the encoder; at least one must come from each posterior"
            )


def evidence_bound(
    model: LatentVariableModel, x: Tensor, proposal: Proposal, noise: Tensor
) -> Tensor:
    """E_q[log p(x, z)] + H(q) under the whole mixture, from noise (S, B, D): (B,), nats."""
    mean, std = proposal
    z = (mean + std * noise).flatten(0, 1)
    images = x.repeat(len(noise), *[1] * (x.ndim - 1))
    joint = model.log_likelihood(images, z) + model.prior.log_prob(z)
    return joint.view(len(noise), -1).mean(0) + normal_entropy(std)


def starts(model: LatentVariableModel, encoded: Proposal) -> list[Proposal]:
    """The encoder's posterior, and copies moved to each component's separating coordinates."""
    mean, std = encoded
    separating = model.prior.separating
    if not separating.any():
        return [encoded]
    moved = [torch.where(separating, component, mean) for component in model.prior.means]
    return [encoded, *((other, std) for other in moved)]


@torch.no_grad()
def refine(
    model: LatentVariableModel, x: Tensor, settings: Refinement
) -> tuple[Proposal, dict[str, Tensor]]:
    """Find a diagonal Gaussian for each image that maximises the evidence lower bound.

    The result is the best proposal of all checks. So its bound is never below that of its
    start, within the accuracy of the few samples of a check.

    Args:
        x: images (B, ...).

    Returns:
        The proposal, and for each image: ``refinement_gain``, the gain of the bound over the
        encoder's (nats; the likelihood regret of Xiao et al. 2020 optimises the same over
        the encoder's output), ``refinement_steps``, ``refinement_start``, the number of the
        start, and ``refinement_failed``, whether a step gave a bound that is not finite.
    """
    encoded = model.encode(x)
    proposals = starts(model, encoded)
    number = len(proposals)
    mean, std = (torch.stack(parts).flatten(0, 1) for parts in zip(*proposals, strict=True))
    climb = _Climb(model, x.repeat(number, *[1] * (x.ndim - 1)), (mean, std), settings)
    first = climb.bound[: len(x)].clone()
    climb.run(settings.screening)
    best = climb.bound.view(number, -1).argmax(0)
    climb.keep(best * len(x) + torch.arange(len(x), device=x.device))
    climb.run(settings.steps - settings.screening)
    return climb.best, {
        "refinement_gain": (climb.bound - first).double(),
        "refinement_steps": climb.taken,
        "refinement_start": best,
        "refinement_failed": climb.failed,
    }


class _Climb:
    """Adam on the bounds of N images with separate learning rates, and the best proposals."""

    BETAS, HALVINGS, LOOKED = (0.5, 0.9), 4, 16

    def __init__(
        self, model: LatentVariableModel, x: Tensor, start: Proposal, settings: Refinement
    ) -> None:
        self.model, self.x, self.settings = model, x, settings
        mean, std = start
        self.place = torch.cat([mean, std.log()], 1)  # (N, 2 D)
        self.moments = [torch.zeros_like(self.place) for _ in range(2)]
        self.noise = torch.randn(
            self.LOOKED, 1, mean.shape[1], dtype=mean.dtype, device=mean.device
        )
        self.best = start
        self.bound = self._look(start, slice(None))
        self.before = self.bound.clone()
        self.taken = torch.zeros(len(x), dtype=torch.long, device=x.device)
        self.halvings = torch.zeros_like(self.taken)
        self.failed = torch.zeros_like(self.taken, dtype=torch.bool)

    def _look(self, proposal: Proposal, some) -> Tensor:
        # the same noise at each check, because differences of the noise would dominate
        return evidence_bound(self.model, self.x[some], proposal, self.noise)

    def _proposal(self, some) -> Proposal:
        mean, log_std = self.place[some].chunk(2, 1)
        return mean, log_std.exp()

    def keep(self, some: Tensor) -> None:
        """Continue with only these images."""
        for name in ("x", "place", "bound", "before", "taken", "halvings", "failed"):
            setattr(self, name, getattr(self, name)[some])
        self.moments = [moment[some] for moment in self.moments]
        self.best = self.best[0][some], self.best[1][some]

    def run(self, steps: int) -> None:
        """Do at most this number of steps for each unfinished image."""
        done = 0
        while done < steps:
            going = (~self.failed & (self.halvings < self.HALVINGS)).nonzero()[:, 0]
            if len(going) == 0:
                return
            until = min(self.settings.looks, steps - done)
            for _ in range(until):
                self._step(going)
            done += until
            self._compare(going)

    def _step(self, going: Tensor) -> None:
        with torch.enable_grad():
            place = self.place[going].requires_grad_()
            mean, log_std = place.chunk(2, 1)
            noise = torch.randn_like(mean)[None]
            total = evidence_bound(self.model, self.x[going], (mean, log_std.exp()), noise).sum()
        (gradient,) = torch.autograd.grad(total, place)
        self.taken[going] += 1
        count = self.taken[going, None]
        corrected = []
        for moment, beta, value in zip(
            self.moments, self.BETAS, (gradient, gradient.square()), strict=True
        ):
            moment[going] = beta * moment[going] + (1 - beta) * value
            corrected.append(moment[going] / (1 - beta**count))
        rate = self.settings.learning_rate * 0.5 ** self.halvings[going, None]
        self.place[going] += rate * corrected[0] / (corrected[1].sqrt() + 1e-8)

    def _compare(self, going: Tensor) -> None:
        """Store better proposals; halve the learning rate of images with little gain."""
        proposal = self._proposal(going)
        bound = self._look(proposal, going)
        self.failed[going] = ~bound.isfinite()
        better = going[bound > self.bound[going]]
        for part, new in zip(self.best, self._proposal(better), strict=True):
            part[better] = new
        self.bound[going] = torch.where(bound > self.bound[going], bound, self.bound[going])
        little = self.bound[going] - self.before[going] < self.settings.tolerance
        self.halvings[going] += little.long()
        self.before[going] = self.bound[going]


@torch.no_grad()
def refined_log_prob(
    model: LatentVariableModel, x: Tensor, settings: Refinement
) -> dict[str, Tensor]:
    r"""Estimate log p(x) with samples from the refined and the encoder's posterior together.

    .. math:: q(z) = (1 - a) q_{refined}(z \mid x) + a\, q_{encoder}(z \mid x)

    with a fixed number of samples from each (the balance heuristic of Veach and Guibas 1995).
    A weight is at most 1/a times the weight with the encoder alone, so weights are bounded
    whenever the paper's are. The estimate is a lower bound in expectation.

    Returns:
        For each image, float64: ``log_prob_refined``; ``effective_sample_size_refined``;
        ``latent_first_refined``, the first coordinate of the refined mean; and what
        :func:`refine` reports.
    """
    encoded = model.encode(x)
    refined, report = refine(model, x, settings)
    from_encoder = round(settings.samples * settings.defensive)
    counts = (settings.samples - from_encoder, from_encoder)
    log_weights = torch.cat(
        [
            _log_weights(model, x, number, count, (refined, encoded), counts)
            for number, count in enumerate(counts)
        ]
    )
    total = log_weights.logsumexp(0)
    return {
        "log_prob_refined": log_mean_exp(log_weights, 0),
        "effective_sample_size_refined": (2 * total - (2 * log_weights).logsumexp(0)).exp(),
        "latent_first_refined": refined[0][:, 0].double(),
    } | report


def _log_weights(
    model: LatentVariableModel,
    x: Tensor,
    number: int,
    count: int,
    proposals: Sequence[Proposal],
    counts: Sequence[int],
) -> Tensor:
    """log p(x, z) - log q(z) for samples from one of the proposals, (count, B)."""
    mean, std = proposals[number]
    shares = [math.log(n / sum(counts)) for n in counts]
    rows = []
    for _ in range(count):
        z = mean + std * torch.randn_like(mean)
        joint = model.log_likelihood(x, z, full_precision=True) + model.prior.log_prob(z)
        shares = [math.log(n / sum(counts)) for n in counts]
        log_q = [
            share + _normal_log_prob(z, *q) for share, q in zip(shares, proposals, strict=True)
        ]
        rows.append(joint.double() - torch.stack(log_q).logsumexp(0))
    return torch.stack(rows)


def _normal_log_prob(z: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return torch.distributions.Normal(mean, std).log_prob(z).double().sum(-1)
