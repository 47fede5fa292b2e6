r"""The second-order analysis of a constant-volume Glow (Section 3.2, Appendix A).

With additive couplings the volume is constant. So log p_i(x) differs from the prior's
log-density at f(x) by a constant. To second order around the component's mean image

.. math:: E_q[\log p] - E_{p^*}[\log p] \simeq -\frac{1}{2 \sigma_\psi^2} \sum_{h,w,c} H_{hwc}
          \sum_i (w_i \sigma^2_{D_i, hwc} - w_i^* \sigma^2_{D_i^*, hwc})

Equation 7 takes :math:`H_{hwc} = (\prod_l \sum_j u_{l,c,j})^2` from the 1x1 convolutions
alone; the exact diagonal is the squared length of the Jacobian's column.
"""

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from oodpriors.data.datasets import load_arrays
from oodpriors.data.subsets import to_nchw
from oodpriors.io.files import load_yaml
from oodpriors.io.tables import read_parquet
from oodpriors.models.base import PIXEL_VALUES, check_images
from oodpriors.models.build import load_model
from oodpriors.models.glow import Glow
from oodpriors.models.layers import LOG_SCALE_FACTOR, ActNorm, AxisConvolution, Squeeze
from oodpriors.statistics.estimates import Estimate, ScoreTable, combine, estimate

PREDICTIONS = ("equation_7", "jacobian_diagonal", "jacobian")


def analyse(
    files: Mapping, runs: Sequence[tuple[str, int]], entry: Mapping, n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """See :class:`oodpriors.kinds.analyses.AnalysisKind`."""
    tables: dict[str, dict] = {}
    images = {
        name: {which: to_nchw(load_arrays(files[which][i])["images"]) for which in ("test", "ood")}
        for i, name in enumerate(entry["models"])
    }
    for (name, own), spec, weights, scores in zip(
        *(runs, files["specs"], files["weights"], files["scores"]), strict=True
    ):
        model = load_model(load_yaml(spec), weights)
        assert isinstance(model, Glow)
        predicted = predict(model, read_parquet(scores), images[name])
        tables.setdefault(name, {})[own] = predicted
    scored = {name: ScoreTable([*own.values()], [*own], name) for name, own in tables.items()}
    return difference_estimates(scored, n_bootstrap, seed)


def channel_gains(model: Glow) -> Tensor:
    r""":math:`\prod_l \sum_j u_{l,c,j}` of each channel of the squeezed image, (C,).

    c is an input channel and j an output channel, so u_l is the transpose of the layer's
    weight. An actnorm is a diagonal factor of the next convolution. Equation 7 does not cover
    the convolutions over height and width. They enter by the root mean square of their
    columns' lengths, which is 1 for rotations.
    """
    channels = model.latent_shape[0]
    gains = torch.ones(channels, dtype=torch.float64)
    scale = torch.ones(channels, dtype=torch.float64)
    for layer in model.layers:
        if isinstance(layer, ActNorm):
            scale = (LOG_SCALE_FACTOR * layer.log_scale.detach().double()).exp().flatten()
        elif isinstance(layer, AxisConvolution):
            weight = layer.weight.detach().double()
            if layer.axis == 1:
                gains, scale = gains * scale * weight.sum(0), torch.ones_like(scale)
            else:
                gains = gains * weight.square().sum(0).mean().sqrt()
    return gains


@torch.no_grad()
def jacobian(model: Glow, y: Tensor, step: float = 1e-4, batch: int = 56) -> Tensor:
    """Jacobian of the latents with respect to dequantised pixels y (C, H, W): (D, D).

    It uses central differences, so y and the model should be in double precision.
    """
    flat = y.flatten()
    columns = []
    for start in range(0, len(flat), batch):
        unit = torch.eye(len(flat), dtype=y.dtype)[start : start + batch] * step
        ends = [model((flat + sign * unit).view(-1, *y.shape))[0] for sign in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * step))
    return torch.cat(columns).T


@torch.no_grad()
def predict(model: Glow, scores: pd.DataFrame, images: Mapping[str, np.ndarray]) -> pd.DataFrame:
    r"""Add the second-order term of log p to the scores of the given sets.

    One column in nats for each of PREDICTIONS: ``equation_7`` as printed except for its
    factor (see docs/assumptions.md); ``jacobian_diagonal`` with the exact diagonal;
    ``jacobian`` without the assumption that pixels are uncorrelated,
    :math:`-\|J (x - \bar x_i)\|^2 / (2 \sigma_\psi^2)`. The difference of the means over
    two sets is the predicted difference.

    Args:
        model: a Glow with additive couplings.
        scores: has ``set`` and ``nearest_component``; rows in the order of the images.
        images: uint8 (N, C, H, W), by set.

    Raises:
        UserError: images are not uint8 or not of the model's shape.
    """
    for pictures in images.values():
        check_images(torch.from_numpy(pictures), model.image_shape)
    model = copy.deepcopy(model).double()
    centres = model.inverse(model.prior.means)
    matrices = [jacobian(model, centre) for centre in centres]
    squared = channel_gains(model).square()[None, :, None, None]
    gains = Squeeze().inverse(squared.expand(1, *model.latent_shape)).flatten()
    tables = []
    for name, pictures in images.items():
        rows = scores[scores["set"] == name]
        terms = _terms(pictures, rows["nearest_component"].to_numpy(), centres, matrices, gains)
        tables.append(rows.assign(**{n: v / model.prior.scale**2 for n, v in terms.items()}))
    return pd.concat(tables, ignore_index=True)


def _terms(
    images: np.ndarray, nearest: np.ndarray, centres: Tensor, matrices: list[Tensor], gains: Tensor
) -> dict[str, np.ndarray]:
    y = (torch.from_numpy(images).double() + 0.5) / PIXEL_VALUES - 0.5
    terms = {name: np.empty(len(images)) for name in PREDICTIONS}
    for k, matrix in enumerate(matrices):
        chosen = nearest == k
        offset = (y[torch.from_numpy(chosen)] - centres[k]).flatten(1)
        terms["equation_7"][chosen] = -0.5 * offset.square() @ gains
        terms["jacobian_diagonal"][chosen] = -0.5 * offset.square() @ matrix.square().sum(0)
        terms["jacobian"][chosen] = -0.5 * (offset @ matrix.T).square().sum(1)
    return terms


def difference_estimates(
    scores: Mapping[str, ScoreTable], n_bootstrap: int, seed: int
) -> dict[str, Estimate]:
    """Estimate E_q - E_p* of each model: ``<model>/measured``, and for each of PREDICTIONS.

    Args:
        scores: scores by model, with the columns of :func:`predict`.
        n_bootstrap: number of replicates, over images.
        seed: seed of the bootstrap.
    """
    columns = {"measured": "log_prob"} | {name: name for name in PREDICTIONS}
    estimates = {}
    for model, table in scores.items():
        for name, column in columns.items():
            gap = estimate(table, "gap", "ood", column, n_bootstrap, seed)
            estimates[f"{model}/{name}"] = combine(lambda rows: -rows[0], [gap])
    return estimates
