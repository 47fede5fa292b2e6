"""Gives every script of the workflow a log file and clear errors."""

import ctypes
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO

from oodpriors.io.errors import UserError
from oodpriors.io.files import NO_SPACE

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h


@contextmanager
def job(log: str, start: Callable[[], None] | None = None) -> Iterator[None]:
    """Write the output of the block to the log file; report a user's mistake in one line.

    ``start`` is called before the block, as a part of it.

    A :class:`oodpriors.io.errors.UserError`, an OSError or an interruption (Ctrl-C) becomes
    ``error: ...`` and exit status 1. Any other error keeps its traceback.
    """
    _keep_freed_memory()
    with _log(log) as file, redirect_stdout(file), redirect_stderr(file):
        try:
            if start:
                start()
            yield
        except (Exception, KeyboardInterrupt) as error:
            message = _one_line(error)
            trace = "".join(traceback.format_exception(error))
            _tell(trace if message is None else f"error: {message}\n", file)
            raise SystemExit(1) from error


def _keep_freed_memory() -> None:
    """Let glibc reuse large memory blocks instead of requesting new ones from the system.

    The system zeroes every page of a new block, which often costs more than the work that
    a training step does with the block.
    """
    with suppress(AttributeError, OSError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        for parameter in M_MMAP_THRESHOLD, M_TRIM_THRESHOLD:
            mallopt(parameter, 2**30)


@contextmanager
def _log(path: str) -> Iterator[IO]:
    # a new file, because another attempt at the same job may still write to the old one
    Path(path).unlink(missing_ok=True)
    file = open(path, "w", encoding="utf-8", buffering=1)  # noqa: SIM115
    try:
        yield file
    finally:
        with suppress(OSError):  # the disk is full; reported elsewhere
            file.close()


def _tell(text: str, file: IO) -> None:
    """Write to the log; if that fails, write to the standard error stream of Snakemake."""
    try:
        file.write(text)
        file.flush()
    except OSError:
        print(text, end="", file=sys.__stderr__)


def _one_line(error: BaseException) -> str | None:
    if _interrupted(error):
        return "interrupted"
    if isinstance(error, OSError):
        text = str(error) if error.filename or not error.strerror else error.strerror
        bare = error.errno in NO_SPACE and "run again" not in text
        return f"{text}: free some space, then run again" if bare else text
    return str(error) if isinstance(error, UserError) else None


def _interrupted(error: BaseException | None) -> bool:
    """Whether an interruption is the error or its cause: imports turn it into other errors."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
