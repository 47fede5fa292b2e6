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
    last = [name for name in COMPANIONS if name != "waic"][-1]  # the rows rise from score to score
    assert set(table["best"]) == {COMPANIONS[last].title}
    assert set(table["n_scores"]) == {len(COMPANIONS) - 1}
    own = [*COMPANIONS].index("prior_own") / 100
    assert table["prior_own_auroc"].tolist() == pytest.approx([own, 0.2 + own])


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
