"""A folder without free space, by the strictest method that the machine allows.

If file systems may be mounted (as root, or in a new namespace), it is a small file system in
memory, which is filled. In a container that forbids this, commands are limited to small
files: the same calls fail, with EFBIG instead of ENOSPC.
"""

import functools
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

KILOBYTES = 1024
LIMIT = 64 * KILOBYTES  # less than a checkpoint, more than any file of Snakemake itself
MEANS = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])


@functools.cache
def mounting() -> list[str] | None:
    """The command, in a namespace in which a file system may be mounted."""
    trial = ["mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    for means in MEANS:
        if subprocess.run([*means, *trial], capture_output=True).returncode == 0:
            return means
    return None


class LimitedFiles:
    """A folder in which files can grow only while there is space."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.before = folder, []

    def fill(self) -> None:
        self.before = ["prlimit", f"--fsize={LIMIT}"]

    def free(self) -> None:
        self.before = []


class SmallDisk:
    """A folder on a small file system; only commands after ``before`` see it."""

    def __init__(self, folder: Path, holder: subprocess.Popen) -> None:
        self.folder = Path(f"/proc/{holder.pid}/root", *folder.parts[1:])
        user = ["--user", "--preserve-credentials"] if "--user" in holder.args else []
        enter = ["nsenter", "--target", str(holder.pid), "--mount", *user]
        self.before = [*enter, "env", "--chdir", str(folder)]

    def fill(self) -> None:
        with open(self.folder / "filler", "wb", buffering=0) as file:
            for size in (KILOBYTES**2, KILOBYTES, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        (self.folder / "filler").unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int = 8) -> Iterator[SmallDisk | LimitedFiles]:
    """Mount a small file system on an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    means = mounting()
    if means is None:
        yield LimitedFiles(folder)
        return
    script = 'mount -t tmpfs -o size="$1"m tmpfs "$2" && echo ready && exec sleep 3600'
    command: Sequence[str] = [*means, "sh", "-c", script, "sh", str(megabytes), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "ready\n"
            yield SmallDisk(folder, holder)
        finally:
            holder.kill()
