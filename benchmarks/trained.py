"""Trained models: errors of low precision, and savings of an adaptive number of samples.

    snakemake results/quick/data/{fashion_1_7/train,fashion_1_7/test,mnist/test}.npz
    python -m benchmarks.trained results/quick/data

Trains models of scale quick in both precisions (15 minutes on one core) and prints the
Markdown tables of docs/performance.md.
"""

import copy
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from benchmarks.cost import load
from torch import Tensor, nn

from oodpriors.config import specs
from oodpriors.config.specs import ModelId
from oodpriors.data.datasets import load_arrays
from oodpriors.data.subsets import to_nchw
from oodpriors.models.glow import dequantize
from oodpriors.models.layers import CouplingNetwork
from oodpriors.models.likelihood import RECOMPUTED, Tolerance, importance_weighted_log_prob
from oodpriors.models.vae import VAE
from oodpriors.priors import log_mean_exp
from oodpriors.training.fit import fit

MODELS = [("glow", "unimodal"), ("glow", "bimodal_50"), ("vae", "unimodal"), ("vae", "bimodal_75")]
KEYS = {"glow": "precision", "vae": "decoder_precision"}
PRECISIONS = ("float32", "bfloat16")
SAMPLES, AT_MOST, FEW = 16, 1024, 100
VAE_IMAGES = 200
TOLERANCES = [Tolerance(0.5, 10), Tolerance(0.2, 20)]


def images(folder: Path, name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """n evenly spaced images and their labels."""
    data = load_arrays(folder / f"{name}.npz")
    kept = np.linspace(0, len(data["images"]) - 1, n).round().astype(int)
    return to_nchw(data["images"][kept]), data["labels"][kept]


def trained(config: dict, folder: Path, kind: str, prior: str, precision: str) -> nn.Module:
    spec = specs.model_spec(config, ModelId(kind, "fashion_1_7", prior), 0, {})
    spec["network"][KEYS[kind]] = precision
    x, labels = images(folder, "fashion_1_7/train", config["images"]["train"])
    components = (labels == 7).astype(int) if len(spec["prior"]["means"]) > 1 else 0 * labels
    with TemporaryDirectory() as scratch:
        return fit(spec, x, components, Path(scratch, "checkpoint")).model


def parts_in_low_precision(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, CouplingNetwork | VAE)]


def variants(model: nn.Module) -> dict[str, nn.Module]:
    """The model in each precision, float64 first."""
    low, single = copy.deepcopy(model), copy.deepcopy(model)
    for part in parts_in_low_precision(low):
        part.low_precision = True
        # in training mode, coupling networks compute in bfloat16
        part.train(isinstance(part, CouplingNetwork))
    for part in parts_in_low_precision(single):
        part.low_precision = False
    return {"float64": copy.deepcopy(single).double(), "float32": single, "bfloat16": low}


@torch.no_grad()
def flow_log_prob(models: dict[str, nn.Module], x: Tensor) -> dict[str, Tensor]:
    """log p without its constant, from one dequantisation, which all models share."""
    y, found = dequantize(x, torch.float64), {}
    for name, model in models.items():
        z, log_det = model(y.to(model.prior.means))
        found[name] = (model.prior.log_prob(z) + log_det).double()
    return found


@torch.no_grad()
def vae_log_prob(models: dict[str, nn.Module], x: Tensor) -> dict[str, Tensor]:
    """log p from SAMPLES latents, which all models share."""
    exact = models["float64"]
    mean, std = exact.encode(x)
    noise = torch.randn(SAMPLES, *mean.shape, dtype=torch.float64)
    z = mean + std * noise
    proposal = torch.distributions.Normal(mean, std).log_prob(z).sum(2)
    rest = torch.stack([exact.prior.log_prob(some) for some in z]) - proposal
    weights = {
        name: torch.stack([m.log_likelihood(x, some.to(m.prior.means)).double() for some in z])
        + rest
        for name, m in models.items()
    }
    again = weights["bfloat16"].topk(math.ceil(RECOMPUTED * SAMPLES), 0).indices
    weights["as scored"] = weights["bfloat16"].scatter(
        0, again, weights["float32"].gather(0, again)
    )
    return {name: log_mean_exp(values, 0) for name, values in weights.items()}


def in_batches(work, models: dict[str, nn.Module], x: np.ndarray) -> dict[str, Tensor]:
    torch.manual_seed(0)
    parts = [work(models, batch) for batch in torch.from_numpy(x).split(50)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def error_rows(name: str, kind: str, model: nn.Module, sets: dict) -> Iterator[str]:
    for title, x in sets.items():
        if kind == "vae":
            found = in_batches(vae_log_prob, variants(model), x[:: len(x) // VAE_IMAGES])
        else:
            found = in_batches(flow_log_prob, variants(model), x)
            found["as scored"] = found["float32"]
        exact = found.pop("float64")
        error = exact.std() / math.sqrt(len(exact))
        cells = [
            f"{float(d.mean()):.1g} ± {float(d.std()):.1g}"
            for d in (values - exact for values in found.values())
        ]
        yield f"| {name} | {title} | {exact.mean():.1f} ± {error:.1f} | " + " | ".join(cells) + " |"


def adaptive_rows(name: str, model: nn.Module, sets: dict) -> Iterator[str]:
    for title, x in sets.items():
        few = torch.from_numpy(x[:: len(x) // FEW][:FEW])
        fixed, fixed_time = estimate(model, few, None)
        for tolerance in TOLERANCES:
            found, taken = estimate(model, few, tolerance)
            difference = found["log_prob"] - fixed["log_prob"]
            error = (found["std_error"] ** 2 + fixed["std_error"] ** 2).sqrt()
            yield (
                f"| {name} | {title} | {tolerance.std_error:g}, "
                f"{tolerance.effective_sample_size:g} | {found['draws'].mean():.0f} "
                f"| {fixed_time / taken:.1f} | {(found['draws'] == AT_MOST).double().mean():.0%} "
                f"| {difference.mean():+.2f} ± {difference.std() / math.sqrt(FEW):.2f} "
                f"| {(difference / error).square().mean().sqrt():.2f} "
                f"| {fixed['effective_sample_size'].median():.1f} |"
            )


def estimate(model: nn.Module, x: Tensor, tolerance: Tolerance | None) -> tuple[dict, float]:
    """Scores of x with independent draws, and their time in seconds."""
    torch.manual_seed(1 if tolerance else 2)
    began, parts = time.process_time(), []
    for batch in x.split(32):
        parts.append(importance_weighted_log_prob(model, batch, AT_MOST, tolerance=tolerance))
    scores = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    return scores, time.process_time() - began


def main(data: str) -> None:
    torch.set_num_threads(1)
    config, folder = load("quick"), Path(data)
    sets = {
        "test": images(folder, "fashion_1_7/test", config["images"]["test"])[0],
        "MNIST": images(folder, "mnist/test", config["images"]["ood"])[0],
    }
    print("| model | images | log p in float64 | error of float32 | of bfloat16 | as scored |")
    print("| --- | --- | --- | --- | --- | --- |")
    adaptive = []
    for kind, prior in MODELS:
        for precision in PRECISIONS:
            model = trained(config, folder, kind, prior, precision)
            name = f"{kind}, {prior}, trained in {precision}"
            print(*error_rows(name, kind, model, sets), sep="\n", flush=True)
            if kind == "vae" and precision == "bfloat16":
                adaptive.append((f"{kind}, {prior}", model))
    print(
        "\n| model | images | tolerance | samples | times as fast | at the limit "
        "| less that of all samples | its spread, in standard errors | effective size of all |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, model in adaptive:
        print(*adaptive_rows(name, model, sets), sep="\n", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["results/quick/data"])
