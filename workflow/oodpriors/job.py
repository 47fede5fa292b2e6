"""What every script of the workflow does around its work: log, threads, clear errors."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO

from oodpriors.files import NO_SPACE

__all__ = ["job"]


@contextmanager
def job(log: str) -> Iterator[None]:
    """Write what the block prints to the log file; end a user's mistake in one line.

    An error that the library raises on purpose, or that the system raises about a
    file, becomes ``error: ...`` and exit status 1. Any other error keeps its traceback.
    """
    with _log(log) as file, redirect_stdout(file), redirect_stderr(file):
        try:
            yield
        except Exception as error:
            message = _one_line(error)
            trace = "".join(traceback.format_exception(error))
            _tell(trace if message is None else f"error: {message}\n", file)
            raise SystemExit(1) from error


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
    last = traceback.extract_tb(error.__traceback__)[-1]
    deliberate = Path(last.filename).parent == Path(__file__).parent
    return str(error) if deliberate and (last.line or "").startswith("raise") else None
