"""The requested device, and GPUs shared by the processes of one user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from oodpriors.io import devices
from oodpriors.io.devices import GpuLimits, GpuMemoryError, claim, enough_gpu_memory, find_device


@pytest.fixture(autouse=True)
def _claims_of_this_test_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices, "_claims", [])


@pytest.fixture
def gpus(monkeypatch):
    """Sets the number of visible GPUs; a device is chosen, but none is used."""

    def visible(number):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(devices, "_names", lambda: [f"GPU-{i}" for i in range(number)])
        monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)

    return visible


def test_cuda_without_a_gpu_is_refused(gpus):
    gpus(0)
    with pytest.raises(ValueError, match="no GPU is visible; set device: auto"):
        find_device("cuda")


@pytest.mark.parametrize(
    ("name", "available", "expected"),
    [
        ("auto", False, "cpu"),
        ("auto", True, "cuda"),
        ("cpu", False, "cpu"),
        ("cpu", True, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_device_is_the_one_asked_for(name, available, expected, gpus):
    gpus(int(available))
    assert find_device(name).type == expected


def test_convolutions_in_float32_are_not_rounded_on_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    find_device("cpu")
    assert torch.backends.cudnn.conv.fp32_precision not in ("tf32", "bf16")


def test_jobs_of_one_process_spread_evenly_over_the_gpus(gpus):
    gpus(3)
    assert [find_device("auto").index for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


CLAIM = """
import sys
from oodpriors.io import devices
devices.tempfile.gettempdir = lambda: sys.argv[1]
print(devices.claim(["GPU-a", "GPU-b"]), flush=True)
sys.stdin.read()
"""


def test_a_claim_ends_with_its_process_however_that_ends(tmp_path):
    def other():
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(devices.__file__).parents[2])},
        )
        return process, int(process.stdout.readline())

    first, number = other()
    assert number == 0
    second, number = other()
    assert number == 1
    first.kill()
    first.wait()
    assert claim(["GPU-a", "GPU-b"]) == 0
    second.communicate("")
    assert claim(["GPU-a", "GPU-b"]) == 1


def test_names_and_not_numbers_are_claimed():
    assert claim(["GPU-b"]) == 0
    assert claim(["GPU-a", "GPU-b"]) == 0  # another GPU, although it has the same number
    assert [claim(["GPU-a", "GPU-b"]) for _ in range(2)] == [0, 1]


def test_too_little_memory_is_one_line_that_says_what_helps():
    with (
        pytest.raises(GpuMemoryError, match=r"too small for a step: .*gpu\.samples_at_once"),
        enough_gpu_memory("a step"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_halved_limits_never_reach_zero():
    limits = GpuLimits(8192, 3)
    assert limits.halved() == GpuLimits(4096, 1)
    assert limits.halved().halved() == GpuLimits(2048, 1)
