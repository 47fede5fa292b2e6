"""The parts of the document that hold numbers, as LaTeX."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.data.provenance import describe, trained_on
from oodpriors.document import tex
from oodpriors.document.cards import board, cards
from oodpriors.document.facts import Facts
from oodpriors.document.floats import Floats
from oodpriors.document.record import budget, data, inputs, training
from oodpriors.document.text import first_numbers, listed, topic_text
from oodpriors.document.topics import of_this_run
from oodpriors.statistics.claims import NOT_APPLICABLE, VERDICTS, expected_false
from oodpriors.tables.likelihoods import likelihood_table, seed_note
from oodpriors.tables.verdicts import count_kinds, show_results, show_settings

STAND_IN_WARNING = (
    "This run took stand-ins in the place of the data sets: wherever the text names Fashion-MNIST, "
    "MNIST, CIFAR-10 or SVHN, read their stand-ins, and compare no number with the paper."
)


def fragments(
    record: Mapping,
    models: pd.DataFrame,
    tables: Mapping[str, tuple[Mapping, pd.DataFrame]],
    figures: Mapping[str, Mapping],
    claims: pd.DataFrame,
    comparison: pd.DataFrame,
    assumptions: str,
    outline: Mapping,
) -> dict[str, str]:
    """LaTeX by file name, everything that main.tex reads.

    Args:
        record: provenance of the run.
        models: likelihoods of all models.
        tables: configuration entry and content of each table; without any, all models are listed.
        figures: configuration entries of the figures.
        claims: verdicts, a row per comparison.
        comparison: our numbers and the paper's.
        assumptions: Markdown.
        outline: topics and texts, as in ``config/topics.yaml``.
    """
    note = describe(record["data"], record["scale"])
    note = note[0].upper() + note[1:]
    others = likelihood_table(models, models["model"].tolist(), []).drop(columns="paper_nll_ood")
    tables = tables or {"models": ({"caption": "All models."}, others)}
    named = claims.drop_duplicates("id")["id"].astype(str).tolist()
    topics = of_this_run(outline["topics"], list(figures), list(tables), named)
    values = _macros(record, models, claims, note)
    facts = Facts(values, models, comparison, claims)
    floats = Floats(figures, tables, topics, note, outline["first_figure"])
    parts = {
        "macros": tex.macros(values),
        "abstract": " ".join(map(tex.inline, facts.chosen(outline["abstract"]))),
        "board": board(topics, claims),
        "numbers": first_numbers(outline["numbers"], facts),
        "firstfigure": floats.first(),
        "topics": topic_text(topics, facts, floats, claims),
        "limitations": listed(facts.chosen(outline["limitations"])),
        "conclusion": " ".join(map(tex.inline, facts.chosen(outline["conclusion"]))),
        "kinds": _kinds(claims),
        "cards": cards(topics, claims, floats.figure_numbers, floats.table_numbers),
        "figures": floats.appendix_figures(),
        "tables": floats.appendix_tables(),
        "comparison": tex.longtable(show_results(comparison), "P{2.3cm}P{6cm}rrrP{2.5cm}"),
        "settings": tex.longtable(show_settings(comparison), "P{2cm}P{9.2cm}P{1.7cm}P{1.7cm}"),
        "assumptions": tex.from_markdown(assumptions),
        "budget": tex.longtable(budget(record), "lr"),
        "training": tex.longtable(training(record), "llrrrrl"),
        "data": tex.longtable(data(record), "llrrP{7.5cm}"),
        "software": tex.escape(", ".join(f"{k} {v}" for k, v in record["software"].items())),
        "inputs": tex.longtable(inputs(record), r"P{4.6cm}>{\ttfamily}l"),
    }
    return parts | {"glyphs": tex.glyph_pages(tex.glyphs_of(parts.values()))}


def _kinds(claims: pd.DataFrame) -> str:
    """How many claims of each kind have each verdict; nothing if there is none."""
    if claims.empty:
        return ""
    counts = count_kinds(claims).astype(str).reset_index()
    columns = "l" + "P{1.6cm}" * (len(counts.columns) - 1)
    return f"\\begin{{center}}\\small\n{tex.tabular(counts, columns)}\\end{{center}}\n"


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
        "Draws": _draws(max(flows, default=0)),
        "Ess": f"{models.get('effective_sample_size_ood', pd.Series(dtype=float)).mean():.1f}",
        "SeedNote": seed_note(dict(zip(models["model"], models["seeds"], strict=True))),
        "TrainImages": f"{max(_learnt(record), default=0):,}",
        "TestImages": f"{models['n_test'].max():,}",
        "OodImages": f"{models['n_ood'].max():,}",
        **_refined_macros(models),
    }


def _draws(number: int) -> str:
    return "one draw is taken" if number == 1 else f"{number:,} draws are averaged"


def _learnt(record: Mapping) -> list[int]:
    return [part["images"] for part in record["data"] if part["split"] == "train"]


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
