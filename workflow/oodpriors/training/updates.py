"""One update of the weights from a batch: operation by operation, or as one CUDA graph.

Both leave the weights unchanged if the loss or the gradient is not finite. Both return the
metrics of every update as rows of plain values.
"""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from oodpriors.models.base import Model

# Updates between two reads of their metrics; each read makes the CPU wait for the GPU.
UNREAD = 64
REHEARSALS = 3


class Adam:
    """Adam (Kingma and Ba 2015), as torch.optim.Adam computes it with its fused kernel.

    That class imports the compiler with its first instance, which takes longer than a small
    training. The state has the same format.

    Args:
        parameters: to be updated in place.
        betas: decays of the moments.
    """

    def __init__(self, parameters: Iterable[Tensor], betas: tuple[float, float]) -> None:
        self.parameters, self.betas = list(parameters), betas
        self.state = {
            number: {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
            for number, parameter in enumerate(self.parameters)
        }

    def load_state(self, state: Mapping) -> None:
        """Continue from a state; parameters that it lacks keep theirs."""
        for number, values in state.items():
            for name, value in values.items():
                self.state[number][name].copy_(value)

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float | Tensor, found_inf: Tensor | None = None) -> None:
        """Update the parameters that have a gradient, unless found_inf is one."""
        gradients = {n: p.grad for n, p in enumerate(self.parameters) if p.grad is not None}
        moments = [self.state[n] for n in gradients]
        adam(
            [self.parameters[n] for n in gradients],
            [*gradients.values()],
            exp_avgs=[state["exp_avg"] for state in moments],
            exp_avg_sqs=[state["exp_avg_sq"] for state in moments],
            max_exp_avg_sqs=[],
            state_steps=[state["step"] for state in moments],
            fused=True,
            found_inf=found_inf,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )


class Update:
    """One update of the weights by Adam, and of their average.

    Args:
        model: any model with ``loss(x, k)``.
        betas: Adam's moment decays.
        max_grad_norm: see TrainingSettings.
        average_steps: number of updates over which weights are averaged; None: no average.
    """

    def __init__(
        self,
        model: Model,
        betas: tuple[float, float],
        max_grad_norm: float | None,
        average_steps: float | None,
    ) -> None:
        self.model, self.average_steps, self.pieces = model, average_steps, 1
        self.limit = max_grad_norm or math.inf
        self.optimizer = Adam(model.parameters(), betas)
        self.unread: list = []
        self.start_average()

    def start_average(self) -> None:
        """Start the average of the weights with the next update."""
        self.average = None
        if self.average_steps is not None:
            self.average_weight = 1 / max(self.average_steps, 1.0)
            average = get_ema_multi_avg_fn(1 - self.average_weight)
            self.average = AveragedModel(self.model, multi_avg_fn=average)

    def __call__(self, x: Tensor, k: Tensor, rate: float) -> None:
        """Update the weights from images x (B, C, H, W) with components k (B,)."""
        parts = self._gradients(x, k)
        # one transfer from the device; before Adam, which must not use values that are not finite
        values = torch.stack(list(parts.values())).tolist()
        row = dict(zip(parts, values, strict=True)) | {"learning_rate": rate}
        self.unread.append(row)
        if is_finite(row):
            self.optimizer.step(rate)
            if self.average:
                self.average.update_parameters(self.model)

    def _gradients(self, x: Tensor, k: Tensor) -> dict[str, Tensor]:
        """Compute all gradients; returns the parts of the loss and the norm of the gradients."""
        self.optimizer.zero_grad()
        means: dict[str, Tensor] = {}
        for some in zip(x.chunk(self.pieces), k.chunk(self.pieces), strict=True):
            parts = {
                name: v * (len(some[0]) / len(x)) for name, v in self.model.loss(*some).items()
            }
            parts["loss"].backward()
            means = {name: means.get(name, 0) + value.detach() for name, value in parts.items()}
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.limit)
        return means | {"grad_norm": norm}

    @property
    def full(self) -> bool:
        """Whether :meth:`rows` must be called before the next update."""
        return True

    def rows(self) -> list[dict]:
        """Metrics of the updates since the last call."""
        rows, self.unread = self.unread, []
        return rows

    def state(self) -> dict:
        """State for a checkpoint; the same format for every kind of update."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimizer": self.optimizer.state,
        }

    def load_state(self, state: dict) -> None:
        """Continue from a state."""
        self.model.load_state_dict(state["model"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state(state["optimizer"])


class GraphedUpdate(Update):
    """The same update as one CUDA graph, which the CPU starts with one launch.

    The metrics stay on the GPU until they are read. The GPU itself skips updates that are
    not finite.
    """

    def __init__(self, model: Model, *arguments) -> None:
        self.device = next(model.parameters()).device
        self.rate = torch.zeros((), device=self.device)
        super().__init__(model, *arguments)
        self.graph: Any = None  # a torch.cuda.CUDAGraph, once it is recorded
        self.first_average = False

    def __call__(self, x: Tensor, k: Tensor, rate: float) -> None:
        if self.graph is None:
            self._prepare(x, k)
        self.x.copy_(x)
        self.k.copy_(k)
        self.rate.fill_(rate)
        self.graph.replay()
        self.unread.append(rate)
        if self.first_average:  # the average starts with the first weights, as in AveragedModel
            self._replace(self._averaged(), self._weights())
            self.first_average = False

    @property
    def full(self) -> bool:
        return len(self.unread) == UNREAD

    def rows(self) -> list[dict]:
        if not self.unread:
            return []
        values = self.numbers[: len(self.unread)].tolist()
        rows = [
            dict(zip(self.names, row, strict=True)) | {"learning_rate": rate}
            for row, rate in zip(values, self.unread, strict=True)
        ]
        if self.average:
            self.average.n_averaged += len(self.unread)
            buffers = list(self.model.buffers())  # buffers are not averaged
            self._replace(list(self.average.module.buffers()), buffers)
        self.unread.clear()
        self.position.zero_()
        return rows

    def _learn(self) -> Tensor:
        """One update from the images in self.x; returns its metrics."""
        parts = self._gradients(self.x, self.k)
        finite = parts["loss"].isfinite() & parts["grad_norm"].isfinite()
        self.optimizer.step(self.rate, (~finite).float())
        if self.average:
            torch._foreach_lerp_(self._averaged(), self._weights(), self.average_weight)
        self.names = list(parts)
        return torch.stack([value.float() for value in parts.values()])

    def _make_room(self, n_numbers: int) -> None:
        self.numbers = torch.zeros((UNREAD, n_numbers), device=self.device)
        self.position = torch.zeros(1, dtype=torch.long, device=self.device)

    def _learn_and_note(self) -> None:
        self.numbers.index_copy_(0, self.position, self._learn()[None])
        self.position += 1

    def _prepare(self, x: Tensor, k: Tensor) -> None:
        self.x, self.k = x.clone(), k.clone()
        average = self.average
        self.first_average = average is not None and not int(average.n_averaged)
        try:
            self._capture()
        except torch.OutOfMemoryError:
            if self.pieces > 1 or not self._splits():
                raise
            self.pieces = 2
            torch.cuda.empty_cache()
            print("too little GPU memory for a batch: half of it at a time", file=sys.stderr)
            self._capture()

    def _splits(self) -> bool:
        """Whether the gradient of a batch equals the mean over its halves."""
        return not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in self.model.modules())

    def _capture(self) -> None:
        """Record one update, after a few rehearsals whose only effect is to compile functions."""
        stream = torch.cuda.Stream(self.device)
        with self._rehearsal():
            stream.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(stream):
                for _ in range(REHEARSALS):
                    numbers = self._learn()
            stream.synchronize()
            self._make_room(len(numbers))
            self.optimizer.zero_grad()
            torch.cuda.empty_cache()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream):
                self._learn_and_note()
        self.graph = graph

    @contextmanager
    def _rehearsal(self) -> Iterator[None]:
        """The block changes no weight, moment, average or random state."""
        state = self.model.state_dict().values()
        kept = [value for value in state if isinstance(value, Tensor)]
        kept += [*self._averaged(), *self._moments()]
        before, random_state = [t.clone() for t in kept], torch.cuda.get_rng_state(self.device)
        try:
            yield
        finally:
            self._replace(kept, before)
            torch.cuda.set_rng_state(random_state, self.device)

    def _weights(self) -> list[Tensor]:
        return [parameter.detach() for parameter in self.model.parameters()]

    def _averaged(self) -> list[Tensor]:
        parameters = self.average.module.parameters() if self.average else []
        return [parameter.detach() for parameter in parameters]

    def _moments(self) -> list[Tensor]:
        return [t for state in self.optimizer.state.values() for t in state.values()]

    @staticmethod
    @torch.no_grad()
    def _replace(tensors: Sequence[Tensor], values: Sequence[Tensor]) -> None:
        for tensor, value in zip(tensors, values, strict=True):
            tensor.copy_(value)


def is_finite(row: dict) -> bool:
    """Whether loss and gradient norm of this update are finite."""
    return math.isfinite(row["loss"]) and math.isfinite(row["grad_norm"])
