"""Cost of a scale on this machine, from measured steps: python -m benchmarks.cost paper

Prints a Markdown table: for each kind of model, seconds per training step and per image
to score, hours per model, and hours of all models; then the total number of operations,
for an estimate on another device.
"""

import sys
from collections import Counter
from pathlib import Path

import torch
import yaml
from benchmarks.measure import flops, seconds

from oodpriors.config import choices, means, schema, specs
from oodpriors.io.devices import GpuLimits, find_device
from oodpriors.models.build import build_model
from oodpriors.training.trainer import Trainer, TrainingSettings

ROOT = Path(__file__).parents[1]

# Images of the real data: training and test images per label, and out of distribution.
PER_LABEL = {"fashion_mnist": (6000, 1000), "cifar10": (5000, 1000)}
OUT = {"mnist": 10_000, "svhn": 26_032}
MOST_DRAWS, SCORED = 128, 16
SUSTAINED = 1e13  # operations per second; a sixth of an H100's theoretical float32 rate


def read(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text())


def load(scale: str) -> dict:
    merged = schema.merge(read(f"config/scales/{scale}.yaml"), read("config/config.yaml"))
    allowed = choices.with_kinds(read("workflow/schemas/config.schema.yaml"))
    checked = schema.validate(merged, allowed)
    return means.with_means(checked, lambda path: Path(path).read_text(encoding="utf-8"))


def sizes(config: dict, subset: str) -> tuple[int, int]:
    """Numbers of training images and of images to score, for a subset."""
    entry = config["subsets"][subset]
    train, test = (n * len(entry["labels"]) for n in PER_LABEL[entry["dataset"]])
    if entry["kmeans"]:  # one cluster per label, assumed to have the mean size
        train, test = (n // entry["kmeans"]["k"] for n in (train, test))
    limits = config["images"]
    ood = OUT[config["subsets"][entry["out_of_distribution"]]["dataset"]]
    wanted = (("train", train), ("test", test), ("ood", ood), ("score_train", train))
    kept = {name: min(n, limits[name] or n) for name, n in wanted}
    return kept["train"], kept["test"] + kept["ood"] + kept["score_train"]


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


def main(scale: str) -> None:
    config, device = load(scale), find_device("auto")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(
        f"Scale {scale} on {name}, {torch.get_num_threads()} threads, torch {torch.__version__}\n"
    )
    print("| model | images of | trainings | s / step | steps | ms / draw | hours each | hours |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    seeds = specs.model_seeds(config)
    kinds = Counter()
    for model, own in seeds.items():
        kinds[model.architecture, model.subset] += len(own)
    measured, total, arithmetic = {}, 0.0, 0.0
    for (architecture, subset), number in kinds.items():
        model = next(m for m in seeds if (m.architecture, m.subset) == (architecture, subset))
        spec = specs.model_spec(config, model, 0, {})
        shape = (architecture, tuple(spec["image_shape"]))
        if shape not in measured:
            most = 500 if device.type == "cuda" else MOST_DRAWS
            draws = min(most, config["models"][architecture]["draws"])
            measured[shape] = measure(spec, draws, device)
        cost = measured[shape]
        step, draw = cost["step"], cost["draw"]
        train, scored = sizes(config, subset)
        steps = train // spec["training"]["batch_size"] * spec["training"]["epochs"]
        draws = scored * config["models"][architecture]["draws"]
        hours = (steps * step + draws * draw) / 3600
        total += hours * number
        arithmetic += (steps * cost["step_operations"] + draws * cost["draw_operations"]) * number
        title = config["subsets"][subset]["title"]
        print(
            f"| {architecture} | {title} | {number} | {step:.4f} | {steps:,} | {1000 * draw:.4f} "
            f"| {hours:,.2f} | {hours * number:,.1f} |",
            flush=True,
        )
    unit = "GPU hours" if device.type == "cuda" else "hours"
    print(f"\nIn total {total:,.1f} {unit}, {total / 24:,.1f} days, one model at a time.")
    print(
        f"Total: {arithmetic:.2e} operations, {arithmetic / SUSTAINED / 3600:,.0f} hours of a GPU "
        f"that sustains {SUSTAINED / 1e12:.0f} TFLOP/s (an estimate)."
    )


if __name__ == "__main__":
    main(*sys.argv[1:] or ["paper"])
