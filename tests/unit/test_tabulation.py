"""Every kind of table is made of what was stored for it, and shown with its numbers."""

import io
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from oodpriors import second_order, tabulation
from oodpriors.architectures import architecture_table
from oodpriors.models import build_model
from oodpriors.quantities import Measure, save_stored
from oodpriors.statistics import Estimate, ScoreTable
from oodpriors.summaries import toy_table
from oodpriors.tables import decomposition_table, model_table, ranking_table, to_html
from oodpriors.tabulation import NOTES, make_table, show_table

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
KINDS = SCHEMA["properties"]["tables"]["additionalProperties"]["properties"]["kind"]["enum"]

UNI, MULTI, CONTROL = "glow/f/uni", "glow/f/multi", "glow/f/random"
CV = ["cv_glow/f/uni", "cv_glow/f/multi"]
TOYS = ["toy/mixture_2/uni", "toy/mixture_2/multi"]
TITLES = {
    "models": {"glow": "Glow", "toy": "flow"},
    "subsets": {"f": "Fashion", "m": "MNIST"},
    "priors": {"uni": "one", "multi": "two", "random": "control"},
}
PARTS = ["prior_separating", "prior_rest", "log_det"]
PUBLISHED = [
    {"quantity": {"model": MULTI, "statistic": "nll", "set": "ood"}, "value": 2679.89},
    {"quantity": {"model": TOYS[0], "statistic": "mean", "set": "test"}, "value": -3.25},
    {"quantity": {"model": TOYS[1], "statistic": "mean", "set": "ood"}, "value": -40.11},
    {"setting": "toy.network.couplings", "value": 4},
    {"quantity": None, "value": 1.0},
]


def frame(name):
    rng = np.random.default_rng(sum(map(ord, name)))
    table = pd.DataFrame({"set": ["test"] * 30 + ["ood"] * 40})
    table["images"] = table["set"].map({"test": "f.test", "ood": "m.test"})
    for part in PARTS:
        table[part] = rng.normal(-100, 10, len(table))
    table["log_prob"] = table[PARTS].sum(axis=1)
    return table.assign(bits_per_dim=1.5, std_error=0.1)


SCORES = {name: ScoreTable([frame(name)], [0]) for name in (UNI, MULTI, CONTROL, *TOYS)}
EXACT = {"test": -3.185, "ood": -13.55}
STORED = {f"toy/{toy}/exact_{s}": Estimate(value) for toy in TOYS for s, value in EXACT.items()}
MEASURE = Measure(SCORES, 100, 0, STORED)
MODELS = {name: SCORES[name] for name in (UNI, MULTI, CONTROL)}


def architecture_source():
    network = {"latent_dim": 2, "decoder_width": 8}
    model = build_model("vae", (1, 28, 28), {"kind": "gaussian", "means": [[0.0]]}, network)
    rows = yaml.safe_load((ROOT / "config/architectures.yaml").read_text())
    return architecture_table(model, rows["grey"])


def second_order_source():
    replicates = np.array([-1.0, 0.0, 1.0])
    names = ("measured", *second_order.PREDICTIONS)
    return {
        f"{model}/{name}": Estimate(float(10 * (i + 1) + j), 10 * (i + 1) + j + replicates)
        for i, model in enumerate(CV)
        for j, name in enumerate(names)
    }


def stored_second_order(tmp_path):
    save_stored(tmp_path / "second_order.csv", second_order_source())
    return pd.read_csv(tmp_path / "second_order.csv")


ENTRIES = {
    "likelihoods": {"models": [MULTI, UNI]},
    "ranking": {},
    "decomposition": {"pairs": [[UNI, MULTI]]},
    "architecture": {"network": "grey"},
    "toy": {},
    "second_order": {"models": CV[::-1]},
}


def source_of(kind, tmp_path):
    """What is stored for a kind, as it is read."""
    if kind == "second_order":
        return stored_second_order(tmp_path)
    pairs = [(UNI, MULTI), (UNI, CONTROL)]
    made = {
        "likelihoods": lambda: model_table(MODELS, TITLES, MEASURE),
        "ranking": lambda: ranking_table(MODELS, TITLES, MEASURE),
        "decomposition": lambda: decomposition_table(pairs, MODELS, TITLES, MEASURE),
        "architecture": architecture_source,
        "toy": lambda: toy_table({toy: SCORES[toy] for toy in TOYS}, TITLES, MEASURE),
    }
    return reread(made[kind]())


def reread(table):
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


@pytest.fixture
def table(request, tmp_path):
    kind = request.param
    return make_table({"kind": kind, **ENTRIES[kind]}, source_of(kind, tmp_path), PUBLISHED)


def of_kind(*kinds):
    return pytest.mark.parametrize("table", kinds, indirect=True)


# all kinds


def test_every_kind_of_the_schema_is_known():
    assert set(ENTRIES) == set(KINDS) == set(tabulation.SHOWS)
    assert set(tabulation.MAKERS) <= set(KINDS)
    assert set(NOTES) <= set(KINDS)


def test_the_predictions_are_those_of_the_analysis():
    assert tabulation.PREDICTIONS == second_order.PREDICTIONS


@pytest.mark.parametrize(("table", "kind"), [(kind, kind) for kind in KINDS], indirect=["table"])
def test_every_kind_is_shown_as_text_of_a_row_each(table, kind):
    for each in (table, reread(table)):  # as it is made, and as the document reads it
        shown = show_table(kind, each)
        assert len(shown) == len(table) > 0
        assert shown.map(lambda cell: isinstance(cell, str)).all(axis=None)
        assert not shown.isin(["nan", "None"]).any(axis=None)
        assert to_html(shown).count("<tr") == len(shown) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_making_a_table_leaves_its_source_alone(kind, tmp_path):
    source = source_of(kind, tmp_path)
    before = source.copy()
    make_table({"kind": kind, **ENTRIES[kind]}, source, PUBLISHED)
    pd.testing.assert_frame_equal(source, before)


# likelihoods and rankings


@of_kind("likelihoods")
def test_likelihoods_stand_in_the_tables_order_beside_the_papers(table):
    assert table["model"].tolist() == [MULTI, UNI]
    truth = [-frame(name).query("set == 'ood'")["log_prob"].mean() for name in (MULTI, UNI)]
    np.testing.assert_allclose(table["nll_ood"], truth, rtol=1e-12)
    shown = show_table("likelihoods", table)
    assert shown["Paper: NLL out"].tolist() == ["2,679.89", "–"]
    assert shown["Prior"].tolist() == ["two", "one"]
    assert shown["bits/dim out"].tolist() == ["1.500", "1.500"]


@of_kind("ranking")
def test_a_ranking_has_all_models(table):
    assert table["model"].tolist() == list(MODELS)


# decompositions


@of_kind("decomposition")
def test_a_decomposition_has_the_wanted_pairs_alone(table):
    assert set(zip(table["uni"], table["multi"], strict=True)) == {(UNI, MULTI)}
    assert table.index.tolist() == list(range(2 * 4))
    assert table["part"].tolist() == ["log_prob", *PARTS] * 2


def test_pairs_can_be_given_as_lists_or_tuples(tmp_path):
    source = source_of("decomposition", tmp_path)
    for pair in ([UNI, CONTROL], (UNI, CONTROL)):
        entry = {"kind": "decomposition", "pairs": [pair]}
        assert set(make_table(entry, source, [])["multi"]) == {CONTROL}


# toy flows


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


# second order


@of_kind("second_order")
def test_predictions_stand_beside_what_was_measured(table):
    assert table["model"].tolist() == CV[::-1]
    assert table["measured"].tolist() == [20.0, 10.0]
    for j, name in enumerate(second_order.PREDICTIONS, 1):
        assert table[name].tolist() == [20.0 + j, 10.0 + j]
    errors = table.filter(like="_std_error")
    np.testing.assert_allclose(errors, 1.0)  # of -1, 0 and 1
    shown = show_table("second_order", table)
    assert shown.iloc[1].tolist() == [CV[0], "10 ± 1", "11 ± 1", "12 ± 1", "13 ± 1"]


def test_the_value_is_the_first_replicate_in_any_order_of_the_rows(tmp_path):
    source = stored_second_order(tmp_path).iloc[::-1]
    found = make_table({"kind": "second_order", "models": CV}, source, [])
    assert found["measured"].tolist() == [10.0, 20.0]


# architectures


@of_kind("architecture")
def test_what_differs_stands_beside_the_papers_in_brackets(table):
    shown = show_table("architecture", table)
    assert shown["Channels"].tolist()[-2:] == ["8 (64)", "256"]
    assert shown["Pad"].tolist()[-2:] == ["2 (1)", "1"]
    assert shown["Channels"].tolist()[5] == "4 (100)"  # two latent coordinates
    assert shown["Kernel"].tolist()[5:8] == ["–", "–", "–"]
    assert [i for i, cell in enumerate(shown["Differs"]) if cell == "yes"] == [5, 10]
    assert shown["Batch norm"].tolist() == ["yes"] * 5 + [""] * 3 + ["yes"] * 3 + [""]


def test_a_row_of_the_paper_alone_claims_nothing_of_ours():
    rows = yaml.safe_load((ROOT / "config/architectures.yaml").read_text())["grey"]
    extra = {"part": "decoder", "operation": "convolution", "kernel": 3, "stride": 1}
    network = {"latent_dim": 2, "decoder_width": 8}
    model = build_model("vae", (1, 28, 28), {"kind": "gaussian", "means": [[0.0]]}, network)
    made = architecture_table(model, [*rows, extra | {"channels": 9, "pad": 0}])
    last = show_table("architecture", reread(made)).iloc[-1]
    assert last[["Operation", "Kernel", "Channels"]].tolist() == ["–", "– (3)", "– (9)"]
    assert last[["Batch norm", "Differs"]].tolist() == ["", "yes"]
    assert isinstance(last["Output"], str)


# cells


@pytest.mark.parametrize(
    ("value", "error", "digits", "text"),
    [
        (1234.567, math.nan, 2, "1,234.57"),
        (-1234.567, 8.9, 1, "-1,234.6 ± 8.9"),
        (0.5, 0.0, 3, "0.500 ± 0.000"),
        (math.nan, 1.0, 2, "–"),
        (10.4, 1234.6, 0, "10 ± 1,235"),
    ],
)
def test_a_cell_has_its_digits_and_its_error(value, error, digits, text):
    values, errors = pd.Series([value]), pd.Series([error])
    assert tabulation._cells(values, errors, digits) == [text]
    if math.isnan(error):
        assert tabulation._cells(values, digits=digits) == [text]
