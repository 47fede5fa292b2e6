"""Files that are written whole or not at all."""

import errno
import fcntl
import hashlib
import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import yaml

# A full disk, an exhausted quota, a limit on the size of a file.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside path, and rename it to path if the block succeeds.

    Raises:
        OSError: the disk is full; the message names the file and the way out.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept, since NumPy and Matplotlib choose the format by it. Process numbers
    # would not do: two machines that share the folder have the same ones.
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())  # or a power cut may leave the name without the bytes
        temporary.replace(path)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise OSError(
                error.errno, f"no space left to write {path}: free some, then run again"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def discard_unfinished(path: Path | str) -> None:
    """Remove what processes that were killed while they wrote path have left of it."""
    path = Path(path)
    for left in path.parent.glob(f".{path.stem}.{'?' * 12}{path.suffix}"):
        left.unlink(missing_ok=True)


@contextmanager
def locked(path: Path | str) -> Iterator[bool]:
    """Hold path as a lock; while another process holds it, wait until that ends or dies.

    Gives whether it had to wait. Where the file system knows no locks, nothing is held:
    files are then still whole, but two processes may do the same work.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    waited = False
    while True:
        with open(path, "a") as file:
            try:
                waited |= _acquire(file, path)
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                    raise
                print(f"{path}: no locks on this file system ({error})", file=sys.stderr)
            if not _stands(path, file):  # who held it removed it, and another may hold a new one
                continue
            try:
                yield waited
            finally:
                path.unlink(missing_ok=True)
            return


def _acquire(file: IO, path: Path) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        print(f"{path} is held by another process; waiting until it ends", file=sys.stderr)
        fcntl.flock(file, fcntl.LOCK_EX)
        return True


def _stands(path: Path, file: IO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


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
