"""Verdicts follow the rule at its edges; the claims and numbers are those of the paper."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from oodpriors.claims import VERDICTS, compare_with_paper, judge, quantity_name
from oodpriors.statistics import STATISTICS, Estimate
from oodpriors.tables import show_claims

ROOT = Path(__file__).parents[2]
CONFIG, CLAIMS, PUBLISHED = (
    yaml.safe_load((ROOT / "config" / name).read_text())
    for name in ("config.yaml", "claims.yaml", "published.yaml")
)

# Standard deviation 1, with ddof 1 and without rounding.
UNIT_ERROR = np.array([-1.0, 0.0, 1.0])

LEFT = {"model": "vae/a/left", "statistic": "nll", "set": "ood"}
RIGHT = {"model": "vae/a/right", "statistic": "nll", "set": "ood"}


def measure_of(**values):
    """The given values by the last name of the model; those of left have a standard error of 1."""

    def measure(quantity):
        if not isinstance(quantity, dict):
            return Estimate(float(quantity), np.full(3, float(quantity)))
        name = quantity["model"].split("/")[-1]
        error = UNIT_ERROR if name == "left" else np.zeros(3)
        return Estimate(values[name], values[name] + error)

    return measure


def claim(*comparisons, name="C1"):
    return {"id": name, "where": "Table 9", "text": "It is so.", "comparisons": list(comparisons)}


def comparison(relation=">", left=LEFT, right=RIGHT, **more):
    return {"left": left, "relation": relation, "right": right, **more}


def verdict(value, *, relation=">", **more):
    table = judge([claim(comparison(relation, **more))], [], measure_of(left=value, right=0.0))
    return table["verdict"].item()


# the rule

EDGES = [
    (0.0, "not decided"),
    (1.96, "not decided"),
    (math.nextafter(1.96, 2), "holds"),
    (5.0, "holds"),
    (-1.96, "not decided"),
    (math.nextafter(-1.96, -2), "fails"),
    (-5.0, "fails"),
    (math.nan, "not decided"),
]


@pytest.mark.parametrize(("excess", "expected"), EDGES)
def test_a_comparison_is_decided_beyond_its_error(excess, expected):
    assert verdict(excess) == expected


@pytest.mark.parametrize(("excess", "expected"), EDGES)
def test_the_other_relation_is_its_mirror(excess, expected):
    assert verdict(-excess, relation="<") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (104, "holds"),
        (101, "not decided"),
        (100, "not decided"),
        (99, "not decided"),
        (96, "fails"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_margin_is_what_has_to_be_exceeded(value, expected, sign):
    relation = ">" if sign > 0 else "<"
    assert verdict(sign * value, relation=relation, margin=100) == expected


@pytest.mark.parametrize(("right", "expected"), [(3, "holds"), (5, "not decided"), (8, "fails")])
def test_a_side_can_be_a_number(right, expected):
    assert verdict(5.0, right=right) == expected


@pytest.mark.parametrize(("left", "expected"), [(8, "holds"), (5, "not decided"), (3, "fails")])
def test_the_left_side_can_be_a_number(left, expected):
    table = judge([claim(comparison(left=left, right=LEFT))], [], measure_of(left=5.0))
    assert table["verdict"].item() == expected


def test_without_error_a_tie_is_not_decided():
    table = judge([claim(comparison(left=2, right=2))], [], measure_of())
    assert table["verdict"].item() == "not decided"


BY_VALUE = {9.0: "holds", -9.0: "fails", 0.0: "not decided"}


@pytest.mark.parametrize(
    ("excesses", "expected"),
    [
        ((9, 9), "holds"),
        ((9, 0), "not decided"),
        ((0, 0), "not decided"),
        ((9, -9), "fails"),
        ((0, -9), "fails"),
        ((9, 0, -9), "fails"),
    ],
)
def test_a_claim_holds_when_all_its_comparisons_do(excesses, expected):
    comparisons = [comparison(right=-excess) for excess in excesses]
    table = judge([claim(*comparisons)], [], measure_of(left=0.0))
    assert set(table["verdict"]) == {expected}
    assert table["comparison_verdict"].tolist() == [BY_VALUE[float(e)] for e in excesses]


def test_claims_do_not_touch_one_another():
    table = judge(
        [claim(comparison(right=-9), name="A"), claim(comparison(right=9), name="B")],
        [],
        measure_of(left=0.0),
    )
    assert dict(zip(table["id"], table["verdict"], strict=True)) == {"A": "holds", "B": "fails"}


@pytest.mark.parametrize(("relation", "excess"), [(">", 3.0), ("<", -3.0)])
def test_a_row_tells_both_sides_and_the_excess_in_the_claims_direction(relation, excess):
    table = judge([claim(comparison(relation, margin=1))], [], measure_of(left=5.0, right=2.0))
    row = table.iloc[0]
    assert (row["left"], row["right"], row["excess"], row["margin"]) == (5, 2, excess, 1)
    assert row["std_error"] == 1
    assert (row["id"], row["where"], row["text"]) == ("C1", "Table 9", "It is so.")
    names = [f"nll(log_prob, ood) of vae/a/{side}" for side in ("left", "right")]
    assert row["comparison"] == f" {relation} ".join(names)


# the paper's own numbers


def printed(**values):
    return [
        {
            "id": name,
            "where": "Table 9",
            "quantity": {"model": f"vae/a/{name}", "statistic": "nll", "set": "ood"},
            "unit": "nats per image",
            "value": value,
        }
        for name, value in values.items()
    ]


@pytest.mark.parametrize(
    ("left", "right", "relation", "margin", "expected"),
    [
        (5.0, 2.0, ">", 0, "hold"),
        (5.0, 2.0, "<", 0, "fail"),
        (2.0, 5.0, "<", 0, "hold"),
        (5.0, 2.0, ">", 2.5, "hold"),
        (5.0, 2.0, ">", 3.5, "fail"),
        (5.0, 5.0, ">", 0, "fail"),
    ],
)
def test_the_papers_numbers_bear_a_claim_out_or_not(left, right, relation, margin, expected):
    table = judge(
        [claim(comparison(relation, margin=margin))],
        printed(left=left, right=right),
        measure_of(left=0.0, right=0.0),
    )
    assert table["paper_numbers"].item() == expected


@pytest.mark.parametrize("numbers", [{}, {"left": 5.0}, {"right": 5.0}], ids=str)
def test_a_number_that_is_not_printed_bears_nothing_out(numbers):
    table = judge([claim(comparison())], printed(**numbers), measure_of(left=0.0, right=0.0))
    assert table["paper_numbers"].item() == "not printed"


def test_another_statistic_of_a_printed_model_is_not_printed():
    auroc = LEFT | {"statistic": "auroc"}
    table = judge(
        [claim(comparison(left=auroc, right=0.5))], printed(left=5.0), measure_of(left=0.0)
    )
    assert table["paper_numbers"].item() == "not printed"


def test_a_number_of_the_paper_is_compared_with_a_plain_number():
    table = judge([claim(comparison(right=4))], printed(left=5.0), measure_of(left=0.0))
    assert table["paper_numbers"].item() == "hold"


def test_our_numbers_stand_beside_the_papers():
    table = compare_with_paper(printed(left=4.0, right=8.0), measure_of(left=6.0, right=2.0))
    assert table["paper"].tolist() == [4.0, 8.0]
    assert table["ours"].tolist() == [6.0, 2.0]
    assert table["ratio"].tolist() == [1.5, 0.25]
    assert table["std_error"].tolist() == [1.0, 0.0]
    # percentiles of 5, 6 and 7 by linear interpolation
    assert (table["low"][0], table["high"][0]) == (pytest.approx(5.05), pytest.approx(6.95))
    assert table["quantity"][0] == "nll(log_prob, ood) of vae/a/left"


def test_no_claims_and_no_numbers_still_give_columns():
    claims, numbers = judge([], [], measure_of()), compare_with_paper([], measure_of())
    assert (len(claims), len(numbers)) == (0, 0)
    full = judge([claim(comparison())], [], measure_of(left=0.0, right=0.0))
    assert claims.columns.tolist() == full.columns.tolist()
    full = compare_with_paper(printed(left=1.0), measure_of(left=0.0))
    assert numbers.columns.tolist() == full.columns.tolist()


@pytest.mark.parametrize(
    ("quantity", "name"),
    [
        (0.5, "0.5"),
        (100, "100"),
        ({"model": "m", "statistic": "nll"}, "nll(log_prob, ood) of m"),
        ({"model": "m", "statistic": "nll", "set": "test"}, "nll(log_prob, test) of m"),
        ({"model": "m", "statistic": "mean", "column": "kl"}, "mean(kl, ood) of m"),
    ],
)
def test_a_quantity_has_a_name(quantity, name):
    assert quantity_name(quantity) == name


# config/claims.yaml and config/published.yaml

MODELS = {model for entry in CONFIG["experiments"].values() for model in entry["models"]}

# Table 1 of the paper: nats per image of MNIST, trained on labels 1 and 7, 1, 7; multi last
TABLE_1 = {
    "vae/fashion_1_7/unimodal": 1647.76,
    "vae/fashion_1/unimodal": 1976.73,
    "vae/fashion_7/unimodal": 1578.43,
    "vae/fashion_1_7/bimodal_75": 2821.97,
    "glow/fashion_1_7/unimodal": 1372.18,
    "glow/fashion_1/unimodal": 1791.96,
    "glow/fashion_7/unimodal": 1595.10,
    "glow/fashion_1_7/bimodal_50": 2679.89,
}


def assert_quantity(quantity):
    if isinstance(quantity, dict):
        assert quantity.keys() <= {"model", "statistic", "set", "column"}
        assert quantity["model"] in MODELS
        assert quantity["statistic"] in STATISTICS
        assert quantity.get("set", "ood") in {"train", "test", "ood"}
    else:
        assert isinstance(quantity, int | float)


@pytest.mark.parametrize("entry", CLAIMS, ids=[entry["id"] for entry in CLAIMS])
def test_every_claim_is_well_formed(entry):
    assert entry.keys() == {"id", "where", "text", "comparisons"}
    assert all(entry[key].strip() for key in ("id", "where", "text"))
    assert entry["comparisons"]
    for compared in entry["comparisons"]:
        assert {"left", "relation", "right"} <= compared.keys()
        assert compared.keys() <= {"left", "relation", "right", "margin"}
        assert compared["relation"] in {">", "<"}
        assert compared.get("margin", 0) >= 0
        assert_quantity(compared["left"])
        assert_quantity(compared["right"])
        assert compared["left"] != compared["right"]


@pytest.mark.parametrize("entry", PUBLISHED, ids=[entry["id"] for entry in PUBLISHED])
def test_every_published_number_is_well_formed(entry):
    assert entry.keys() == {"id", "where", "quantity", "unit", "value"}
    assert isinstance(entry["value"], float)
    assert_quantity(entry["quantity"])


@pytest.mark.parametrize("entries", [CLAIMS, PUBLISHED], ids=["claims", "published"])
def test_every_id_stands_once(entries):
    names = [entry["id"] for entry in entries]
    assert len(set(names)) == len(names)


def test_the_published_numbers_are_those_of_table_1():
    rows = [entry for entry in PUBLISHED if entry["where"].startswith("Table 1,")]
    assert {entry["quantity"]["model"]: entry["value"] for entry in rows} == TABLE_1
    for row, (entry, model) in enumerate(zip(rows, TABLE_1, strict=True), start=1):
        assert (entry["where"], entry["quantity"]["model"]) == (f"Table 1, row {row}", model)
        assert entry["quantity"] == {"model": model, "statistic": "nll", "set": "ood"}
        assert entry["unit"] == "nats per image"


@pytest.fixture(scope="module")
def on_paper():
    """What the paper's numbers say of each claim, whatever ours are."""
    table = judge(CLAIMS, PUBLISHED, lambda quantity: Estimate(0.0, np.zeros(3)))
    return table.groupby("id")["paper_numbers"].agg(set).to_dict()


def test_the_papers_numbers_do_not_bear_out_that_label_7_alone_lowers_the_likelihood(on_paper):
    vae = [e for e in CLAIMS if e["id"].startswith("C18") and "VAE trained on label 7" in e["text"]]
    (entry,) = vae
    (compared,) = entry["comparisons"]
    assert compared["left"]["model"] == "vae/fashion_7/unimodal"
    assert TABLE_1["vae/fashion_7/unimodal"] < TABLE_1["vae/fashion_1_7/unimodal"]
    assert on_paper[entry["id"]] == {"fail"}


def test_the_papers_numbers_bear_out_every_other_claim_they_touch(on_paper):
    printed_claims = {name: says for name, says in on_paper.items() if says != {"not printed"}}
    assert {n for n, says in printed_claims.items() if says != {"hold"}} == {"C18.2"}
    assert {"C17.1", "C17.2", "C18.1", "C18.2", "C18.3", "C18.4"} <= printed_claims.keys()


@pytest.mark.parametrize("entry", CLAIMS, ids=[entry["id"] for entry in CLAIMS])
def test_every_verdict_is_one_of_three(entry):
    table = judge([entry], PUBLISHED, lambda quantity: Estimate(0.0, np.zeros(3)))
    assert set(table["verdict"]) <= set(VERDICTS)


def test_no_claims_still_show_columns():
    assert "Verdict" in show_claims(judge([], [], None)).columns


def test_the_mean_is_minus_the_printed_nll():
    left, right = ({"model": m, "statistic": "mean", "set": "ood"} for m in ("a", "b"))
    printed = [
        {"quantity": {**quantity, "statistic": "nll"}, "value": value}
        for quantity, value in ((left, 5.0), (right, 2.0))
    ]
    claim = {"id": "x", "where": "", "text": ""}
    claim["comparisons"] = [{"left": right, "relation": ">", "right": left}]
    known = {"a": Estimate(-5.0, np.full(9, -5.0)), "b": Estimate(-2.0, np.full(9, -2.0))}
    judged = judge([claim], printed, lambda quantity: known[quantity["model"]])
    assert judged["paper_numbers"].tolist() == ["hold"]
