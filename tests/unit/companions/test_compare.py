"""The AUROC of each score: orientation, errors, ties, and what is missing."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from tests.unit.companions.conftest import SIZES

from oodpriors.companions import scores as functions
from oodpriors.companions.compare import companion_table, model_rows, score_training
from oodpriors.companions.training import stored_trainings
from oodpriors.data.datasets import save_arrays
from oodpriors.kinds.companions import COMPANIONS
from oodpriors.kinds.datasets import OFFICIAL

MODEL = "glow/f/two"
TITLES = {
    "models": {"glow": "Glow"},
    "subsets": {"f": "Fashion", "m": "MNIST", "k": "KMNIST"},
    "priors": {"two": "multi"},
    "datasets": {"f": "fashion_mnist", "m": "mnist", "k": "npz"},
}


def with_all(training, seed=0, **columns):
    """A training that has every score but those of other trainings."""
    rng = np.random.default_rng(seed)
    n = len(training.scores)
    more = {
        "refined": training.scores["index"] < 30,
        "log_prob_refined": np.where(training.scores["index"] < 30, rng.normal(size=n), np.nan),
        "refinement_gain": np.where(training.scores["index"] < 30, rng.normal(size=n), np.nan),
    }
    sizes = {name: pd.Series(rng.normal(size=80)) for name in ("f.test", "m.test")}
    keys = pd.MultiIndex.from_frame(training.scores[["set", "index"]])
    background = pd.Series(rng.normal(size=n), keys)
    table = training.scores.assign(log_prob=training.scores["log_prob"] + seed)
    few = keys[training.scores["index"] < 30]
    norms = pd.DataFrame(rng.normal(size=(len(few), 3)), few).add_prefix("gradient_")
    given = {"scores": table.assign(**more, **columns), "background": background}
    given |= {"gradients": norms}
    return dataclasses.replace(training, sizes=sizes, **given)


def rows_of(*trainings, n_bootstrap=50):
    scored = [dict(score_training(training)) for training in trainings]
    table = pd.DataFrame(model_rows(MODEL, scored, TITLES, n_bootstrap, 0))
    return table.set_index(["set", "score"])


def test_every_score_has_a_row_and_an_auroc_in_its_interval(flow):
    table = rows_of(with_all(flow), with_all(flow, 1)).loc["ood"]
    assert table.index.tolist() == [*COMPANIONS]
    assert (table["missing"] == "").all()
    assert table["auroc"].between(table["auroc_low"], table["auroc_high"]).all()
    assert table["auroc_low"].ge(0).all()
    assert table["auroc_high"].le(1).all()
    assert set(table["out_of_distribution"]) == {"MNIST"}


def test_the_auroc_is_that_of_scikit_learn_averaged_over_trainings(flow):
    trainings = [
        with_all(flow),
        with_all(flow, 1, log_prob=flow.scores["log_prob"].to_numpy()[::-1]),
    ]
    rows = (flow.scores["set"] != "train").to_numpy()
    inside = (flow.scores["set"] == "test")[rows]
    for name in ("log_prob", "typicality_1", "log_odds", "norm_typicality"):
        score = getattr(functions, name.removesuffix("_1"))
        each = [roc_auc_score(inside, score(training)[rows]) for training in trainings]
        assert rows_of(*trainings).loc[("ood", name), "auroc"] == pytest.approx(np.mean(each))


def test_a_published_number_stands_beside_ours_for_the_same_data_sets_alone(flow):
    trainings = [with_all(flow)]
    table = rows_of(*trainings).loc["ood"]
    assert table.loc["likelihood_ratio", "published"] == 0.994
    assert "Ren et al." in table.loc["likelihood_ratio", "published_source"]
    assert np.isnan(table.loc["corrected", "published"])  # of CIFAR-10 alone
    scored = [dict(score_training(training)) for training in trainings]
    stand_ins = TITLES | {"datasets": {"f": "embedded", "m": "embedded"}}
    rows = pd.DataFrame(model_rows(MODEL, scored, stand_ins, 20, 0))
    assert "published" not in rows


def test_published_numbers_are_shares_with_a_source():
    for kind in COMPANIONS.values():
        for anchor in kind.published:
            assert {anchor.data, anchor.other} <= set(OFFICIAL)
            assert 0 < anchor.auroc < 1
            assert re.search(r"\d{4}$", anchor.source)


def test_swapped_sets_turn_every_auroc_around(flow):
    trainings = [with_all(flow), with_all(flow, 1)]
    swap = {"test": "ood", "ood": "test", "train": "train"}
    swapped = [
        dataclasses.replace(
            t,
            scores=t.scores.assign(set=t.scores["set"].map(swap)),
            background=t.background.rename(swap, level="set"),
            gradients=t.gradients.rename(swap, level="set"),
        )
        for t in trainings
    ]
    before, after = rows_of(*trainings), rows_of(*swapped)
    pd.testing.assert_series_equal(after["auroc"], 1 - before["auroc"], check_names=False)
    pd.testing.assert_series_equal(after["ties"], before["ties"])


def test_images_from_elsewhere_score_lower_where_they_differ(flow):
    # between the components: no odds, and less log p
    table = rows_of(with_all(flow)).loc["ood", "auroc"]
    assert table["log_odds"] > 0.9
    assert table[["prior_own", "prior_mixture", "prior_kernels"]].gt(0.6).all()
    # the unimodal prior sees the point between the modes as the likeliest
    assert table["prior_other"] < 0.25


def test_one_training_has_no_waic_and_that_is_no_error(flow):
    row = rows_of(with_all(flow)).loc[("ood", "waic")]
    assert np.isnan(row["auroc"])
    assert row["missing"] == "one training: a variance over trainings needs two"


def noisy(flow, seed):
    noise = np.random.default_rng(seed).normal(0, 3, len(flow.scores))
    return with_all(flow, seed, log_prob=flow.scores["log_prob"] + noise)


@pytest.mark.parametrize("number", [2, 3, 5])
def test_the_error_of_waic_over_trainings_is_the_jackknife(flow, number):
    trainings = [noisy(flow, seed) for seed in range(number)]
    row = rows_of(*trainings, n_bootstrap=1000).loc[("ood", "waic")]
    log_p = np.stack([t.scores["log_prob"] for t in trainings])
    rows, inside = ~flow.train, (flow.scores["set"] == "test")[~flow.train]

    def area(some):
        values = some.mean(0) - some.var(0, ddof=1)
        return roc_auc_score(inside, values[rows])

    assert row["auroc"] == pytest.approx(area(log_p))
    images = rows_of(*trainings[:1], n_bootstrap=1000).loc[("ood", "log_prob")]
    width, alone = (r["auroc_high"] - r["auroc_low"] for r in (row, images))
    if number > 2:
        left = [area(np.delete(log_p, i, 0)) for i in range(number)]
        error = np.sqrt(np.var(left) * (number - 1))
        assert width > 2 * 1.96 * error
    else:
        assert width == pytest.approx(alone, rel=0.3)


def test_mean_scores_are_those_of_each_set_over_the_trainings(flow):
    trainings = [with_all(flow), with_all(flow, 3)]
    row = rows_of(*trainings).loc[("ood", "log_prob")]
    for which in ("test", "ood"):
        each = flow.scores.loc[flow.scores["set"] == which, "log_prob"]
        assert row[f"mean_{which}"] == pytest.approx(each.mean() + 1.5)  # shifted by 0 and by 3


def test_ties_and_infinite_scores_are_told(flow):
    log_p = np.zeros(len(flow.scores))
    log_p[~flow.train] = np.arange(log_p[~flow.train].size) + 1000.0
    log_p[SIZES["train"] : SIZES["train"] + 25] = -np.inf  # half of the test images
    log_p[-10:] = -np.inf  # a quarter of those out of distribution
    table = rows_of(with_all(flow, log_prob=log_p)).loc["ood"]
    row = table.loc["log_prob"]
    assert row["ties"] == pytest.approx(25 * 10 / (50 * 40))
    assert row["infinite"] == pytest.approx(35 / 90)
    assert row["auroc"] == pytest.approx((25 + 25 / 2) * 10 / (50 * 40))
    assert table.loc["typicality_1", "infinite"] == pytest.approx(35 / 90)
    assert table.loc["norm_typicality", ["ties", "infinite"]].tolist() == [0, 0]


def test_a_score_that_is_the_same_for_all_is_blind_and_all_ties(flow):
    row = rows_of(with_all(flow, log_prob=-7.0)).loc[("ood", "log_prob")]
    assert (row["auroc"], row["ties"]) == (0.5, 1)


def test_refined_scores_are_of_the_refined_images_alone(flow):
    table = rows_of(with_all(flow)).loc["ood"]
    counts = ["n_test", "n_ood"]
    assert table.loc["regret", counts].tolist() == [30, 30]
    assert table.loc["gradient_norms", counts].tolist() == [30, 30]
    assert table.loc["log_prob", counts].tolist() == [SIZES["test"], SIZES["ood"]]
    assert table.loc["typicality_25", counts].tolist() == [2, 1]


def test_what_a_set_lacks_is_missing_in_this_set_alone(flow):
    # two sets out of distribution, of which one has no refined posteriors and no given images
    scores, last = with_all(flow).scores, 10
    scores.loc[scores.index[-last:], ["set", "images"]] = ["ood_2", "k.test"]
    scores.loc[scores.index[-last:], ["refined", "refinement_gain"]] = [False, np.nan]
    table = rows_of(dataclasses.replace(with_all(flow), scores=scores))
    second = table.loc["ood_2"]
    assert set(second["out_of_distribution"]) == {"KMNIST"}
    for name in ("regret", "complexity", "corrected", "likelihood_ratio", "gradient_norms"):
        assert second.loc[name, "missing"] == "images of this set lack the score"
        assert table.loc[("ood", name), "missing"] == ""
    assert second.loc["typicality_25", "missing"] == "a set has fewer than 25 images"
    assert second.loc["log_prob", "n_ood"] == last


def test_a_set_that_each_training_draws_for_itself_has_no_waic(flow):
    trainings = [with_all(flow), with_all(flow, 1)]
    for number, training in enumerate(trainings):
        scores = training.scores
        scores.loc[scores.index[-10:], ["set", "images"]] = ["own", f"k.seed{number}"]
    table = rows_of(*trainings)
    missing = table.loc[("own", "waic"), "missing"]
    assert missing == "each training has other images of this set"
    assert table.loc[("ood", "waic"), "missing"] == ""
    assert table.loc[("own", "log_prob"), "missing"] == ""
    assert set(table.loc["own", "out_of_distribution"]) == {"KMNIST"}


def test_sets_are_in_the_order_of_the_scores_and_training_images_are_counted(flow):
    scores = with_all(flow).scores
    scores.loc[scores.index[-10:], ["set", "images"]] = ["a_set", "k.test"]
    known = np.full(len(scores), np.nan)
    known[-10:] = np.arange(10) < 4
    scores["in_training"] = known
    table = rows_of(dataclasses.replace(with_all(flow), scores=scores))
    assert table.index.get_level_values("set").unique().tolist() == ["ood", "a_set"]
    assert set(table.loc["a_set", "in_training"]) == {4}
    assert table.loc["ood", "in_training"].isna().all()


def test_too_few_training_images_leave_the_rest(flow):
    few = (~flow.train) | (flow.scores["index"] < 4).to_numpy()
    short = dataclasses.replace(flow, scores=flow.scores[few], means=flow.means[few])
    table = rows_of(with_all(short)).loc["ood"]
    missing = set(table.index[table["missing"] != ""])
    fitted = {"prior_gaussian", "prior_mixture", "prior_kernels", "parts_kernels", "parts_machine"}
    fitted |= {"gradient_norms"}
    assert missing == fitted | {f"typicality_{m}" for m in (1, 2, 5, 10, 25)} | {"waic"}
    assert "images.score_train" in table.loc["prior_kernels", "missing"]


def test_the_table_is_made_of_the_files(flow, tmp_path):
    runs, files = [], {"scores": [], "latents": []}
    for model, seed in (("glow/f/one", 0), (MODEL, 0), (MODEL, 1)):
        place = tmp_path / model / str(seed)
        place.mkdir(parents=True)
        nearest = flow.scores["nearest_component"] * (model == MODEL)
        flow.scores.assign(nearest_component=nearest).to_parquet(place / "scores.parquet")
        parts = {f"{w}_mean": flow.means[flow.scores["set"] == w] for w in SIZES}
        save_arrays(place / "latents.npz", **parts)
        runs.append((model, seed))
        files["scores"].append(place / "scores.parquet")
        files["latents"].append(place / "latents.npz")
    two = {"kind": "gaussian", "means": [[3.0], [-3.0]]}
    one = {"kind": "gaussian", "means": [[0.0]]}
    titles = TITLES | {"priors": {"one": "uni", "two": "multi"}}
    priors = {"glow/f/one": (one, two), MODEL: (two, one)}
    trainings = list(stored_trainings(runs, files, priors, {}, {}))
    table = companion_table(trainings, {}, {}, titles, 20, 0)
    assert len(table) == 2 * len(COMPANIONS)
    table = table.set_index(["model", "score"])
    assert table.loc[MODEL, "seeds"].unique().tolist() == [2]
    # the same files, so one model's own prior is the other's other
    for own, other in (("prior_own", "prior_other"), ("prior_other", "prior_own")):
        found = table.loc[("glow/f/one", own), "auroc"]
        assert found == pytest.approx(table.loc[(MODEL, other), "auroc"])
    # the first model as the background of the second, which has one more seed
    backgrounds = {MODEL: "glow/f/one"}
    trainings = list(stored_trainings(runs, files, priors, {}, backgrounds))
    again = companion_table(trainings[:2], {}, {}, titles, 20, 0)
    ratio = again[again["score"] == "likelihood_ratio"].set_index("model")["auroc"]
    assert ratio[MODEL] == 0.5  # log p less itself
    assert np.isnan(ratio["glow/f/one"])
    rows = companion_table(trainings, {}, {}, titles, 20, 0)
    rows = rows.set_index(["model", "score"])
    # only the training whose seed the background has counts
    assert rows.loc[(MODEL, "likelihood_ratio"), ["auroc", "seeds"]].tolist() == [0.5, 1]
    assert rows.loc[(MODEL, "log_prob"), "seeds"] == 2
    assert "this seed" in rows.loc[("glow/f/one", "likelihood_ratio"), "missing"]
    assert table.loc[("glow/f/one", "waic"), "missing"] != ""
    assert table.loc[(MODEL, "waic"), "missing"] == ""
    assert table.loc[(MODEL, "complexity"), "missing"] == "no images were given"


def test_further_sets_are_read_from_their_own_files_and_missing_ones_are_marked(flow, tmp_path):
    """The set out of distribution once more as a further set has the same AUROC."""
    latents = {f"{which}_mean": flow.means[flow.scores["set"] == which] for which in SIZES}
    flow.scores.to_parquet(tmp_path / "scores.parquet")
    save_arrays(tmp_path / "latents.npz", **latents)
    again = flow.scores[flow.scores["set"] == "ood"]
    again = again.assign(set="k", images="k.test", in_training=again["index"] < 3, png_size=1.0)
    again.to_parquet(tmp_path / "k.parquet")
    save_arrays(tmp_path / "k.npz", k_mean=latents["ood_mean"])
    again.head(0).to_parquet(tmp_path / "gone.parquet")
    save_arrays(tmp_path / "gone.npz")
    files = {"scores": [tmp_path / "scores.parquet"], "latents": [tmp_path / "latents.npz"]}
    files["further"] = [tmp_path / f"{name}.parquet" for name in ("k", "gone")]
    files["further_latents"] = [tmp_path / f"{name}.npz" for name in ("k", "gone")]
    two = {"kind": "gaussian", "means": [[3.0], [-3.0]]}
    titles = TITLES | {"subsets": TITLES["subsets"] | {"gone": "Lost"}}
    sizes = {name: pd.Series(np.ones(50)) for name in ("f.test", "m.test")}
    further, missing = {MODEL: ["k", "gone"]}, {"gone": "could not get a.gz"}
    trainings = stored_trainings([(MODEL, 0)], files, {MODEL: (two, None)}, further, {})
    table = companion_table(trainings, sizes, missing, titles, 20, 0)
    assert table["set"].unique().tolist() == ["ood", "k", "gone"]
    assert len(table) == 3 * len(COMPANIONS)
    table = table.set_index(["set", "score"])
    pd.testing.assert_series_equal(
        table.loc["k", "auroc"], table.loc["ood", "auroc"], check_names=False
    )
    assert table.loc[("k", "complexity"), "auroc"] == 0.5  # all images of the same size
    assert set(table.loc["k", "in_training"]) == {3}
    lost = table.loc["gone"]
    assert set(lost["missing"]) == {"not available: could not get a.gz"}
    assert set(lost["out_of_distribution"]) == {"Lost"}
    assert lost["auroc"].isna().all()
