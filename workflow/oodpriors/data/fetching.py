"""Fetches files from a mirror, a system copy or the official address, and verifies them."""

import gzip
import hashlib
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from urllib.parse import urlparse

from oodpriors.io.errors import UserError
from oodpriors.io.files import NO_SPACE, atomic, expanded, locked
from oodpriors.io.progress import Progress

TRIES = 3
TIMEOUT = 30.0
BLOCK = 1 << 20


class DownloadError(UserError):
    """No source gave the file with its checksum."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of an official data set.

    Attributes:
        name: file name.
        urls: official addresses, tried in this order.
        checksum: MD5 or SHA-256 of the file, hexadecimal.
        content_sha256: checksum of the uncompressed content, for copies compressed again.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    content_sha256: str | None = None

    def matches(self, path: Path) -> bool:
        """Whether the file at path has the official content."""
        if self.checksum_of(path) == self.checksum:
            return True
        return self.content_sha256 is not None and _gzip_sha256(path) == self.content_sha256

    @property
    def algorithm(self) -> str:
        """Name of the checksum's algorithm."""
        return "md5" if len(self.checksum) == 32 else "sha256"

    def checksum_of(self, path: Path) -> str:
        """The same checksum of another file."""
        with open(path, "rb") as file:
            return hashlib.file_digest(file, self.algorithm).hexdigest()


def _gzip_sha256(path: Path) -> str | None:
    try:
        with gzip.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, EOFError):
        return None


def fetch(file: RemoteFile, sources: Sequence[str], cache: Path) -> tuple[Path, str]:
    """Get the verified file from the first source that has it.

    The order is: the cache, then ``sources`` (folders or base URLs: the user's mirror, a
    system copy), then the official addresses. An interrupted download is resumed. A file
    with a wrong checksum is never used; the next source is tried instead.

    Returns:
        Path of the file in the cache, and its original source.

    Raises:
        DownloadError: no source gave the right file; the message says why for each.
        OSError: the disk is full.
    """
    target = cache / file.name
    if not _is_there(file, target):
        with locked(target.with_name(f"{file.name}.lock")):  # other runs share the cache
            if not _is_there(file, target):
                _fetch(file, sources, target)
    origin = _origin(target)
    return target, origin.read_text() if origin.exists() else "cache"


def _is_there(file: RemoteFile, target: Path) -> bool:
    return target.exists() and file.matches(target)


def _origin(target: Path) -> Path:
    """Path of the note that names the source of a file in the cache."""
    return target.with_name(f"{target.name}.origin")


def _fetch(file: RemoteFile, sources: Sequence[str], target: Path) -> None:
    failures = []
    for address in (*(f"{source.rstrip('/')}/{file.name}" for source in sources), *file.urls):
        try:
            _obtain(address, file, target)
            _origin(target).write_text(address)
            return
        except IncompleteRead as error:
            failures.append(f"  {address}: the connection ended {error.expected} bytes too early")
        except (ValueError, OSError, HTTPException) as error:
            if getattr(error, "errno", None) in NO_SPACE:
                raise
            failures.append(f"  {address}: {error}")
    raise DownloadError(
        f"could not get {file.name} ({file.algorithm} {file.checksum}):\n"
        + "\n".join(failures)
        + "\nEither run again when the address answers, or put the file into a folder "
        f"and set --config mirror=FOLDER, or copy the file to {target}"
    )


def _obtain(address: str, file: RemoteFile, target: Path) -> None:
    if urlparse(address).scheme in ("http", "https"):
        _download(address, file, target)
        return
    path = expanded(address)
    if not path.is_file():
        raise FileNotFoundError("no such file")
    _check(file, path)
    with atomic(target) as temporary:
        shutil.copyfile(path, temporary)


def _check(file: RemoteFile, path: Path) -> None:
    if not file.matches(path):
        raise ValueError(
            f"wrong checksum: {file.algorithm} {file.checksum_of(path)} of "
            f"{path.stat().st_size} bytes, expected {file.checksum}"
        )


def _download(address: str, file: RemoteFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    resumed = partial.exists()
    _receive(address, partial)
    if resumed and not file.matches(partial):  # the first part may be from another source
        partial.unlink()
        _receive(address, partial)
    try:
        _check(file, partial)
    except ValueError:
        partial.unlink()  # a resumed download would keep the wrong bytes
        raise
    partial.replace(target)


def _receive(address: str, partial: Path) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            _append_rest(address, partial)
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError, IncompleteRead) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or attempt == TRIES:
                raise
        time.sleep(2.0 ** (attempt - 1))


def _append_rest(address: str, partial: Path) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if have and error.code == 416:  # the file is already complete
            return
        raise
    with response:
        resumed = response.status == 206
        expected = int(response.headers.get("Content-Length") or 0) + (have if resumed else 0)
        progress = Progress(max(expected, 1), "bytes", have if resumed else 0)
        with open(partial, "ab" if resumed else "wb") as out:
            while block := response.read1(BLOCK):  # keeps these bytes if the connection fails
                out.write(block)
                progress.update(out.tell(), address)
            done = out.tell()
    if done < expected:
        raise IncompleteRead(b"", expected - done)
