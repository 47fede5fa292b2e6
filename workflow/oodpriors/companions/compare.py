"""How well each companion score tells images in and out of distribution."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

import numpy as np
import pandas as pd

from oodpriors.companions.training import NotApplicable, Stored, Training, read_training
from oodpriors.kinds.companions import COMPANIONS, CompanionKind
from oodpriors.kinds.rows import load
from oodpriors.statistics.companions import NOT_AVAILABLE
from oodpriors.statistics.estimates import Estimate, ScoreTable, estimate
from oodpriors.tables.cells import about_model, names_of, with_interval

INSIDE = ("train", "test")
LACKING = "images of this set lack the score"
KEPT = ["set", "images", "refined", "log_prob", "log_prob_refined", "in_training"]

# The table with the column score, or why there is none.
Scored = pd.DataFrame | NotApplicable


def companion_table(
    trainings: Iterable[Stored],
    sizes: Mapping[str, pd.Series],
    missing: Mapping[str, str],
    titles: Mapping[str, Mapping[str, str]],
    n_bootstrap: int,
    seed: int,
) -> pd.DataFrame:
    """A row per model, set out of distribution and companion score.

    Args:
        trainings: their files, those of a model together.
        sizes: see :class:`oodpriors.companions.training.Training`.
        missing: why there are no images of a further set.
        titles: names to show of models (architectures), subsets and priors, and
            ``datasets``, the kind of the data set of each subset.
        n_bootstrap: number of replicates, over images or batches of them.
        seed: seed of the bootstrap.

    Returns:
        ``batch``, the number of images that are judged together; ``auroc`` with its interval
        of 95 % over images and trainings; the number of trainings that have the score, and of
        what is scored; ``mean_test`` and ``mean_ood``, the mean scores; ``ties``, the share of
        the pairs of an image of each set with equal scores; ``infinite``, the share of scores
        that are; ``in_training``, the number of images that are training images; ``missing``,
        why there is no AUROC; and ``published``, one for the same data sets, with its
        ``published_source``.
    """
    rows: list[dict] = []
    for model, group in groupby(trainings, key=attrgetter("model")):
        own = list(group)
        scored = [dict(score_training(read_training(stored, sizes))) for stored in own]
        rows += model_rows(model, scored, titles, n_bootstrap, seed)
        rows += missing_rows(model, len(own), own[0].further, missing, titles)
    return pd.DataFrame(rows)


def missing_rows(
    model: str,
    seeds: int,
    sets: Iterable[str],
    missing: Mapping[str, str],
    titles: Mapping[str, Mapping[str, str]],
) -> Iterator[dict]:
    """Rows of the sets that have no images, see :func:`companion_table`."""
    for name in (name for name in sets if name in missing):
        about = {"model": model, "set": name, **names_of(model, name, titles), "seeds": seeds}
        for score, kind in COMPANIONS.items():
            reason = f"{NOT_AVAILABLE}: {missing[name]}"
            yield about | _named(score, kind) | {"missing": reason}


def score_training(training: Training) -> Iterator[tuple[str, Scored]]:
    """The table of each score of one training; of an ensemble's, the table without it."""
    for name, kind in COMPANIONS.items():
        judged = training.in_batches(kind.batch)
        table = judged.scores[[column for column in KEPT if column in judged.scores]]
        if kind.ensemble:
            yield name, table[~judged.train]  # other trainings have other training images
            continue
        try:
            scored = table.assign(score=load(kind.place)(judged))
            yield name, scored.dropna(subset="score") if kind.partial else scored
        except NotApplicable as reason:
            yield name, reason


def model_rows(
    model: str,
    trainings: Sequence[Mapping[str, Scored]],
    titles: Mapping[str, Mapping[str, str]],
    n_bootstrap: int,
    seed: int,
) -> Iterator[dict]:
    """Rows of one model, see :func:`companion_table`.

    Args:
        model: its name.
        trainings: what :func:`score_training` gives of each.
        titles, n_bootstrap, seed: see :func:`companion_table`.
    """
    plain = ScoreTable([_found(scored["log_prob"]) for scored in trainings], model=model)
    first = plain.tables[0]
    for which in (which for which in first["set"].unique() if which not in INSIDE):
        about = {"model": model, "set": which, **about_model(model, plain, titles, which)}
        if "in_training" in first:
            known = [table.loc[table["set"] == which, "in_training"] for table in plain.tables]
            about["in_training"] = max(each.sum(min_count=1) for each in known)
        subsets = (model.split("/")[1], _images(first, which).split(".")[0])
        pair = tuple(titles.get("datasets", {}).get(subset) for subset in subsets)
        for name, kind in COMPANIONS.items():
            row = about | _named(name, kind) | _published(kind, pair)
            tables = [scored[name] for scored in trainings]
            try:
                yield row | _measured(kind, tables, model, which, n_bootstrap, seed)
            except NotApplicable as reason:
                yield row | {"missing": str(reason)}


def _named(score: str, kind: CompanionKind) -> dict:
    return {"score": score, "title": kind.title, "batch": kind.batch}


def _published(kind: CompanionKind, pair: tuple) -> dict:
    """The published number for data sets of these kinds, in and out of distribution."""
    anchor = next((one for one in kind.published if one[:2] == pair), None)
    return {"published": anchor.auroc, "published_source": anchor.source} if anchor else {}


def _found(scored: Scored) -> pd.DataFrame:
    if isinstance(scored, NotApplicable):
        raise scored
    return scored


def _measured(
    kind: CompanionKind,
    scored: Sequence[Scored],
    model: str,
    which: str,
    n_bootstrap: int,
    seed: int,
) -> dict:
    def area(tables: list[pd.DataFrame], n_bootstrap: int) -> Estimate:
        scores = ScoreTable(tables, model=model)
        if not {"test", which} <= set(scores.images):
            few = f"a set has fewer than {kind.batch} images"
            raise NotApplicable(LACKING if kind.partial else few)
        return estimate(scores, "auroc", which, "score", n_bootstrap, seed)

    def ensemble(tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
        log_probs = np.stack([table["log_prob"].to_numpy(float) for table in tables])
        return [tables[0].assign(score=load(kind.place)(log_probs))]

    tables = [one for one in scored if isinstance(one, pd.DataFrame)] or [_found(scored[0])]
    if kind.ensemble and len({_images(table, which) for table in tables}) > 1:
        raise NotApplicable("each training has other images of this set")
    judged = ensemble(tables) if kind.ensemble else tables
    found = area(judged, n_bootstrap)
    if kind.ensemble:
        # of two trainings none can be left out: then the error is over images alone
        others = [tables[:i] + tables[i + 1 :] for i in range(len(tables)) if len(tables) > 2]
        left = [area(ensemble(some), 0).value for some in others]
        found = replace(found, without={model: np.array(left or [found.value] * len(tables))})
    if np.isnan(found.value):
        raise NotApplicable(LACKING)
    n_test, n_ood = found.images.values()
    counts = {"seeds": len(tables), "n_test": n_test, "n_ood": n_ood}
    return with_interval("auroc", found) | counts | _described(judged, which) | {"missing": ""}


def _images(table: pd.DataFrame, which: str) -> str:
    return table.loc[table["set"] == which, "images"].iloc[0]


def _described(tables: Sequence[pd.DataFrame], which: str) -> dict[str, float]:
    """Mean scores of both sets, and shares of equal pairs and infinite scores, over trainings."""
    found = []
    for table in tables:
        test, out = (
            np.sort(table.loc[table["set"] == name, "score"].dropna()) for name in ("test", which)
        )
        equal = np.searchsorted(out, test, "right") - np.searchsorted(out, test, "left")
        infinite = np.isinf(np.concatenate([test, out]))
        found.append((test.mean(), out.mean(), equal.mean() / len(out), infinite.mean()))
    names = ("mean_test", "mean_ood", "ties", "infinite")
    return dict(zip(names, np.mean(found, axis=0).tolist(), strict=True))
