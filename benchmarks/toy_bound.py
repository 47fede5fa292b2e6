"""Effect of the bound of the toy couplings' log-scale on their likelihoods (A24).

    python -m benchmarks.toy_bound               # all bounds at scale quick: 50 flows, 6 minutes
    python -m benchmarks.toy_bound paper 1       # bound 1 with scale paper's budget

Trains flows in two dimensions with each bound, prior and seed, on one thread, and prints a
Markdown table of means over seeds ± standard deviations between them, nats per point.
"""

import contextlib
import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from benchmarks.cost import load

from oodpriors.config.specs import toy_spec
from oodpriors.toy.flow import fit_toy, score_toy
from oodpriors.toy.mixture import build_data

DIM, SEEDS = 2, range(5)
BOUNDS = (0.5, 1, 2, 4, None)
SETS = ("test", "ood")


def means(config: dict, prior: str, bound: float | None, seed: int) -> list[float]:
    """Mean log p of points in and out of distribution under one flow, nats."""
    spec = toy_spec(config, DIM, prior, seed)
    spec["network"] = spec["network"] | {"log_scale_bound": bound}
    with TemporaryDirectory() as scratch, contextlib.redirect_stderr(io.StringIO()):
        model = fit_toy(spec, Path(scratch, "checkpoint")).model
    n, same = config["toy"]["points"]["test"], config["data_seed"]  # points of the pipeline
    found = score_toy(model, build_data(spec), n, same).groupby("set")["log_prob"].mean()
    return [float(found[name]) for name in SETS]


def row(config: dict, prior: str, bound: float | None) -> str:
    found = np.array([means(config, prior, bound, seed) for seed in SEEDS])
    name, spread = "none" if bound is None else f"{bound:g}", found.std(0, ddof=1)
    cells = [f"{m:.2f} ± {s:.2f}" for m, s in zip(found.mean(0), spread, strict=True)]
    each = ", ".join(f"{ood:.1f}" for ood in found[:, 1])
    return f"| {prior} | {name} | {' | '.join(cells)} | {each} |"


def main(scale: str = "quick", *bounds: str) -> None:
    torch.set_num_threads(1)
    config = load(scale)
    print("| prior | bound | mean in | mean out | of each seed |", "|" + 5 * " --- |", sep="\n")
    for prior in config["toy"]["priors"]:
        for bound in [float(b) for b in bounds] or BOUNDS:
            print(row(config, prior, bound), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
