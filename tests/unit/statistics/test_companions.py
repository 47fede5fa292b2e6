"""Rows of the models and scores that an entry names."""

import pandas as pd
from tests.unit.companions.rows import CIFAR, MULTI, UNI, companion_rows

from oodpriors.kinds.companions import COMPANIONS
from oodpriors.statistics.companions import chosen, model_labels


def test_rows_are_in_the_order_of_the_entry():
    scores = ["typicality_5", "log_prob"]
    rows = chosen(companion_rows(), {"models": [CIFAR, MULTI, UNI], "scores": scores})
    pairs = [*zip(rows["score"], rows["model"], strict=True)]
    assert pairs == [
        *(("typicality_5", MULTI), ("typicality_5", UNI)),
        *(("log_prob", MULTI), ("log_prob", UNI)),
        *(("typicality_5", CIFAR), ("log_prob", CIFAR)),
    ]


def test_all_scores_that_a_model_has_are_taken_unless_said():
    rows = chosen(companion_rows(), {"models": [UNI]})
    assert rows["score"].tolist() == [name for name in COMPANIONS if name != "waic"]
    some = companion_rows()
    some.loc[(some["score"] == "waic") & (some["model"] == MULTI), "auroc"] = 0.5
    assert chosen(some, {"models": [UNI, MULTI]})["score"].unique().tolist() == [*COMPANIONS]


def test_the_training_data_is_named_where_it_differs():
    rows = companion_rows()
    assert model_labels(rows[rows["model"] != CIFAR]) == {UNI: "VAE, one", MULTI: "VAE, two"}
    assert model_labels(rows)[CIFAR] == "Glow, one, CIFAR"


def further_rows(**columns):
    """Rows of the unimodal model for its own set and for a further one."""
    rows = companion_rows()
    rows = rows[rows["model"] == UNI].assign(in_training=float("nan"))
    return pd.concat([rows, rows.assign(set="k", out_of_distribution="KMNIST", **columns)])


def names(**columns):
    return chosen(further_rows(**columns), {"models": [UNI]})["out_of_distribution"].unique()


def test_sets_are_named_with_what_is_wrong_with_their_images():
    assert names(in_training=0).tolist() == ["MNIST", "KMNIST"]
    assert names(in_training=1200).tolist() == ["MNIST", "KMNIST (1,200 are training images)"]
    gone = {"missing": "not available: could not get a.gz", "auroc": float("nan")}
    assert names(**gone).tolist() == ["MNIST", "KMNIST (not available)"]


def test_an_entry_may_leave_further_sets_out():
    rows = chosen(further_rows(), {"models": [UNI], "further": False})
    assert rows["out_of_distribution"].unique().tolist() == ["MNIST"]
    assert len(rows) == len(COMPANIONS) - 1  # one training has no WAIC
