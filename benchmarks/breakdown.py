"""Where the time of a finished run went: python benchmarks/breakdown.py results/quick

Prints a Markdown table: for each kind of step its jobs, their time, and its share of the
run; then the time in which a core had no job, and, within the steps, that of start-up: what a
training takes outside its loop (Python, imports, initialisation, its files), for every job.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import pandas as pd

# Steps by what a reader asks for, in the order of the table.
KINDS = {
    "training of models": r"models/(?!toy).*/train$",
    "scoring of models": r"models/.*/score$",
    "toy flows": r"models/toy/.*",
    "data": r"benchmarks/(download|cluster|prepare|assign)/.*",
    "statistics, tables, verdicts, figures": r"benchmarks/.*",
}


def read(results: Path) -> pd.DataFrame:
    """A row per job: kind, when it ended, seconds of wall time and of processors."""
    rows = []
    for file in sorted(results.rglob("*.tsv")):
        name = str(file.relative_to(results)).removesuffix(".tsv").removesuffix(".benchmark")
        kind = next((kind for kind, form in KINDS.items() if re.fullmatch(form, name)), None)
        if kind:
            (row,) = pd.read_csv(file, sep="\t").to_dict("records")
            rows.append({"kind": kind, "end": file.stat().st_mtime, "s": row["s"]})
    return pd.DataFrame(rows)


def wall_time(jobs: pd.DataFrame) -> float:
    """Seconds from the first job's start to the last one's end."""
    return jobs["end"].max() - (jobs["end"] - jobs["s"]).min()


def trained(results: Path) -> float:
    """Seconds within the loops of trainings."""
    files = results.rglob("diagnostics.json")
    return sum(json.loads(file.read_text())["training_seconds"] for file in files)


def main(folder: str, cores: int = 2) -> None:
    results = Path(folder)
    jobs = read(results)
    wall = wall_time(jobs)
    shares = defaultdict(float, jobs.groupby("kind")["s"].sum())
    print("| step | jobs | minutes | share |\n| --- | --- | --- | --- |")
    for kind in KINDS:
        n = (jobs["kind"] == kind).sum()
        print(f"| {kind} | {n} | {shares[kind] / 60:.1f} | {shares[kind] / wall / cores:.1%} |")
    whole = wall * cores
    left = whole - jobs["s"].sum()
    print(f"| no job on a core: Snakemake, waiting | | {left / 60:.1f} | {left / whole:.1%} |")
    kind = jobs[jobs["kind"] == "training of models"]
    start = (kind["s"].sum() - trained(results)) / len(kind) * len(jobs)
    print(f"| start-up as of trainings | {len(jobs)} | {start / 60:.1f} | {start / whole:.1%} |")
    print(f"| {cores} cores for {wall / 60:.1f} minutes | {len(jobs)} | {whole / 60:.1f} | |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
