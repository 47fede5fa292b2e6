"""How a finished run spent its time: python -m benchmarks.breakdown results/quick

Prints a Markdown table: for each kind of step its jobs, their time, its share of the run, and
their CPU time, which other programs hardly change; then the time in which cores had no job; then
start-up, which is part of the steps. For a training, start-up is everything outside its loop
(Python, imports, initialisation, files). For other jobs it is Python and the imports of the
script, which are timed here.
"""

import ast
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"

# Kinds of steps, in the order of the table.
KINDS = {
    "training of models": r"models/(?!toy).*/train$",
    "scoring of models": r"models/.*/score$",
    "scoring of further sets": r"models/.*/further/.*",
    "toy flows": r"models/toy/.*",
    "data": r"benchmarks/(download|cluster|prepare|assign)/.*",
    "statistics, tables, verdicts, figures": r"benchmarks/.*",
}


def read(results: Path) -> pd.DataFrame:
    """One row per job: its kind, end, wall time in seconds, and script."""
    rows = []
    for file in sorted(results.rglob("*.tsv")):
        name = str(file.relative_to(results)).removesuffix(".tsv").removesuffix(".benchmark")
        kind = next((kind for kind, form in KINDS.items() if re.fullmatch(form, name)), None)
        if kind:
            (row,) = pd.read_csv(file, sep="\t").to_dict("records")
            job = {"kind": kind, "end": file.stat().st_mtime, "s": row["s"]}
            job["cpu"] = pd.to_numeric(row["cpu_time"], errors="coerce")  # none of a short job
            rows.append(job | {"script": script_of(name)})
    return pd.DataFrame(rows)


def script_of(name: str) -> str:
    """Step of a benchmark file: benchmarks/STEP/..., models/.../STEP or models/toy/.../STEP."""
    parts = name.split("/")
    if parts[0] == "benchmarks":
        return parts[1]
    if parts[-2] == "further":
        return "score_further"
    of_toys = {"train": "train_toy", "map": "map_plane"} if parts[1] == "toy" else {}
    return of_toys.get(parts[-1], parts[-1])


def wall_time(jobs: pd.DataFrame) -> float:
    """Seconds from the start of the first job to the end of the last one."""
    return jobs["end"].max() - (jobs["end"] - jobs["s"]).min()


def trained(results: Path) -> float:
    """Seconds within the loops of trainings."""
    files = results.rglob("diagnostics.json")
    return sum(json.loads(file.read_text())["training_seconds"] for file in files)


def import_time(script: str) -> float:
    """Seconds for Python and the imports of a script; the second time, when cached."""
    tree = ast.parse((SCRIPTS / f"{script}.py").read_text())
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    lines = [line for line in map(ast.unparse, found) if "snakemake" not in line]
    program = "\n".join(lines)
    for _ in range(2):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", program], check=True)
        taken = time.monotonic() - began
    return taken


def start_up(results: Path, jobs: pd.DataFrame) -> float:
    """Seconds of all jobs before their work, and for trainings also after it."""
    training = jobs["kind"] == "training of models"
    others = jobs.loc[~training, "script"].value_counts().drop("explain", errors="ignore")
    outside = jobs.loc[training, "s"].sum() - trained(results)
    return outside + sum(import_time(script) * number for script, number in others.items())


def main(folder: str, cores: int = 2) -> None:
    results = Path(folder)
    jobs = read(results)
    wall = wall_time(jobs)
    sums = jobs.groupby("kind")[["s", "cpu"]].sum().reindex(KINDS, fill_value=0) / 60
    print("| step | jobs | minutes | share | CPU minutes |\n| --- | --- | --- | --- | --- |")
    for kind in KINDS:
        n = (jobs["kind"] == kind).sum()
        spent, cpu = sums.loc[kind]
        print(f"| {kind} | {n} | {spent:.1f} | {spent * 60 / wall / cores:.1%} | {cpu:.1f} |")
    whole = wall * cores
    left = whole - jobs["s"].sum()
    start, cpu = start_up(results, jobs), jobs["cpu"].sum()
    print(f"| no job on a core: Snakemake, waiting | | {left / 60:.1f} | {left / whole:.1%} | |")
    name = "within the steps, start-up"
    print(f"| {name} | {len(jobs)} | {start / 60:.1f} | {start / whole:.1%} | |")
    name = f"{cores} cores for {wall / 60:.1f} minutes"
    print(f"| {name} | {len(jobs)} | {whole / 60:.1f} | | {cpu / 60:.1f} |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
