"""Tables hold what the scores say, and are printed as they should be."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from oodpriors.claims import judge
from oodpriors.quantities import Measure
from oodpriors.statistics import Estimate, ScoreTable
from oodpriors.tables import (
    DECOMPOSITION_NOTE,
    decomposition_table,
    model_table,
    ranking_table,
    seed_note,
    show_claims,
    show_decomposition,
    show_ranking,
    verdict_text,
)

UNI, MULTI, VAE = "glow/fashion_7/uni", "glow/fashion_7/multi", "vae/fashion_7/uni"
TITLES = {
    "models": {"vae": "VAE", "glow": "Glow"},
    "subsets": {"fashion_7": "Fashion-MNIST (7)", "mnist": "MNIST"},
    "priors": {"uni": "one", "multi": "two"},
}
PARTS = {
    "glow": ["prior_separating", "prior_rest", "log_det"],
    "vae": [
        *("reconstruction", "prior_separating", "prior_rest", "posterior_entropy"),
        "importance_gain",
    ],
}


def frame(model, seed):
    """Parts drawn at random, that add up to log_prob."""
    rng = np.random.default_rng([len(model), seed])
    table = pd.DataFrame({"set": ["test"] * 30 + ["ood"] * 50})
    table["images"] = table["set"].map({"test": "fashion_7.test", "ood": "mnist.test"})
    for column in PARTS[model.split("/")[0]]:
        table[column] = rng.normal(-100, 10, len(table))
    if model == UNI:
        table["prior_separating"] = 0.0
    if model == MULTI:
        table["latent_first_abs"] = rng.normal(5, 1, len(table))
    table["log_prob"] = table[PARTS[model.split("/")[0]]].sum(axis=1)
    return table.assign(bits_per_dim=1.0, std_error=0.1)


SCORES = {
    model: ScoreTable([frame(model, seed) for seed in range(n)], range(n))
    for model, n in ((UNI, 1), (MULTI, 3), (VAE, 1))
}


@pytest.fixture(scope="module")
def measure():
    return Measure(SCORES, 50)


def of_set(model, which, column="log_prob"):
    """A column of each seed."""
    return [table.loc[table["set"] == which, column] for table in SCORES[model].tables]


def rankings(function, model, column="log_prob"):
    """A metric of scikit-learn, averaged over seeds."""
    pairs = zip(of_set(model, "test", column), of_set(model, "ood", column), strict=True)
    return np.mean([function([0] * 30 + [1] * 50, -np.concatenate(pair)) for pair in pairs])


# ranking


@pytest.fixture(scope="module")
def ranking(measure):
    return ranking_table(SCORES, TITLES, measure)


def test_a_row_of_the_ranking_says_what_it_is_about(ranking):
    row = ranking.set_index("model").loc[MULTI]
    about = ["architecture", "prior", "training_data", "out_of_distribution"]
    assert row[about].tolist() == ["Glow", "two", "Fashion-MNIST (7)", "MNIST"]
    assert row[["seeds", "n_test", "n_ood"]].tolist() == [3, 30, 50]


@pytest.mark.parametrize(
    ("name", "function"), [("auroc", roc_auc_score), ("aupr", average_precision_score)]
)
def test_the_ranking_is_that_of_the_scores(ranking, name, function):
    assert ranking["model"].tolist() == list(SCORES)
    expected = [rankings(function, model) for model in SCORES]
    np.testing.assert_allclose(ranking[name], expected)
    assert (ranking[f"{name}_low"] < ranking[f"{name}_high"]).all()


def test_the_ranking_is_printed_with_its_intervals(ranking):
    ranking = ranking.assign(auroc=0.926, auroc_low=0.914, auroc_high=1)
    shown = show_ranking(ranking)
    assert shown.loc[1, "AUROC"] == "0.93 [0.91, 1.00]"
    assert shown.columns.tolist()[-4:] == ["Seeds", "AUROC", "AUPR", "FPR95"]


# decomposition


@pytest.fixture(scope="module")
def decomposition(measure):
    return decomposition_table([(UNI, MULTI)], SCORES, TITLES, measure)


@pytest.mark.parametrize("which", ["ood", "test"])
@pytest.mark.parametrize("part", ["log_prob", *PARTS["glow"]])
def test_a_change_is_the_difference_of_the_means(decomposition, which, part):
    row = decomposition.query("set == @which and part == @part").iloc[0]
    uni, multi = (np.mean(of_set(model, which, part)) for model in (UNI, MULTI))
    assert row[["uni_mean", "multi_mean", "change"]].tolist() == pytest.approx(
        [uni, multi, multi - uni]
    )
    assert (row["uni"], row["multi"], row["architecture"]) == (UNI, MULTI, "Glow")


@pytest.mark.parametrize("which", ["ood", "test"])
def test_the_parts_add_up_to_the_whole(decomposition, which):
    rows = decomposition.query("set == @which and part != '|z_1|'").set_index("part")
    assert rows["change"].drop("log_prob").sum() == pytest.approx(rows.loc["log_prob", "change"])
    assert rows["share"].drop("log_prob").sum() == pytest.approx(1)
    assert rows.loc["log_prob", "share"] == 1


def test_the_error_of_a_change_is_that_of_the_paired_difference(decomposition, measure):
    mean = {"statistic": "mean", "set": "ood", "column": "log_det"}
    change = measure({"difference": [{"model": MULTI, **mean}, {"model": UNI, **mean}]})
    row = decomposition.query("set == 'ood' and part == 'log_det'").iloc[0]
    assert row["std_error"] == pytest.approx(change.std_error)


def test_each_part_ranks_alone_under_the_multimodal_model(decomposition):
    rows = decomposition.query("set == 'ood'").set_index("part")
    columns = {part: part for part in PARTS["glow"]} | {"|z_1|": "latent_first_abs"}
    for part, column in columns.items():
        assert rows.loc[part, "auroc"] == pytest.approx(rankings(roc_auc_score, MULTI, column))
    assert rows.loc["|z_1|", ["uni_mean", "change", "share"]].isna().all()
    assert decomposition.query("set == 'test'")["auroc"].isna().all()


def test_a_vae_has_the_parts_of_a_vae_and_no_row_of_what_it_lacks(measure):
    table = decomposition_table([(VAE, VAE)], SCORES, TITLES, measure)
    assert set(table["part"]) == {"log_prob", *PARTS["vae"]}
    assert table.query("set == 'ood' and part == 'log_prob'")["share"].isna().all()


def test_a_decomposition_is_printed_with_its_errors(decomposition):
    change = {"uni_mean": 1.0, "multi_mean": -1233.5, "change": -1234.5, "std_error": 6.72}
    area = {"auroc": 0.93, "auroc_low": 0.906, "auroc_high": 0.95, "share": 0.456}
    shown = show_decomposition(decomposition.iloc[:1].assign(**change, **area))
    assert shown.iloc[0].tolist() == [
        *("Glow", "two", "Fashion-MNIST (7)", "out", "log_prob", "1.0", "-1,233.5"),
        *("-1,234.5 ± 6.7", "46%", "0.93 [0.91, 0.95]"),
    ]
    alone = show_decomposition(decomposition.query("part == '|z_1|'")).iloc[0]
    assert alone[["uni", "multi", "Change", "Share"]].tolist() == ["–"] * 4
    assert "prior_rest" in DECOMPOSITION_NOTE


# seeds and verdicts


@pytest.mark.parametrize(
    ("seeds", "note"),
    [
        ([1, 1], "There is one seed, so errors are over images alone"),
        ([3, 3], "Errors are over images and 3 seeds of each model."),
        ([2, 3], "Errors are over images and 2 or 3 seeds of each model."),
        ([1, 3, 1], "2 of 3 models have one seed, and their errors are over images alone"),
    ],
)
def test_the_note_on_seeds_tells_one_from_several(seeds, note):
    found = seed_note({f"m{i}": n for i, n in enumerate(seeds)})
    assert found.startswith(note)
    assert ("how much another training would differ is not in them" in found) == (1 in seeds)


def made_claims():
    sides = {"A": (9, 1), "B": (1, 9), "C": (1, 1), "D": (8, 2)}
    claims = [
        {
            "id": name,
            "where": "Section 9",
            "text": "It is so.",
            "comparisons": [{"left": left, "relation": ">", "right": right}],
        }
        for name, (left, right) in sides.items()
    ]
    claims[1] |= {"shown": False, "expected_at": "paper"}
    return judge(claims, [], lambda number: Estimate(float(number)))


@pytest.mark.parametrize(
    ("left", "error", "expected"),
    [
        (1234.5, 6.72, "+1,234.5 ± 6.7"),
        (-0.25, 0.01, "-0.2500 ± 0.0100"),
        (1e-6, 0.0, "+1.0e-06 ± 0.0e+00"),
    ],
)
def test_an_excess_has_the_digits_that_its_size_asks_for(left, error, expected):
    claim = {"id": "A", "where": "", "text": ""}
    claim["comparisons"] = [{"left": left, "relation": ">", "right": 0}]
    replicates = left + error * np.array([-1, 0, 1])
    known = {left: Estimate(left, replicates), 0: Estimate(0.0, np.zeros(3))}
    shown = show_claims(judge([claim], [], known.get))
    assert shown["Excess over the margin"].tolist() == [expected]


def test_a_terminal_shows_counts_and_what_there_is_to_know_of_a_claim(measure):
    text = verdict_text(made_claims(), model_table(SCORES, TITLES, measure), "scale smoke")
    lines = text.splitlines()
    assert "4 claims: holds 2, fails 1, not decided 1" in lines
    assert "  fails        B      It is so. [stated, not shown; expected at scale paper]" in lines
    assert lines[2].startswith("2 of 3 models have one seed")
