"""The parts of the document that hold numbers, as LaTeX."""

import re
from collections.abc import Mapping

import pandas as pd

from oodpriors.data.provenance import describe, trained_on
from oodpriors.document import tex
from oodpriors.kinds.figures import FIGURES
from oodpriors.kinds.tables import TABLES
from oodpriors.statistics.claims import NOT_APPLICABLE, PAPER, VERDICTS, expected_false
from oodpriors.tables.likelihoods import likelihood_table, seed_note, show_likelihoods
from oodpriors.tables.make import show_table
from oodpriors.tables.verdicts import (
    refined_verdicts,
    show_claims,
    show_comparison,
    show_two_estimates,
)

WHICH = ["Model", "Prior", "Training data"]
OUT = ["Paper: NLL out", "NLL out", "bits/dim out", "Median out"]
IN = ["NLL in", "bits/dim in", "Median in", "Gap", "AUROC"]
STAND_IN_WARNING = (
    "This run took stand-ins in the place of the data sets: wherever the text names Fashion-MNIST, "
    "MNIST, CIFAR-10 or SVHN, read their stand-ins, and compare no number with the paper."
)
SETS_NOTE = (
    "NLL: mean negative log-likelihood in nats per image, with its standard error over images and "
    "trainings; out: {out}; in: test images of the training data's labels; gap: mean "
    "log-likelihood in minus out. AUROC: probability that an in-distribution image has the higher "
    "likelihood, with an interval of 95 %; 0.5 is chance, and below it images out of distribution "
    "have the higher likelihood. Refined: with a posterior refined for each image, of fewer "
    "images. {note}."
)


def fragments(
    record: Mapping,
    models: pd.DataFrame,
    tables: Mapping[str, tuple[Mapping, pd.DataFrame]],
    figures: Mapping[str, Mapping],
    claims: pd.DataFrame,
    comparison: pd.DataFrame,
    assumptions: str,
) -> dict[str, str]:
    """LaTeX by file name, everything that main.tex reads.

    Args:
        record: provenance of the run.
        models: likelihoods of all models.
        tables: configuration entry and content of each table.
        figures: configuration entries of the figures.
        claims: verdicts, a row per comparison.
        comparison: our numbers and the paper's.
        assumptions: Markdown.
    """
    note = describe(record["data"], record["scale"])
    note = note[0].upper() + note[1:]
    others = likelihood_table(models, models["model"].tolist(), []).drop(columns="paper_nll_ood")
    parts = {
        "macros": tex.macros(_macros(record, models, claims, note)),
        "figures": "".join(_figure(name, entry) for name, entry in figures.items()),
        "tables": "".join(_table(n, e, t, note) for n, (e, t) in tables.items())
        or _likelihoods("models", {"caption": "All models."}, others, note),
        "board": _board(claims),
        "claims": tex.longtable(
            show_claims(claims), "lP{1.9cm}P{4.4cm}P{2.4cm}P{1.2cm}P{1.5cm}P{1.5cm}"
        ),
        "whose": tex.longtable(show_two_estimates(claims), "lP{9.5cm}P{2cm}P{2cm}"),
        "comparison": tex.longtable(
            show_comparison(comparison),
            "P{2.4cm}P{8.2cm}rrr",
            f"Every number that the paper prints, results and settings, and ours. {note}.",
            "comparison",
        ),
        "assumptions": tex.from_markdown(assumptions),
        "budget": tex.longtable(_budget(record), "lr"),
        "training": tex.longtable(_training(record), "llrrrrl"),
        "data": tex.longtable(_data(record), "llrrP{7.5cm}"),
        "software": tex.escape(", ".join(f"{k} {v}" for k, v in record["software"].items())),
        "inputs": tex.longtable(_inputs(record), r"P{4.6cm}>{\ttfamily}l"),
    }
    return parts | {"glyphs": tex.glyph_pages(tex.glyphs_of(parts.values()))}


def _caption(entry: Mapping, rest: str) -> str:
    where = entry.get("where", "")
    if where:
        ours = where.lower().startswith(("ours", "control"))
        where = f"({where}{'' if ours else ' of the paper'}.) "
    return f"{where}{entry.get('caption', '').strip()} {rest}"


def _figure(name: str, entry: Mapping) -> str:
    rest = FIGURES[entry.get("kind", "histograms")].note
    # A figure has the number of its counterpart in the paper, or else its name.
    counterpart = re.fullmatch(r"Figure (\w+)", entry.get("where", ""), re.ASCII)
    number = counterpart[1] if counterpart else name
    return tex.figure_float(f"{name}.pdf", _caption(entry, rest), name, number)


def _table(name: str, entry: Mapping, table: pd.DataFrame, note: str) -> str:
    kind = entry.get("kind", "likelihoods")
    if kind == "likelihoods":
        return _likelihoods(name, entry, table, note)
    shown = show_table(kind, table)
    row = TABLES[kind]
    caption, columns = _caption(entry, row.note), row.columns or "l" * len(shown.columns)
    if row.long:
        small = r"\scriptsize\setlength{\tabcolsep}{3pt}"
        return f"{{{small}\n{tex.longtable(shown, columns, caption, name)}}}\n"
    return tex.table_float([(shown, columns)], caption, name)


def _likelihoods(name: str, entry: Mapping, table: pd.DataFrame, note: str) -> str:
    shown, out = show_likelihoods(table), ", ".join(table["out_of_distribution"].unique())
    parts = [(shown[WHICH + OUT], "lllrrrr"), (shown[WHICH + IN], "lllrrrrl")]
    refined = [name for name in map(str, shown) if name.endswith(", refined")]
    if refined:
        rows = shown[shown[refined[0]] != "–"]
        parts.append((rows[WHICH + refined], "lllrrl"))
    return tex.table_float(parts, _caption(entry, SETS_NOTE.format(out=out, note=note)), name)


def _board(claims: pd.DataFrame) -> str:
    """All claims as coloured boxes, in the order of the paper."""
    paper = claims[claims["estimator"] == PAPER].drop_duplicates("id")
    refined = refined_verdicts(claims)
    counts = paper["verdict"].value_counts()
    boxes = [
        (row["id"], row["verdict"], refined.get(row["id"], row["verdict"]) != row["verdict"])
        for _, row in paper.iterrows()
    ]
    legend = [
        (verdict, f"{verdict}: {counts[verdict]}") for verdict in VERDICTS if verdict in counts
    ]
    return tex.board(boxes, legend)


def _macros(record: Mapping, models: pd.DataFrame, claims: pd.DataFrame, note: str) -> dict:
    verdicts = claims.drop_duplicates("id")["verdict"]
    holds, fails, undecided = (str((verdicts == v).sum()) for v in VERDICTS[:3])
    code = record["code"]
    stand_in = any(part["source"]["stand_in"] for part in record["data"])
    budgets = record["budget"]["models"]
    flows = [budget["draws"] for name, budget in budgets.items() if name != "vae"]
    trained = [model["model"].split("/")[0] for model in record["models"]]
    return {
        "Run": record["run"],
        "Scale": record["scale"],
        "Note": note,
        **_scope(record),
        "Platform": record["platform"],
        "Devices": ", ".join(sorted({trained_on(model) for model in record["models"]})),
        "Commit": code["commit"][:12] + (" with changes" if code["changed"] else ""),
        "FullCommit": _commit(code),
        "TrainingCommits": ", ".join(sorted({_commit(m["code"]) for m in record["models"]})),
        "Seeds": ", ".join(map(str, sorted({model["seed"] for model in record["models"]}))),
        "Models": str(len(record["models"])),
        "Computing": _duration(sum(model["training_seconds"] for model in record["models"])),
        "Holds": holds,
        "Fails": fails,
        "Undecided": undecided,
        "Shown": str(verdicts.str.startswith("shown").sum()),
        "NotShown": str(verdicts.str.startswith("not shown").sum()),
        "NotApplicable": _not_applicable((verdicts == NOT_APPLICABLE).sum()),
        "Claims": str(len(verdicts)),
        "ExpectedFalse": expected_false(verdicts),
        "Warning": STAND_IN_WARNING if stand_in else "",
        "VaeModels": str(trained.count("vae")),
        "GlowModels": str(len(trained) - trained.count("vae")),
        "Samples": f"{budgets.get('vae', {}).get('draws', 0):,}",
        "Draws": f"{max(flows, default=0):,}",
        "Ess": f"{models.get('effective_sample_size_ood', pd.Series(dtype=float)).mean():.1f}",
        "SeedNote": seed_note(dict(zip(models["model"], models["seeds"], strict=True))),
        "TestImages": f"{models['n_test'].max():,}",
        "OodImages": f"{models['n_ood'].max():,}",
        **_refined_macros(models),
    }


def _not_applicable(number: int) -> str:
    return f"; {number} cannot be decided on stand-ins" if number else ""


def _scope(record: Mapping) -> dict:
    """What a run is: all experiments of the paper or some, and on whose data."""
    sources = [part["source"] for part in record["data"]]
    files = dict.fromkeys(s["files"][0]["name"] for s in sources if s["kind"] == "npz")
    own, kinds = ", ".join(files), {source["kind"] for source in sources}
    stand_in = any(source["stand_in"] for source in sources)
    data = "stand-in data" if stand_in else "the real data sets"
    if own:
        data = f"{data} and our own ({own})" if kinds > {"npz"} else f"our own data ({own})"
    whole, scope = record["whole"], ""
    if not whole:
        named = ", ".join(record["experiments"])
        scope = f"Experiments of this run: {named}. It reproduces no other of the paper. "
    if own:
        scope += f"The data in {own} are our own: the paper has no number of them."
    kind = "A Reproduction of" if whole else "A Part of the Experiments of"
    return {
        "Data": data,
        "Whole": str(int(whole)),
        "Kind": "Our Own Data, after" if kinds == {"npz"} else kind,
        "Scope": scope,
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


def _duration(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _commit(code: Mapping) -> str:
    return code["commit"] + (" with changes" if code["changed"] else "")


def _budget(record: Mapping) -> pd.DataFrame:
    (leaves,) = pd.json_normalize(record["budget"]).to_dict("records")
    rows = [
        (key, "null" if value is None else str(value))
        for key, value in sorted(leaves.items())
        if not str(key).endswith((".title", ".where"))
    ]
    return pd.DataFrame(rows, columns=["Key", "Value"])


def _training(record: Mapping) -> pd.DataFrame:
    rows = [
        {
            "Model": m["model"],
            "Seed": m["seed"],
            "Parameters": f"{m['parameters']:,}",
            "Steps": f"{m['steps']:,}",
            "Seconds": f"{m['training_seconds']:,.0f}",
            "Round trip": f"{m['round_trip_error']:.1e}" if "round_trip_error" in m else "–",
            "Device": m["device"],
        }
        for m in record["models"]
    ]
    return pd.DataFrame(rows)


def _data(record: Mapping) -> pd.DataFrame:
    rows = [
        {
            "Subset": part["subset"],
            "Split": part["split"],
            "Images": f"{part['images']:,}",
            "Of": f"{part['of_images']:,}",
            "Source": _source(part["source"]),
        }
        for part in (*record["data"], *record.get("further", []))
    ]
    return pd.DataFrame(rows)


def _inputs(record: Mapping) -> pd.DataFrame:
    """Files that were read, then the images that were cut out of them, each with its SHA-256."""
    parts = [*record["data"], *record.get("further", [])]
    files = {f["name"]: f["sha256"] for part in parts for f in part["source"]["files"]}
    images = {
        f"images of {part['subset']}, {part['split']}": part["content_sha256"] for part in parts
    }
    return pd.DataFrame((files | images).items(), columns=["Input", "SHA-256"])


def _source(source: Mapping) -> str:
    if "missing" in source:
        return f"not available: {source['missing']}"
    made = f"{source['made']}, made of {source['of']}; " if "made" in source else ""
    if source["stand_in"]:
        return f"{made}stand-in: {source['description']}"
    files = ", ".join(f"{file['name']} ({file['sha256'][:12]})" for file in source["files"])
    return f"{made}{source['kind']}: {files}"
