"""Whether a multimodal prior is needed beside the best other score of the unimodal model."""

import numpy as np
import pandas as pd
import pytest

from oodpriors.tables.make import make_table, show_table
from oodpriors.tables.remedy import one_worse, summary

UNI, MULTI = "vae/f/uni", "vae/f/multi"
GLOW = ("glow/f/uni", "glow/f/multi")
# AUROC of each score under the unimodal model, by set; log p under the multimodal one is last.
AREAS = {
    "ood": {"log_prob": 0.3, "complexity": 0.6, "corrected": 0.7, "regret": 0.95, MULTI: 0.8},
    "kmnist": {"log_prob": 0.4, "complexity": 0.65, "corrected": 0.6, MULTI: 0.9},
    "noise": {"log_prob": 0.5, "complexity": 0.69, "corrected": 0.75, MULTI: 0.74},
}
# These may not count: they have a prior of the pair, or judge several images at once.
NO_OTHERS = dict.fromkeys(("prior_own", "prior_other", "typicality_2", "typicality_25"), 0.99)


def row(model, which, score, area):
    architecture, _, prior = model.split("/")
    about = {"model": model, "set": which, "architecture": architecture, "prior": prior}
    about |= {"training_data": "Fashion", "out_of_distribution": f"the {which}", "missing": ""}
    ends = {"auroc": area, "auroc_low": area - 0.02, "auroc_high": area + 0.02}
    batch = int(score.removeprefix("typicality_")) if score.startswith("typicality_") else 1
    return about | {"score": score, "title": f"title of {score}", "batch": batch} | ends


def rows(models=(UNI, MULTI), areas=AREAS):
    uni, multi = models
    found = []
    for which, scores in areas.items():
        for score, area in (scores | NO_OTHERS).items():
            model, name = (multi, "log_prob") if score == MULTI else (uni, score)
            found.append(row(model, which, name, area))
        found.append(row(multi, which, "corrected", 0.999))  # of the other model
    return pd.DataFrame(found)


def made(table, *pairs, **entry):
    pairs = pairs or ([UNI, MULTI],)
    return make_table({"kind": "remedy", "pairs": [*pairs], **entry}, table, [])


def test_the_best_other_score_of_single_images_stands_beside_both_priors():
    table = made(rows()).set_index("set")
    assert table.index.tolist() == [*AREAS]
    best = {"ood": "regret", "kmnist": "complexity", "noise": "corrected"}
    for which, name in best.items():
        assert table.loc[which, "best"] == f"title of {name}"
        assert table.loc[which, "best_auroc"] == AREAS[which][name]
        assert table.loc[which, "best_auroc_low"] == pytest.approx(AREAS[which][name] - 0.02)
        assert table.loc[which, "uni_auroc"] == AREAS[which]["log_prob"]
        assert table.loc[which, "multi_auroc"] == AREAS[which][MULTI]
    assert table["n_scores"].tolist() == [3, 2, 2]


def test_what_is_better_is_so_beyond_both_intervals():
    assert made(rows())["better"].tolist() == ["score", "prior", "neither"]
    for area, better in (
        (0.779, "prior"),
        (0.741, "neither"),
        (0.689, "neither"),
        (0.661, "score"),
    ):
        areas = {"ood": {"log_prob": 0.3, "corrected": 0.72, MULTI: area}}
        assert made(rows(areas=areas))["better"].item() == better, area


def test_one_score_is_chosen_for_all_sets_that_all_have():
    table = made(rows())  # of regret there is one set alone; the means are 0.647 and 0.683
    assert set(table["one"]) == {"title of corrected"}
    assert table["one_auroc"].tolist() == [0.7, 0.6, 0.75]


def test_one_score_is_chosen_over_all_pairs():
    other = {"ood": {"log_prob": 0.3, "complexity": 0.9, MULTI: 0.8}}  # corrected is missing
    both = pd.concat([rows(), rows(GLOW, other)], ignore_index=True)
    table = made(both, [UNI, MULTI], [*GLOW])
    assert set(table["one"]) == {"title of complexity"}
    assert table["architecture"].tolist() == ["vae"] * 3 + ["glow"]


def test_without_a_score_that_all_have_there_is_none():
    areas = {"ood": {"log_prob": 0.3, "regret": 0.9, MULTI: 0.8}, "kmnist": AREAS["kmnist"]}
    table = made(rows(areas=areas))
    assert table["one"].isna().all()
    assert np.isnan(summary(table)["one"])


@pytest.mark.parametrize("lacking", ["log_prob", "others", MULTI])
def test_a_set_without_one_of_the_numbers_is_left_out(lacking):
    table = rows()
    which = {
        "log_prob": (UNI, ["log_prob"]),
        "others": (UNI, ["complexity", "corrected"]),
        MULTI: (MULTI, ["log_prob"]),
    }
    model, scores = which[lacking]
    of_set = (table["set"] == "kmnist") & (table["model"] == model)
    gone = of_set & table["score"].isin(scores)
    assert gone.any()
    assert made(table[~gone])["set"].tolist() == ["ood", "noise"]
    assert made(table.assign(auroc=table["auroc"].mask(gone)))["set"].tolist() == ["ood", "noise"]


def test_the_scores_and_sets_of_the_entry_count():
    table = made(rows(), scores=["complexity"], further=False)
    assert table["best"].tolist() == ["title of complexity"]


def test_nothing_gives_a_table_of_nothing():
    table = made(rows().assign(auroc=np.nan))
    assert table.empty
    assert show_table("remedy", table).empty


def test_the_summary_counts_sets_and_has_means_over_them():
    assert summary(made(rows())) == {
        **{"sets": 3, "score": 1, "prior": 1, "neither": 1},
        **{"one_wins": 0, "one_loses": 2},
        "uni": pytest.approx((0.3 + 0.4 + 0.5) / 3),
        "multi": pytest.approx((0.8 + 0.9 + 0.74) / 3),
        "one": pytest.approx((0.7 + 0.6 + 0.75) / 3),
    }


def test_the_one_score_is_worse_or_better_beyond_both_intervals():
    for area, wins, loses in (
        (0.779, 0, 1),
        (0.741, 0, 0),
        (0.689, 0, 0),
        (0.661, 1, 0),
    ):
        table = made(rows(areas={"ood": {"log_prob": 0.3, "corrected": 0.72, MULTI: area}}))
        found = summary(table)
        assert (found["one_wins"], found["one_loses"]) == (wins, loses), area
        assert len(one_worse(table)) == loses
    assert one_worse(made(rows()))["set"].tolist() == ["ood", "kmnist"]  # 0.7 < 0.8, 0.6 < 0.9
    none = made(rows()).assign(one_auroc_low=np.nan, one_auroc_high=np.nan)
    assert (summary(none)["one_wins"], summary(none)["one_loses"]) == (0, 0)
