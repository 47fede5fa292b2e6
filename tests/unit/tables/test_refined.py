"""Both estimates of a VAE's likelihood stand in one table."""

import numpy as np
import pytest
from tests.unit.tables.sources import MEASURE, TITLES, UNI, VAES, WITH_VAES, of_kind, refined_frame

from oodpriors.tables.likelihoods import model_table
from oodpriors.tables.make import show_table


@pytest.fixture(scope="module")
def models():
    return model_table(WITH_VAES, TITLES, MEASURE).set_index("model")


def test_only_vaes_have_a_refined_likelihood(models):
    assert models["n_ood_refined"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize("which", ["test", "ood"])
def test_both_estimates_are_of_the_images_that_were_refined(models, which):
    for name in VAES:
        frame = refined_frame(name)
        few = frame[frame["refined"] & (frame["set"] == which)]["log_prob"]
        row = models.loc[name]
        np.testing.assert_allclose(row[f"mean_{which}_unrefined"], few.mean(), rtol=1e-12)
        np.testing.assert_allclose(row[f"mean_{which}_refined"], few.mean() + 50.5, rtol=1e-12)
        assert row[f"n_{which}_refined"] == 10
        assert row[f"effective_sample_size_{which}_refined"] == 2.5
        assert row[f"refinement_steps_{which}"] == 80


def test_failures_of_all_seeds_are_counted(models):
    # places 0 and 5 of the test images, 30 and 35 of the others, in each of two seeds
    assert models.loc[VAES, "refinement_failed_test"].tolist() == [4, 4]
    assert models.loc[VAES, "refinement_failed_ood"].tolist() == [4, 4]


def test_an_estimate_that_is_larger_everywhere_ranks_alike(models):
    row = models.loc[VAES[0]]
    assert row["auroc_refined"] == row["auroc_unrefined"]
    assert row["auroc_refined_low"] <= row["auroc_refined"] <= row["auroc_refined_high"]


def test_large_errors_have_separators_too(models):
    rows = models.loc[VAES].assign(mean_ood_refined_std_error=37768.94).reset_index()
    shown = show_table("refined", rows)["log p out, refined"]
    assert shown.str.endswith(" ± 37,768.9").all()


@of_kind("refined")
def test_the_table_leaves_flows_out(table):
    assert UNI not in set(table["model"])
    assert table["model"].tolist() == VAES
    shown = show_table("refined", table)
    assert shown["Seeds"].tolist() == ["2", "2"]
    assert shown["log p out, refined"].str.contains("±").all()


def test_table_1_has_both_estimates_of_vaes_and_a_dash_for_flows(models):
    shown = show_table("likelihoods", models.reset_index())
    refined = [column for column in shown if column.endswith(", refined")]
    assert refined == ["NLL out, refined", "NLL in, refined", "AUROC, refined"]
    assert (shown[refined].iloc[0] == "–").all()
    nll = -models["mean_ood_refined"].iloc[1]
    assert shown["NLL out, refined"].iloc[1].startswith(f"{nll:,.1f} ± ")


def test_table_1_of_flows_alone_has_one_estimate(models):
    flows = models.reset_index()[["n_ood_refined"]].isna()["n_ood_refined"]
    shown = show_table("likelihoods", models.reset_index()[flows])
    assert not [column for column in shown if "refined" in column]
