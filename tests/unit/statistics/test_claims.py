"""Verdicts follow the rule at its limits; claims and numbers agree with the paper."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from oodpriors.statistics.bootstrap import STATISTICS
from oodpriors.statistics.claims import (
    VERDICTS,
    WORST_FIRST,
    compare_with_paper,
    count_verdicts,
    expected_false,
    judge,
    quantity_name,
)
from oodpriors.statistics.estimates import Estimate, over_trainings
from oodpriors.statistics.quantities import CURVE_FUNCTIONS, OPERATIONS
from oodpriors.statistics.wording import MEANINGS
from oodpriors.tables.verdicts import show_claims, show_comparison

ROOT = Path(__file__).parents[3]
CONFIG, CLAIMS, PUBLISHED, BEYOND = (
    yaml.safe_load((ROOT / "config" / name).read_text())
    for name in ("config.yaml", "claims.yaml", "published.yaml", "beyond.yaml")
)

# Standard deviation 1, with ddof 1 and without rounding.
UNIT_ERROR = np.array([-1.0, 0.0, 1.0])

LEFT = {"model": "vae/a/left", "statistic": "nll", "set": "ood"}
RIGHT = {"model": "vae/a/right", "statistic": "nll", "set": "ood"}


def measure_of(**values):
    """Values by the last part of the model's name; left has a standard error of 1."""

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


@pytest.mark.parametrize("value", [-9.0, 0.0, 9.0])
def test_a_claim_that_does_not_apply_has_no_other_verdict(value):
    entries = [claim(comparison()) | {"applies": False}, claim(comparison(), name="C2")]
    table = judge(entries, [], measure_of(left=value, right=0.0)).set_index("id")
    found = table.loc["C1", ["verdict", "comparison_verdict"]]
    assert found.tolist() == ["not applicable"] * 2
    assert table.loc["C1", "left"] == value
    assert table.loc["C2", "verdict"] == BY_VALUE[value]


OTHER = {"model": "vae/a/other", "statistic": "nll", "set": "ood"}


@pytest.mark.parametrize(
    ("value", "other", "said"), [(9.0, 9.0, "so"), (9.0, -9.0, ""), (-9.0, 9.0, ""), (0.0, 9.0, "")]
)
def test_what_a_claim_leaves_out_is_said_where_it_and_the_claim_hold(value, other, said):
    but = [comparison(left=OTHER) | {"text": "so"}]
    table = judge(
        [claim(comparison()) | {"but": but}], [], measure_of(left=value, right=0.0, other=other)
    )
    assert table["but"].item() == said
    assert show_claims(table)["Text"].item() == "It is so." + (" But so." if said else "")


# the rule

Z = Estimate(0.0, UNIT_ERROR).half_width()  # 1.96

EDGES = [
    (0.0, "not decided"),
    (Z, "not decided"),
    (math.nextafter(Z, 2), "holds"),
    (5.0, "holds"),
    (-Z, "not decided"),
    (math.nextafter(-Z, -2), "fails"),
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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "holds"),
        (8.0, "holds"),
        (8.1, "not decided"),
        (10.0, "not decided"),
        (11.9, "not decided"),
        (12.0, "fails"),
        (math.nan, "not decided"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_within_asks_for_the_tolerance_beyond_the_error(value, expected, sign):
    assert verdict(sign * value, relation="within", tolerance=10) == expected


@pytest.mark.parametrize(("left", "expected"), [(7, "holds"), (7.5, "fails"), (3, "holds")])
def test_without_error_the_tolerance_is_within(left, expected):
    compared = comparison("within", left=left, right=5, tolerance=2)
    table = judge([claim(compared)], [], measure_of())
    assert table["verdict"].item() == expected


def test_the_row_of_a_tolerance_tells_what_is_left_of_it():
    table = judge([claim(comparison("within", tolerance=4))], [], measure_of(left=5.0, right=2.0))
    row = table.iloc[0]
    assert (row["excess"], row["margin"]) == (1, -4)
    assert row["comparison"] == (
        "nll(log_prob, ood) of vae/a/left within 4 of nll(log_prob, ood) of vae/a/right"
    )


def test_an_unknown_relation_is_refused():
    with pytest.raises(ValueError, match="relation '>=' is unknown; there are >, <, within"):
        verdict(0.0, relation=">=")


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


# trainings


def trained(value, n, error=0.1):
    """An estimate from n trainings (0: of no model), with an error over images."""
    spread = error * np.linspace(-1, 1, n) if n > 1 else np.zeros(n)
    without = {f"m{n}": value + spread} if n else {}
    return Estimate(value, value + error * UNIT_ERROR, without, {"mnist.test": 600})


def judged(*estimates):
    """The table of the claim that all estimates are above 0."""
    comparisons = [
        comparison(left={"model": str(k), "statistic": "mean"}, right=0)
        for k in range(len(estimates))
    ]

    def measure(quantity):
        return estimates[int(quantity["model"])] if isinstance(quantity, dict) else Estimate(0.0)

    return judge([claim(*comparisons)], [], measure)


@pytest.mark.parametrize(
    ("n", "above", "below"),
    [
        (0, "holds", "fails"),
        (1, "shown by one training", "not shown by one training"),
        (2, "shown by two trainings", "not shown by two trainings"),
        (3, "holds", "fails"),
        (10, "holds", "fails"),
    ],
)
def test_trained_models_are_decided_on_three_trainings_or_more(n, above, below):
    assert judged(trained(9.0, n))["verdict"].item() == above
    assert judged(trained(-9.0, n))["verdict"].item() == below
    near = judged(trained(0.01, n))["verdict"].item()
    assert near == (below if n in (1, 2) else "not decided")


def test_the_side_with_the_fewest_trainings_counts():
    table = judged(trained(9.0, 3) - trained(0.0, 1))
    assert table["verdict"].item() == "shown by one training"
    assert table["trainings"].item() == "m3: 3; m1: 1"


@pytest.mark.parametrize(
    ("estimates", "expected"),
    [
        ([(9.0, 3), (9.0, 1)], "shown by one training"),
        ([(9.0, 3), (9.0, 2)], "shown by two trainings"),
        ([(9.0, 2), (9.0, 1)], "shown by one training"),
        ([(9.0, 3), (-9.0, 1)], "not shown by one training"),
        ([(-9.0, 3), (9.0, 1)], "fails"),  # the three trainings refute it
        ([(0.01, 3), (9.0, 1)], "not decided"),
        ([(9.0, 3), (9.0, 0)], "holds"),
    ],
)
def test_a_claim_has_the_worst_verdict_of_its_comparisons(estimates, expected):
    assert judged(*(trained(*about) for about in estimates))["verdict"][0] == expected


def test_every_verdict_has_its_rank():
    assert set(WORST_FIRST) == set(VERDICTS)


def test_a_row_tells_what_its_verdict_rests_on():
    found = trained(9.0, 3)
    row = judged(found).iloc[0]
    assert (row["difference"], row["low"], row["high"]) == (9, *found.interval)
    assert (row["std_error"], row["degrees_of_freedom"]) == (found.std_error, pytest.approx(2))
    assert (row["trainings"], row["images"]) == ("m3: 3", "mnist.test: 600")
    assert row["p_value"] == found.p_value(9.0)


def test_failures_of_many_comparisons_are_held_to_holms_levels():
    # the levels of three comparisons are 0.05 / 3, 0.05 / 2 and 0.05
    limits = [Estimate(0.0, UNIT_ERROR).half_width(0.05 / m) for m in (3, 2, 1)]

    def failing(*excesses):
        values = [Estimate(-e, -e + UNIT_ERROR) for e in excesses]
        return (judged(*values)["comparison_verdict"] == "fails").tolist()

    beyond = [limit + 0.01 for limit in limits]
    assert failing(*beyond) == [True, True, True]
    assert failing(*beyond[::-1]) == [True, True, True]
    assert failing(limits[0] - 0.01, *beyond[1:]) == [False, False, False]
    assert failing(beyond[0], limits[1] - 0.01, beyond[2]) == [True, False, False]


def test_verdicts_are_counted_and_those_expected_to_be_false():
    verdicts = pd.Series(["holds"] * 30 + ["fails"] * 5 + ["not decided"] * 5)
    verdicts = pd.concat([verdicts, pd.Series(["shown by one training"] * 7)])
    assert count_verdicts(verdicts) == ("holds 30, fails 5, not decided 5, shown by one training 7")
    assert expected_false(verdicts) == (
        "Of 40 claims tested at a level of 5 %, 35 were decided; at most about 2.0 of these "
        "verdicts are expected to be false by chance."
    )


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
    assert (row["left"], row["right"], row["excess"], row["margin"]) == (5, 2, excess - 1, 1)
    assert row["std_error"] == 1
    assert (row["id"], row["where"], row["text"]) == ("C1", "Table 9", "It is so.")
    names = [f"nll(log_prob, ood) of vae/a/{side}" for side in ("left", "right")]
    assert row["comparison"] == f" {relation} ".join(names)


ABOUT = {"kind": "ord", "shown": False, "expected_at": "paper", "quote": "<b> & $x_1$"}


def test_a_row_tells_what_there_is_to_know_of_its_claim():
    claims = [claim(comparison(), name="A"), claim(comparison(), name="B") | ABOUT]
    table = judge(claims, [], measure_of(left=0.0, right=0.0))
    found = table[["kind", "shown", "expected_at", "quote"]].to_numpy().tolist()
    assert found == [["", "shown", "", ""], ["ord", "stated, not shown", "paper", "<b> & $x_1$"]]


@pytest.mark.parametrize(
    ("left", "trainings", "verdict", "sentence"),
    [
        (9.0, 3, "holds", "It rains."),
        (-9.0, 3, "fails", "It is not true that it rains."),
        (0.0, 3, "not decided", "It is not decided whether it rains."),
        (9.0, 1, "shown by one training", "One training shows that it rains; this d"),
        (0.0, 1, "not shown by one training", "One training does not show that it rains; this d"),
        (9.0, 2, "shown by two trainings", "Two trainings show that it rains; this d"),
        (0.0, 2, "not shown by two trainings", "Two trainings do not show that it rains; this d"),
        (9.0, 0, "not applicable", "These data cannot decide whether it rains."),
    ],
)
def test_every_verdict_says_what_it_means(left, trainings, verdict, sentence):
    entry = {"comparisons": [{"left": left, "relation": ">", "right": 0}], "means": "it rains"}
    entries = [claim(comparison(), name="A"), claim(comparison(), name="B") | entry]
    entries[1]["applies"] = trainings > 0

    def measure(quantity):
        value = float(quantity) if isinstance(quantity, int | float) else 0.0
        trained = {"m": np.full(trainings, value)} if quantity == left and trainings else {}
        return Estimate(value, value + np.array([-0.1, 0.0, 0.1]), trained)

    rows = judge(entries, [], measure).set_index("id")
    assert rows.loc["B", "verdict"] == verdict
    assert rows.loc["B", "meaning"].startswith(sentence)
    assert rows.loc["A", "meaning"] == ""


def test_there_is_a_meaning_of_every_verdict():
    assert set(MEANINGS) == set(VERDICTS)


def test_a_claim_is_printed_with_what_there_is_to_know_of_it(tmp_path):
    claims = [claim(comparison(), name="A"), claim(comparison(), name="B") | ABOUT]
    table = judge(claims, [], measure_of(left=0.0, right=0.0))
    table.to_csv(tmp_path / "claims.csv", index=False)
    for read in (table, pd.read_csv(tmp_path / "claims.csv")):
        assert show_claims(read)["Text"].tolist() == [
            "It is so.",
            "It is so. [stated, not shown; expected at scale paper]",
        ]


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


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ({"difference": [LEFT, RIGHT]}, 3.0),
        ({"ratio": [LEFT, RIGHT]}, 2.5),
        ({"largest": [RIGHT, LEFT, 4]}, 5.0),
        ({"smallest": [LEFT, {"difference": [RIGHT, 1]}]}, 1.0),
        (LEFT | {"statistic": "mean"}, -5.0),
    ],
)
def test_combined_quantities_of_printed_numbers_are_on_paper(quantity, value):
    for right, expected in ((value - 0.1, "hold"), (value, "fail")):
        table = judge(
            [claim(comparison(left=quantity, right=right))],
            printed(left=5.0, right=2.0),
            lambda q: Estimate(0.0),
        )
        assert table["paper_numbers"].item() == expected


@pytest.mark.parametrize(
    "quantity",
    [
        {"difference": [LEFT, RIGHT | {"statistic": "auroc"}]},
        {"stored": "toy/gap"},
        {"curve": "c", "function": "range", "statistic": "nll"},
        LEFT | {"component": 1},
    ],
)
def test_a_quantity_of_which_a_part_is_missing_is_not_printed(quantity):
    table = judge(
        [claim(comparison(left=quantity, right=0))],
        printed(left=5.0, right=2.0),
        lambda q: Estimate(0.0),
    )
    assert table["paper_numbers"].item() == "not printed"


def test_a_printed_mean_is_minus_the_nll():
    numbers = printed(left=5.0)
    numbers[0]["quantity"] = numbers[0]["quantity"] | {"statistic": "mean"}
    table = judge([claim(comparison(right=-5.1))], numbers, measure_of(left=0.0))
    assert table["paper_numbers"].item() == "hold"


@pytest.mark.parametrize(("tolerance", "expected"), [(3, "hold"), (2.9, "fail")])
def test_the_papers_numbers_are_within_the_tolerance_or_not(tolerance, expected):
    compared = comparison("within", tolerance=tolerance)
    table = judge([claim(compared)], printed(left=2.0, right=5.0), measure_of(left=0.0, right=0.0))
    assert table["paper_numbers"].item() == expected


def test_our_numbers_stand_beside_the_papers():
    table = compare_with_paper(printed(left=4.0, right=8.0), measure_of(left=6.0, right=2.0))
    assert table["paper"].tolist() == [4.0, 8.0]
    assert table["ours"].tolist() == [6.0, 2.0]
    assert table["ratio"].tolist() == [1.5, 0.25]
    assert table["std_error"].tolist() == [1.0, 0.0]
    assert (table["low"][0], table["high"][0]) == (pytest.approx(6 - Z), pytest.approx(6 + Z))
    assert table["quantity"][0] == "nll(log_prob, ood) of vae/a/left"
    assert table[["words", "model"]].iloc[0].tolist() == ["NLL out", "vae/a/left"]


@pytest.mark.parametrize(("indices", "shown"), [([613], "613"), ([613, 20, 7], "613, 20, 7")])
def test_an_index_is_listed_for_each_training(indices, shown):
    quantity = {"model": "m", "statistic": "median", "column": "latent_farthest_index"}
    entry = {"id": "F5", "where": "Figure 5", "unit": "", "value": 613, "quantity": quantity}
    found = over_trainings([[float(index)] for index in indices], "m")
    table = compare_with_paper([entry], lambda quantity: found)
    assert table[["kind", "paper", "ours"]].iloc[0].tolist() == ["index", 613, shown]
    assert show_comparison(table)[["Paper", "Ours", "Ratio"]].iloc[0].tolist() == [
        "613",
        shown,
        "–",
    ]


def setting(value, key="models.vae.draws"):
    return {"id": "S1", "where": "App. B", "setting": key, "unit": "draws", "value": value}


@pytest.mark.parametrize(
    ("paper", "ours", "shown", "ratio"),
    [
        (5000, 500, (5000, 500), 0.1),
        ([1, 7], (1, 7), ("1, 7", "1, 7"), None),
        ([[75], [-75]], [[50], [-50]], ("[75], [-75]", "[50], [-50]"), None),
        ("Adam", None, ("Adam", "None"), None),
        (True, 2, ("True", 2), None),
        (0, 2, (0, 2), None),
    ],
)
def test_our_settings_stand_beside_the_papers(paper, ours, shown, ratio):
    table = compare_with_paper([setting(paper)], measure_of(), {"models.vae.draws": ours})
    row = table.iloc[0]
    assert (row["kind"], row["quantity"]) == ("setting", "models.vae.draws")
    assert (row["paper"], row["ours"]) == shown
    assert pd.isna(row["ratio"]) if ratio is None else row["ratio"] == ratio
    assert row[["std_error", "low", "high"]].isna().all()


def test_an_unknown_setting_is_refused():
    with pytest.raises(
        ValueError, match=r"published S1: setting 'no\.key' is unknown; there are a\.b"
    ):
        compare_with_paper([setting(1, "no.key")], measure_of(), {"a.b": 1})


def test_a_number_that_is_no_result_of_ours_is_left_out():
    left_out = {"id": "N1", "where": "Fig. 5", "quantity": None, "unit": "", "value": 613}
    numbers = [left_out, *printed(left=1.0), setting(1)]
    table = compare_with_paper(numbers, measure_of(left=1.0), {"models.vae.draws": 2})
    assert table["kind"].tolist() == ["result", "setting"]
    judge([claim(comparison())], numbers, measure_of(left=0.0, right=0.0))


def test_results_and_settings_are_printed_each_in_their_way(tmp_path):
    numbers = [*printed(left=1595.1, right=613), setting(0.001), setting([1, 7])]
    ours = {"models.vae.draws": 0.01}
    table = compare_with_paper(numbers, measure_of(left=-5.0, right=2000.0), ours)
    table.to_csv(tmp_path / "comparison.csv", index=False)
    for read in (table, pd.read_csv(tmp_path / "comparison.csv")):
        assert show_comparison(read)[["Paper", "Ours", "Ratio"]].to_numpy().tolist() == [
            ["1,595.10", "-5.00 ± 1.00", "-0.003"],
            ["613", "2,000.0 ± 0.0", "3.263"],
            ["0.001", "0.01", "10.000"],
            ["1, 7", "0.01", "–"],
        ]


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
        (
            {"model": "m", "statistic": "std", "set": "test", "component": 0},
            "std(log_prob, test, component 0) of m",
        ),
        ({"stored": "toy/gap"}, "toy/gap"),
        ({"difference": [{"stored": "a/x"}, 2]}, "a/x - 2"),
        (
            {
                "ratio": [
                    {"difference": [1, {"stored": "a/x"}]},
                    {"largest": [{"ratio": [1, 2]}, 3]},
                ]
            },
            "(1 - a/x) / largest(1 / 2, 3)",
        ),
        (
            {"curve": "vae", "function": "spearman", "statistic": "mean"},
            "spearman(mean(log_prob, ood), distance) of vae",
        ),
        (
            {"curve": "vae", "function": "turning_distance"},
            "turning_distance(auroc(log_prob, ood)) of vae",
        ),
        (
            {
                "curve": "c",
                "function": "range",
                "statistic": "median",
                "set": "test",
                "column": "kl",
            },
            "range(median(kl, test)) of c",
        ),
        (
            {"curve": "c", "function": "distance_at_drop", "statistic": "mean", "drop": 100},
            "distance_at_drop(mean(log_prob, ood), 100) of c",
        ),
    ],
)
def test_a_quantity_has_a_name(quantity, name):
    assert quantity_name(quantity) == name


# config/claims.yaml and config/published.yaml

EXPERIMENTS = CONFIG["experiments"] | BEYOND["experiments"]
MODELS = {model for entry in EXPERIMENTS.values() for model in entry["models"]} | {
    f"toy/mixture_{dim}/{prior}"
    for dim in CONFIG["toy"]["dims"]
    for prior in CONFIG["toy"]["priors"]
}

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


ABOUT_A_SET = {"statistic", "set", "column", "component"}
KEYS = {
    "model": {"model"} | ABOUT_A_SET,
    "curve": {"curve", "function", "drop"} | ABOUT_A_SET,
    "stored": {"stored"},
    **{name: {name} for name in OPERATIONS},
}


def assert_quantity(quantity):
    if not isinstance(quantity, dict):
        assert isinstance(quantity, int | float)
        return
    (form,) = KEYS.keys() & quantity.keys()
    assert quantity.keys() <= KEYS[form]
    assert quantity.get("statistic", "auroc") in STATISTICS
    assert quantity.get("set", "ood") in {"train", "test", "ood"}
    {"model": assert_model, "curve": assert_curve, "stored": assert_stored}.get(
        form, assert_operation
    )(quantity)


def assert_model(quantity):
    assert quantity["model"] in MODELS
    assert "statistic" in quantity


def assert_curve(quantity):
    assert quantity["curve"] in CONFIG["curves"]
    assert quantity["function"] in CURVE_FUNCTIONS
    assert ("drop" in quantity) == (quantity["function"] == "distance_at_drop")


def assert_stored(quantity):
    assert quantity["stored"].split("/")[0] in {*CONFIG["analyses"], "toy"}


def assert_operation(quantity):
    (parts,) = quantity.values()
    assert len(parts) == 2 or not quantity.keys() & {"difference", "ratio"}
    for part in parts:
        assert_quantity(part)


@pytest.mark.parametrize("entry", CLAIMS, ids=[entry["id"] for entry in CLAIMS])
def test_every_claim_is_well_formed(entry):
    required = {"id", "where", "text", "refuted_by", "comparisons"}
    assert (
        required
        <= entry.keys()
        <= required | {"kind", "shown", "expected_at", "data", "but", "needs", "quote", "means"}
    )
    assert all(entry[key].strip() for key in ("id", "where", "text", "refuted_by"))
    assert entry.get("kind", "num") in {"num", "ord", "shape", "def"}
    assert entry.get("expected_at", "paper") in {"smoke", "quick", "short", "paper"}
    assert isinstance(entry.get("shown", True), bool)
    assert entry["comparisons"]
    more = entry.get("but", [])
    assert all("text" in compared for compared in more)
    for compared in [*entry["comparisons"], *more]:
        limit = "tolerance" if compared["relation"] == "within" else "margin"
        assert {"left", "relation", "right"} <= compared.keys()
        assert compared.keys() <= {"left", "relation", "right", limit, "text"}
        assert compared["relation"] in {">", "<", "within"}
        assert compared.get(limit, 0) >= 0
        assert ("tolerance" in compared) == (compared["relation"] == "within")
        assert_quantity(compared["left"])
        assert_quantity(compared["right"])
        assert compared["left"] != compared["right"]


@pytest.mark.parametrize("entry", CLAIMS, ids=[entry["id"] for entry in CLAIMS])
def test_the_papers_claims_quote_it_and_ours_say_what_they_mean(entry):
    assert ("quote" in entry) == entry["id"].startswith("C")
    assert ("means" in entry) == entry["id"].startswith("K")
    clause = entry.get("means", "a clause")
    assert "; " not in clause
    assert not clause.endswith(".")
    assert clause.split()[0] in ("a", "the", "what", "Glow")
    assert 1 < len(entry.get("quote", "one sentence").split()) <= 32


@pytest.mark.parametrize("entry", PUBLISHED, ids=[entry["id"] for entry in PUBLISHED])
def test_every_published_number_is_well_formed(entry):
    about = entry.keys() - {"id", "where", "unit", "value"}
    if about == {"setting"}:
        assert isinstance(entry["value"], int | float | str | list)
    else:
        assert about == {"quantity"}
        assert isinstance(entry["value"], int | float)
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
    """What the paper's numbers say about each claim, independent of ours."""
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
    assert {name for name, says in on_paper.items() if "fail" in says} == {"C18.2"}
    printed_claims = {name for name, says in on_paper.items() if says != {"not printed"}}
    assert {"C17.1", "C17.2", "C18.1", "C18.2", "C18.3", "C18.4"} <= printed_claims


@pytest.mark.parametrize("entry", CLAIMS, ids=[entry["id"] for entry in CLAIMS])
def test_every_verdict_is_a_known_one(entry):
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
