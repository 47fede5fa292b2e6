"""Scores of three models that the tests of tables share."""

import numpy as np
import pandas as pd

from oodpriors.statistics.estimates import ScoreTable

UNI, MULTI, VAE = "glow/fashion_7/uni", "glow/fashion_7/multi", "vae/fashion_7/uni"


TITLES = {
    "models": {"vae": "VAE", "glow": "Glow"},
    "subsets": {"fashion_7": "Fashion-MNIST (7)", "mnist": "MNIST"},
    "priors": {"uni": "one", "multi": "two"},
}


PARTS = {
    "glow": ["prior_separating", "prior_rest", "log_det"],
    "vae": [
        *("reconstruction", "prior_separating", "prior_rest", "posterior_entropy"),
        "importance_gain",
    ],
}


def frame(model, seed):
    """Random parts that add up to log_prob."""
    rng = np.random.default_rng([len(model), seed])
    table = pd.DataFrame({"set": ["test"] * 30 + ["ood"] * 50})
    table["images"] = table["set"].map({"test": "fashion_7.test", "ood": "mnist.test"})
    for column in PARTS[model.split("/")[0]]:
        table[column] = rng.normal(-100, 10, len(table))
    if model == UNI:
        table["prior_separating"] = 0.0
    if model == MULTI:
        table["latent_first_abs"] = rng.normal(5, 1, len(table))
        table[["log_prob_component_0", "log_prob_component_1"]] = rng.normal(size=(len(table), 2))
    table["log_prob"] = table[PARTS[model.split("/")[0]]].sum(axis=1)
    return table.assign(bits_per_dim=1.0, std_error=0.1)


SCORES = {
    model: ScoreTable([frame(model, seed) for seed in range(n)], range(n), model)
    for model, n in ((UNI, 1), (MULTI, 3), (VAE, 1))
}


def of_set(model, which, column="log_prob"):
    """A column for each seed."""
    return [table.loc[table["set"] == which, column] for table in SCORES[model].tables]


def rankings(function, model, column="log_prob"):
    """A metric of scikit-learn, averaged over seeds."""
    pairs = zip(of_set(model, "test", column), of_set(model, "ood", column), strict=True)
    return np.mean([function([0] * 30 + [1] * 50, -np.concatenate(pair)) for pair in pairs])
