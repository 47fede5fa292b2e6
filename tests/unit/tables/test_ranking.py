"""The table of ranking quality."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from tests.unit.tables.scores import MULTI, SCORES, TITLES, rankings

from oodpriors.tables.ranking import ranking_table, show_ranking

# ranking


@pytest.fixture(scope="module")
def ranking(measure):
    return ranking_table(SCORES, TITLES, measure)


def test_a_row_of_the_ranking_says_what_it_is_about(ranking):
    row = ranking.set_index("model").loc[MULTI]
    about = ["architecture", "prior", "training_data", "out_of_distribution"]
    assert row[about].tolist() == ["Glow", "two", "Fashion-MNIST (7)", "MNIST"]
    assert row[["seeds", "n_test", "n_ood"]].tolist() == [3, 30, 50]


@pytest.mark.parametrize(
    ("name", "function"), [("auroc", roc_auc_score), ("aupr", average_precision_score)]
)
def test_the_ranking_is_that_of_the_scores(ranking, name, function):
    assert ranking["model"].tolist() == list(SCORES)
    expected = [rankings(function, model) for model in SCORES]
    np.testing.assert_allclose(ranking[name], expected)
    assert (ranking[f"{name}_low"] < ranking[f"{name}_high"]).all()


def test_the_ranking_is_printed_with_its_intervals(ranking):
    ranking = ranking.assign(auroc=0.926, auroc_low=0.914, auroc_high=1)
    shown = show_ranking(ranking)
    assert shown.loc[1, "AUROC"] == "0.93 [0.91, 1.00]"
    assert shown.columns.tolist()[-4:] == ["Seeds", "AUROC", "AUPR", "FPR95"]
