"""Interleaved timing, peak memory, and the upper limit of the machine."""

import ctypes
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

MEGABYTE = 2**20


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds(work: Callable, device: torch.device) -> float:
    """With one thread its CPU time, which excludes other programs."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    synchronize(device)
    began = clock()
    work()
    synchronize(device)
    return clock() - began


def interleaved(works: dict[str, Callable], device: torch.device, rounds: int) -> dict[str, list]:
    """Seconds of each work in each round, alternately, after one round of warm-up."""
    times = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            taken = seconds(work, device)
            if number:
                times[name].append(taken)
    return times


def ratio(ours: list[float], peer: list[float]) -> float:
    """Median ratio over rounds: other programs slow both works of a round."""
    return statistics.median(theirs / own for own, theirs in zip(ours, peer, strict=True))


def flops(work: Callable) -> int:
    """Floating-point operations of matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def peak_memory(work: Callable, device: torch.device) -> float:
    """Peak memory of the work in MB, in addition to the memory used before."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return (torch.cuda.max_memory_allocated() - before) / MEGABYTE
    ctypes.CDLL(None).malloc_trim(0)  # returns memory of earlier work to the system
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # resets the peak
    before = _status("VmRSS")
    work()
    return max(0.0, (_status("VmHWM") - before) / 1024)


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    raise KeyError(key)


def ceilings(device: torch.device, size: int = 2048) -> dict[str, float]:
    """Rates of a large matrix product in each precision (FLOP/s), and of a large copy (B/s).

    The product is computed directly and as a 1x1 convolution, which uses other libraries.
    The faster one counts.
    """
    works = {}
    for dtype in (torch.float32, torch.bfloat16):
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        image, kernels = a.view(32, -1, 8, size).permute(0, 3, 1, 2), b[..., None, None]
        name = str(dtype).removeprefix("torch.")
        works[name, "product"] = lambda a=a, b=b: a @ b
        works[name, "convolution"] = lambda x=image, w=kernels: F.conv2d(x, w)
    source = torch.zeros(2**28, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    works["copy", ""] = lambda: target.copy_(source)
    rates = defaultdict(float)
    for (name, _), times in interleaved(works, device, 9).items():
        amount = 2 * source.numel() if name == "copy" else 2 * size**3
        rates[name] = max(rates[name], amount / statistics.median(times))
    return rates
