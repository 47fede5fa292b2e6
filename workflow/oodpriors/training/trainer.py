"""One training loop for every model, which resumes after an interruption."""

import math
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from oodpriors.io.devices import enough_gpu_memory
from oodpriors.io.errors import UserError
from oodpriors.io.progress import Progress
from oodpriors.models.base import Model
from oodpriors.models.build import load_tensors, save_tensors
from oodpriors.training.updates import GraphedUpdate, Update, is_finite


class DivergenceError(UserError, ArithmeticError):
    """The loss is not finite."""


class InterruptedTraining(UserError, RuntimeError):
    """A signal stopped the training; a checkpoint was saved."""


@dataclass(frozen=True)
class TrainingSettings:
    """Optimisation (Appendix B).

    Attributes:
        epochs: passes over the training images.
        batch_size: images per step; an incomplete last batch is left out.
        learning_rate: Adam's learning rate after the warm-up.
        beta1: Adam's first-moment decay.
        beta2: Adam's second-moment decay; None: 1 - 1 / (steps per epoch), as in OpenAI's code.
        warmup_epochs: epochs over which the learning rate grows linearly from zero.
        decay_fraction: last fraction of the steps, over which it falls linearly to zero.
        max_grad_norm: upper limit of the gradient's norm (nats per image); None sets no
            limit.
        polyak_epochs: epochs over which parameters are averaged for evaluation; 0 uses
            the last ones. For flows only: batch statistics are not averaged.
        initialization_batch: number of images for the data-dependent initialisation.
        shift: largest random shift of an image in training, as a fraction of its sides
            (Section 5.1: 0.1 for CIFAR-10).
        mutate: share of the pixel values that uniform ones replace, anew in each step (Ren
            et al. 2019).
        seed: seed of weights, batches and noise.
    """

    epochs: int
    batch_size: int
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float | None = None
    warmup_epochs: float = 0.0
    decay_fraction: float = 0.0
    max_grad_norm: float | None = None
    polyak_epochs: float = 0.0
    initialization_batch: int = 256
    shift: float = 0.0
    mutate: float = 0.0
    seed: int = 0

    def learning_rate_factor(self, step: int, steps_per_epoch: int) -> float:
        """Factor of the learning rate at a step, counted from 1."""
        total = self.epochs * steps_per_epoch
        warmup = step / max(self.warmup_epochs * steps_per_epoch, 1.0)
        decay = (total - step + 1) / max(self.decay_fraction * total, 1.0)
        return min(1.0, warmup, decay)


def random_shift(x: Tensor, fraction: float) -> Tensor:
    """Shift each image by whole pixels, at most fraction of its sides; (B, C, H, W) is kept.

    Shifts are uniform in both directions. Uncovered pixels repeat the nearest border pixel.
    """
    rows, columns = (
        (torch.arange(side, device=x.device) + _shifts(x, side, fraction)).clamp(0, side - 1)
        for side in x.shape[2:]
    )
    images = torch.arange(len(x), device=x.device)[:, None, None]
    return x.movedim(1, -1)[images, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def random_pixels(x: Tensor, share: float) -> Tensor:
    """Replace this share of the pixel values by uniform ones; uint8 (B, C, H, W) is kept."""
    noise = torch.randint(256, x.shape, dtype=torch.uint8, device=x.device)
    return torch.where(torch.rand(x.shape, device=x.device) < share, noise, x)


def _shifts(x: Tensor, side: int, fraction: float) -> Tensor:
    most = int(fraction * side)
    return torch.randint(-most, most + 1, (len(x), 1), device=x.device)


class Trainer:
    """Trains a model and keeps its state in a checkpoint.

    A resumed run has the same random state, so that on the same device it ends with the
    same bits as an uninterrupted run. On a GPU a step is one CUDA graph. A checkpoint of
    one kind of step works with the other kind too.

    Args:
        model: a model with new weights.
        images: uint8 (N, C, H, W).
        components: assigned component of every image, (N,) int64.
        settings: the optimisation.
        checkpoint: file to resume from and to save to.
        device: device for the computation.
        save_every: seconds between checkpoints.
        graphed: whether to use CUDA graphs; None uses them on a GPU.

    Raises:
        UserError: fewer images than a batch.
    """

    def __init__(
        self,
        model: Model,
        images: Tensor,
        components: Tensor,
        settings: TrainingSettings,
        checkpoint: Path,
        device: torch.device | None = None,
        save_every: float = 60.0,
        graphed: bool | None = None,
    ) -> None:
        self.steps_per_epoch = len(images) // settings.batch_size
        if self.steps_per_epoch == 0:
            raise UserError(
                f"{len(images)} training images do not fill one batch of "
                f"{settings.batch_size}: lower batch_size or take more images"
            )
        self.device = device or torch.device("cpu")
        self.model = model.to(self.device)
        self.images, self.components = images.to(self.device), components.to(self.device)
        self.settings, self.checkpoint, self.save_every = settings, Path(checkpoint), save_every
        self.on_gpu = self.device.type == "cuda"
        update = GraphedUpdate if (self.on_gpu if graphed is None else graphed) else Update
        polyak = settings.polyak_epochs
        average_steps = polyak * self.steps_per_epoch if polyak else None
        self.update = update(self.model, self._betas(), settings.max_grad_norm, average_steps)
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict] = []
        self.epoch_rows: list[dict] = []
        self._permutation: Tensor | None = None

    def _betas(self) -> tuple[float, float]:
        beta2 = self.settings.beta2
        # the floor is for epochs of a few steps, where 1 - 1 / steps would be too small for Adam
        tied = max(0.9, 1 - 1 / self.steps_per_epoch)
        return self.settings.beta1, tied if beta2 is None else beta2

    @property
    def n_steps(self) -> int:
        """Steps of the whole training."""
        return self.settings.epochs * self.steps_per_epoch

    def run(self) -> Model:
        """Train to the end; returns the model for evaluation.

        Raises:
            DivergenceError: the loss is not finite; the last good checkpoint is kept.
            InterruptedTraining: SIGTERM or SIGINT was received; a checkpoint was saved.
        """
        if self.checkpoint.exists():
            self._restore()
        if self.step == 0:
            self._start()
        self.model.train()
        progress = Progress(self.n_steps, "steps", self.step)
        saved = began = time.monotonic()
        with _StopSignals() as stop, enough_gpu_memory("a step of this training"):
            while self.step < self.n_steps:
                self._train_step()
                progress.update(self.step, self._latest_loss())
                now = time.monotonic()
                self.seconds, began = self.seconds + now - began, now
                finished = self.step == self.n_steps  # the outputs must still be written
                if stop.received or finished or now - saved > self.save_every:
                    self.save()
                    saved = now
                if stop.received and self.step < self.n_steps:
                    raise InterruptedTraining(
                        f"stopped at step {self.step} of {self.n_steps}; saved to "
                        f"{self.checkpoint}: the next run continues there"
                    )
        return self.evaluation_model()

    def evaluation_model(self) -> Model:
        """The model with the averaged parameters, in evaluation mode."""
        average = self.update.average
        return (cast(Model, average.module) if average else self.model).eval()

    def _latest_loss(self) -> str:
        rows = self.epoch_rows or self.history
        return f"loss {rows[-1]['loss']:.1f}" if rows else ""

    def _start(self) -> None:
        order = self._order(0)[: self.settings.initialization_batch]
        self.model.initialize(self.images[order])
        self.update.start_average()  # so that the average starts from the initialised weights

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + epoch)
        return torch.randperm(len(self.images), generator=generator).to(self.device)

    def _train_step(self) -> None:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if position == 0 or self._permutation is None:
            self._permutation = self._order(epoch)
            self._timed_from = self.step, time.monotonic()
        start = position * self.settings.batch_size
        batch = self._permutation[start : start + self.settings.batch_size]
        self.step += 1
        factor = self.settings.learning_rate_factor(self.step, self.steps_per_epoch)
        self._learn(batch, self.settings.learning_rate * factor)
        last = position == self.steps_per_epoch - 1
        if last or self.update.full:
            self._read_rows()
        if last:
            self._close_epoch(epoch)

    def _learn(self, batch: Tensor, rate: float) -> None:
        x = self.images[batch]
        if self.settings.shift:
            x = random_shift(x, self.settings.shift)
        if self.settings.mutate:
            x = random_pixels(x, self.settings.mutate)
        self.update(x, self.components[batch], rate)

    def _read_rows(self) -> None:
        rows = self.update.rows()
        for number, row in enumerate(rows, self.step - len(rows) + 1):
            self._check_finite(row, number)
        self.epoch_rows += rows

    def _check_finite(self, row: dict, step: int) -> None:
        if is_finite(row):
            return
        kept = f"; last good checkpoint: {self.checkpoint}" if self.checkpoint.exists() else ""
        raise DivergenceError(
            f"loss {row['loss']}, gradient norm {row['grad_norm']} in epoch "
            f"{(step - 1) // self.steps_per_epoch + 1}, step {step}{kept}. "
            "Lower learning_rate, lengthen warmup_epochs or set max_grad_norm"
        )

    def _close_epoch(self, epoch: int) -> None:
        rows, self.epoch_rows = self.epoch_rows, []
        limit = self.settings.max_grad_norm or math.inf
        norms = [row["grad_norm"] for row in rows]
        first, began = self._timed_from
        images = (self.step - first) * self.settings.batch_size
        summary = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
        self.history.append(
            {"epoch": epoch + 1, "step": self.step}
            | summary
            | {
                "grad_norm_max": max(norms),
                "clipped": sum(norm > limit for norm in norms) / len(norms),
                "images_per_second": images / (time.monotonic() - began),
            }
        )

    def save(self) -> None:
        """Write the state to the checkpoint, completely or not at all.

        Raises:
            DivergenceError: an update since the last save was not finite; writes nothing.
        """
        self._read_rows()
        save_tensors(self._state(), self.checkpoint)

    def _state(self) -> dict:
        return {
            **self.update.state(),
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "epoch_rows": self.epoch_rows,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(self.device) if self.on_gpu else None,
        }

    def _restore(self) -> None:
        try:
            state = load_tensors(self.checkpoint)
            missing = self._state().keys() - state.keys()
            if missing:
                raise ValueError(f"missing {', '.join(sorted(missing))}")
        except Exception as error:  # the file is damaged: its content is lost
            print(f"{self.checkpoint} is damaged ({error}); training starts again", file=sys.stderr)
            return
        self.update.load_state(state)
        self.step, self.seconds = state["step"], state["seconds"]
        self.history, self.epoch_rows = state["history"], state["epoch_rows"]
        torch.set_rng_state(state["rng"])
        if state["cuda_rng"] is not None and self.on_gpu:
            torch.cuda.set_rng_state(state["cuda_rng"], self.device)
        print(f"resumed from {self.checkpoint} at step {self.step}", file=sys.stderr)


class _StopSignals:
    """Inside the block, these signals are noted and do not end the process."""

    # SIGHUP: the terminal or the connection to it was closed
    NOTED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def __enter__(self) -> "_StopSignals":
        self.received = False
        self.previous = {number: signal.signal(number, self._note) for number in self.NOTED}
        return self

    def _note(self, *_) -> None:
        self.received = True

    def __exit__(self, *_) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)
