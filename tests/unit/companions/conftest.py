"""Trainings with known answers."""

import numpy as np
import pandas as pd
import pytest

from oodpriors.companions.training import Training
from oodpriors.priors import GaussianPrior

DIM = 6
SIZES = {"train": 80, "test": 50, "ood": 40}


def table(**columns):
    """The columns that every score file has, and others."""
    sets = np.repeat([*SIZES], [*SIZES.values()])
    images = [{"train": "f.train", "test": "f.test", "ood": "m.test"}[name] for name in sets]
    index = np.concatenate([np.arange(n)[::-1] for n in SIZES.values()])
    return pd.DataFrame({"set": sets, "images": images, "index": index} | columns)


def gaussian(means=((0.0,),), dim=DIM, scale=1.0):
    return GaussianPrior([list(mean) for mean in means], dim, scale).double()


@pytest.fixture
def flow():
    """A flow that halves its data: latents near ±3 in distribution, near 1 out of it."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(sum(SIZES.values()), DIM))
    inside = np.arange(len(z)) < SIZES["train"] + SIZES["test"]
    z[:, 0] += np.where(inside, rng.choice([-3, 3], len(z)), 1)
    prior, log_det = gaussian([[3.0], [-3.0]]), np.full(len(z), -DIM * np.log(2))
    of = {
        f"log_prob_component_{k}": -0.5 * ((z - m) ** 2).sum(1) - DIM * np.log(8 * np.pi) / 2
        for k, m in enumerate(prior.means.numpy())
    }
    log_prob = np.logaddexp(*of.values()) - np.log(2)
    scores = table(log_prob=log_prob, log_det=log_det, **of).assign(
        nearest_component=(z[:, 0] < 0).astype(int),
        latent_norm_squared=np.min([((z - m) ** 2).sum(1) for m in prior.means.numpy()], axis=0),
    )
    return Training(scores, prior, gaussian(), z)


@pytest.fixture
def vae():
    """Posteriors with known moments."""
    rng = np.random.default_rng(1)
    n = sum(SIZES.values())
    means, stds = rng.normal(size=(n, DIM)), rng.uniform(0.2, 1, (n, DIM))
    scores = table(
        log_prob=rng.normal(-50, 5, n),
        reconstruction=rng.normal(-40, 5, n),
        posterior_entropy=(np.log(stds) + 0.5 * np.log(2 * np.pi * np.e)).sum(1),
        latent_norm_squared=(means**2).sum(1),
        nearest_component=0,
    )
    return Training(scores, gaussian(), gaussian([[3.0], [-3.0]]), means, stds)
