"""Training and scoring at the paper's size on a GPU: python -m benchmarks.bench_gpu

Needs an NVIDIA GPU, PyTorch with Triton, a C compiler and normflows; some minutes, most of
them for compilers. ``--parts`` measures some of it again, on the same device.
Writes benchmarks/results-cuda.json and, from it, the tables in docs/performance.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shutil import which

import torch
from benchmarks.measure import ceilings, interleaved, ratio, seconds
from benchmarks.peers import NormflowsGlow
from tools.pages import put

from oodpriors.io.devices import GpuLimits, find_device
from oodpriors.models.build import build_model
from oodpriors.training.trainer import Trainer, TrainingSettings

ROOT = Path(__file__).parents[1]
IMAGES, BATCH, ROUNDS, STEPS = 2000, 64, 5, 10
SIDE_BY_SIDE = (1, 2, 4)
LOW = {"precision": "bfloat16"}
MODELS = {
    "Glow, grey": ("glow", (1, 28, 28), {"couplings": 32, "squeeze_after": [16], **LOW}),
    "Glow, colour": ("glow", (3, 32, 32), {"couplings": 24, "squeeze_after": [8, 16], **LOW}),
    "VAE, grey": ("vae", (1, 28, 28), {"latent_dim": 50, "decoder_precision": "bfloat16"}),
    "VAE, colour": ("vae", (3, 32, 32), {"latent_dim": 100, "decoder_precision": "bfloat16"}),
}
# Milliseconds per step, or microseconds per image or sample.
TARGETS = {
    ("step", "Glow, grey"): 9.0,
    ("step", "VAE, grey"): 1.3,
    ("score", "Glow, grey"): 150.0,
    ("score", "VAE, grey"): 2.0,
}


def trainer(name: str, device: torch.device, folder: Path) -> Trainer:
    """A training that is ready for its next step."""
    torch.manual_seed(0)
    architecture, shape, network = MODELS[name]
    prior = {"kind": "gaussian", "means": [[50.0], [-50.0]]}
    images = torch.randint(256, (IMAGES, *shape), dtype=torch.uint8)
    training = Trainer(
        build_model(architecture, shape, prior, network),
        images,
        torch.arange(IMAGES) % 2,
        TrainingSettings(epochs=1000, batch_size=BATCH, max_grad_norm=20000),
        folder / name,
        device,
    )
    training._start()
    training.model.train()
    training._train_step()
    return training


def steps(training: Trainer) -> None:
    for _ in range(STEPS):
        training._train_step()


def step_rows(device: torch.device, folder: Path) -> Iterator[dict]:
    """Milliseconds per training step of each model, and memory."""
    for name in MODELS:
        began = time.monotonic()
        training = trainer(name, device, folder)
        torch.cuda.synchronize()
        start = time.monotonic() - began
        torch.cuda.reset_peak_memory_stats()
        times = interleaved({"ours": partial(steps, training)}, device, ROUNDS)["ours"]
        yield {
            "name": f"{name}: training",
            "value": round(1000 * statistics.median(times) / STEPS, 2),
            "unit": "ms a step",
            "target": TARGETS.get(("step", name)),
            "start_s": round(start, 1),
            "reserved_mb": round(torch.cuda.memory_reserved() / 2**20),
        }
        yield score_row(name, training.model.eval(), device)
        del training
        torch.cuda.empty_cache()


def score_row(name: str, model: torch.nn.Module, device: torch.device) -> dict:
    """Microseconds per importance sample or dequantisation draw."""
    images, options = model.at_once(GpuLimits())
    draws = 500 if "decoded" in options else 1
    x = torch.randint(256, (images, *model.image_shape), dtype=torch.uint8, device=device)
    score = torch.inference_mode()(lambda: model.scores(x, draws, **options))
    times = interleaved({"ours": score}, device, ROUNDS)["ours"]
    return {
        "name": f"{name}: log p",
        "value": round(1e6 * statistics.median(times) / (images * draws), 2),
        "unit": "µs a sample" if draws > 1 else "µs an image and draw",
        "target": TARGETS.get(("score", name)),
    }


def graphed(step: Callable) -> Callable:
    """A training step of a peer as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        step()
    return graph.replay


def peer(device: torch.device, low: bool, whole: bool) -> Callable:
    """Ten training steps of normflows: unchanged, or compiled and as a CUDA graph."""
    x = torch.randint(256, (BATCH, 1, 28, 28), dtype=torch.uint8, device=device)
    model = NormflowsGlow(32, (16,), 512).to(device)
    model.loss(x)  # initialises its actnorms
    optimizer = torch.optim.Adam(model.parameters(), fused=whole or None, capturable=whole)
    if whole:
        model.compile()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, enabled=low, cache_enabled=not whole):
            loss = model.loss(x)
        loss.backward()
        optimizer.step()

    run = graphed(step) if whole else step
    return lambda: [run() for _ in range(STEPS)]


PEERS = {
    "normflows": (False, False, 10.0),
    "normflows, bfloat16 autocast": (True, False, None),
    "normflows, bfloat16 autocast, compiled, as a CUDA graph": (True, True, 1.5),
    "normflows, compiled, as a CUDA graph": (False, True, None),
}


def peer_rows(device: torch.device, folder: Path) -> Iterator[dict]:
    """Training of Glow and of normflows, timed alternately."""
    ours = partial(steps, trainer("Glow, grey", device, folder))
    for name, (low, whole, target) in PEERS.items():
        times = interleaved({"ours": ours, name: peer(device, low, whole)}, device, ROUNDS)
        rates = {key: STEPS * BATCH / statistics.median(t) for key, t in times.items()}
        yield {
            "name": "Glow, grey: training",
            "against": name,
            "ours": round(rates["ours"]),
            "peer": round(rates[name]),
            "ratio": round(ratio(times["ours"], times[name]), 2),
            "target": target,
        }
        torch.cuda.empty_cache()


@contextmanager
def multi_process_service() -> Iterator[bool]:
    """NVIDIA's MPS, if it is installed: kernels of several processes run at the same time."""
    control = which("nvidia-cuda-mps-control")
    if not control:
        yield False
        return
    started = subprocess.run([control, "-d"], capture_output=True, check=False).returncode == 0
    try:
        yield started
    finally:
        subprocess.run([control], input="quit\n", text=True, capture_output=True, check=False)


def work(name: str, duration: float) -> None:
    """After each line on stdin, train for some seconds and print steps per second."""
    with tempfile.TemporaryDirectory() as folder:
        training = trainer(name, find_device("cuda"), Path(folder))
        steps(training)
        torch.cuda.synchronize()
        print("ready", flush=True)
        while sys.stdin.readline():
            began, done = time.monotonic(), 0
            while time.monotonic() - began < duration:
                steps(training)
                torch.cuda.synchronize()
                done += STEPS
            print(done / (time.monotonic() - began), flush=True)


def rates_of(name: str, duration: float) -> dict[int, float]:
    """Steps per second of some processes together, for each number of them."""
    command = [sys.executable, "-m", "benchmarks.bench_gpu", "--worker", name, str(duration)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    workers = [subprocess.Popen(command, text=True, **pipes) for _ in range(max(SIDE_BY_SIDE))]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n", "a worker failed"
    rates = {}
    for number in SIDE_BY_SIDE:  # the others wait: their start takes longer than this
        for worker in workers[:number]:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        rates[number] = sum(float(worker.stdout.readline()) for worker in workers[:number])
    for worker in workers:
        worker.stdin.close()
        worker.wait()
    return rates


def together_rows(duration: float = 3.0) -> Iterator[dict]:
    """Parallel trainings on one GPU, each in a separate process."""
    with multi_process_service() as service:
        for name in ("Glow, grey", "VAE, grey"):
            rates = rates_of(name, duration)
            for number, rate in rates.items():
                yield {
                    "name": f"{name}: {number} side by side" + (", MPS" if service else ""),
                    "value": round(1000 / rate, 2),
                    "unit": "ms a step, together",
                    "times": round(rate / rates[1], 2),
                    "target": 1.5 if number == 4 and service else None,
                }


def machine(device: torch.device) -> dict:
    limits = ceilings(device, 8192)
    return {
        "device": torch.cuda.get_device_name(device),
        "torch": torch.__version__,
        "float32_tflops": round(limits["float32"] / 1e12, 1),
        "bfloat16_tflops": round(limits["bfloat16"] / 1e12, 1),
        "copy_gb_per_s": round(limits["copy"] / 1e9),
        "launch_us": round(1e6 * launch_time(device), 1),
    }


def launch_time(device: torch.device, number: int = 1000) -> float:
    """Seconds that the CPU needs to start a kernel."""
    x = torch.zeros(1, device=device)
    return seconds(lambda: [x.add_(1) for _ in range(number)], device) / number


PARTS = {
    "steps": step_rows,
    "together": lambda device, folder: together_rows(),
    "peers": peer_rows,
}


def table(results: dict) -> str:
    """The results as Markdown."""
    first = results["machine"]
    rows = [row for part in PARTS for row in results[part]]
    lines = [
        f"{first['device']}, torch {first['torch']}. Matrix product of float32 "
        f"{first['float32_tflops']} TFLOP/s, of bfloat16 {first['bfloat16_tflops']}; copy "
        f"{first['copy_gb_per_s']:,} GB/s; a kernel takes the host {first['launch_us']} µs.",
        "",
        "| what | measured | target | |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join(lines + ["| " + " | ".join(_cells(row)) + " |" for row in rows])


def _cells(row: dict) -> tuple[str, ...]:
    target = row["target"]
    if "against" in row:
        name, measured = f"{row['name']}, compared with {row['against']}", f"{row['ratio']} times"
        remark, sign = f"{row['ours']:,} and {row['peer']:,} images/s", "≥"
    else:
        name, measured, sign = row["name"], f"{row['value']} {row['unit']}", "≤"
        remark = f"first step after {row['start_s']} s" if "start_s" in row else ""
    if "times" in row:
        remark, sign = f"{row['times']} times the rate of one", "≥"
    return name, measured, f"{sign} {target:g}" if target else "", remark


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results-cuda.json")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        return work(chosen.worker[0], float(chosen.worker[1]))
    device = find_device("cuda")
    results = of_the_same(machine(device), chosen.out)
    with tempfile.TemporaryDirectory() as folder:
        for part in chosen.parts:
            rows = []
            for row in PARTS[part](device, Path(folder)):
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
            results[part] = rows
            chosen.out.write_text(json.dumps(results, indent=1) + "\n")
    if all(part in results for part in PARTS):
        put("docs/performance.md", "cuda", table(results))


def of_the_same(now: dict, path: Path) -> dict:
    """Results so far: this machine, and earlier parts of the same device and PyTorch."""
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before = earlier.get("machine", {})
    same = all(before.get(key) == now[key] for key in ("device", "torch"))
    return (earlier if same else {}) | {"machine": now}


if __name__ == "__main__":
    main()
