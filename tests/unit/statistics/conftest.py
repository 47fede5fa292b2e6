"""Scores that the tests of statistics share."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from oodpriors.statistics.estimates import (
    ScoreTable,
    estimate,
)


def frame(images=None, **sets):
    """A score table with the given log_prob by set; images are named after the set."""
    names = {name: f"{name}.images" for name in sets} | (images or {})
    return pd.concat(
        [
            pd.DataFrame({"set": name, "images": names[name], "log_prob": values})
            for name, values in sets.items()
        ],
        ignore_index=True,
    )


def table(images=None, **sets):
    return ScoreTable([frame(images, **sets)])


def scores(n=200, shift=0.0, seed=0):
    """Log-likelihoods in and out of distribution."""
    rng = np.random.default_rng(seed)
    return rng.normal(-1000, 30, n), rng.normal(-1000 + shift, 50, n + 50)


def by_sklearn(inside, outside):
    truth = np.repeat([0, 1], [len(inside), len(outside)])
    return roc_auc_score(truth, -np.concatenate([inside, outside]))


# pairing


def difference(left, right, statistic="mean"):
    return estimate(left, statistic, n_bootstrap=3000) - estimate(
        right, statistic, n_bootstrap=3000
    )


# seeds


def constant(*values, n=10, model=""):
    """A model that gives every image values[k] for seed k."""
    tables = [frame(test=np.zeros(n), ood=np.full(n, float(v))) for v in values]
    return ScoreTable(tables, range(len(values)), model)
