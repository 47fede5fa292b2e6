"""Files that are written whole or not at all."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

__all__ = ["atomic", "load_json", "load_yaml", "save_json", "save_yaml", "sha256"]


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
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())  # or a power cut may leave the name without the bytes
        temporary.replace(path)
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


def save_json(path: Path | str, value) -> None:
    """Write plain values, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def load_json(path: Path | str):
    """Read plain values."""
    return json.loads(Path(path).read_text())


def save_yaml(path: Path | str, value) -> None:
    """Write plain values, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(yaml.safe_dump(value, sort_keys=False))


def load_yaml(path: Path | str):
    """Read plain values, without constructing objects."""
    return yaml.safe_load(Path(path).read_text())
