"""Time and memory against images, couplings, width, samples, sets and models: docs/growth.png.

python -m benchmarks.growth
"""

import statistics
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from benchmarks.measure import interleaved, peak_memory

from oodpriors.companions.compare import model_rows, score_training
from oodpriors.companions.training import Training
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior

ROOT = Path(__file__).parents[1]

SHAPE, CPU = (1, 28, 28), torch.device("cpu")
LABELS = {
    "images": "images in a step (width 64)",
    "couplings": "couplings (width 64, 32 images)",
    "width": "width (16 couplings, 32 images)",
    "samples": "samples (VAE, 16 images)",
    "sets": "sets of 600 images (other scores, Glow)",
    "models": "models (other scores, one set)",
}


def images(n: int) -> torch.Tensor:
    return torch.randint(256, (n, *SHAPE), dtype=torch.uint8)


def glow_step(batch: int = 32, couplings: int = 16, width: int = 64) -> Callable:
    prior, squeeze = GaussianPrior([[0.0]], 784), (couplings // 2,)
    model = Glow(SHAPE, prior, couplings, squeeze, width, precision="bfloat16")
    x, k = images(batch), torch.zeros(batch, dtype=torch.long)
    model.initialize(images(64))
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        model.loss(x, k)["loss"].backward()
        optimizer.step()

    return step


def likelihood(samples: int) -> Callable:
    model = VAE(SHAPE, GaussianPrior([[0.0]], 50), 16, decoder_precision="bfloat16").eval()
    x = images(16)
    return lambda: model.log_prob(x, samples)


def companions(sets: int = 1, models: int = 1) -> Callable:
    """The other scores of flows, with 600 training images, 600 test images and 600 of each set."""
    rng = np.random.default_rng(0)
    priors = [GaussianPrior(means, 784).double() for means in ([[50.0], [-50.0]], [[0.0]])]
    names = ["train", "test", *(f"set{n}" for n in range(sets))]
    z = rng.normal(size=(600 * len(names), 784))
    z[:, 0] += rng.choice([-50, 50], len(z))
    distances = [((z - mean) ** 2).sum(1) for mean in priors[0].means.numpy()]
    of = {f"log_prob_component_{k}": -distance / 2 for k, distance in enumerate(distances)}
    columns = {
        "set": np.repeat(names, 600),
        "images": np.repeat([f"{name}.test" for name in names], 600),
        "index": np.tile(np.arange(600), len(names)),
        "log_prob": np.logaddexp(*of.values()),
        "log_det": 0.0,
        "nearest_component": (z[:, 0] < 0).astype(int),
        "latent_norm_squared": np.min(distances, axis=0),
    }
    sizes = {f"{name}.test": pd.Series(rng.normal(size=600)) for name in names}
    training = Training(pd.DataFrame(columns | of), *priors, z, sizes=sizes)
    titles: dict[str, dict] = {"models": {"glow": "Glow"}, "priors": {"two": "multi"}}
    titles["subsets"] = {name: name for name in ("images", *names)}

    def work() -> None:
        for _ in range(models):
            scored = [dict(score_training(training))]
            list(model_rows("glow/images/two", scored, titles, 1000, 0))

    return work


WORKS = {
    "images": {n: lambda n=n: glow_step(batch=n) for n in (4, 8, 16, 32, 64, 128, 256)},
    "couplings": {n: lambda n=n: glow_step(couplings=n) for n in (2, 4, 8, 16, 32)},
    "width": {n: lambda n=n: glow_step(width=n) for n in (16, 32, 64, 128, 256, 512)},
    "samples": {n: lambda n=n: likelihood(n) for n in (4, 16, 64, 256, 1024)},
    "sets": {n: lambda n=n: companions(sets=n) for n in (1, 4, 16)},
    "models": {n: lambda n=n: companions(models=n) for n in (1, 4, 16)},
}


def measured(makers: dict[int, Callable]) -> tuple[list[float], list[float]]:
    """Median seconds and MB of each work."""
    works = {str(n): make() for n, make in makers.items()}
    times = interleaved(works, CPU, rounds=3)
    memory = [peak_memory(work, CPU) for work in works.values()]
    return [statistics.median(taken) for taken in times.values()], memory


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    figure, axes = plt.subplots(2, len(WORKS), figsize=(3 * len(WORKS), 4.5), layout="constrained")
    for column, (name, makers) in zip(axes.T, WORKS.items(), strict=True):
        sizes = list(makers)
        for axis, values, label in zip(column, measured(makers), ("seconds", "MB"), strict=True):
            print(name, label, dict(zip(sizes, [round(v, 4) for v in values], strict=True)))
            axis.plot(sizes, values, "o-")
            proportional = [values[-1] * n / sizes[-1] for n in sizes]
            axis.plot(sizes, proportional, ":", color="grey", label="in proportion")
            axis.set(xscale="log", yscale="log", ylabel=label)
            axis.set_xticks(sizes, sizes)
            axis.minorticks_off()
        column[1].set_xlabel(LABELS[name])
    axes[0, 0].legend()
    figure.savefig(ROOT / "docs" / "growth.png", dpi=70)


if __name__ == "__main__":
    main()
