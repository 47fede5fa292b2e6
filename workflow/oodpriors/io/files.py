"""Writes files completely or not at all."""

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

from oodpriors.io.errors import UserError

# The disk is full, the quota is used up, or the file exceeds a size limit.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, if it is there


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to path if the block succeeds.

    Raises:
        OSError: the disk is full; the message names the file and says what to do.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept because NumPy and Matplotlib choose the format by it. A process number
    # would not be unique: two machines that share the folder may use the same one.
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())  # otherwise a power cut may leave an empty file
        temporary.replace(path)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise OSError(
                error.errno, f"no space left to write {path}: free some space, then run again"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def discard_unfinished(path: Path | str) -> None:
    """Remove temporary files that killed processes left while they wrote path."""
    path = Path(path)
    for left in path.parent.glob(f".{path.stem}.{'?' * 12}{path.suffix}"):
        left.unlink(missing_ok=True)


@contextmanager
def locked(path: Path | str) -> Iterator[bool]:
    """Hold path as a lock; if another process holds it, wait until it releases it or ends.

    Yields whether it had to wait. On a file system without locks nothing is locked: files
    are still written completely, but two processes may do the same work.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    waited = False
    while True:
        with open(path, "a", encoding="utf-8") as file:
            try:
                waited |= _acquire(file, path)
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                    raise
                print(f"{path}: this file system has no locks ({error})", file=sys.stderr)
            if not _stands(path, file):  # its holder removed it; another may hold a new one
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


def expanded(path: Path | str) -> Path:
    """A path, also of a file:// address, with ~ replaced; ~NAME of no user stays as it is."""
    place = Path(str(path).removeprefix("file://"))
    try:
        return place.expanduser()
    except RuntimeError:
        return place


def inside(path: Path | str, folder: Path | str) -> bool:
    """Whether a path leads to a folder or into it, also through links; an address does not."""
    # unlike Path.resolve, realpath has no error for a link to itself
    return Path(os.path.realpath(expanded(path))).is_relative_to(os.path.realpath(folder))


def regular(path: Path | str) -> Path:
    """A path with ~ replaced, unless something else than a file is there.

    A pipe may be waited for forever.

    Raises:
        OSError: it is a folder, a pipe, a socket or a device, or its name is too long.
    """
    path = expanded(path)
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no regular file")
    return path


@contextmanager
def undamaged(path: Path | str, *damages: type[Exception]) -> Iterator[None]:
    """Name a file of the results whose reading raises one of these exceptions, and what to do.

    Raises:
        UserError: the file is damaged; a missing one keeps its FileNotFoundError.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except damages as error:
        first = next(iter(str(error).splitlines()), "empty")
        raise UserError(f"{path}: damaged ({first}); delete the file, then run again") from error


def sha256(path: Path | str) -> str:
    """SHA-256 checksum of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_json(path: Path | str, value) -> None:
    """Write plain values as JSON, completely or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def load_json(path: Path | str):
    """Read plain values from JSON."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def save_yaml(path: Path | str, value) -> None:
    """Write plain values as YAML, completely or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(yaml.safe_dump(value, sort_keys=False))


def load_yaml(path: Path | str):
    """Read plain values from YAML, without constructing objects."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), YAML_LOADER)
