"""Flows on points of a bimodal mixture whose true density is known (Section 3.1)."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from oodpriors.io.errors import UserError
from oodpriors.models.base import Model
from oodpriors.models.likelihood import flow_log_prob, to_numpy
from oodpriors.priors import Prior, build_prior
from oodpriors.toy.mixture import ToyData, build_data
from oodpriors.training.fit import Fit, finish
from oodpriors.training.trainer import Trainer, TrainingSettings

DRAWS = ("train", "test", "ood")


class Coupling(nn.Module):
    """Second half y2 = x2 exp(s(x1)) + t(x1), first half kept; starts as the identity.

    A tanh bounds the log-scale, as in RealNVP: s = b tanh(h / b). Neither training nor the
    inverse far from the data can overflow, and a small s equals h. The bound also limits
    how fast the density falls between two modes. Under a unimodal prior it therefore
    influences the likelihood of points there (A24 of the assumptions).

    Args:
        dim: D; the first half has D // 2 coordinates.
        width: units of the two hidden layers.
        log_scale_bound: b, which |s| cannot exceed; None sets no bound, s = h.
    """

    def __init__(self, dim: int, width: int, log_scale_bound: float | None = 1.0) -> None:
        super().__init__()
        self.kept, self.log_scale_bound = dim // 2, log_scale_bound
        last = nn.Linear(width, 2 * (dim - self.kept))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(
            nn.Linear(self.kept, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), last
        )

    def _shift_and_log_scale(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        shift, h = self.network(kept).chunk(2, -1)
        bound = self.log_scale_bound
        return shift, h if bound is None else bound * torch.tanh(h / bound)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, D) -> (B, D), ladj (B,)."""
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        shift, log_scale = self._shift_and_log_scale(kept)
        return torch.cat([kept, changed * log_scale.exp() + shift], 1), log_scale.sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """(B, D) -> (B, D)."""
        kept, changed = y[:, : self.kept], y[:, self.kept :]
        shift, log_scale = self._shift_and_log_scale(kept)
        return torch.cat([kept, (changed - shift) * (-log_scale).exp()], 1)


class ToyFlow(Model):
    """Affine couplings, each followed by a reversal of the coordinates (Section 3.1).

    Args:
        dim: D, at least 2.
        prior: prior over the D latent coordinates.
        couplings: number of coupling layers (paper: 4).
        width: hidden units of their networks (not given in the paper).
        log_scale_bound: see :class:`Coupling` (not given in the paper).

    Raises:
        UserError: fewer than 2 dimensions, a prior with another dimension, or a bound
            that is not positive and finite.
    """

    parts = ("prior_separating", "prior_rest", "log_det")

    def __init__(
        self,
        dim: int,
        prior: Prior,
        couplings: int = 4,
        width: int = 64,
        log_scale_bound: float | None = 1.0,
    ) -> None:
        super().__init__()
        if dim < 2:
            raise UserError(f"a coupling needs at least 2 dimensions, got {dim}")
        if prior.means.shape[1] != dim:
            raise UserError(f"the prior has {prior.means.shape[1]} coordinates, a point {dim}")
        if log_scale_bound is not None and not 0 < log_scale_bound < math.inf:
            raise UserError(
                f"log_scale_bound must be positive and finite, or None for no bound, "
                f"got {log_scale_bound}"
            )
        self.prior = prior
        self.layers = nn.ModuleList(Coupling(dim, width, log_scale_bound) for _ in range(couplings))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Points (B, D) -> latents (B, D), ladj (B,) in nats.

        Raises:
            UserError: x has another type than the weights, or is not (B, D).
        """
        means = self.prior.means
        if x.dtype != means.dtype or x.shape[1:] != means.shape[1:]:
            wanted = f"{means.dtype} (number, {means.shape[1]})"
            raise UserError(f"points must be {wanted}, and are {x.dtype} {tuple(x.shape)}")
        ladj = x.new_zeros(len(x))
        for layer in self.layers:
            x, term = layer(x)
            x, ladj = x.flip(1), ladj + term
        return x, ladj

    def inverse(self, z: Tensor) -> Tensor:
        """Latents (B, D) -> points (B, D)."""
        layer: Any  # a Coupling
        for layer in reversed(self.layers):
            z = layer.inverse(z.flip(1))
        return z

    def initialize(self, x: Tensor) -> None:
        """Do nothing: there is no actnorm to initialise; all layers start as the identity."""

    def transform(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same as :meth:`forward`: points are continuous and need no dequantisation."""
        return self.forward(x)

    def loss(self, x: Tensor, k: Tensor) -> dict[str, Tensor]:
        """Negative log-likelihood under the assigned components k (B,), and its parts.

        Returns:
            Means over the batch of ``loss`` = -(``prior`` + ``log_det``), in nats per
            point.
        """
        z, log_det = self.forward(x)
        prior = self.prior.training_log_prob(z, k).mean()
        log_det = log_det.mean()
        return {"loss": -(prior + log_det), "prior": prior, "log_det": log_det}

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) under the whole mixture: (B, D) -> (B,), nats."""
        z, log_det = self.forward(x)
        return self.prior.log_prob(z) + log_det

    @torch.no_grad()
    def diagnostics(self, x: Tensor) -> dict[str, float]:
        """``round_trip_error``: largest |inverse(forward(x)) - x| over points x (B, D)."""
        return {"round_trip_error": float((self.inverse(self.forward(x)[0]) - x).abs().max())}


def build_toy(spec: dict) -> ToyFlow:
    """Build the flow of a specification (see :func:`fit_toy`) with new weights, in float64."""
    prior = build_prior(dim=spec["dim"], **spec["prior"])
    return ToyFlow(spec["dim"], prior, **spec["network"]).double()


def fit_toy(spec: dict, checkpoint: Path) -> Fit:
    """Draw points and train a flow on them on the CPU; the same seed gives the same bits.

    Args:
        spec: ``architecture`` (toy), ``dim``, ``prior`` (arguments of
            :func:`oodpriors.priors.build_prior` without the dimension; two components
            correspond to those of the data), ``data`` (arguments of :class:`ToyData`
            without the dimension), ``network`` (of :class:`ToyFlow`, without dimension
            and prior), ``points`` (number of training points), ``training`` (see
            TrainingSettings) and ``seed`` of points, weights and batches.
        checkpoint: file that keeps the state until the training ends.

    Raises:
        UserError: the prior has more than two components.
        DivergenceError, InterruptedTraining: see :class:`oodpriors.training.trainer.Trainer`.
    """
    torch.manual_seed(spec["seed"])
    model = build_toy(spec)
    if model.prior.n_components > 2:
        raise UserError(f"toy data have 2 components, the prior {model.prior.n_components}")
    x, k = build_data(spec).sample(spec["points"], _generator(spec["seed"], "train"))
    k = k.clamp(max=model.prior.n_components - 1)
    settings = TrainingSettings(**spec["training"], seed=spec["seed"])
    return finish(Trainer(model, x, k, settings, checkpoint))


def _generator(seed: int, draw: str) -> torch.Generator:
    # different for each draw, so that test points are not training points
    return torch.Generator().manual_seed(len(DRAWS) * seed + DRAWS.index(draw))


def score_toy(model: ToyFlow, data: ToyData, n: int, seed: int) -> pd.DataFrame:
    """Compute log p of n new points of each set with its parts, and the true log density.

    Args:
        model: in float64.
        data: the distribution of the points.
        n: number of points in each set.
        seed: seed of the points; the same seed gives all models of a dimension the same points.

    Returns:
        A row per point: ``set``, ``images``, ``index`` and ``label`` (the component,
        -1 out of distribution), then log_prob and its parts as in score files, in nats,
        ``log_prob_true`` and the coordinates ``x_1`` and ``x_2``.
    """
    x, k = data.sample(n, _generator(seed, "test"))
    ood = data.sample_ood(n, _generator(seed, "ood"))
    mixture = {"set": "test", "images": f"mixture_{data.dim}.test", "label": k.numpy()}
    gaussian = {"set": "ood", "images": f"gaussian_{data.dim}.test", "label": -1}
    tables = [_score_set(model, data, x, mixture), _score_set(model, data, ood, gaussian)]
    return pd.concat(tables, ignore_index=True)


def _score_set(model: ToyFlow, data: ToyData, x: Tensor, about: dict) -> pd.DataFrame:
    scores = flow_log_prob(model, x)
    del scores["std_error"]  # there is no dequantisation to average
    truth = {"log_prob_true": data.log_prob(x)} | coordinates(x, "x")
    table = pd.DataFrame(about | to_numpy(scores | truth))
    table.insert(2, "index", np.arange(len(x)))
    return table


def coordinates(x: Tensor, name: str) -> dict[str, Tensor]:
    """Columns ``<name>_1`` and ``<name>_2`` of points x (n, D)."""
    return {f"{name}_1": x[:, 0], f"{name}_2": x[:, 1]}
