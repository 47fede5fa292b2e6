"""Densities of the component types, and facts that Section 4 states (Figure 3)."""

import numpy as np
import pandas as pd
import torch
from scipy import integrate

from oodpriors.priors import GaussianPrior, GeneralizedGaussianPrior, Prior


def _density(prior: Prior, x: np.ndarray) -> np.ndarray:
    return prior.log_prob(torch.as_tensor(x, dtype=torch.float64)[:, None]).exp().numpy()


def _priors(beta: float) -> tuple[Prior, Prior]:
    generalized = GeneralizedGaussianPrior([[0.0]], 1, beta=beta)
    return GaussianPrior([[0.0]], 1).double(), generalized.double()


def density_table(beta: float, half_width: float = 4.0, n: int = 401) -> pd.DataFrame:
    """Columns ``x`` and the densities ``gaussian`` and ``generalized_gaussian`` (Figure 3)."""
    x = np.linspace(-half_width, half_width, n)
    gaussian, generalized = (_density(prior, x) for prior in _priors(beta))
    return pd.DataFrame({"x": x, "gaussian": gaussian, "generalized_gaussian": generalized})


def density_facts(beta: float) -> dict[str, float]:
    """Integral and variance of the generalised Gaussian by quadrature, and its case beta = 2.

    Returns:
        ``integral`` and ``variance`` for the given beta, and ``largest_difference``
        between the density with beta = 2 and the standard Gaussian's.
    """
    generalized = _priors(beta)[1]

    def moment(order: int) -> float:
        def integrand(x: float) -> float:
            return x**order * float(_density(generalized, np.asarray([x]))[0])

        return 2 * integrate.quad(integrand, 0, 12, limit=200)[0]

    x = np.linspace(-8, 8, 3201)
    gaussian, twin = (_density(prior, x) for prior in _priors(2.0))
    return {
        "integral": moment(0),
        "variance": moment(2),
        "largest_difference": float(np.abs(gaussian - twin).max()),
    }
