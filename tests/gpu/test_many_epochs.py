"""In each epoch, losses of the fast path are within the spread of eager losses over seeds.

A training that slowly becomes wrong would pass every test of one step.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def start(name, path, seed, epochs):
    command = [sys.executable, "tests/gpu/curve.py", name, path, str(seed), str(epochs)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)


def curve(process):
    out, err = process.communicate()
    assert process.returncode == 0, err[-2000:]
    return np.array(json.loads(out))


EPOCHS = {"vae": 50, "glow": 10}


@cache
def curves():
    """Losses by model and path; parallel trainings ran at the same time on one GPU."""
    found = {("vae", "alone"): [curve(start("vae", "fast", 0, EPOCHS["vae"]))]}
    runs = {
        (name, path): [start(name, path, seed, n) for seed in range(3)]
        for name, n in EPOCHS.items()
        for path in ("eager", "fast")
    }
    found |= {key: [curve(process) for process in some] for key, some in runs.items()}
    return found | {("glow", "alone"): [curve(start("glow", "fast", 0, EPOCHS["glow"]))]}


@pytest.mark.parametrize("way", ["alone", "fast"], ids=["alone", "side by side"])
@pytest.mark.parametrize("name", EPOCHS)
def test_losses_over_many_epochs_are_within_the_spread_of_seeds_of_the_eager_ones(name, way):
    eager = np.array(curves()[name, "eager"])
    # over three seeds; three standard deviations, with a floor if seeds agree by chance
    band = 3 * eager.std(0, ddof=1) + 0.005 * np.abs(eager.mean(0))
    for losses in curves()[name, way]:
        print(name, way, np.abs(losses - eager.mean(0)).max(), band.min(), losses[[0, -1]])
        assert (np.abs(losses - eager.mean(0)) <= band).all()


def test_the_same_seed_gives_the_same_curve_alone_and_side_by_side():
    for name in EPOCHS:
        np.testing.assert_array_equal(curves()[name, "alone"][0], curves()[name, "fast"][0])
