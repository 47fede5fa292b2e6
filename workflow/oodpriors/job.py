"""What every script of the workflow does around its work: log, threads, clear errors."""

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["job"]


@contextmanager
def job(log: str) -> Iterator[None]:
    """Write what the block prints to the log file; end a user's mistake in one line.

    An error that the library raises on purpose, or that the system raises about a
    file, becomes ``error: ...`` and exit status 1. Any other error keeps its traceback.
    """
    with open(log, "w", buffering=1) as file:
        sys.stdout = sys.stderr = file
        try:
            yield
        except Exception as error:
            message = _one_line(error)
            if message is None:
                traceback.print_exc(file=file)
            else:
                print(f"error: {message}", file=file)
            raise SystemExit(1) from error
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


def _one_line(error: Exception) -> str | None:
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC and error.filename is None:
            return f"{error.strerror}; nothing half-written is taken for whole, run again"
        return str(error)
    raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    return str(error) if raised_in.parent == Path(__file__).parent else None
