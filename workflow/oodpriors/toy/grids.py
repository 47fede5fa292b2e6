"""Densities of two-dimensional flows on grids of both spaces (Figures 1 and 2)."""

import math

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import label
from torch import Tensor

from oodpriors.models.likelihood import to_numpy
from oodpriors.toy.flow import ToyFlow, coordinates
from oodpriors.toy.mixture import ToyData

LOWEST_CONTOUR = -10.0  # of the paper's Figure 2, nats; whatever our figure draws
HIGH_DENSITY = 0.99
SPECKLE = 0.01  # share of the mass; areas with less do not count as regions


@torch.no_grad()
def density_grid(model: ToyFlow, data: ToyData) -> pd.DataFrame:
    """Densities on [-8, 8]^2 in the data space, for the contours of Figures 1 and 2.

    Args:
        model: two-dimensional flow in float64.
        data: two-dimensional distribution of the points.

    Returns:
        161^2 rows: ``x_1``, ``x_2``, ``log_prob`` of the model, ``log_prob_true``, the
        latents ``z_1``, ``z_2`` and their ``prior_log_prob``, in nats.
    """
    x = _square(8.0, 80)
    z, log_det = model(x)
    prior = model.prior.log_prob(z)
    densities = {"log_prob": prior + log_det, "log_prob_true": data.log_prob(x)}
    latents = coordinates(z, "z") | {"prior_log_prob": prior}
    return pd.DataFrame(to_numpy(coordinates(x, "x") | densities | latents))


@torch.no_grad()
def latent_grid(model: ToyFlow, data: ToyData) -> pd.DataFrame:
    """Densities on a square of the latent space, for the inverse map in Figure 1.

    The square extends four standard deviations beyond the component means.

    Args:
        model, data: see :func:`density_grid`.

    Returns:
        281^2 rows: ``z_1``, ``z_2``, ``prior_log_prob``, the inverse images ``x_1``,
        ``x_2``, and ``log_prob_true`` and ``log_prob`` there, in nats.
    """
    reach = float(model.prior.means.abs().max()) + 4 * model.prior.scale
    z = _square(reach, 140)
    x = model.inverse(z)
    at_z = coordinates(z, "z") | {"prior_log_prob": model.prior.log_prob(z)}
    at_x = {"log_prob_true": data.log_prob(x), "log_prob": model.log_prob(x)}
    return pd.DataFrame(to_numpy(at_z | coordinates(x, "x") | at_x))


def _square(reach: float, n: int) -> Tensor:
    """Points from -reach to reach on both axes, n on either side of the origin, and the origin."""
    side = reach * torch.arange(-n, n + 1, dtype=torch.float64) / n
    return torch.cartesian_prod(side, side)


def contour_summary(grid: pd.DataFrame) -> dict[str, float]:
    """Numbers that describe the contours of Figure 2.

    Args:
        grid: table from :func:`density_grid`.

    Returns:
        ``at_origin``: log p(0), nats; ``largest_between``: largest log p for x_1 in
        [-1, 1] and x_2 = 0, nats; ``regions``: number of connected areas with log p > -10
        (the lowest contour) and at least 1 % of the mass; ``mass_on_grid``: integral of
        the model's density over the square; ``mass_outside``: share of it outside the
        smallest area with 99 % of the true distribution; ``lowest_true``: the smallest log
        density of that area, nats.
    """
    side = math.isqrt(len(grid))
    x_1, x_2, log_prob, log_prob_true = (
        grid[name].to_numpy() for name in ("x_1", "x_2", "log_prob", "log_prob_true")
    )
    cell = (np.ptp(x_1) / (side - 1)) ** 2
    between = (np.abs(x_1) < 1 + 1e-9) & (x_2 == 0)
    mass, inside = np.exp(log_prob) * cell, _highest_density(log_prob_true)
    return {
        "at_origin": float(log_prob[(x_1 == 0) & (x_2 == 0)][0]),
        "largest_between": float(log_prob[between].max()),
        "regions": float(_regions(log_prob.reshape(side, side))),
        "mass_on_grid": float(mass.sum()),
        "mass_outside": float(mass[~inside].sum() / mass.sum()),
        "lowest_true": float(log_prob_true[inside].min()),
    }


def _regions(log_prob: np.ndarray) -> int:
    """Number of areas above the lowest contour of (n, n) cells, connected also at corners."""
    areas, n = label(log_prob > LOWEST_CONTOUR, np.ones((3, 3)))
    mass = np.bincount(areas.ravel(), np.exp(log_prob).ravel(), n + 1)
    return int((mass[1:] >= SPECKLE * mass.sum()).sum())


def _highest_density(log_prob: np.ndarray) -> np.ndarray:
    """The smallest set of cells with 99 % of the mass on the grid: boolean, like log_prob."""
    order = np.argsort(-log_prob)
    mass = np.exp(log_prob[order]).cumsum()
    inside = np.empty(len(order), dtype=bool)
    inside[order] = mass <= HIGH_DENSITY * mass[-1]
    return inside
