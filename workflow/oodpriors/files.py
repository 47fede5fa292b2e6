"""Files that are written whole or not at all."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic", "sha256"]


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside path, and rename it to path if the block succeeds.

    Raises:
        OSError: the disk is full; the message names the file and the way out.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept, since NumPy and Matplotlib choose the format by it.
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(
                error.errno, f"no space left to write {path}: free some, then run again"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: Path | str) -> str:
    """Checksum of a file's bytes, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
