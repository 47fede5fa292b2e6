"""Training resumes bit for bit and agrees with hand-written formulas."""

import math
import os
import signal
from functools import cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import nn

from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.priors import GaussianPrior
from oodpriors.training.trainer import (
    DivergenceError,
    InterruptedTraining,
    Trainer,
    TrainingSettings,
    random_pixels,
    random_shift,
)

# 20 images in batches of 6: three steps per epoch, and two images are left out
N_IMAGES = 20
SETTINGS = TrainingSettings(
    epochs=3,
    batch_size=6,
    warmup_epochs=1.5,
    decay_fraction=0.5,
    max_grad_norm=50.0,
    polyak_epochs=0.5,
    initialization_batch=16,
)
SHAPES = {"vae": (1, 28, 28), "glow": (1, 8, 8)}
SHAPES |= {f"{kind} in bfloat16": shape for kind, shape in SHAPES.items()}

every_model = pytest.mark.parametrize("kind", SHAPES)


def build(kind, seed=0):
    torch.manual_seed(seed)
    precision = "bfloat16" if "bfloat16" in kind else "float32"
    if "vae" in kind:
        prior = GaussianPrior([[-3.0], [3.0]], 4)
        return VAE(SHAPES[kind], prior, decoder_width=4, decoder_precision=precision)
    prior = GaussianPrior([[-3.0], [3.0]], 64)
    return Glow(SHAPES[kind], prior, 3, (2,), width=6, precision=precision)


def data(shape, n=N_IMAGES):
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (n, *shape), dtype=torch.uint8, generator=generator)
    return images, torch.arange(n) % 2


def trainer(kind, path, seed=0, settings=SETTINGS, **arguments):
    return Trainer(build(kind, seed), *data(SHAPES[kind]), settings, path, **arguments)


def at_step(number, training, action):
    """Makes the training do action after the given step."""
    train_step = training._train_step

    def step():
        train_step()
        if training.step == number:
            action()

    training._train_step = step
    return training


def bits(training):
    """What must not depend on interruptions: weights, averages and the untimed history."""
    timed = "images_per_second"
    history = [{k: v for k, v in row.items() if k != timed} for row in training.history]
    return training.model.state_dict(), training.evaluation_model().state_dict(), history


def assert_same_bits(one, other):
    for ours, theirs in zip(bits(one)[:2], bits(other)[:2], strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(theirs[name])), name
    assert bits(one)[2] == bits(other)[2]


def finished(*arguments, **keywords):
    training = trainer(*arguments, **keywords)
    training.run()
    return training


@cache
def uninterrupted(kind):
    """A complete training, with which several tests compare."""
    with TemporaryDirectory() as folder:
        return finished(kind, Path(folder) / "checkpoint")


def interrupted(kind, path, step, number=signal.SIGTERM):
    training = at_step(step, trainer(kind, path), lambda: os.kill(os.getpid(), number))
    with pytest.raises(InterruptedTraining, match=f"stopped at step {step} of 9; saved to"):
        training.run()


class PowerCut(BaseException):
    """Ends a training without warning."""


def cut(kind, path, step):
    def stop():
        raise PowerCut("now")

    training = at_step(step, trainer(kind, path, save_every=0), stop)
    with pytest.raises(PowerCut, match="now"):
        training.run()


@every_model
@pytest.mark.parametrize("step", [1, 3, 5, 8])
def test_a_training_that_was_stopped_ends_with_the_bits_of_one_that_was_not(kind, step, tmp_path):
    interrupted(kind, tmp_path / "stopped", step)
    resumed = finished(kind, tmp_path / "stopped", seed=99)
    assert_same_bits(resumed, uninterrupted(kind))


@every_model
def test_a_training_that_was_stopped_twice_ends_with_the_bits_of_one_that_was_not(kind, tmp_path):
    interrupted(kind, tmp_path / "stopped", 2, signal.SIGINT)
    interrupted(kind, tmp_path / "stopped", 7, signal.SIGHUP)
    resumed = finished(kind, tmp_path / "stopped", seed=99)
    assert_same_bits(resumed, uninterrupted(kind))


@every_model
@pytest.mark.parametrize("step", [2, 4, 7])
def test_a_training_that_died_resumes_from_its_periodic_checkpoint(kind, step, tmp_path):
    cut(kind, tmp_path / "died", step)
    resumed = trainer(kind, tmp_path / "died", seed=99)
    assert torch.load(tmp_path / "died", weights_only=True)["step"] == step - 1
    resumed.run()
    assert_same_bits(resumed, uninterrupted(kind))


@every_model
def test_resuming_without_averaging_ends_with_the_same_bits(kind, tmp_path):
    settings = TrainingSettings(epochs=2, batch_size=6)
    stopped = trainer(kind, tmp_path / "stopped", settings=settings)
    at_step(4, stopped, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(InterruptedTraining, match="stopped at step 4 of 6"):
        stopped.run()
    resumed = finished(kind, tmp_path / "stopped", seed=99, settings=settings)
    assert_same_bits(resumed, finished(kind, tmp_path / "whole", settings=settings))


@every_model
def test_a_signal_at_the_last_step_is_too_late_to_stop(kind, tmp_path):
    training = at_step(9, trainer(kind, tmp_path / "c"), lambda: os.kill(os.getpid(), 15))
    training.run()
    assert_same_bits(training, uninterrupted(kind))
    assert_same_bits(training, finished(kind, tmp_path / "c", seed=99))


@every_model
def test_a_finished_training_whose_outputs_were_lost_is_there_without_a_step(kind, tmp_path):
    finished(kind, tmp_path / "c")
    again = trainer(kind, tmp_path / "c", seed=99)
    at_step(9, again, pytest.fail)
    again.run()
    assert_same_bits(again, uninterrupted(kind))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_handlers_are_given_back(number, tmp_path):
    before = signal.getsignal(number)
    interrupted("glow", tmp_path / "c", 2, number)
    assert signal.getsignal(number) is before


DAMAGES = {
    "half": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "error page": lambda content: b"<html>404</html>",
}


@every_model
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_means_to_start_anew(kind, damage, tmp_path, capsys):
    path = tmp_path / "damaged"
    interrupted(kind, path, 4)
    path.write_bytes(damage(path.read_bytes()))
    restarted = finished(kind, path)
    assert "is damaged" in capsys.readouterr().err
    assert_same_bits(restarted, uninterrupted(kind))


@every_model
def test_two_trainings_with_one_seed_give_the_same_bits(kind, tmp_path):
    assert_same_bits(finished(kind, tmp_path / "one"), finished(kind, tmp_path / "two"))


@every_model
def test_the_trained_model_is_in_evaluation_mode(kind, tmp_path):
    model = trainer(kind, tmp_path / "c").run()
    assert not any(module.training for module in model.modules())


@every_model
def test_a_fresh_model_takes_the_trained_state_and_scores_with_the_same_bits(kind, tmp_path):
    model, x = trainer(kind, tmp_path / "c").run(), data(SHAPES[kind])[0][:4]
    fresh = build(kind, seed=99)
    fresh.load_state_dict(model.state_dict())
    scores = []
    for each in (model, fresh.eval()):
        torch.manual_seed(5)
        scores.append(each.log_prob(x, 4))
    assert torch.equal(*scores)


def test_resuming_with_shifts_ends_with_the_same_bits(tmp_path):
    settings = TrainingSettings(epochs=2, batch_size=6, shift=0.2)
    stopped = trainer("glow", tmp_path / "stopped", settings=settings)
    at_step(2, stopped, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(InterruptedTraining, match="stopped at step 2 of 6"):
        stopped.run()
    resumed = finished("glow", tmp_path / "stopped", seed=99, settings=settings)
    whole = finished("glow", tmp_path / "whole", settings=settings)
    assert_same_bits(resumed, whole)
    unshifted = finished("glow", tmp_path / "c", settings=TrainingSettings(epochs=2, batch_size=6))
    assert whole.history[0]["loss"] != unshifted.history[0]["loss"]


# random shifts


def coordinates(n, channels, height, width):
    """Images whose channels are the row and the column of every pixel."""
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows, columns] * channels)[:channels]
    return torch.from_numpy(np.broadcast_to(image, (n, *image.shape)).astype(np.uint8).copy())


def crop(image, down, right):
    """The part of an edge-padded image at the given shift, (C, H, W)."""
    height, width = image.shape[1:]
    padded = np.pad(image, ((0, 0), (height, height), (width, width)), mode="edge")
    return padded[:, height + down : 2 * height + down, width + right : 2 * width + right]


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 10, 20), (1, 8, 5)])
@pytest.mark.parametrize("fraction", [0.1, 0.25])
def test_a_shifted_image_is_a_crop_of_the_edge_padded_one(shape, fraction):
    torch.manual_seed(0)
    x = torch.randint(256, (20, *shape), dtype=torch.uint8)
    most = [int(fraction * side) for side in shape[1:]]
    shifts = [(i, j) for i in range(-most[0], most[0] + 1) for j in range(-most[1], most[1] + 1)]
    for before, after in zip(x.numpy(), random_shift(x, fraction).numpy(), strict=True):
        assert any(np.array_equal(after, crop(before, *shift)) for shift in shifts)


def drawn_shifts(n, shape, fraction):
    """Rows and columns by which each image moved, from its middle pixel."""
    height, width = shape
    moved = random_shift(coordinates(n, 2, height, width), fraction).numpy().astype(int)
    return moved[:, :, height // 2, width // 2] - [height // 2, width // 2]


def test_a_tenth_of_32_pixels_is_3_either_way_and_each_is_as_likely():
    torch.manual_seed(0)
    down, right = drawn_shifts(1960, (32, 32), 0.1).T
    counts = np.zeros((7, 7))
    np.add.at(counts, (down + 3, right + 3), 1)
    # each is binomial with mean 40 and standard deviation 6.3
    np.testing.assert_allclose(counts, 40, atol=28)


@pytest.mark.parametrize(
    ("fraction", "most"), [(0.1, (1, 2)), (0.09, (0, 1)), (0.4, (4, 8)), (0.0, (0, 0))]
)
def test_the_largest_shift_is_that_fraction_of_each_side(fraction, most):
    torch.manual_seed(0)
    shifts = drawn_shifts(2000, (10, 20), fraction)
    assert tuple(shifts.max(0)) == tuple(-shifts.min(0)) == most


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float64])
def test_shape_and_dtype_are_kept_and_the_images_left_alone(dtype):
    x = coordinates(4, 3, 10, 12).to(dtype)
    before = x.clone()
    moved = random_shift(x, 0.3)
    assert (moved.shape, moved.dtype) == (x.shape, dtype)
    assert torch.equal(x, before)


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_training_shifts_its_images_and_no_others(shift, tmp_path):
    class Watched(Line):
        def loss(self, x, k):
            shown.append(x)
            return {"loss": self.weight * x.double().mean()}

    shown, model, images = [], Watched(), coordinates(8, 2, 8, 8)
    settings = TrainingSettings(epochs=2, batch_size=4, shift=shift)
    Trainer(model, images, torch.zeros(8, dtype=torch.long), settings, tmp_path / "c").run()
    moved = [not torch.equal(image, images[0]) for batch in shown for image in batch]
    assert any(moved) == bool(shift)
    # the data-dependent initialisation uses unshifted images
    assert model.initialised_with == [images.flatten().tolist()]


# mutations


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_mutations_replace_a_share_of_the_values_by_uniform_ones(share):
    torch.manual_seed(0)
    x = torch.full((40, 3, 28, 28), 7, dtype=torch.uint8)
    before = x.clone()
    mutated = random_pixels(x, share)
    assert (mutated.shape, mutated.dtype) == (x.shape, torch.uint8)
    assert torch.equal(x, before)
    changed = mutated[mutated != 7].numpy()
    n, expected = x.numel(), share * 255 / 256
    assert abs(len(changed) / n - expected) <= 4 * math.sqrt(expected * (1 - expected) / n)
    if share:
        counts = np.bincount(changed, minlength=256)
        assert chisquare(np.delete(counts, 7)).pvalue > 1e-3


@pytest.mark.parametrize("mutate", [0.0, 0.25])
def test_training_mutates_its_images_anew_in_each_step_and_no_others(mutate, tmp_path):
    class Watched(Line):
        def loss(self, x, k):
            shown.append(x)
            return {"loss": self.weight * x.double().mean()}

    shown, model = [], Watched()
    images = torch.full((4, 1, 8, 8), 7, dtype=torch.uint8)
    settings = TrainingSettings(epochs=2, batch_size=4, mutate=mutate)
    Trainer(model, images, torch.zeros(4, dtype=torch.long), settings, tmp_path / "c").run()
    assert torch.equal(shown[0], shown[1]) == (mutate == 0)
    assert (images == 7).all()
    assert model.initialised_with == [images.flatten().tolist()]


class Line(nn.Module):
    """loss = weight * mean pixel; its gradient is known, and it notes its inputs."""

    def __init__(self, weight=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64))
        self.seen, self.initialised_with, self.weights, self.gradients = [], [], [], []

    def initialize(self, x):
        self.initialised_with.append(x.flatten().tolist())

    def loss(self, x, k):
        self.seen.append(list(zip(x.flatten().tolist(), k.tolist(), strict=True)))
        return {"loss": self.weight * x.double().mean()}


class Parabola(Line):
    """loss = (weight - mean pixel)^2."""

    def loss(self, x, k):
        super().loss(x, k)
        return {"loss": (self.weight - x.double().mean()).square()}


def train(model, path, values, **settings):
    """A training on one-pixel images with these values, and the weight after every step."""
    images = torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1)
    components = torch.tensor(values) + 1000
    training = Trainer(model, images, components, TrainingSettings(**settings), path)
    learn = training._learn

    def noting(batch, rate):
        learn(batch, rate)
        model.weights.append(model.weight.item())
        model.gradients.append(model.weight.grad.item())

    training._learn = noting
    training.run()
    return training


def test_every_image_is_seen_once_an_epoch_with_its_component(tmp_path):
    model, values = Line(), list(range(1, 13))
    train(model, tmp_path / "c", values, epochs=3, batch_size=4)
    shown = list(chain.from_iterable(model.seen))
    epochs = [shown[start : start + 12] for start in (0, 12, 24)]
    assert all(sorted(epoch) == [(v, v + 1000) for v in values] for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_an_incomplete_last_batch_is_left_out(tmp_path):
    model = Line()
    train(model, tmp_path / "c", list(range(11)), epochs=1, batch_size=4)
    assert [len(batch) for batch in model.seen] == [4, 4]


@pytest.mark.parametrize("other", [1, 2])
def test_another_seed_is_another_order(other, tmp_path):
    orders = []
    for seed in (0, other):
        model = Line()
        train(model, tmp_path / str(seed), list(range(12)), epochs=1, batch_size=4, seed=seed)
        orders.append(model.seen)
    assert orders[0] != orders[1]


def test_initialisation_sees_its_number_of_training_images_once(tmp_path):
    model, values = Line(), list(range(12))
    train(model, tmp_path / "c", values, epochs=2, batch_size=4, initialization_batch=7)
    assert len(model.initialised_with) == 1
    assert len(set(model.initialised_with[0])) == 7
    assert set(model.initialised_with[0]) <= set(values)


def test_warm_up_grows_linearly_over_the_papers_10_epochs():
    settings = TrainingSettings(epochs=1000, batch_size=1, warmup_epochs=10)
    factors = [settings.learning_rate_factor(step, 100) for step in range(1, 2001)]
    np.testing.assert_allclose(factors[:1000], np.arange(1, 1001) / 1000)
    assert set(factors[1000:]) == {1.0}


def test_decay_falls_linearly_over_its_final_fraction_and_never_to_zero():
    settings = TrainingSettings(epochs=10, batch_size=1, decay_fraction=0.25)
    factors = np.array([settings.learning_rate_factor(step, 40) for step in range(1, 401)])
    np.testing.assert_allclose(factors[300:], np.arange(100, 0, -1) / 100)
    assert (factors[:300] == 1).all()


def test_without_warm_up_and_decay_the_rate_is_constant():
    settings = TrainingSettings(epochs=3, batch_size=1)
    assert {settings.learning_rate_factor(step, 5) for step in range(1, 16)} == {1.0}


def test_history_holds_the_mean_learning_rate_of_every_epoch(tmp_path):
    history = train(
        Line(), tmp_path / "c", [1] * 8, epochs=3, batch_size=2, learning_rate=0.1, warmup_epochs=2
    ).history
    rates = [row["learning_rate"] for row in history]
    np.testing.assert_allclose(rates, [0.1 * 2.5 / 8, 0.1 * 6.5 / 8, 0.1])
    assert [(row["epoch"], row["step"]) for row in history] == [(1, 4), (2, 8), (3, 12)]


@pytest.mark.parametrize(
    ("n_images", "beta2", "expected"),
    [(200, None, 1 - 1 / 50), (20, None, 0.9), (4, None, 0.9), (200, 0.9, 0.9), (20, 0.99, 0.99)],
)
def test_beta2_forgets_over_an_epoch_unless_it_is_given(n_images, beta2, expected, tmp_path):
    settings = TrainingSettings(epochs=1, batch_size=4, beta1=0.5, beta2=beta2)
    training = Trainer(Line(), *data((1, 1, 1), n_images), settings, tmp_path / "c")
    assert training.update.optimizer.betas == pytest.approx((0.5, expected))


def adam(gradients, rates, beta1, beta2):
    weight = first = second = 0.0
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        corrected = math.sqrt(second / (1 - beta2**t)) + 1e-8
        weight -= rate * first / (1 - beta1**t) / corrected
        yield weight


def test_weights_follow_hand_written_adam_under_warm_up_and_decay(tmp_path):
    model = Parabola()
    train(
        model,
        tmp_path / "c",
        list(range(12)),
        epochs=4,
        batch_size=3,
        learning_rate=0.2,
        beta1=0.5,
        beta2=0.9,
        warmup_epochs=2,
        decay_fraction=0.25,
    )
    rates = [0.2 * min(1, t / 8, (17 - t) / 4) for t in range(1, 17)]
    expected = list(adam(model.gradients, rates, 0.5, 0.9))
    np.testing.assert_allclose(model.weights, expected, rtol=1e-10)


@pytest.mark.parametrize("epochs", [0.5, 1.0, 2.0])
def test_evaluation_weights_are_the_exponential_average_from_the_first_step_on(epochs, tmp_path):
    model = Parabola(-1.0)
    training = train(
        model, tmp_path / "c", list(range(12)), epochs=4, batch_size=3, polyak_epochs=epochs
    )
    decay = 1 - 1 / (4 * epochs)
    average = model.weights[0]
    for weight in model.weights[1:]:
        average = decay * average + (1 - decay) * weight
    result = training.evaluation_model().weight.item()
    assert result == pytest.approx(average, rel=1e-12)
    assert result != model.weight.item()


def test_without_averaging_evaluation_takes_the_last_weights(tmp_path):
    training = train(Parabola(), tmp_path / "c", [1, 2, 3], epochs=2, batch_size=1)
    assert training.evaluation_model() is training.model


@pytest.mark.parametrize(("limit", "clipped"), [(None, 0), (2.5, 0.5), (4.5, 0), (0.5, 1)])
def test_history_records_what_the_gradient_limit_did(limit, clipped, tmp_path):
    model = Line()
    training = train(
        model, tmp_path / "c", [1, 2, 3, 4], epochs=2, batch_size=1, max_grad_norm=limit
    )
    for row in training.history:
        assert row["grad_norm"] == pytest.approx(2.5)
        assert row["grad_norm_max"] == 4
        assert row["clipped"] == clipped
    truth = [min(v, limit or v) for ((v, _),) in model.seen]
    assert model.gradients == pytest.approx(truth, rel=1e-5)


def test_history_holds_the_mean_of_the_loss_over_the_epoch(tmp_path):
    model = Line(1.0)
    training = train(model, tmp_path / "c", [1, 2, 3, 4], epochs=1, batch_size=1)
    before = [1.0, *model.weights[:-1]]
    truth = np.mean([w * v for w, ((v, _),) in zip(before, model.seen, strict=True)])
    assert training.history[0]["loss"] == pytest.approx(truth, rel=1e-12)


class Breaking(Line):
    """Line with a fifth loss or gradient that is not finite."""

    def __init__(self, how):
        super().__init__()
        self.how = how

    def loss(self, x, k):
        parts = super().loss(x, k)
        if len(self.seen) == 5:
            parts["loss"] = self.how(parts["loss"])
        return parts


BREAKS = {
    "nan": lambda loss: loss * math.nan,
    "inf": lambda loss: loss + math.inf,
    "infinite gradient of a finite loss": lambda loss: (0 * loss).sqrt(),
}


@pytest.mark.parametrize("how", BREAKS.values(), ids=BREAKS)
def test_divergence_names_its_place_and_keeps_the_last_good_checkpoint(how, tmp_path):
    model, path = Breaking(how), tmp_path / "checkpoint"
    settings = TrainingSettings(epochs=3, batch_size=4)
    training = Trainer(model, *data((1, 1, 1), 12), settings, path, save_every=0)
    with pytest.raises(DivergenceError, match=r"epoch 2, step 5; last good .*checkpoint\. Lower"):
        training.run()
    state = torch.load(path, weights_only=True)
    assert state["step"] == 4
    assert state["model"]["weight"].isfinite()


def test_divergence_before_any_checkpoint_promises_none(tmp_path):
    settings = TrainingSettings(epochs=3, batch_size=4)
    training = Trainer(
        Breaking(BREAKS["nan"]), *data((1, 1, 1), 12), settings, tmp_path / "checkpoint"
    )
    with pytest.raises(DivergenceError, match=r"epoch 2, step 5\. Lower learning_rate"):
        training.run()
    assert not (tmp_path / "checkpoint").exists()


def test_too_few_images_for_a_batch_are_refused(tmp_path):
    settings = TrainingSettings(epochs=1, batch_size=4)
    with pytest.raises(ValueError, match="3 training images do not fill one batch of 4"):
        Trainer(Line(), *data((1, 1, 1), 3), settings, tmp_path / "c")
