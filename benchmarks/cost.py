"""Plan of a run and its cost on this machine, from measured steps:

    python -m benchmarks.cost paper
    python -m benchmarks.cost quick --configfile mine.yaml

Prints a Markdown table: for each kind of model, its trainings and how many are already there,
its images, seconds per training step and milliseconds per draw, hours per model, and hours of
all that is not there; then the disk, and the number of operations, for an estimate on another
device.
"""

import argparse
import math
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import yaml
from benchmarks.measure import flops, seconds

from oodpriors.config import choices, means, restrict, schema, specs
from oodpriors.data.datasets import inspect_npz
from oodpriors.io.devices import GpuLimits, find_device
from oodpriors.io.errors import UserError
from oodpriors.io.machine import processor
from oodpriors.kinds.datasets import LABELS, OFFICIAL
from oodpriors.models.build import build_model
from oodpriors.training.trainer import Trainer, TrainingSettings

ROOT = Path(__file__).parents[1]

# Images of each label of the official data; of SVHN's parts a tenth. Other sets: about OTHERS.
OTHERS, DRAWN = 1000, 10_000  # images of a label; images drawn from a model, without a limit
PER_LABEL = {
    "fashion_mnist": {"train": 6000, "test": 1000},
    "mnist": {"train": 6000, "test": 1000},
    "cifar10": {"train": 5000, "test": 1000},
    "svhn": {"test": 2603},
    "mnist_full": {"train": 6000, "test": 1000},
    "svhn_full": {"train": 7326, "test": 2603},
}
BYTES = {"weight": 4, "latent": 8, "image": 300}  # of an image, its row in the score file
MOST_DRAWS, SCORED = 128, 16
SUSTAINED = 1e13  # operations per second; a sixth of an H100's theoretical float32 rate


def read(path: str | Path) -> dict:
    """A file of the configuration; raises a UserError that names it if it is none."""
    try:
        found = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: a configuration is a mapping of keys to values")
    return found


def load(scale: str, own: Path | None = None) -> dict:
    """The checked configuration of a scale, with that of a file of the user."""
    merged = schema.merge(read(f"config/scales/{scale}.yaml"), read("config/config.yaml"))
    merged = schema.merge(merged, read(own.resolve()) if own else {}) | {"scale": scale}
    allowed = choices.with_kinds(read("workflow/schemas/config.schema.yaml"))
    checked = specs.with_further(schema.validate(merged, allowed))
    checked = restrict.with_only(checked)
    return means.with_means(checked, lambda path: Path(path).read_text(encoding="utf-8"))


def available(entry: dict, dataset: dict, split: str) -> int:
    """Number of images of a split that a subset may use, before any limit."""
    if dataset["kind"] == "npz":
        with np.load(dataset["path"]) as file:
            labels = file["labels"][file["split"].astype(str) == split]
        number = len(labels) if entry["labels"] is None else np.isin(labels, entry["labels"]).sum()
    else:
        each = PER_LABEL.get(dataset["kind"], {}).get(split, OTHERS)
        number = each * len(entry["labels"] or OFFICIAL[dataset["kind"]].classes or LABELS)
    one_cluster = entry["kmeans"] and entry["kmeans"]["keep"] is not None
    return int(number) // (entry["kmeans"]["k"] if one_cluster else 1)  # of the mean size


def used(config: dict, subset: str, split: str, limit: str = "limit") -> int:
    """Number of images of a split that a subset uses."""
    entry, selected = config["subsets"][subset], specs.selection(config, subset, split)
    number = available(entry, config["datasets"][entry["dataset"]], split)
    return min(number, selected[limit] or number)


def sizes(config: dict, subset: str) -> tuple[int, int]:
    """Numbers of training images and of images to score, for a subset."""
    train, few = used(config, subset, "train", "each_training"), config["images"]["score_train"]
    other = config["subsets"][subset]["out_of_distribution"]
    scored = used(config, subset, "test") + used(config, other, "test")
    return train, scored + min(train, few or train)


def further_images(config: dict, model: specs.ModelId) -> int:
    """Number of images of all further sets of a model."""
    total = 0
    for name in specs.further_sets(config).get(model, []):
        entry = config["subsets"][name]
        if specs.is_drawn(entry):
            total += config["images"]["ood"] or DRAWN
        else:
            number = used(config, entry["of"] or name, "test")
            total += min(number, config["images"]["ood"] or number)
    return total


def disk(spec: dict, scored: int) -> float:
    """Bytes of a trained and scored model: weights, latents and a row for each image."""
    parameters = sum(p.numel() for p in build(spec).parameters())
    latents = 2 * spec["network"].get("latent_dim", math.prod(spec["image_shape"]) / 2)
    rows = BYTES["image"] + BYTES["latent"] * latents
    return BYTES["weight"] * parameters + rows * scored


def measure(spec: dict, draws: int, device: torch.device) -> dict[str, float]:
    """Seconds and operations of a training ``step`` and of one ``draw`` for one image."""
    torch.manual_seed(0)
    on_gpu = device.type == "cuda"
    model = build(spec)
    images = torch.randint(0, 256, (2048, *spec["image_shape"]), dtype=torch.uint8)
    components = torch.arange(len(images)) % len(spec["prior"]["means"])
    settings = TrainingSettings(**spec["training"])
    trainer = Trainer(model, images, components, settings, Path("unused"), device)
    trainer._start()
    model.train()
    steps = 50 if on_gpu else 3

    def step() -> None:
        for _ in range(steps):
            trainer._train_step()

    measured = {"step": timed(step, device) / steps}
    scored, options = model.at_once(GpuLimits()) if on_gpu else (SCORED, {})
    few = images[:scored].to(device)
    model.eval()
    score = torch.inference_mode()(lambda: model.scores(few, draws, **options))
    measured |= {"draw": timed(score, device) / (scored * draws)}
    return measured | operations(spec)


def operations(spec: dict) -> dict[str, float]:
    """Operations of a step and of a draw, counted on tensors without values."""
    batch = spec["training"]["batch_size"]
    model = build(spec)
    model.initialize(torch.randint(0, 256, (4, *spec["image_shape"]), dtype=torch.uint8))
    model = model.to("meta")
    x = torch.zeros((batch, *spec["image_shape"]), dtype=torch.uint8, device="meta")
    k = torch.zeros(batch, dtype=torch.long, device="meta")
    step = flops(lambda: model.loss(x, k)["loss"].backward())
    model.eval()
    draws = 2
    return {
        "step_operations": step,
        "draw_operations": flops(lambda: model.scores(x, draws)) / (batch * draws),
    }


def build(spec: dict) -> torch.nn.Module:
    parts = ("architecture", "image_shape", "prior", "network")
    return build_model(*(spec[part] for part in parts))


def timed(work, device: torch.device) -> float:
    """Seconds of the second of two runs."""
    work()
    return seconds(work, device)


def there(config: dict, model: specs.ModelId, seeds: list[int]) -> int:
    """How many trainings of a model are finished and scored."""
    folder = ROOT / "results" / specs.run_name(config) / "models" / str(model)
    return sum((folder / f"seed{seed}" / "scores.parquet").exists() for seed in seeds)


def main(scale: str, own: Path | None) -> None:
    config, device = load(scale, own), find_device("auto")
    own_data = {n: d["path"] for n, d in config["datasets"].items() if d["kind"] == "npz"}
    inspected = {name: inspect_npz(path) for name, path in own_data.items()}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    cores = os.cpu_count() or 1
    print(f"Scale {scale} on {name}, {cores} cores, torch {torch.__version__}\n")
    print(
        "| model | images of | trainings | there | images | s / step | steps | ms / draw "
        "| hours each | hours |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    seeds = specs.model_seeds(config)
    models = specs.model_ids(config)
    kinds, done = Counter(), Counter()
    for model in models:
        kinds[model[:2]] += len(seeds[model])
        done[model[:2]] += there(config, model, seeds[model])
    measured, total, arithmetic, space = {}, 0.0, 0.0, 0.0
    further = 0.0
    for (architecture, subset), number in kinds.items():
        model = next(m for m in models if m[:2] == (architecture, subset))
        spec, left = specs.model_spec(config, model, 0, inspected), number - done[model[:2]]
        shape = (architecture, tuple(spec["image_shape"]))
        if shape not in measured:
            torch.set_num_threads(min(config["models"][architecture]["threads"], cores))
            most = 500 if device.type == "cuda" else MOST_DRAWS
            draws = min(most, config["models"][architecture]["draws"])
            measured[shape] = measure(spec, draws, device)
        cost = measured[shape]
        step, draw = cost["step"], cost["draw"]
        train, scored = sizes(config, subset)
        steps = train // spec["training"]["batch_size"] * spec["training"]["epochs"]
        draws = scored * config["models"][architecture]["draws"]
        hours = (steps * step + draws * draw) / 3600
        total += hours * left
        images = sum(
            further_images(config, m) * len(seeds[m]) for m in models if m[:2] == model[:2]
        )
        further += images * config["models"][architecture]["draws"] * draw / 3600
        space += disk(spec, scored) * left
        arithmetic += (steps * cost["step_operations"] + draws * cost["draw_operations"]) * left
        title = config["subsets"][subset]["title"]
        print(
            f"| {architecture} | {title} | {number} | {number - left} | {train:,} + {scored:,} "
            f"| {step:.4f} | {steps:,} | {1000 * draw:.4f} | {hours:,.2f} | {hours * left:,.1f} |",
            flush=True,
        )
    unit = "GPU hours" if device.type == "cuda" else "hours"
    print(
        f"\nStill to do: {total:,.1f} {unit}, {total / 24:,.1f} days, one model at a time with the "
        f"scale's threads, and {space / 1e9:,.1f} GB of disk. Images: for training + to score."
    )
    print(
        f"In addition about {further:,.2f} {unit} for further sets; refined posteriors not counted."
    )
    print(
        f"Total: {arithmetic:.2e} operations, {arithmetic / SUSTAINED / 3600:,.0f} hours of a GPU "
        f"that sustains {SUSTAINED / 1e12:.0f} TFLOP/s (an estimate)."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost")
    parser.add_argument("scale", nargs="?", choices=("smoke", "quick", "short", "paper"))
    parser.add_argument("--configfile", type=Path, help="the user's configuration")
    given = parser.parse_args()
    try:
        own = read(given.configfile.resolve()) if given.configfile else {}
        main(given.scale or own.get("scale", "quick"), given.configfile)
    except UserError as error:
        sys.exit(f"error: {error}")
