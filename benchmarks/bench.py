"""Compares our models with peers on this machine: python -m benchmarks.bench

Writes benchmarks/results.json and, from it, the table in docs/performance.md (for GPUs:
bench_gpu.py). Our models and peers run alternately, round by round, in one process.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from benchmarks.measure import ceilings, flops, interleaved, peak_memory, ratio
from benchmarks.peers import NormflowsGlow, PlainVAE, textbook_log_prob
from tools.pages import put
from torch import nn

from oodpriors.io.machine import processor
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior

ROOT = Path(__file__).parents[1]

SHAPE, PIXELS, LATENT = (1, 28, 28), 784, 50


class Size(NamedTuple):
    """Size of a model and its batches; targets are ratios by peer."""

    name: str
    couplings: int
    width: int
    decoder_width: int
    batch: int
    vae_batch: int
    rounds: int
    targets: dict


SIZES = [
    Size("paper", 32, 512, 64, 32, 64, 5, {"float32": 2.5, "bfloat16": 1.25}),
    Size("quick", 16, 64, 16, 32, 16, 15, {"float32": 2.0}),
]


class Case(NamedTuple):
    """Works that are timed alternately, ours first; each processes ``units`` units."""

    name: str
    works: dict[str, Callable]
    units: int
    unit: str
    targets: dict[str, float]
    rounds: int


def training(model: nn.Module, loss: Callable, fused: bool) -> Callable:
    """A step of Adam; peers use its default implementation."""
    optimizer = torch.optim.Adam(model.parameters(), fused=fused or None)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    return step


def evaluation(works: dict[str, Callable]) -> dict[str, Callable]:
    """Works without derivatives, as in scoring."""
    return {name: torch.inference_mode()(work) for name, work in works.items()}


def autocast(loss: Callable, device: torch.device) -> Callable:
    def run():
        with torch.autocast(device.type, torch.bfloat16):
            return loss()

    return run


def glow_cases(size: Size, device: torch.device) -> Iterator[Case]:
    x = torch.randint(256, (size.batch, *SHAPE), dtype=torch.uint8).to(device)
    k = torch.zeros(size.batch, dtype=torch.long, device=device)
    squeeze = (size.couplings // 2,)

    def ours(precision: str) -> Glow:
        prior = GaussianPrior([[0.0]], PIXELS)
        model = Glow(SHAPE, prior, size.couplings, squeeze, size.width, precision=precision)
        model = model.to(device)
        model.initialize(x)
        return model

    def loss(model: Glow) -> torch.Tensor:
        return model.loss(x, k)["loss"]

    low, single = ours("bfloat16"), ours("float32")
    peer = NormflowsGlow(size.couplings, squeeze, size.width).to(device)
    theirs = partial(peer.loss, x)
    works = {
        "ours": training(low, partial(loss, low), True),
        "ours in float32": training(single, partial(loss, single), True),
        "normflows": training(peer, theirs, False),
        "normflows, bfloat16 autocast": training(peer, autocast(theirs, device), False),
    }
    targets = {"normflows": size.targets["float32"]}
    if "bfloat16" in size.targets:
        targets["normflows, bfloat16 autocast"] = size.targets["bfloat16"]
    yield Case(f"Glow training, {size.name}", works, size.batch, "images/s", targets, size.rounds)
    single.eval()
    works = evaluation(
        {
            "ours": lambda: single.log_prob(x),
            "ours in bfloat16, not offered": partial(loss, low),
            "normflows": theirs,
            "normflows, bfloat16 autocast": autocast(theirs, device),
        }
    )
    yield Case(f"Glow log p, {size.name}", works, size.batch, "images/s", targets, size.rounds)


def vae_cases(size: Size, device: torch.device) -> Iterator[Case]:
    x = torch.randint(256, (size.vae_batch, *SHAPE), dtype=torch.uint8).to(device)
    k = torch.zeros(size.vae_batch, dtype=torch.long, device=device)

    def ours(precision: str) -> VAE:
        prior = GaussianPrior([[0.0]], LATENT)
        return VAE(SHAPE, prior, size.decoder_width, decoder_precision=precision).to(device)

    low, single = ours("bfloat16"), ours("float32")
    peer = PlainVAE(single)
    works = {
        "ours": training(low, lambda: low.loss(x, k)["loss"], True),
        "ours in float32": training(single, lambda: single.loss(x, k)["loss"], True),
        "plain float32": training(peer, lambda: peer.loss(x, k), False),
    }
    rounds = size.rounds
    yield Case(
        f"VAE training, {size.name}", works, len(x), "images/s", {"plain float32": 1.5}, rounds
    )
    for model in (low, single, peer):
        model.eval()
    few, samples = x[:16], 64
    works = evaluation(
        {
            "ours": lambda: low.log_prob(few, samples),
            "ours in float32": lambda: single.log_prob(few, samples),
            "textbook loop": lambda: textbook_log_prob(peer, few, samples),
        }
    )
    yield Case(
        f"VAE likelihood, {size.name}",
        works,
        len(few) * samples,
        "samples/s",
        {"textbook loop": 3.0},
        rounds,
    )


def rows(case: Case, device: torch.device, limits: dict[str, float]) -> Iterator[dict]:
    """One result for each peer of a case and for our other precision."""
    times = interleaved(case.works, device, case.rounds)
    memory = {name: peak_memory(work, device) for name, work in case.works.items()}
    last = list(case.works)[-1]
    plain = next((n for n in case.works if n in ("normflows", "plain float32")), last)
    operations = flops(case.works[plain])
    rate = {name: case.units / statistics.median(taken) for name, taken in times.items()}
    fraction = operations / statistics.median(times["ours"]) / limits["float32"]
    for name in list(case.works)[1:]:
        yield {
            "name": case.name,
            "threads": torch.get_num_threads(),
            "against": name,
            "ours": round(rate["ours"], 1),
            "peer": round(rate[name], 1),
            "unit": case.unit,
            "ratio": round(ratio(times["ours"], times[name]), 2),
            "target": case.targets.get(name),
            "ceiling_fraction": round(fraction, 2),
            "ours_mb": round(memory["ours"]),
            "peer_mb": round(memory[name]),
        }


def machine(device: torch.device, limits: dict[str, float]) -> dict:
    return {
        "name": "machine",
        "threads": torch.get_num_threads(),
        "device": processor(),
        "torch": torch.__version__,
        "float32_gflops": round(limits["float32"] / 1e9),
        "bfloat16_gflops": round(limits["bfloat16"] / 1e9),
        "copy_gb_per_s": round(limits["copy"] / 1e9, 1),
    }


def table(results: list[dict]) -> str:
    """The results as Markdown, with a table for each number of threads."""
    lines = []
    for row in results:
        if row["name"] == "machine":
            lines += _heading(row)
            continue
        target = "" if row["target"] is None else f"≥ {row['target']:g}"
        lines.append(
            f"| {row['name']} | {row['against']} | {row['ours']:,} | {row['peer']:,} "
            f"| {row['unit']} | {row['ratio']:.2f} | {target} | {row['ceiling_fraction']:.0%} "
            f"| {row['ours_mb']:,} / {row['peer_mb']:,} |"
        )
    return "\n".join(lines)


def _heading(machine: dict) -> list[str]:
    return [
        "",
        f"{machine['device']}, threads: {machine['threads']}, torch {machine['torch']}. Matrix "
        f"product of float32 {machine['float32_gflops']:,} GFLOP/s, of bfloat16 "
        f"{machine['bfloat16_gflops']:,}; copy {machine['copy_gb_per_s']} GB/s.",
        "",
        "| what | against | ours | theirs | | ratio | target | of float32 ceiling | memory, MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]


def measured(device: torch.device, only: str) -> Iterator[dict]:
    """Results for the machine and every case, with the current number of threads."""
    torch.manual_seed(0)
    limits = ceilings(device)
    yield machine(device, limits)
    for size in SIZES:
        for case in (*glow_cases(size, device), *vae_cases(size, device)):
            if only in case.name:
                yield from rows(case, device, limits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="cases whose name contains this; saves nothing")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, torch.get_num_threads()])
    chosen = parser.parse_args()
    device = torch.device("cpu")
    results = []
    for threads in chosen.threads:
        torch.set_num_threads(threads)
        for row in measured(device, chosen.only):
            results.append(row)
            print(row, file=sys.stderr, flush=True)
    if not chosen.only:
        (ROOT / "benchmarks" / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        put("docs/performance.md", "cpu", table(results))
    print(table(results))


if __name__ == "__main__":
    main()
