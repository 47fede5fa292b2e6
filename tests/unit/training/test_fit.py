"""A training has one checkpoint, named after its inputs, and one process at a time."""

import threading
from contextlib import suppress

import numpy as np
import pytest
import torch

from oodpriors.io.errors import UserError
from oodpriors.models.build import load_model, save_weights
from oodpriors.training import fit as module
from oodpriors.training.fit import attempt, discard_checkpoints, fit

SPEC = {"prior": {"means": [[-5.0], [5.0]]}, "seed": 0}
CODE = "0123456789abcdef"


@pytest.fixture
def outputs(tmp_path):
    return [str(tmp_path / name) for name in ("weights.pt", "spec.yaml")]


def write(outputs):
    for path in outputs:
        with open(path, "w") as file:
            file.write("made")


def name(folder, spec, code):
    with attempt(folder, spec, code, ["nowhere"]) as checkpoint:
        return checkpoint.name


def test_the_same_training_has_the_same_checkpoint(tmp_path):
    assert name(tmp_path, SPEC, CODE) == name(tmp_path, dict(reversed(SPEC.items())), CODE)


def test_another_specification_or_other_code_has_another_checkpoint(tmp_path):
    names = {name(tmp_path, SPEC, CODE), name(tmp_path, SPEC | {"seed": 1}, CODE)}
    assert len(names | {name(tmp_path, SPEC, "another")}) == 3


def test_a_checkpoint_stays_until_it_is_discarded(tmp_path, outputs):
    with attempt(tmp_path / "c", SPEC, CODE, outputs) as checkpoint:
        checkpoint.write_text("state")
        write(outputs)
    assert list((tmp_path / "c").iterdir()) == [checkpoint]
    discard_checkpoints(tmp_path / "c")
    assert list((tmp_path / "c").iterdir()) == []


def test_discarding_takes_every_checkpoint_and_nothing_else(tmp_path):
    for name in ("checkpoint.old.pt", "checkpoint.new.pt", "weights.pt", "checkpoint.new.lock"):
        (tmp_path / name).write_text("")
    discard_checkpoints(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"weights.pt", "checkpoint.new.lock"}


def second(folder, outputs):
    """Another attempt in a thread, and the checkpoint that it received."""
    given = []

    def take():
        with attempt(folder, SPEC, CODE, outputs) as checkpoint:
            given.append(checkpoint)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(0.3)
    assert given == []
    return thread, given


def test_a_second_attempt_has_nothing_to_do_when_the_first_has_finished(tmp_path, outputs):
    with attempt(tmp_path / "c", SPEC, CODE, outputs) as checkpoint:
        thread, given = second(tmp_path / "c", outputs)
        checkpoint.write_text("state")
        write(outputs)
    thread.join(10)
    assert given == [None]


def test_a_second_attempt_goes_on_where_the_first_one_failed(tmp_path, outputs):
    with (
        suppress(OSError),
        attempt(tmp_path / "c", SPEC, CODE, outputs) as checkpoint,
    ):
        thread, given = second(tmp_path / "c", outputs)
        raise OSError("disk full")
    thread.join(10)
    assert given == [checkpoint]


@pytest.mark.parametrize(("limit", "size"), [(20, 20), (None, 60), (99, 60)])
def test_each_seed_learns_images_of_its_own_with_their_components(
    tmp_path, monkeypatch, limit, size
):
    learnt = []
    monkeypatch.setattr(module, "Trainer", lambda model, *given: learnt.append(given[:2]))
    monkeypatch.setattr(module, "finish", lambda trainer: None)
    images = np.arange(60, dtype=np.uint8)[:, None, None, None].repeat(64, 1).reshape(60, 1, 8, 8)
    network = {"couplings": 1, "squeeze_after": [], "width": 4}
    spec = {"architecture": "glow", "image_shape": [1, 8, 8], "network": network}
    spec |= {"prior": {"kind": "gaussian", "means": [[5.0], [-5.0]]}, "images": limit}
    spec |= {"training": {"epochs": 1, "batch_size": 8}}
    for seed in (0, 0, 1):
        fit(spec | {"seed": seed}, images, np.arange(60) % 2, tmp_path / "checkpoint.pt")
    places = [x[:, 0, 0, 0].tolist() for x, _ in learnt]
    assert [len(set(place)) for place in places] == [size] * 3
    assert places[0] == places[1]
    assert (places[0] == places[2]) == (size == 60)
    for place, (_, components) in zip(places, learnt, strict=True):
        assert components.tolist() == [number % 2 for number in place]


@pytest.mark.parametrize("components", [[0, -1, 1], [0, 1, 2], [0, 1], [0, 0.5, 1]])
def test_a_component_that_the_prior_has_not_is_refused(tmp_path, components):
    prior = {"kind": "gaussian", "means": [[1.0], [-1.0]]}
    spec = {"architecture": "glow", "image_shape": [1, 4, 4], "prior": prior}
    images = np.zeros((3, 1, 4, 4), np.uint8)
    with pytest.raises(UserError, match="from 0 to 1 for each of 3 images"):
        fit(spec, images, np.array(components), tmp_path / "checkpoint.pt")


def test_a_mixture_is_trained_without_components_and_trained_means_are_saved(tmp_path):
    # one pixel says which of two groups an image is of; nothing else does
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 1, 4, 4), dtype=np.uint8)
    images[:32, 0, 0, 0] //= 8
    prior = {"kind": "gaussian", "means": [[1.0], [-1.0]]}
    prior |= {"unsupervised": True, "trainable_means": True}
    spec = {"architecture": "glow", "image_shape": [1, 4, 4], "images": None, "seed": 0}
    spec |= {"prior": prior, "network": {"couplings": 2, "squeeze_after": [], "width": 4}}
    spec |= {"training": {"epochs": 3, "batch_size": 16, "learning_rate": 0.01}}
    found = fit(spec, images, np.zeros(64, np.int64), tmp_path / "checkpoint.pt")
    assert found.history["loss"].iloc[-1] < found.history["loss"].iloc[0]
    start = np.zeros((2, 16))
    start[:, 0] = [1, -1]
    assert np.abs(found.model.prior.means.detach().numpy() - start).max() > 0.01
    save_weights(found.model, tmp_path / "weights.pt")
    loaded = load_model(spec, tmp_path / "weights.pt")
    assert torch.equal(loaded.prior.means, found.model.prior.means)


def test_finished_outputs_alone_stop_no_attempt(tmp_path, outputs):
    write(outputs)  # Snakemake removes them first: a job that finds them remakes them
    with attempt(tmp_path / "c", SPEC, CODE, outputs) as checkpoint:
        assert checkpoint
