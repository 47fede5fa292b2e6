"""Scores of models on curves and of toy flows."""

import numpy as np
import pandas as pd

from oodpriors.statistics.estimates import ScoreTable

TITLES = {
    "models": {"vae": "VAE", "glow": "Glow"},
    "priors": {"uni": "one", "multi": "two"},
}


def frame(name, seed, exposed="m.test"):
    rng = np.random.default_rng([len(name), sum(map(ord, name)), seed])
    table = pd.DataFrame({"set": ["test"] * 30 + ["ood"] * 40})
    table["images"] = table["set"].map({"test": "f.test", "ood": exposed})
    return table.assign(log_prob=rng.normal(-100, 10, len(table)))


def scores_of(names, n_seeds=1):
    return {
        name: ScoreTable([frame(name, seed) for seed in range(n_seeds)], range(n_seeds), name)
        for name in names
    }
