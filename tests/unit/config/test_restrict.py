"""Runs of some experiments, with the claims that need no other."""

import copy

import pytest
from tests.unit.config.conftest import BEYOND, OWN, checked, entry, every_scale, read

from oodpriors.config.restrict import with_estimates, with_models, with_only
from oodpriors.config.schema import ConfigError
from oodpriors.config.specs import (
    model_ids,
    models_of,
    toy_ids,
    with_stand_ins,
)

# some of the experiments


def small(only):
    """Two experiments, toy flows, and entries that need one of them, both or none."""
    one, two, toy = "vae/a/uni", "glow/b/multi", "toy/mixture_2/uni"
    return {
        "only": only,
        "experiments": {"first": {"models": [one, "vae/a/multi"]}, "second": {"models": [two]}},
        "toy": {"dims": [2], "priors": ["uni", "nine"]},
        "datasets": {name: {"kind": "npz"} for name in "xyz"},
        "subsets": {
            "a": {"dataset": "x", "out_of_distribution": "out"},
            "b": {"dataset": "y", "out_of_distribution": "out", "labels": [], "kmeans": None},
            "out": {"dataset": "z", "out_of_distribution": None},
        },
        "priors": {"uni": {}, "multi": {}, "nine": {}},
        "models": {"vae": {}, "glow": {}},
        "curves": {"c1": {"title": "1", "models": [one]}, "c2": {"title": "2", "models": [two]}},
        "analyses": {
            "densities": {"beta": 4},
            "pixels": {"model": one},
            "clusters": {"subset": "b"},
            "decoded": {"models": [one, two]},
        },
        "figures": {
            "one": {"kind": "histograms", "panels": {"(a)": [one, "vae/a/multi"]}},
            "two": {"kind": "clusters", "subset": "b"},
            "both": {"kind": "curves", "curves": ["c1", "c2"]},
            "curve": {"kind": "curves", "curves": ["c2"]},
            "flows": {"kind": "contours", "models": [toy]},
            "none": {"kind": "densities"},
        },
        "tables": {
            "one": {"kind": "likelihoods", "models": [one]},
            "both": {"kind": "decomposition", "pairs": [[one, two]]},
            "flows": {"kind": "toy"},
            "none": {"kind": "architecture", "network": "grey"},
        },
    }


KEPT = {
    "experiments": {"first": ["first"], "second": ["second"]},
    "curves": {"first": ["c1"], "second": ["c2"]},
    "analyses": {"first": ["densities", "pixels"], "second": ["densities", "clusters"]},
    "figures": {"first": ["one", "none"], "second": ["two", "curve", "none"]},
    "tables": {"first": ["one", "none"], "second": []},
    "datasets": {"first": ["x", "z"], "second": ["y", "z"]},
    "subsets": {"first": ["a", "out"], "second": ["b", "out"]},
    "priors": {"first": ["uni", "multi"], "second": ["multi"]},
    "models": {"first": ["vae"], "second": ["glow"]},
}


@pytest.mark.parametrize("only", ["first", "second"])
@pytest.mark.parametrize("table", KEPT)
def test_what_needs_other_experiments_is_left_out(table, only):
    config = small([only])
    given = copy.deepcopy(config)
    kept = with_only(config)
    assert config == given
    assert list(kept[table]) == KEPT[table][only]
    assert kept[table].items() <= config[table].items()
    assert kept["toy"] is None


def test_toy_flows_need_another_experiment_beside_them():
    with pytest.raises(ConfigError, match=r"^config: only: toy alone leaves no table"):
        with_only(small(["toy"]))
    assert with_only(small(["toy", "first"]))["toy"] is not None


@pytest.mark.parametrize("only", [None, ["first", "second", "toy"]])
def test_all_experiments_keep_everything(only):
    assert with_only(small(only)) == small(only)


def test_without_toy_flows_everything_else_is_kept():
    kept = with_only(small(None) | {"toy": None})
    for table, left_out in (("figures", {"flows"}), ("tables", {"flows"}), ("subsets", set())):
        assert set(small(None)[table]) - set(kept[table]) == left_out
    with pytest.raises(ConfigError, match="only: there is no experiment 'toy'"):
        with_only(small(["first", "toy"]) | {"toy": None})


@pytest.mark.parametrize("name", ["toy", "pixels", "c2"])
def test_a_subset_named_like_something_else_does_not_stand_for_it(name):
    config = small(["first"])
    config["subsets"][name] = config["subsets"].pop("a")
    config["experiments"]["first"] = {"models": [f"vae/{name}/uni"]}
    kept = with_only(config)
    assert "flows" not in kept["tables"]
    assert "curve" not in kept["figures"]
    stored = {"id": "x", "quantity": {"stored": "pixels/lower_fraction"}}
    assert kept_of([stored], kept) == []


def test_an_experiment_that_does_not_exist_is_told():
    with pytest.raises(ConfigError) as caught:
        with_only(small(["frist", "second", "tyo"]))
    assert str(caught.value).splitlines() == [
        "config: only: there is no experiment 'frist'; did you mean first?",
        "config: only: there is no experiment 'tyo'; did you mean toy?",
    ]


@pytest.mark.parametrize("only", OWN["experiments"])
def test_any_experiment_alone_is_a_sound_configuration(only):
    config = checked({"only": [only]})
    for table in ("figures", "tables", "curves", "analyses"):
        needed = set(models_of(config[table]))
        assert needed <= {str(model) for model in (*model_ids(config), *toy_ids(config))}


def test_without_refined_posteriors_nothing_of_them_is_drawn_or_tabulated():
    whole = checked({})
    without = checked({"models.vae.refined": None})
    for config, there in ((whole, True), (without, False)):
        kept = with_estimates(config)
        assert ("estimates" in kept["figures"]) == there
        assert ("refined" in kept["tables"]) == there
    for table, name in (("figures", "estimates"), ("tables", "refined")):
        assert set(whole[table]) - set(with_estimates(without)[table]) == {name}


def test_a_run_of_flows_alone_has_no_table_of_refined_likelihoods():
    flows = {"experiments": {"mine": {"models": ["glow/fashion_1_7/unimodal"]}}}
    assert "refined" not in with_estimates(checked({}) | flows)["tables"]
    vaes = {"experiments": {"mine": {"models": ["vae/fashion_1_7/unimodal"]}}}
    assert "refined" in with_estimates(checked({}) | vaes)["tables"]


def test_claims_about_refined_posteriors_need_them():
    quantity = {"model": "vae/a/uni", "statistic": "mean", "column": "log_prob_refined"}
    claim = {"id": "x", "comparisons": [{"left": quantity, "relation": ">", "right": 0}]}
    for refined, kept in (({"images": 3}, ["x"]), (None, [])):
        config = small(None) | {"models": {"vae": {"refined": refined}}}
        assert kept_of([claim], config) == kept


def kept_of(entries, config=None, analyses=()):
    config = small(None) if config is None else config
    return [e["id"] for e in with_models(entries, config, analyses)]


def test_claims_about_models_that_are_not_trained_are_left_out():
    entries = [
        entry("both", "vae/a/uni", "glow/b/multi"),
        entry("one unknown", "vae/a/uni", "glow/a/uni"),
        entry("toy flow", "toy/mixture_2/uni"),
        entry("no such toy flow", "toy/mixture_3/uni"),
        entry("no model"),
        {"id": "number", "quantity": {"model": "vae/b/uni", "statistic": "nll"}},
    ]
    assert kept_of(entries) == ["both", "toy flow", "no model"]


@pytest.mark.parametrize(
    ("quantity", "kept"),
    [
        ({"curve": "c1", "function": "range"}, True),
        ({"curve": "c3", "function": "range"}, False),
        ({"stored": "pixels/lower_fraction"}, True),
        ({"stored": "clusters/ratio_0_0"}, False),
        ({"difference": [{"model": "vae/a/uni"}, {"stored": "pixels/lower_fraction"}]}, True),
        ({"difference": [{"model": "vae/a/uni"}, {"stored": "clusters/ratio_0_0"}]}, False),
        ({"model": "vae/a/uni", "needs": ["subsets.a"]}, True),
        ({"model": "vae/a/uni", "needs": ["subsets.c"]}, False),
        ({"largest": [{"ratio": [{"curve": "c1"}, {"curve": "c3"}]}, 5]}, False),
    ],
)
def test_claims_about_what_is_not_computed_are_left_out(quantity, kept):
    claim = {"id": "x", "comparisons": [{"left": 1, "relation": ">", "right": quantity}]}
    number = {"id": "x", "quantity": quantity, "value": 1}
    for each in (claim, number):
        assert bool(kept_of([each], analyses=["pixels"])) == kept


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        ("toy.dims.0", True),
        ("toy.dims.1", False),
        ("toy.nothing", False),
        ("analyses.densities.beta", True),
        ("only", False),
        ("experiments.first.models.0.x", False),
    ],
)
def test_settings_that_the_configuration_lacks_are_left_out(setting, kept):
    assert bool(kept_of([{"id": "x", "setting": setting, "value": 4}])) == kept


@every_scale
@pytest.mark.parametrize("path", ["config/claims.yaml", "config/published.yaml"])
def test_the_configuration_has_everything_for_the_papers_claims_and_numbers(path, scale):
    entries, config = read(path), checked(BEYOND, scale=scale)
    known = kept_of(entries, config, [*config["analyses"], "toy"])
    assert known == [e["id"] for e in entries]


@pytest.mark.parametrize(("data", "kind"), [("real", None), ("embedded", False)])
def test_only_the_papers_images_decide_a_claim_about_them(data, kind):
    config = checked({"data": data})
    config = with_stand_ins(config) if data == "embedded" else config
    compared = [{"left": {"model": "glow/fashion_1/unimodal"}, "relation": "<", "right": 0}]
    claims = [
        {"id": i, "data": on, "comparisons": compared} for i, on in (("A", "paper"), ("B", ""))
    ]
    found = with_models(claims, config, [])
    assert [claim.get("applies") for claim in found] == [kind, None]


def test_further_sets_and_what_they_are_made_of_are_kept():
    config = small(["first"])
    config["subsets"]["a"]["further"] = ["noise", "more"]
    config["subsets"]["noise"] = {"dataset": None, "of": "b", "out_of_distribution": None}
    config["subsets"]["more"] = {"dataset": "w", "out_of_distribution": None}
    config["datasets"]["w"] = {"kind": "npz"}
    kept = with_only(config)
    assert set(kept["subsets"]) == {"a", "b", "out", "noise", "more"}
    assert set(kept["datasets"]) == {"x", "y", "z", "w"}
    config["experiments"]["first"]["further"] = False
    assert set(with_only(config)["subsets"]) == {"a", "out"}
