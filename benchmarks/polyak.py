"""Likelihoods under a Glow's last and its averaged parameters (A16).

    snakemake results/quick/data/{fashion_1_7/train,fashion_1_7/test,mnist/test}.npz
    python -m benchmarks.polyak results/quick/data

Trains a Glow of scale quick for each prior with the learning rate constant after the warm-up,
as at scale paper, and averages the parameters over one epoch on the way (2 minutes on one
core). Prints a Markdown table of mean log p of both, and of the mean difference over
the same images, nats per image.
"""

import math
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from benchmarks.cost import load
from benchmarks.trained import images

from oodpriors.config import specs
from oodpriors.config.specs import ModelId
from oodpriors.models.base import ImageModel
from oodpriors.models.build import build_model
from oodpriors.training.trainer import Trainer, TrainingSettings

PRIORS = ("unimodal", "bimodal_50")
SEED, CONSTANT = 0, {"decay_fraction": 0, "polyak_epochs": 1}


def trained(config: dict, folder: Path, prior: str) -> dict[str, ImageModel]:
    """One training's model with its last and with its averaged parameters."""
    spec = specs.model_spec(config, ModelId("glow", "fashion_1_7", prior), SEED, {})
    x, labels = images(folder, "fashion_1_7/train", config["images"]["train"])
    components = (labels == 7).astype(int) if len(spec["prior"]["means"]) > 1 else 0 * labels
    torch.manual_seed(SEED)
    model = build_model(spec["architecture"], spec["image_shape"], spec["prior"], spec["network"])
    settings = TrainingSettings(**spec["training"] | CONSTANT, seed=SEED)
    with TemporaryDirectory() as scratch:
        data = torch.from_numpy(x), torch.from_numpy(components)
        trainer = Trainer(model, *data, settings, Path(scratch, "checkpoint"))
        averaged = trainer.run()
    return {"last": trainer.model.eval(), "averaged": averaged}


def main(data: str) -> None:
    torch.set_num_threads(1)
    config, folder = load("quick"), Path(data)
    n_draws = config["models"]["glow"]["draws"]
    sets = {
        "test": images(folder, "fashion_1_7/test", config["images"]["test"])[0],
        "MNIST": images(folder, "mnist/test", config["images"]["ood"])[0],
    }
    print("| prior | images | last | averaged | averaged less last |", "|" + 5 * " --- |", sep="\n")
    for prior in PRIORS:
        models = trained(config, folder, prior)
        for title, x in sets.items():
            found = []
            for model in models.values():
                torch.manual_seed(SEED)  # the same dequantisation
                found.append(model.log_prob(torch.from_numpy(x), n_draws))
            more = found[1] - found[0]
            cells = [f"{values.mean():.1f}" for values in found]
            error = more.std() / math.sqrt(len(more))
            cells.append(f"{more.mean():+.1f} ± {error:.1f}")
            print(f"| {prior} | {title} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["results/quick/data"])
