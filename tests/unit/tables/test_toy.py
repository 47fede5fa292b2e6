"""Tables of toy flows."""

import numpy as np
import pytest
from tests.unit.tables.curves import TITLES, scores_of
from tests.unit.tables.sources import EXACT, MEASURE, TOYS, of_kind

from oodpriors.statistics.claims import quantity_name
from oodpriors.statistics.estimates import Estimate
from oodpriors.tables.make import show_table
from oodpriors.tables.toy import toy_table


@of_kind("toy")
def test_toy_flows_stand_beside_the_paper_and_the_mixture(table):
    assert table["paper_test"].tolist()[0] == -3.25
    assert table["paper_ood"].tolist()[1] == -40.11
    assert table[["paper_test", "paper_ood"]].isna().sum().tolist() == [1, 1]
    shown = show_table("toy", table)
    assert shown["Paper: mean in"].tolist() == ["-3.25", "–"]
    assert shown["Paper: mean out"].tolist() == ["–", "-40.11"]
    assert shown["Exact in"].tolist() == [f"{EXACT['test']:.2f}"] * 2
    assert shown["Exact out"].tolist() == [f"{EXACT['ood']:.2f}"] * 2
    assert shown["Dimensions"].tolist() == ["2", "2"]
    assert shown["Prior"].tolist() == ["one", "two"]
    for name, cell in zip(TOYS, shown["Mean in"], strict=True):
        own = MEASURE({"model": name, "statistic": "mean", "set": "test"})
        assert cell == f"{own.value:,.2f} ± {own.std_error:,.2f}"


FLOWS = {"toy/mixture_2/uni": 1, "toy/mixture_10/multi": 2}


def exact(quantity):
    """Known numbers instead of stored ones; other texts are their names."""
    if "stored" in quantity:
        return Estimate({"test": -3.0, "ood": -13.5}[quantity["stored"].rsplit("_", 1)[1]])
    size = float(len(quantity_name({"set": "ood", **quantity})))
    return Estimate(size, np.array([size - 1, size, size + 1]))


@pytest.fixture(scope="module")
def toys():
    scores = {name: scores_of([name], n)[name] for name, n in FLOWS.items()}
    return toy_table(scores, TITLES, exact)


def test_there_is_a_row_of_every_toy_flow(toys):
    assert toys["model"].tolist() == list(FLOWS)
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
