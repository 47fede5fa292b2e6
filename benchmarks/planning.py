"""Time and memory of Snakemake to plan many models: python -m benchmarks.planning

Prints a Markdown table of dry runs; the first is the whole configuration.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

ROOT = Path(__file__).parents[1]
NUMBERS = (10, 30, 100, 300, 1000)


def many(number: int) -> dict:
    """A configuration with only the given number of models."""
    priors = {
        f"far_{i}": {"title": "multi", "means": [[10 + i], [-10 - i]], "assignment": "label"}
        for i in range((number + 1) // 2)
    }
    models = [f"{kind}/fashion_1_7/{prior}" for prior in priors for kind in ("vae", "glow")]
    return {
        "priors": priors,
        "only": ["many"],
        "experiments": {"many": {"models": models[:number]}},
    }


def plan(arguments: list[str]) -> tuple[float, float, int]:
    """Seconds, peak memory in MB and jobs of a dry run."""
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "reason", *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(output)
    jobs = next(line.split()[1] for line in output.splitlines() if line.startswith("total "))
    return time.perf_counter() - began, usage.ru_maxrss / 1024, int(jobs)


def main() -> None:
    print("| models | jobs | seconds | memory, MB |\n| --- | --- | --- | --- |")
    with TemporaryDirectory() as folder:
        rows = {"the paper's, scale quick": []}
        for number in NUMBERS:
            file = Path(folder, f"{number}.yaml")
            file.write_text(yaml.safe_dump(many(number)), encoding="utf-8")
            rows[str(number)] = ["--configfile", str(file)]
        for name, arguments in rows.items():
            seconds, memory, jobs = plan(arguments)
            print(f"| {name} | {jobs:,} | {seconds:.1f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
