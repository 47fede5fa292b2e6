"""Tables of curves and toy flows have the measured means."""

import numpy as np
import pytest
from tests.unit.tables.curves import TITLES, frame, scores_of

from oodpriors.statistics.quantities import Measure
from oodpriors.tables.curves import curve_table

CURVES = {
    "v": {"title": "VAE, Gaussian", "component": "Gaussian"},
    "g": {"title": "Glow's curve", "component": "generalised"},
}
CURVES["v"]["models"] = [(0.0, "vae/f/d0"), (4.0, "vae/f/d4")]
CURVES["g"]["models"] = [(0.0, "glow/f/d0"), (20.0, "glow/f/d20")]


MODELS = [model for curve in CURVES.values() for _, model in curve["models"]]


# curves


@pytest.fixture(scope="module")
def measure():
    curves = {name: curve["models"] for name, curve in CURVES.items()}
    return Measure(scores_of(MODELS), 100, 0, curves=curves)


@pytest.fixture(scope="module")
def curves(measure):
    return curve_table(CURVES, measure.scores, TITLES, measure)


def test_there_is_a_row_of_every_model_of_every_curve(curves):
    assert curves["model"].tolist() == MODELS
    assert curves["curve"].tolist() == ["v", "v", "g", "g"]
    assert curves["distance"].tolist() == [0, 4, 0, 20]
    assert curves["architecture"].tolist() == ["VAE", "VAE", "Glow", "Glow"]
    assert curves["curve_title"].tolist()[::2] == ["VAE, Gaussian", "Glow's curve"]
    assert curves["component"].tolist()[::2] == ["Gaussian", "generalised"]


def test_a_point_midway_is_charged_an_eighth_of_the_squared_distance(curves):
    assert curves["midpoint_charge"].tolist() == [0, 2, 0, 50]


@pytest.mark.parametrize(
    ("column", "statistic", "which"),
    [("mean_ood", "mean", "ood"), ("mean_test", "mean", "test"), ("auroc", "auroc", "ood")],
)
def test_a_row_has_the_means_and_the_auroc_with_their_intervals(
    curves, measure, column, statistic, which
):
    for _, row in curves.iterrows():
        found = measure({"model": row["model"], "statistic": statistic, "set": which})
        low, high = found.interval
        assert row[[column, f"{column}_low", f"{column}_high"]].tolist() == [found.value, low, high]
        assert low <= found.value <= high


def test_means_are_those_of_the_scores(curves):
    for _, row in curves.iterrows():
        table = frame(row["model"], 0)
        for which in ("test", "ood"):
            own = table.loc[table["set"] == which, "log_prob"]
            assert row[f"mean_{which}"] == pytest.approx(own.mean(), rel=1e-12)


def test_the_turning_distance_is_that_of_the_whole_curve(curves, measure):
    for name, rows in curves.groupby("curve"):
        quantity = {"curve": name, "function": "turning_distance", "statistic": "auroc"}
        found = measure(quantity)
        assert len(rows.filter(like="turning_distance").drop_duplicates()) == 1
        own = rows.filter(like="turning_distance").iloc[0].tolist()
        assert own == pytest.approx([found.value, *found.interval], nan_ok=True)
        assert np.isnan(found.value) == (rows["auroc"] < 0.5).all()
