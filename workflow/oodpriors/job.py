"""What every script of the workflow does around its work: log, threads, clear errors."""

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

__all__ = ["job"]


@contextmanager
def job(log: str) -> Iterator[None]:
    """Write what the block prints to the log file; end a user's mistake in one line.

    An error that the library raises on purpose, or that the system raises about a
    file, becomes ``error: ...`` and exit status 1. Any other error keeps its traceback.
    """
    # a new file: another attempt at the same work may still write to the old one
    Path(log).unlink(missing_ok=True)
    with open(log, "w", buffering=1) as file, redirect_stdout(file), redirect_stderr(file):
        try:
            yield
        except Exception as error:
            message = _one_line(error)
            if message is None:
                traceback.print_exc(file=file)
            else:
                print(f"error: {message}", file=file)
            raise SystemExit(1) from error


def _one_line(error: Exception) -> str | None:
    if isinstance(error, OSError):
        text = str(error) if error.filename or not error.strerror else error.strerror
        bare = error.errno == errno.ENOSPC and "run again" not in text
        return f"{text}: free some space, then run again" if bare else text
    last = traceback.extract_tb(error.__traceback__)[-1]
    deliberate = Path(last.filename).parent == Path(__file__).parent
    return str(error) if deliberate and (last.line or "").startswith("raise") else None
