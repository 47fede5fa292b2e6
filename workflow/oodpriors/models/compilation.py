"""Functions that are compiled if a compiler works, and otherwise run uncompiled."""

import sys
from collections.abc import Callable
from functools import cache, wraps

import torch
from torch import Tensor

# Most shapes that one function is compiled for: each grid of a flow, in training and scoring.
SHAPES = 64

_state = {"usable": True}


def compiled(function: Callable) -> Callable:
    """The function; on a GPU it is compiled for the shapes of its arguments.

    On a CPU it runs uncompiled. If no compiler works (``torch.compile`` needs Triton and a
    C compiler), it also runs uncompiled, after one line in the log.
    """

    @wraps(function)
    def call(*arguments):
        if not (_state["usable"] and _on_gpu(arguments)):
            return function(*arguments)
        try:
            return optimized(function)(*arguments)
        except Exception as error:
            if not _of_compiler(error):
                raise
            _state["usable"] = False
            print(
                f"no compiler for this GPU ({_first_line(error)}): functions run uncompiled and "
                "take two to four times as long; torch.compile needs Triton and a C compiler",
                file=sys.stderr,
            )
            return function(*arguments)

    return call


@cache
def optimized(function: Callable) -> Callable:
    """The function, compiled as one graph for each shape of its arguments.

    By default the compiler measures kernels for a sum that add in different orders, and takes
    the fastest. A busy GPU may make another one the fastest, so a seed might give other bits.
    """
    torch._dynamo.config.recompile_limit = SHAPES
    return torch.compile(function, fullgraph=True, dynamic=False, options={"deterministic": True})


def _on_gpu(arguments: tuple) -> bool:
    firsts = (a[0] if isinstance(a, list) else a for a in arguments)
    return any(isinstance(a, Tensor) and a.is_cuda for a in firsts)


def _of_compiler(error: Exception) -> bool:
    """Whether the error comes from the compiler and not from the compiled function."""
    modules = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    compiler = ("torch._dynamo", "torch._inductor", "triton")
    return "triton" in modules or type(error).__module__.startswith(compiler)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
