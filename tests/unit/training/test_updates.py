"""Updates as a CUDA graph record the same as single steps; here a replay is a call."""

import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from oodpriors.io.devices import GpuMemoryError
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior
from oodpriors.training import trainer, updates
from oodpriors.training.trainer import DivergenceError, Trainer, TrainingSettings
from oodpriors.training.updates import Adam, GraphedUpdate, Update

SETTINGS = {
    "epochs": 4,
    "batch_size": 5,
    "learning_rate": 0.01,
    "warmup_epochs": 1,
    "decay_fraction": 0.5,
    "polyak_epochs": 1.5,
    "max_grad_norm": 40.0,
}


class Replayed(GraphedUpdate):
    """Computes again what a GPU would replay."""

    def _capture(self):
        self._make_room(len(self._rehearsed()))
        self.graph = self
        self.replay = self._learn_and_note

    def _rehearsed(self):
        self.names = [*self.model.loss(self.x, self.k), "grad_norm"]
        return self.names


@pytest.fixture
def replayed(monkeypatch):
    monkeypatch.setattr(trainer, "GraphedUpdate", Replayed)


def build(name):
    torch.manual_seed(0)
    if name == "vae":
        return VAE((1, 28, 28), GaussianPrior([[5.0], [-5.0]], 4), decoder_width=4)
    return Glow((1, 8, 8), GaussianPrior([[5.0], [-5.0]], 64), 2, (), 6)


class Steady(nn.Module):
    """A deterministic model: loss = |weights - images|^2, and one of its parts."""

    def __init__(self, broken=None):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 16))
        self.calls, self.broken = 0, broken

    def initialize(self, x):
        pass

    def loss(self, x, k):
        self.calls += 1
        distance = (self.weight - x.flatten(1).float() / 255).square().sum(1).mean()
        loss = distance * (math.nan if self.calls == self.broken else 1)
        return {"loss": loss, "distance": distance}


def images(shape, n=30):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (n, *shape), dtype=torch.uint8, generator=generator)


def run(model, path, graphed, shape=(1, 4, 4), **settings):
    x = images(shape)
    values = TrainingSettings(**SETTINGS | settings)
    result = Trainer(model, x, torch.arange(len(x)) % 2, values, path, graphed=graphed)
    result.run()
    return result


def test_adam_is_that_of_pytorch_with_the_same_state():
    ours, theirs = build("glow"), build("glow")
    adam = Adam(ours.parameters(), (0.8, 0.95))
    other = torch.optim.Adam(theirs.parameters(), betas=(0.8, 0.95), fused=True)
    generator = torch.Generator().manual_seed(3)
    for rate in (0.1, 0.02, 0.3):
        for one, another in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            another.grad = one.grad.clone()
        next(ours.parameters()).grad = next(theirs.parameters()).grad = None
        adam.step(rate)
        other.param_groups[0]["lr"] = rate
        other.step()
    for one, another in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, another)
    state = other.state_dict()["state"]
    assert 0 not in state  # the one without a gradient
    again = Adam(build("glow").parameters(), (0.8, 0.95))
    again.load_state(state)
    for number, values in state.items():
        for name, value in values.items():
            assert torch.equal(adam.state[number][name], value)
            assert torch.equal(again.state[number][name], value)


def test_adam_skips_an_update_with_infinite_gradients():
    weight = nn.Parameter(torch.ones(3))
    adam = Adam([weight], (0.9, 0.999))
    for found, expected in ((1.0, 1.0), (0.0, 0.9)):
        weight.grad = torch.ones(3)
        adam.step(torch.tensor(0.1), torch.tensor(found))
        torch.testing.assert_close(weight.detach(), torch.full((3,), expected))
        assert adam.state[0]["step"] == 1 - found


def test_a_training_does_not_import_the_compiler():
    code = (
        "import sys, torch; from oodpriors.training.updates import Update;"
        "from oodpriors.models.glow import Glow; from oodpriors.priors import GaussianPrior;"
        "model = Glow((1, 8, 8), GaussianPrior([[0.0]], 64), 2, (), 6);"
        "x = torch.randint(256, (4, 1, 8, 8), dtype=torch.uint8); model.initialize(x);"
        "Update(model, (0.9, 0.999), 1.0, 2.0)(x, torch.zeros(4).long(), 0.1);"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize("unread", [1, 4, 64])
@pytest.mark.parametrize("polyak", [0.0, 1.5])
def test_graphed_updates_give_the_weights_averages_and_history_of_the_others(
    unread, polyak, tmp_path, monkeypatch
):
    monkeypatch.setattr(updates, "UNREAD", unread)
    graphed, eager = (
        run(Steady(), tmp_path / str(way), way, polyak_epochs=polyak) for way in (True, False)
    )
    for name in ("model", "evaluation_model"):
        one, other = (
            t.model if name == "model" else t.evaluation_model() for t in (graphed, eager)
        )
        torch.testing.assert_close(one.weight, other.weight, rtol=1e-5, atol=1e-7)
    for one, other in zip(graphed.history, eager.history, strict=True):
        for key in one.keys() - {"images_per_second"}:
            assert one[key] == pytest.approx(other[key], rel=1e-4), key


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize("unread", [1, 5, 64])
def test_a_graphed_update_that_is_not_finite_leaves_the_weights_and_names_its_step(
    unread, tmp_path, monkeypatch
):
    monkeypatch.setattr(updates, "UNREAD", unread)
    model = Steady(broken=9)  # the first call is in the rehearsal
    with pytest.raises(DivergenceError, match="in epoch 2, step 8"):
        run(model, tmp_path / "c", True)
    assert model.weight.isfinite().all()
    assert not (tmp_path / "c").exists()


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize("ways", [(True, False), (False, True)])
@pytest.mark.parametrize("name", ["vae", "glow", "steady"])
def test_a_checkpoint_of_one_kind_of_update_continues_with_the_other(name, ways, tmp_path):
    model = Steady() if name == "steady" else build(name)
    shape = (1, 4, 4) if name == "steady" else model.image_shape
    first, then = ways
    run(model, tmp_path / "c", first, shape, epochs=2, decay_fraction=0.0)
    again = Steady() if name == "steady" else build(name)
    resumed = run(again, tmp_path / "c", then, shape, decay_fraction=0.0)
    assert [row["epoch"] for row in resumed.history] == [1, 2, 3, 4]
    if name == "steady":
        whole = run(Steady(), tmp_path / "whole", first, decay_fraction=0.0)
        torch.testing.assert_close(again.weight, whole.model.weight, rtol=1e-5, atol=1e-7)
        averages = (t.evaluation_model().weight for t in (resumed, whole))
        torch.testing.assert_close(*averages, rtol=1e-5, atol=1e-7)


def test_half_a_batch_at_a_time_gives_the_gradients_of_the_whole():
    x, k = images((1, 4, 4), 7), torch.zeros(7).long()
    found = []
    for pieces in (1, 2):
        update = Update(Steady(), (0.9, 0.999), None, None)
        update.pieces = pieces
        parts = update._gradients(x, k)
        found.append([update.model.weight.grad, *parts.values()])
    for whole, halves in zip(*found, strict=True):
        torch.testing.assert_close(whole, halves)


class Scarce(Replayed):
    """An update for which memory suffices only for a part of the batch."""

    def _capture(self):
        if self.pieces < self.needed:
            raise torch.OutOfMemoryError("CUDA out of memory")
        super()._capture()


@pytest.mark.parametrize("needed", [1, 2])
def test_a_flow_learns_from_half_a_batch_at_a_time_where_memory_is_too_small(
    needed, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(Scarce, "needed", needed, raising=False)
    monkeypatch.setattr(trainer, "GraphedUpdate", Scarce)
    losses = [row["loss"] for row in run(Steady(), tmp_path / "c", True).history]
    assert ("half of it at a time" in capsys.readouterr().err) == (needed == 2)
    plain = [row["loss"] for row in run(Steady(), tmp_path / "plain", False).history]
    assert losses == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize(("name", "needed"), [("vae", 2), ("glow", 3)])
def test_memory_for_less_ends_in_one_line(name, needed, tmp_path, monkeypatch):
    monkeypatch.setattr(Scarce, "needed", needed, raising=False)
    monkeypatch.setattr(trainer, "GraphedUpdate", Scarce)
    model = build(name)
    with pytest.raises(GpuMemoryError, match=r"too small for a step of this training"):
        run(model, tmp_path / "c", True, model.image_shape)


def test_only_models_without_batch_statistics_learn_from_halves_of_a_batch():
    splits = {name: GraphedUpdate(build(name), (0.9, 0.99), None, None) for name in ("vae", "glow")}
    assert [splits[name]._splits() for name in ("vae", "glow")] == [False, True]
