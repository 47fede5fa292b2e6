"""What every script of the workflow does around its work: a log, and clear errors."""

import ctypes
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO

from oodpriors.io.errors import UserError
from oodpriors.io.files import NO_SPACE

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


@contextmanager
def job(log: str) -> Iterator[None]:
    """Write what the block prints to the log file; end a user's mistake in one line.

    A :class:`oodpriors.io.errors.UserError`, or an error of the system about a file,
    becomes ``error: ...`` and exit status 1. Any other error keeps its traceback.
    """
    _keep_freed_memory()
    with _log(log) as file, redirect_stdout(file), redirect_stderr(file):
        try:
            yield
        except Exception as error:
            message = _one_line(error)
            trace = "".join(traceback.format_exception(error))
            _tell(trace if message is None else f"error: {message}\n", file)
            raise SystemExit(1) from error


def _keep_freed_memory() -> None:
    """Let glibc use large blocks again, rather than ask the system for each of them anew.

    The pages of a new block are zeroed one by one, which costs more than most of what
    a step of a training does with it.
    """
    with suppress(AttributeError, OSError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        for parameter in M_MMAP_THRESHOLD, M_TRIM_THRESHOLD:
            mallopt(parameter, 2**30)


@contextmanager
def _log(path: str) -> Iterator[IO]:
    # a new file: another attempt at the same work may still write to the old one
    Path(path).unlink(missing_ok=True)
    file = open(path, "w", buffering=1)  # noqa: SIM115
    try:
        yield file
    finally:
        with suppress(OSError):  # a full disk: the error was told elsewhere
            file.close()


def _tell(text: str, file: IO) -> None:
    """Write to the log, or where Snakemake prints if the log takes nothing."""
    try:
        file.write(text)
        file.flush()
    except OSError:
        print(text, end="", file=sys.__stderr__)


def _one_line(error: Exception) -> str | None:
    if isinstance(error, OSError):
        text = str(error) if error.filename or not error.strerror else error.strerror
        bare = error.errno in NO_SPACE and "run again" not in text
        return f"{text}: free some space, then run again" if bare else text
    return str(error) if isinstance(error, UserError) else None
