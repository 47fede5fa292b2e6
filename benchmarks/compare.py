"""Compares two runs of the same configuration: python -m benchmarks.compare RESULTS RESULTS

For two numbers of threads, two machines or two devices. Prints a Markdown table: for each
model in both runs, the largest difference of an image's log-likelihood, the difference of
the means, and the standard error of the mean (nats).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd


def compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[tuple[str, float, float, float]]:
    """Set, largest difference, difference of the means, standard error of the mean."""
    rows = []
    for name in ("test", "ood"):
        a, b = (table.loc[table["set"] == name, "log_prob"].to_numpy() for table in (ours, theirs))
        if len(a) != len(b):
            raise SystemExit(f"{len(a)} and {len(b)} images: these runs use different data")
        error = a.std(ddof=1) / np.sqrt(len(a))
        rows.append((name, np.abs(a - b).max(), (b - a).mean(), error))
    return rows


def main(one: str, other: str) -> None:
    print("| model | images | largest difference | of the mean | its standard error |")
    print("| --- | --- | --- | --- | --- |")
    files = [file.relative_to(one) for file in sorted(Path(one).rglob("scores.parquet"))]
    common = [file for file in files if Path(other, file).exists()]
    if not common:
        raise SystemExit(f"{one} and {other} have no model in common")
    for file in common:
        tables = (pd.read_parquet(Path(folder, file)) for folder in (one, other))
        for name, largest, mean, error in compare(*tables):
            model = "/".join(file.parts[1:-1])
            print(f"| {model} | {name} | {largest:.2g} | {mean:.2g} | {error:.2g} |")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
