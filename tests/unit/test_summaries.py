"""Means over distances and of toy flows are those that were measured."""

import numpy as np
import pandas as pd
import pytest

from oodpriors.claims import quantity_name
from oodpriors.quantities import Measure
from oodpriors.statistics import Estimate, ScoreTable
from oodpriors.summaries import curve_table, toy_table

TITLES = {
    "models": {"vae": "VAE", "glow": "Glow"},
    "priors": {"uni": "one", "multi": "two"},
}
CURVES = {
    "v": {"title": "VAE, Gaussian", "models": [(0.0, "vae/f/d0"), (4.0, "vae/f/d4")]},
    "g": {"title": "Glow, generalised", "models": [(0.0, "glow/f/d0"), (20.0, "glow/f/d20")]},
}
MODELS = [model for curve in CURVES.values() for _, model in curve["models"]]


def frame(name, seed, exposed="m.test"):
    rng = np.random.default_rng([len(name), sum(map(ord, name)), seed])
    table = pd.DataFrame({"set": ["test"] * 30 + ["ood"] * 40})
    table["images"] = table["set"].map({"test": "f.test", "ood": exposed})
    return table.assign(log_prob=rng.normal(-100, 10, len(table)))


def scores_of(names, n_seeds=1):
    return {
        name: ScoreTable([frame(name, seed) for seed in range(n_seeds)], range(n_seeds))
        for name in names
    }


# curves


@pytest.fixture(scope="module")
def measure():
    curves = {name: curve["models"] for name, curve in CURVES.items()}
    return Measure(scores_of(MODELS), 100, 0, curves=curves)


@pytest.fixture(scope="module")
def curves(measure):
    return curve_table(CURVES, TITLES, measure)


def test_there_is_a_row_of_every_model_of_every_curve(curves):
    assert curves["model"].tolist() == MODELS
    assert curves["curve"].tolist() == ["v", "v", "g", "g"]
    assert curves["distance"].tolist() == [0, 4, 0, 20]
    assert curves["architecture"].tolist() == ["VAE", "VAE", "Glow", "Glow"]
    assert curves["curve_title"].tolist()[::2] == ["VAE, Gaussian", "Glow, generalised"]
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
        assert rows["turning_distance"].unique().tolist() == [measure(quantity).value]
        low, high = measure(quantity).interval
        assert rows[["turning_distance_low", "turning_distance_high"]].iloc[0].tolist() == [
            *(low, high)
        ]


# toy flows

TOYS = {"toy/mixture_2/uni": 1, "toy/mixture_10/multi": 2}


def exact(quantity):
    """Known numbers in the place of stored ones; the rest tells its own name."""
    if "stored" in quantity:
        return Estimate({"test": -3.0, "ood": -13.5}[quantity["stored"].rsplit("_", 1)[1]])
    size = float(len(quantity_name({"set": "ood", **quantity})))
    return Estimate(size, np.array([size - 1, size, size + 1]))


@pytest.fixture(scope="module")
def toys():
    scores = {name: scores_of([name], n)[name] for name, n in TOYS.items()}
    return toy_table(scores, TITLES, exact)


def test_there_is_a_row_of_every_toy_flow(toys):
    assert toys["model"].tolist() == list(TOYS)
    assert toys["dim"].tolist() == [2, 10]
    assert toys["prior"].tolist() == ["one", "two"]
    assert toys["points"].tolist() == [30, 30]
    assert toys["seeds"].tolist() == [1, 2]


def test_a_toy_flow_stands_beside_the_mixture(toys):
    assert toys["exact_test"].tolist() == [-3.0] * 2
    assert toys["exact_ood"].tolist() == [-13.5] * 2
    for _, row in toys.iterrows():
        for which in ("test", "ood"):
            found = exact({"model": row["model"], "statistic": "mean", "set": which})
            assert row[f"mean_{which}"] == found.value
            assert row[f"mean_{which}_std_error"] == found.std_error
        area = exact({"model": row["model"], "statistic": "auroc"})
        own = row[["auroc", "auroc_low", "auroc_high"]].tolist()
        assert own == [area.value, *area.interval]


def test_the_exact_means_are_asked_for_by_their_stored_names():
    asked = []

    def noting(quantity):
        asked.append(quantity.get("stored"))
        return exact(quantity)

    toy_table(scores_of(["toy/mixture_2/uni"]), TITLES, noting)
    assert [name for name in asked if name] == [
        "toy/toy/mixture_2/uni/exact_test",
        "toy/toy/mixture_2/uni/exact_ood",
    ]
