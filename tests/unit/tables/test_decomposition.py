"""Tables have the values of the scores and the right format."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.unit.tables.scores import (
    MULTI,
    PARTS,
    SCORES,
    TITLES,
    UNI,
    VAE,
    of_set,
    rankings,
)

from oodpriors.kinds.tables import TABLES
from oodpriors.statistics.estimates import ScoreTable
from oodpriors.tables.decomposition import (
    decomposition_table,
    show_decomposition,
)

# decomposition


@pytest.fixture(scope="module")
def decomposition(measure):
    return decomposition_table([(UNI, MULTI)], SCORES, TITLES, measure)


@pytest.mark.parametrize("which", ["ood", "test"])
@pytest.mark.parametrize("part", ["log_prob", *PARTS["glow"]])
def test_a_change_is_the_difference_of_the_means(decomposition, which, part):
    row = decomposition.query("set == @which and part == @part").iloc[0]
    uni, multi = (np.mean(of_set(model, which, part)) for model in (UNI, MULTI))
    assert row[["uni_mean", "multi_mean", "change"]].tolist() == pytest.approx(
        [uni, multi, multi - uni]
    )
    assert (row["uni"], row["multi"], row["architecture"]) == (UNI, MULTI, "Glow")


@pytest.mark.parametrize("which", ["ood", "test"])
def test_the_parts_add_up_to_the_whole(decomposition, which):
    rows = decomposition.query("set == @which and part != '|z_1|'").set_index("part")
    assert rows["change"].drop("log_prob").sum() == pytest.approx(rows.loc["log_prob", "change"])
    assert rows["share"].drop("log_prob").sum() == pytest.approx(1)
    assert rows.loc["log_prob", "share"] == 1


def test_the_error_of_a_change_is_that_of_the_paired_difference(decomposition, measure):
    mean = {"statistic": "mean", "set": "ood", "column": "log_det"}
    change = measure({"difference": [{"model": MULTI, **mean}, {"model": UNI, **mean}]})
    row = decomposition.query("set == 'ood' and part == 'log_det'").iloc[0]
    assert row["std_error"] == pytest.approx(change.std_error)


def test_each_part_ranks_alone_under_the_multimodal_model(decomposition):
    rows = decomposition.query("set == 'ood'").set_index("part")
    columns = {part: part for part in PARTS["glow"]} | {"|z_1|": "latent_first_abs"}
    for part, column in columns.items():
        assert rows.loc[part, "auroc"] == pytest.approx(rankings(roc_auc_score, MULTI, column))
    assert rows.loc["|z_1|", ["uni_mean", "change", "share"]].isna().all()
    assert decomposition.query("set == 'test'")["auroc"].isna().all()


def test_the_first_latent_has_a_row_with_two_components_alone(measure):
    scores = dict(SCORES)
    more = [table.assign(log_prob_component_2=0.0) for table in SCORES[MULTI].tables]
    scores[MULTI] = ScoreTable(more, SCORES[MULTI].seeds, MULTI)
    table = decomposition_table([(UNI, MULTI)], scores, TITLES, measure)
    assert "|z_1|" not in set(table["part"])


def test_a_vae_has_the_parts_of_a_vae_and_no_row_of_what_it_lacks(measure):
    table = decomposition_table([(VAE, VAE)], SCORES, TITLES, measure)
    assert set(table["part"]) == {"log_prob", *PARTS["vae"]}
    assert table.query("set == 'ood' and part == 'log_prob'")["share"].isna().all()


def test_a_decomposition_is_printed_with_its_errors(decomposition):
    change = {"uni_mean": 1.0, "multi_mean": -1233.5, "change": -1234.5, "std_error": 6.72}
    area = {"auroc": 0.93, "auroc_low": 0.906, "auroc_high": 0.95, "share": 0.456}
    shown = show_decomposition(decomposition.iloc[:1].assign(**change, **area))
    assert shown.iloc[0].tolist() == [
        *("Glow", "two", "Fashion-MNIST (7)", "out", "log_prob", "1.0", "-1,233.5"),
        *("-1,234.5 ± 6.7", "46%", "0.93 [0.91, 0.95]"),
    ]
    alone = show_decomposition(decomposition.query("part == '|z_1|'")).iloc[0]
    assert alone[["uni", "multi", "Change", "Share"]].tolist() == ["–"] * 4
    assert "prior_rest" in TABLES["decomposition"].note
