"""Writes the numbers of a finished run into the project's pages: python -m tools.publish RESULTS

The pages are docs/results.md and README.md, between their comments. All figures are copied to
docs/, for the gallery of the site. A person must check the surrounding sentences.
"""

import json
import shutil
import sys
from pathlib import Path

import pandas as pd
from benchmarks.breakdown import KINDS, read
from tools.pages import put

from oodpriors.data.provenance import trained_on
from oodpriors.document.facts import Facts
from oodpriors.document.macros import macros
from oodpriors.io.files import load_yaml, sha256
from oodpriors.statistics.claims import count_verdicts
from oodpriors.tables.make import show_table
from oodpriors.tables.verdicts import show_claims, show_comparison

ROOT = Path(__file__).parents[1]

PICTURES = ("fig04", "estimates", "battery")  # of docs/results.md
# Tables of docs/results.md, and their kinds.
ALONE = ("ranking", "refined", "decomposition", "toy", "second_order", "remedy")
SHOWN = {name: name for name in ALONE} | {"battery": "companions"}
OUT = ["Model", "Prior", "Training data", "Paper: NLL out", "NLL out", "bits/dim out", "Median out"]
IN = ["Model", "Prior", "Training data", "NLL in", "bits/dim in", "Median in", "Gap", "AUROC"]


def markdown(table: pd.DataFrame) -> str:
    return table.map(lambda cell: str(cell).replace("|", "\\|")).to_markdown(
        index=False, disable_numparse=True
    )


def about(results: Path, record: dict) -> str:
    """Code, device and time of the run."""
    trained = sorted({_commit(model["code"]) for model in record["models"]})
    jobs = read(results)
    minutes = jobs.groupby("kind")["cpu"].sum() / 60
    spent = ", ".join(f"{kind} {minutes[kind]:.0f}" for kind in KINDS if kind in minutes)
    seeds = sorted({model["seed"] for model in record["models"]})
    rows = {
        "scale": record["scale"],
        "seeds": ", ".join(map(str, seeds)),
        "code": f"models trained at {', '.join(trained)}; all else at {_commit(record['code'])}",
        "trained on": ", ".join(sorted({trained_on(model) for model in record["models"]})),
        "software": f"PyTorch {record['software']['torch']}",
        "CPU minutes": spent,
        "pictures": ", ".join(picture(results / "figures" / f"{name}.png") for name in PICTURES),
    }
    return markdown(pd.DataFrame(rows.items(), columns=["", " "]))


def picture(path: Path) -> str:
    """Name and checksum, by which a test sees that a picture is of the run of the tables."""
    return f"`{path.name}` {sha256(path)[:12]}"


def _commit(code: dict) -> str:
    return f"`{code['commit'][:12]}`" + (" with changes" if code["changed"] else "")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Data of Figure 6, formatted for the page."""

    def interval(name: str, form: str) -> list[str]:
        ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
        return [f"[{low:{form}}, {high:{form}}]" for low, high in ends]

    aurocs = zip(table["auroc"], interval("auroc", ".2f"), strict=True)
    return pd.DataFrame(
        {
            "Curve": table["curve_title"],
            "d": [f"{d:g}" for d in table["distance"]],
            "Mean out": [f"{value:,.0f}" for value in table["mean_ood"]],
            "95 %": interval("mean_ood", ",.0f"),
            "Mean in": [f"{value:,.0f}" for value in table["mean_test"]],
            "AUROC": [f"{value:.2f} {ends}" for value, ends in aurocs],
            "d²/8": [f"{value:,.0f}" for value in table["midpoint_charge"]],
            "Turns at": [
                "none" if pd.isna(value) else f"{value:.0f}" for value in table["turning_distance"]
            ],
        }
    )


def short(likelihoods: pd.DataFrame) -> pd.DataFrame:
    """Table 1 with the few columns for the first page."""
    return pd.DataFrame(
        {
            "model": likelihoods["Model"],
            "prior": likelihoods["Prior"],
            "trained on": likelihoods["Training data"],
            "MNIST: paper's NLL": likelihoods["Paper: NLL out"],
            "MNIST: our NLL": likelihoods["NLL out"],
            "its own test images: our NLL": likelihoods["NLL in"],
            "AUROC": likelihoods["AUROC"],
            "AUROC, refined": likelihoods["AUROC, refined"],
        }
    )


def findings(results: Path, record: dict) -> str:
    """Sentences with the numbers of the run, those whose conditions hold."""
    models = pd.read_csv(results / "tables" / "models.csv")
    claims, comparison = (pd.read_csv(results / f"{n}.csv") for n in ("claims", "comparison"))
    facts = Facts(macros(record, models, claims, ""), models, comparison, claims)
    sentences = facts.chosen(load_yaml(ROOT / "config" / "topics.yaml")["findings"])
    return "\n".join(f"- {sentence}" for sentence in sentences)


def main(folder: str) -> None:
    results, page = Path(folder), "docs/results.md"
    record = json.loads((results / "provenance.json").read_text())
    for name in (page, "README.md"):
        put(name, "findings", findings(results, record))
    table1 = show_table("likelihoods", pd.read_csv(results / "tables" / "table1.csv"))
    put(page, "run", about(results, record))
    put(page, "table1", f"{markdown(table1[OUT])}\n\n{markdown(table1[IN])}")
    for name, kind in SHOWN.items():
        table = show_table(kind, pd.read_csv(results / "tables" / f"{name}.csv"))
        put(page, name, markdown(table))
    put(page, "curves", markdown(curves(pd.read_csv(results / "statistics" / "curves.csv"))))
    comparison = pd.read_csv(results / "comparison.csv")
    comparison = show_comparison(comparison[comparison["kind"] != "setting"])
    put(page, "comparison", markdown(comparison))
    claims = show_claims(pd.read_csv(results / "claims.csv"))
    put(
        page, "claims", markdown(claims[["Claim", "Text", "Paper's numbers", "Verdict", "Refined"]])
    )
    counted = count_verdicts(claims["Verdict"])
    put(page, "counts", f"{len(claims)} claims: {counted}.")
    put("README.md", "counts", f"At this scale, of {len(claims)} claims: {counted}.")
    put("README.md", "table1", markdown(short(table1)))
    for path in (results / "figures").glob("*.png"):
        shutil.copy(path, ROOT / "docs")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
