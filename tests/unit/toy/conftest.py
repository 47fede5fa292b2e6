"""Mixtures and flows that the tests of toys share."""

import numpy as np
import pytest
import torch
from scipy import stats

from oodpriors.priors import build_prior
from oodpriors.toy.flow import ToyFlow

DIMS = (2, 3, 10)


MEANS = {"unimodal": [[0.0]], "bimodal": [[5.0], [-5.0]]}


every_dim = pytest.mark.parametrize("dim", DIMS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def scipy_mixture(dim):
    """Density of the mixture, only from SciPy."""
    variances = np.diag([0.5] + [1.0] * (dim - 1))
    means = [[mean] + [0.0] * (dim - 1) for mean in (3.5, -3.5)]
    parts = [stats.multivariate_normal(mean, variances) for mean in means]
    return lambda x: np.log(np.mean([part.pdf(x) for part in parts], 0))


def random_flow(dim=2, means=MEANS["unimodal"], **network):
    """A flow with nontrivial weights."""
    flow = ToyFlow(dim, build_prior("gaussian", dim, means=means), **network)
    with torch.no_grad():
        for layer in flow.layers:
            layer.network[-1].weight.normal_(std=0.15)
            layer.network[-1].bias.normal_(std=0.15)
    return flow
