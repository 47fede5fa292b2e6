"""Quantities are said in words, and models by what tells them apart."""

from pathlib import Path

import pytest
import yaml

from oodpriors.statistics.wording import unit_of, word_claim

ROOT = Path(__file__).parents[3]
CLAIMS = yaml.safe_load((ROOT / "config/claims.yaml").read_text())
UNI = {"model": "vae/f/uni", "statistic": "mean", "set": "ood"}
MULTI = UNI | {"model": "vae/f/multi"}
AREA = {"statistic": "auroc", "set": "ood"}


def worded(left, right=0, **more):
    (found,) = word_claim([{"left": left, "right": right, **more}])
    return tuple(found)


def test_a_model_is_not_named_where_a_claim_is_about_it_alone():
    assert worded(UNI, UNI | {"set": "test"}) == ("mean out", "mean in", "nats")
    assert worded(AREA | {"model": "toy/mixture_2/uni"}, 0.5) == ("AUROC", "0.5", "")


def test_models_are_named_by_what_tells_them_apart():
    assert worded(UNI, MULTI)[:2] == ("mean out (uni)", "mean out (multi)")
    other = UNI | {"model": "glow/f/multi"}
    assert worded(UNI, other)[:2] == ("mean out (vae, uni)", "mean out (glow, multi)")


def test_names_of_the_code_are_no_words():
    for claim in CLAIMS:
        text = " ".join(f"{found.left} {found.right}" for found in word_claim(claim["comparisons"]))
        assert "_" not in text, claim["id"]
        assert "log prob" not in text, claim["id"]


def test_the_models_of_all_comparisons_of_a_claim_count():
    first, second = word_claim([{"left": UNI, "right": 5}, {"left": MULTI, "right": 5}])
    assert (first.left, second.left) == ("mean out (uni)", "mean out (multi)")


@pytest.mark.parametrize(
    ("quantity", "words", "unit"),
    [
        (UNI | {"statistic": "nll", "set": "test"}, "NLL in", "nats"),
        (UNI | {"column": "log_prob_refined"}, "refined mean out", "nats"),
        (UNI | {"column": "log_prob_unrefined"}, "encoder's mean out", "nats"),
        (
            UNI | {"column": "squared_distance", "component": 1},
            "mean of the squared distance out, component 1",
            "squared pixel values",
        ),
        (
            UNI | {"statistic": "overlap", "column": "latent_first"},
            "overlap of the first latent coordinate",
            "",
        ),
        (
            {"stored": "toy/toy/mixture_2/uni/at_origin"},
            "log p at the origin",
            "nats",
        ),
        ({"stored": "pixels/lower_fraction"}, "share of pixels with a lower variance out", ""),
        (
            {"stored": "clusters/lowered_4_3"},
            "share of dimensions with a lower variance in cluster 3 of label 4",
            "",
        ),
        ({"stored": "clusters/ratio_0_2"}, "variance of cluster 2 / of label 0", ""),
        ({"stored": "own/some_number"}, "some number", ""),
        (
            UNI | {"statistic": "within", "set": "test", "column": "latent_mode_distance"},
            "share near a component in",
            "",
        ),
        (UNI | {"column": "log_prob_true"}, "mean of the true log p out", "nats"),
        (UNI | {"column": "own_column"}, "mean of own column out", ""),
        ({"ratio": [UNI, MULTI]}, "mean out (uni) / mean out (multi)", ""),
        ({"difference": [UNI, MULTI]}, "mean out (uni) − mean out (multi)", "nats"),
        (
            {"ratio": [{"difference": [UNI, MULTI]}, UNI]},
            "(mean out (uni) − mean out (multi)) / mean out (uni)",
            "",
        ),
        (
            {"curve": "c", "function": "spearman", "statistic": "mean", "set": "ood"},
            "rank correlation with the distance of the mean out",
            "",
        ),
        (
            {"curve": "c", "function": "range", "statistic": "mean", "set": "test"},
            "range of the mean in",
            "nats",
        ),
        (
            {"curve": "c", "function": "distance_at_drop", "statistic": "mean", "drop": 300},
            "distance at which the mean out has fallen by 300",
            "",
        ),
        ({"largest": [UNI, MULTI]}, "largest of mean out (uni), mean out (multi)", "nats"),
        (1647.76, "1,647.76", ""),
    ],
)
def test_a_quantity_has_words_and_a_unit(quantity, words, unit):
    assert worded(quantity)[0] == words
    assert unit_of(quantity) == unit


def test_curves_of_one_claim_are_told_apart():
    curve = {"function": "range", "statistic": "mean", "set": "test"}
    left, right, _ = worded(curve | {"curve": "vae"}, curve | {"curve": "glow"})
    assert (left, right) == ("range of the mean in (vae)", "range of the mean in (glow)")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["id"])
def test_no_two_comparisons_of_a_claim_read_alike(claim):
    found = word_claim(claim["comparisons"])
    relations = [comparison["relation"] for comparison in claim["comparisons"]]
    assert len({*zip(found, relations, strict=True)}) == len(found)
    assert all(left and right and left != right for left, right, _ in found)
