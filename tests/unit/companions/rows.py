"""Rows of companions.csv that the tests of the table and of the figure share."""

import itertools

import pandas as pd

from oodpriors.kinds.companions import COMPANIONS

UNI, MULTI, CIFAR = "vae/f/uni", "vae/f/multi", "glow/c/uni"
NAMES = {
    UNI: ("VAE", "one", "Fashion", "MNIST"),
    MULTI: ("VAE", "two", "Fashion", "MNIST"),
    CIFAR: ("Glow", "one", "CIFAR", "SVHN"),
}


def companion_rows():
    """The AUROC of the model with number i and the score with number j is (10 i + j) / 100."""
    rows = []
    for (i, model), (j, score) in itertools.product(enumerate(NAMES), enumerate(COMPANIONS)):
        area = (10 * i + j) / 100
        if score == "waic":
            area = float("nan")
        about = zip(
            ("architecture", "prior", "training_data", "out_of_distribution"),
            NAMES[model],
            strict=True,
        )
        ends = {"set": "ood", "missing": "no training" if score == "waic" else ""}
        kind = COMPANIONS[score]
        ends |= {"title": kind.title, "batch": kind.batch, "auroc": area}
        ends |= {"auroc_low": area - 0.01, "auroc_high": area + 0.01}
        rows.append(dict(about) | {"model": model, "set": "ood", "score": score} | ends)
    return pd.DataFrame(rows)
