"""Is a multimodal prior needed beside other scores of the unimodal model of its pair?"""

from collections.abc import Iterator, Mapping

import pandas as pd

from oodpriors.statistics.companions import chosen
from oodpriors.tables.cells import Published, interval

LOG_P = "log_prob"
WITH_A_PRIOR = (LOG_P, "prior_own", "prior_other")  # of the pair
SCORE, PRIOR, NEITHER = "score", "prior", "neither"
ENDS = ("", "_low", "_high")
COLUMNS = [
    *("uni", "multi", "architecture", "training_data", "set", "out_of_distribution"),
    *(f"{side}_auroc{end}" for side in ("uni", "multi") for end in ENDS),
    *("best", *(f"best_auroc{end}" for end in ENDS), "n_scores", "better"),
    *("one", *(f"one_auroc{end}" for end in ENDS)),
]


def make_remedy(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    """A row per pair and set out of distribution, with AUROCs and their intervals of 95 %.

    ``uni`` and ``multi`` are of log p under each model; ``best`` of the best other score of
    single images under the unimodal one, of ``n_scores``, chosen for each set; ``one`` of the
    score that has the highest mean over all rows, of those that all rows have. ``better`` is
    what has the higher AUROC, the best score or the multimodal prior, or neither, where the
    intervals overlap. A set without one of these numbers is left out.
    """
    models = [name for pair in entry["pairs"] for name in pair]
    scores = {"scores": [LOG_P, *entry["scores"]]} if "scores" in entry else {}
    rows = chosen(source, {**entry, "models": models, **scores}).dropna(subset="auroc")
    pairs = [part for uni, multi in entry["pairs"] for part in _pair(rows, uni, multi)]
    areas = pd.DataFrame([{name: own[name]["auroc"] for name in own} for _, own in pairs])
    means = areas.dropna(axis="columns").mean()
    one = str(means.idxmax()) if len(means) else None
    found = [row | (_area("one", own[one]) if one else {}) for row, own in pairs]
    return pd.DataFrame(found, columns=COLUMNS)


def _pair(rows: pd.DataFrame, uni: str, multi: str) -> Iterator[tuple[dict, dict]]:
    """The row of each set, and what the other scores of the unimodal model have for it."""
    of_multi = rows[(rows["model"] == multi) & (rows["score"] == LOG_P)]
    priors = of_multi.set_index("set").to_dict("index")
    for which, own in rows[rows["model"] == uni].groupby("set", sort=False):
        scores = own.set_index("score").to_dict("index")
        others = {str(name): row for name, row in scores.items() if _is_other(str(name), row)}
        if which not in priors or LOG_P not in scores or not others:
            continue
        best, prior = max(others.values(), key=lambda row: row["auroc"]), priors[which]
        about = ("architecture", "training_data", "out_of_distribution")
        row = {"uni": uni, "multi": multi, "set": which, **{name: best[name] for name in about}}
        row |= _area("uni", scores[LOG_P]) | _area("multi", prior) | _area("best", best)
        yield row | {"n_scores": len(others), "better": _better(best, prior)}, others


def _is_other(score: str, row: Mapping) -> bool:
    """Whether it takes no prior of the pair, and judges one image, as log p does."""
    return row["batch"] == 1 and score not in WITH_A_PRIOR


def _area(name: str, row: Mapping) -> dict:
    titled = {name: row["title"]} if name in ("best", "one") else {}
    return titled | {f"{name}_auroc{end}": row[f"auroc{end}"] for end in ENDS}


def _better(score: Mapping, prior: Mapping) -> str:
    """Which has the higher AUROC, with intervals apart."""
    if score["auroc_low"] > prior["auroc_high"]:
        return SCORE
    return PRIOR if prior["auroc_low"] > score["auroc_high"] else NEITHER


def one_worse(table: pd.DataFrame) -> pd.DataFrame:
    """Rows on which log p under the multimodal prior is better than the one score."""
    return table[table["multi_auroc_low"] > table["one_auroc_high"]]


def summary(table: pd.DataFrame) -> dict:
    """Numbers of the table: ``sets``, on how many ``score``, ``prior`` and ``neither`` is better.

    And on how many the one score is better (``one_wins``) and worse (``one_loses``) than log p
    under the multimodal prior, with intervals apart; and the mean AUROC over the sets of ``uni``,
    ``multi`` and ``one``, NaN if there is no such score.
    """
    counts = {name: int((table["better"] == name).sum()) for name in (SCORE, PRIOR, NEITHER)}
    counts["one_wins"] = int((table["one_auroc_low"] > table["multi_auroc_high"]).sum())
    counts["one_loses"] = len(one_worse(table))
    means = {name: float(table[f"{name}_auroc"].mean()) for name in ("uni", "multi", "one")}
    return {"sets": len(table)} | counts | means


def show_remedy(table: pd.DataFrame) -> pd.DataFrame:
    counted = zip(table["best"], table["n_scores"], strict=True)
    return pd.DataFrame(
        {
            "Model": table["architecture"],
            "Training data": table["training_data"],
            "Out": table["out_of_distribution"],
            "log p, uni": interval(table, "uni_auroc"),
            "log p, multi": interval(table, "multi_auroc"),
            "Best other score, uni": [f"{best} (of {n})" for best, n in counted],
            "its AUROC": interval(table, "best_auroc"),
            "Better": table["better"],
        }
    )
