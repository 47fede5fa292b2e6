"""The fast path on a real GPU: the same numbers, correct resuming, clear errors.

Only `make test-gpu` runs these tests.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from torch import nn

from oodpriors.io.devices import find_device
from oodpriors.models.glow import Glow
from oodpriors.models.refinement import Refinement, refined_log_prob
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior, GeneralizedGaussianPrior
from oodpriors.training.trainer import (
    DivergenceError,
    InterruptedTraining,
    Trainer,
    TrainingSettings,
)

SETTINGS = TrainingSettings(
    epochs=4, batch_size=16, warmup_epochs=1, polyak_epochs=1, max_grad_norm=1e5, shift=0.1
)
N_IMAGES = 64  # four steps per epoch


def build(name, dtype=torch.float32, precision="float32"):
    torch.manual_seed(0)
    if name == "vae":
        prior = GaussianPrior([[5.0], [-5.0]], 8)
        return VAE((1, 28, 28), prior, 16, decoder_precision=precision).to(dtype)
    if name == "colour vae":
        prior = GeneralizedGaussianPrior([[5.0], [-5.0]], 8, beta=3.0)
        return VAE((3, 32, 32), prior, 16, decoder_precision=precision).to(dtype)
    coupling = "additive" if name == "cv_glow" else "affine"
    prior = GaussianPrior([[5.0], [-5.0]], 256)
    return Glow((1, 16, 16), prior, 4, (2,), 32, coupling, precision=precision).to(dtype)


def data(model, n=N_IMAGES):
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (n, *model.image_shape), dtype=torch.uint8, generator=generator)
    return images, torch.arange(n) % 2


def trainer(name, path, device="cuda", graphed=None, settings=SETTINGS, precision="bfloat16"):
    model = build(name, precision=precision)
    device = find_device(device)
    return Trainer(model, *data(model), settings, path, device, save_every=1e9, graphed=graphed)


def at_step(number, training, action):
    train_step = training._train_step

    def step():
        train_step()
        if training.step == number:
            action()

    training._train_step = step
    return training


def numbers(training):
    """What must not depend on interruptions: weights, averages, and the untimed history."""
    timed = "images_per_second"
    history = [{k: v for k, v in row.items() if k != timed} for row in training.history]
    states = training.model.state_dict(), training.evaluation_model().state_dict()
    return [{k: torch.as_tensor(v).cpu() for k, v in state.items()} for state in states], history


@cache
def uninterrupted(name):
    with TemporaryDirectory() as folder:
        training = trainer(name, Path(folder) / "checkpoint")
        training.run()
        return numbers(training)


def stopped(name, path, step, **options):
    training = trainer(name, path, **options)
    at_step(step, training, lambda: os.kill(os.getpid(), 15))
    with pytest.raises(InterruptedTraining, match=f"stopped at step {step} of 16"):
        training.run()


every_model = pytest.mark.parametrize("name", ["vae", "colour vae", "glow", "cv_glow"])


# the same numbers


@every_model
def test_losses_and_gradients_are_those_of_the_processor(name):
    ours, theirs = build(name, torch.float64).cuda(), build(name, torch.float64)
    x, k = data(theirs, 16)
    for model in (ours, theirs):
        model.initialize(x.to(model.prior.means.device))
    ours.load_state_dict(theirs.state_dict())
    noise = {}

    def drawn(*shape, **options):
        shape = shape[0] if isinstance(shape[0], tuple | torch.Size) else shape
        if shape not in noise:
            noise[shape] = torch.Generator().manual_seed(len(noise))
        values = torch.empty(shape, dtype=options["dtype"])
        return values.uniform_(0.1, 0.9, generator=noise[shape].manual_seed(3)).to(
            options["device"]
        )

    results = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", drawn)
        patch.setattr(torch, "randn", drawn)
        if name == "colour vae":  # its divergence is a Monte Carlo estimate
            patch.setattr(GeneralizedGaussianPrior, "_standard_expected_log_prob", _at_the_mean)
        for model in (ours, theirs):
            device = model.prior.means.device
            loss = model.loss(x.to(device), k.to(device))["loss"]
            results.append((loss, torch.autograd.grad(loss, list(model.parameters()))))
    (loss, gradients), (expected, expected_gradients) = results
    torch.testing.assert_close(loss.cpu(), expected, rtol=1e-10, atol=0)
    for one, other in zip(gradients, expected_gradients, strict=True):
        scale = float(other.abs().max()) + 1e-3
        torch.testing.assert_close(one.cpu(), other, rtol=0, atol=1e-9 * scale)


def _at_the_mean(self, mean, std):
    return self._standard_log_prob(mean + 0 * std)


@every_model
def test_scores_are_those_of_the_processor(name):
    ours, theirs = build(name).cuda(), build(name)
    x, _ = data(theirs, 8)
    theirs.initialize(x)
    ours.load_state_dict(theirs.state_dict())
    for model in (ours, theirs):
        model.eval()
    mean = theirs.latents(x)["mean"]
    if isinstance(theirs, VAE):
        one, other = ours.log_likelihood(x.cuda(), mean.cuda()), theirs.log_likelihood(x, mean)
    else:
        y = (x + 0.5) / 256 - 0.5
        z, one = ours(y.cuda())
        expected, other = theirs(y)
        torch.testing.assert_close(z.cpu(), expected, rtol=0, atol=1e-3)
        assert ours.diagnostics(x.cuda())["round_trip_error"] < 1e-3
    torch.testing.assert_close(one.cpu(), other, rtol=1e-5, atol=0)


@every_model
def test_a_graphed_training_begins_as_the_eager_one(name, tmp_path):
    first = []
    for graphed in (True, False):
        training = trainer(name, tmp_path / str(graphed), graphed=graphed)
        training.run()
        first.append(training.history[0])
    for key, tolerance in {"loss": 1e-3, "grad_norm": 0.05, "learning_rate": 0}.items():
        assert first[0][key] == pytest.approx(first[1][key], rel=tolerance), key


class Noisy(nn.Module):
    """loss = weight * a number that each replay must draw again on the GPU."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def initialize(self, x):
        pass

    def loss(self, x, k):
        noise = torch.randn(64, device=x.device).mean()
        return {"loss": self.weight * noise, "noise": noise}


def test_random_numbers_of_replays_are_those_of_eager_steps(tmp_path):
    images, settings = torch.zeros(8, 1, 2, 2).byte(), TrainingSettings(epochs=20, batch_size=8)
    noises = []
    for graphed in (True, False):
        torch.manual_seed(5)
        training = Trainer(
            Noisy(),
            images,
            torch.zeros(8).long(),
            settings,
            tmp_path / str(graphed),
            find_device("cuda"),
            graphed=graphed,
        )
        training.run()
        noises.append([row["noise"] for row in training.history])
    assert len(set(noises[0])) == 20
    assert noises[0] == noises[1]


@pytest.mark.parametrize("name", ["vae", "colour vae"])
def test_refined_posteriors_are_those_of_the_processor(name):
    """Not sample by sample: draws of both differ."""
    estimates = {}
    for device in ("cpu", "cuda"):
        model = build(name).to(device).eval()
        x = data(model, 8)[0].to(device)
        torch.manual_seed(0)
        found = refined_log_prob(model, x, Refinement(samples=400))
        estimates[device] = {key: value.double().cpu() for key, value in found.items()}
    ours, theirs = estimates["cuda"], estimates["cpu"]
    difference = ours["log_prob_refined"] - theirs["log_prob_refined"]
    assert difference.abs().median() < 0.3  # a single image can miss a mode
    assert (ours["refinement_gain"] >= 0).all()


# resuming


@every_model
@pytest.mark.parametrize("step", [1, 6, 12])
def test_a_training_that_was_stopped_ends_with_the_bits_of_one_that_was_not(name, step, tmp_path):
    stopped(name, tmp_path / "c", step)
    resumed = trainer(name, tmp_path / "c")
    resumed.run()
    (states, history), (expected, expected_history) = numbers(resumed), uninterrupted(name)
    assert history == expected_history
    for state, truth in zip(states, expected, strict=True):
        assert all(torch.equal(value, truth[key]) for key, value in state.items())


@pytest.mark.parametrize("name", ["vae", "glow"])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {"graphed": False}),
        ({"graphed": False}, {}),
        ({"device": "cpu"}, {}),
        ({}, {"device": "cpu"}),
    ],
    ids=["graphed, eager", "eager, graphed", "processor, GPU", "GPU, processor"],
)
def test_a_checkpoint_of_one_path_continues_on_the_other(name, first, then, tmp_path, capsys):
    stopped(name, tmp_path / "c", 6, **first)
    resumed = trainer(name, tmp_path / "c", **then)
    resumed.run()
    assert "at step 6" in capsys.readouterr().err
    _, whole = uninterrupted(name)
    assert resumed.history[-1]["loss"] == pytest.approx(whole[-1]["loss"], rel=0.05)


# what is not finite


class Breaking(nn.Module):
    """loss = weight * mean pixel; NaN after a given number of losses."""

    def __init__(self, number):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))
        self.register_buffer("count", torch.zeros(()))
        self.number = number

    def initialize(self, x):
        pass

    def loss(self, x, k):
        self.count += 1
        factor = torch.where(self.count == self.number, torch.nan, 1.0)
        return {"loss": factor * self.weight.sum() * x.float().mean() / 255}


def test_what_is_not_finite_never_reaches_the_weights_and_names_its_step(tmp_path):
    model = Breaking(10)
    images = torch.randint(256, (32, 1, 4, 4), dtype=torch.uint8)
    settings = TrainingSettings(epochs=10, batch_size=4, polyak_epochs=1)
    training = Trainer(
        model, images, torch.zeros(32).long(), settings, tmp_path / "c", find_device("cuda")
    )
    with pytest.raises(DivergenceError, match=r"epoch 2, step 10\. Lower learning_rate"):
        training.run()
    assert model.weight.isfinite().all()
    assert training.evaluation_model().weight.isfinite().all()
    assert not (tmp_path / "c").exists()


# no compiler


WITHOUT_COMPILER = """
import torch
from oodpriors.models.glow import Glow
from oodpriors.priors import GaussianPrior
model = Glow((1, 8, 8), GaussianPrior([[0.0]], 64), 2, (), 8).cuda()
x = torch.zeros(4, 1, 8, 8, dtype=torch.uint8, device="cuda")
model.initialize(x)
model.loss(x, torch.zeros(4, dtype=torch.long, device="cuda"))["loss"].backward()
print(sum(p.grad.isfinite().all().item() for p in model.parameters()))
"""


def test_without_a_compiler_plain_functions_run_and_say_what_it_costs(tmp_path):
    caches = {
        name: str(tmp_path / name) for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
    }
    (tmp_path / "triton.py").write_text("raise ImportError('no Triton')\n")
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPILER],
        env=os.environ | caches | {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert int(result.stdout) > 10
    assert result.stderr.count("no compiler for this GPU") == 1
