"""The best companion score of each model, beside its likelihood."""

import pandas as pd
import pytest
from tests.unit.companions.rows import CIFAR, UNI, companion_rows

from oodpriors.kinds.companions import COMPANIONS
from oodpriors.tables.make import make_table, show_table


def made(rows, **entry):
    return make_table({"kind": "best_scores", "models": [CIFAR, UNI], **entry}, rows, [])


def test_the_best_score_has_the_highest_area():
    table = made(companion_rows())
    assert table["model"].tolist() == [UNI, CIFAR]  # sets stay in their order
    single = [name for name, kind in COMPANIONS.items() if kind.batch == 1 and name != "waic"]
    assert set(table["best"]) == {COMPANIONS[single[-1]].title}  # the rows rise from score to score
    assert set(table["n_scores"]) == {len(single)}
    own = [*COMPANIONS].index("prior_own") / 100
    assert table["prior_own_auroc"].tolist() == pytest.approx([own, 0.2 + own])


def test_a_score_of_several_images_is_not_beside_log_p_of_one():
    rows = companion_rows()
    rows["auroc"] = rows["auroc"].mask(rows["batch"] > 1, 0.999)
    assert (rows["auroc"] == 0.999).any()
    assert made(rows).equals(made(companion_rows()))


def test_other_sets_are_left_out():
    rows = companion_rows()
    further = rows.assign(set="kmnist", auroc=0.99, out_of_distribution="KMNIST")
    both = pd.concat([rows, further], ignore_index=True)
    assert made(both).equals(made(rows))


def test_a_score_that_a_model_lacks_is_a_dash():
    rows = companion_rows()
    shown = show_table("best_scores", made(rows[rows["score"] != "prior_other"]))
    assert set(shown["other prior"]) == {"–"}
    assert shown["Model"].tolist() == ["VAE, one", "Glow, one"]
