"""Texts of the document by name: what the run is, and numbers of it."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.data.provenance import trained_on
from oodpriors.kinds.datasets import OWN
from oodpriors.statistics.claims import NOT_APPLICABLE, VERDICTS, expected_false
from oodpriors.statistics.wording import joined
from oodpriors.tables.likelihoods import seed_note
from oodpriors.tables.remedy import PRIOR, one_worse, summary

STAND_IN_WARNING = (
    "This run took stand-ins in the place of the data sets: wherever the text names Fashion-MNIST, "
    "MNIST, CIFAR-10 or SVHN, read their stand-ins, and compare no number with the paper."
)
PAPERS_DATA = {
    "fashion_mnist": "Fashion-MNIST",
    "mnist": "MNIST",
    "cifar10": "CIFAR-10",
    "svhn": "SVHN",
}
# Verdicts after a number of claims, of one and of several.
SAID = {
    "holds": ("holds", "hold"),
    "fails": ("fails", "fail"),
    NOT_APPLICABLE: ("cannot be decided on stand-ins",) * 2,
}
FEW_DECIDE_NOTHING = " One or two trainings decide nothing."


def macros(record: Mapping, models: pd.DataFrame, claims: pd.DataFrame, note: str) -> dict:
    """Texts by name; one that a run has no value for is empty.

    Args:
        record: provenance of the run.
        models: likelihoods of all models.
        claims: verdicts, a row per comparison.
        note: on the data and the scale.
    """
    verdicts = claims.drop_duplicates("id")["verdict"]
    code = record["code"]
    stand_in = any(part["source"]["stand_in"] for part in record["data"])
    budgets = record["budget"]["models"]
    flows = [budget["draws"] for name, budget in budgets.items() if name != "vae"]
    trained = [model["model"].split("/")[0] for model in record["models"]]
    return {
        "Run": record["run"],
        "Date": record.get("date", ""),
        "Scale": record["scale"],
        "Note": note,
        **_scope(record),
        "Platform": record["platform"],
        "Devices": ", ".join(sorted({trained_on(model) for model in record["models"]})),
        "Commit": code["commit"][:12] + (" with changes" if code["changed"] else ""),
        "FullCommit": _commit(code),
        "TrainingCommits": ", ".join(sorted({_commit(m["code"]) for m in record["models"]})),
        "Seeds": ", ".join(map(str, sorted({model["seed"] for model in record["models"]}))),
        "Trainings": _trainings(record),
        "Computing": _duration(sum(model["training_seconds"] for model in record["models"])),
        "Verdicts": _verdicts(claims.drop_duplicates("id")),
        "Claims": str(len(verdicts)),
        "ExpectedFalse": expected_false(verdicts),
        "Warning": STAND_IN_WARNING if stand_in else "",
        "VaeModels": str(trained.count("vae")),
        "GlowModels": str(len(trained) - trained.count("vae")),
        "Samples": f"{budgets.get('vae', {}).get('draws', 0):,}",
        "Draws": _draws(max(flows, default=0)),
        "Ess": _mean(models.get("effective_sample_size_ood", pd.Series(dtype=float))),
        "SeedNote": seed_note(dict(zip(models["model"], models["seeds"], strict=True)))
        + _toy_seeds(record),
        "TrainImages": f"{max(_learnt(record)):,}" if _learnt(record) else "",
        "TestImages": f"{models['n_test'].max():,}",
        "OodImages": f"{models['n_ood'].max():,}",
        **_refined_macros(models),
    }


def _mean(values: pd.Series) -> str:
    return "" if values.isna().all() else f"{values.mean():.1f}"


def _draws(number: int) -> str:
    return "one draw is taken" if number == 1 else f"{number:,} draws are averaged"


def _learnt(record: Mapping) -> list[int]:
    return [part["images"] for part in record["data"] if part["split"] == "train"]


def _verdicts(claims: pd.DataFrame) -> str:
    """How many of the paper's claims, which quote it, and of ours have each verdict."""
    papers = claims["quote"].map(lambda quote: isinstance(quote, str) and quote != "")
    papers = papers.astype(bool)
    parts = [
        f"of {_count(len(of), 'claim')} {whose}, {joined(_counts(of))}"
        for of, whose in (
            (claims["verdict"][papers], "of the paper"),
            (claims["verdict"][~papers], "of our own"),
        )
        if len(of)
    ]
    text = "; ".join(parts)
    few = FEW_DECIDE_NOTHING if "shown by" in text else ""
    return f"{text[0].upper()}{text[1:]}.{few}" if text else ""


def _counts(verdicts: pd.Series) -> list[str]:
    """Verdicts with the numbers of claims that have them."""
    numbers = ((verdict, int((verdicts == verdict).sum())) for verdict in VERDICTS)
    return [
        f"{number} {SAID.get(verdict, (f'is {verdict}', f'are {verdict}'))[number > 1]}"
        for verdict, number in numbers
        if number
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _trainings(record: Mapping) -> str:
    """Numbers of trainings, of image models and of toy flows."""
    images, flows = len(record["models"]), len(record.get("flows", []))
    more = f" and {flows:,} of toy flows" if flows else ""
    return f"{_count(images, 'training')} of image models{more}"


def _toy_seeds(record: Mapping) -> str:
    seeds = {seed for _, seed in record.get("flows", [])}
    return f" Each toy flow has {_count(len(seeds), 'seed')}." if seeds else ""


def _scope(record: Mapping) -> dict:
    """What a run is: all experiments of the paper or some, and on whose data.

    A data set of the user under the name of one that the paper uses is taken for that one.
    """
    names, parts = record.get("datasets", {}), record["data"]
    titles = [PAPERS_DATA.get(names.get(part["subset"], "")) for part in parts]
    files = [
        part["source"]["files"][0]["name"] if part["source"]["kind"] in OWN else None
        for part in parts
    ]
    found = dict.fromkeys(zip(titles, files, strict=True))
    given = {title: file for title, file in found if title and file}
    own = ", ".join(file for title, file in found if file and not title)
    papers = any(title or not file for title, file in found)
    stand_in = any(part["source"]["stand_in"] for part in parts)
    data = "stand-in data" if stand_in else "the real data sets"
    were, given_by = ("was", "a file") if len(given) == 1 else ("were", "files")
    if given:
        data = data if stand_in else "the paper's data sets"
        data = f"{data}, {joined([*given])} from {given_by} of the user"
    if own:
        data = f"{data} and our own ({own})" if papers else f"our own data ({own})"
    whole, scope = record["whole"], []
    if not whole:
        named = ", ".join(record["experiments"])
        scope.append(f"Experiments of this run: {named}. It reproduces no other of the paper.")
    if given:
        read = f"{joined([*given])} {were} read from {given_by} of the user"
        scope.append(f"{read}, {joined([*given.values()])}.")
    if own:
        scope.append(f"The data in {own} are our own: the paper has no number of them.")
    kind = "A Reproduction of" if whole else "A Part of the Experiments of"
    return {
        "Data": data,
        "Whole": str(int(whole)),
        "Kind": kind if papers else "Our Own Data, after",
        "Scope": " ".join(scope),
    }


def _refined_macros(models: pd.DataFrame) -> dict:
    """Numbers of the VAEs with refined posteriors; of none, all are zero."""
    rows = models[models["n_ood_refined"] > 0] if "n_ood_refined" in models else models.head(0)

    def total(name: str, statistic: str) -> float:
        return float(rows[name].agg(statistic)) if len(rows) else 0.0

    failed = sum(total(f"refinement_failed_{which}", "sum") for which in ("ood", "test"))
    return {
        "RefinedModels": str(len(rows)),
        "RefinedImages": f"{total('n_ood_refined', 'max'):,.0f}",
        "RefinedFailed": f"{failed:,.0f}",
        "RefinedEssOut": f"{total('effective_sample_size_ood_refined', 'mean'):.1f}",
        "RefinedEssIn": f"{total('effective_sample_size_test_refined', 'mean'):.1f}",
    }


def remedy_macros(table: pd.DataFrame) -> dict[str, str]:
    """What helps, where, and whether the multimodal prior is needed beside it.

    Args:
        table: see :func:`oodpriors.tables.remedy.make_remedy`; without a row, all is empty.
    """
    found, one = summary(table), table["one"].dropna()
    texts = {
        "RemedySets": str(found["sets"]),
        "ScoreWins": str(found["score"]),
        "PriorWins": str(found["prior"]),
        "NeitherWins": str(found["neither"]),
        "PriorNeeded": _needed(table),
        "OneScore": str(one.iloc[0]) if len(one) else "",
        "OneMean": f"{found['one']:.2f}",
        "OneWins": str(found["one_wins"]) if len(one) else "",
        "OneLoses": str(found["one_loses"]) if len(one) else "",
        "OneWorse": _places(one_worse(table)),
        "UniMean": f"{found['uni']:.2f}",
        "MultiMean": f"{found['multi']:.2f}",
    }
    return texts if len(table) else dict.fromkeys(texts, "")


def _needed(table: pd.DataFrame) -> str:
    """For which sets the multimodal prior is better than all scores, in a sentence."""
    places = _places(table[table["better"] == PRIOR])
    if not places:
        return (
            "On none of these sets is log p under the multimodal prior better than the best score "
            "chosen for that set."
        )
    return f"Beside the score the multimodal prior is still needed for {places}."


def _places(rows: pd.DataFrame) -> str:
    """Sets out of distribution with their models; "" of none."""
    groups = rows.groupby(["architecture", "training_data"], sort=False)["out_of_distribution"]
    return "; ".join(
        f"{', '.join(sets)} under the {name} of {data}" for (name, data), sets in groups
    )


def _duration(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _commit(code: Mapping) -> str:
    return code["commit"] + (" with changes" if code["changed"] else "")
