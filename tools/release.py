"""Packs the models of a finished run into an archive: python -m tools.release RESULTS

Another machine takes them instead of training them (config/README.md). The same files give the
same bytes.
"""

import gzip
import io
import sys
import tarfile
from pathlib import Path

from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic, load_json, sha256
from oodpriors.training.taken import FILES

DATA = ("provenance.json", "data/**/*.provenance.json")


def release(results: Path) -> Path:
    """Write the archive next to a results folder, with SHA256SUMS of its files; its path.

    Raises:
        UserError: the run is not finished, or a file of it is gone or damaged.
    """
    if not (results / "provenance.json").is_file():
        raise UserError(f"{results} holds no finished run: there is no provenance.json")
    try:
        models = load_json(results / "provenance.json")["models"]
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(f"{results}/provenance.json is damaged ({error}): run again") from None
    folders = [results / "models" / m["model"] / f"seed{m['seed']}" for m in models]
    files = sorted(path for pattern in DATA for path in results.glob(pattern))
    files += [folder / name for folder in folders for name in (*FILES, "scores.parquet")]
    if missing := [path for path in files if not path.is_file()]:
        raise UserError(f"{missing[0]} is not there: run again to have it back")
    names = [path.relative_to(results).as_posix() for path in files]
    sums = "".join(f"{sha256(p)}  {n}\n" for p, n in zip(files, names, strict=True)).encode()
    target = results.with_name(f"{results.name}.tar.gz")
    with (
        atomic(target) as path,
        open(path, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        _add(tar, "SHA256SUMS", len(sums), io.BytesIO(sums))
        for file, name in zip(files, names, strict=True):
            with open(file, "rb") as content:
                _add(tar, name, file.stat().st_size, content)
    return target


def _add(tar: tarfile.TarFile, name: str, size: int, content) -> None:
    entry = tarfile.TarInfo(name)  # time, owner and rights are always the same
    entry.size = size
    tar.addfile(entry, content)


if __name__ == "__main__":
    try:
        if len(sys.argv) != 2:
            raise UserError("name the folder of one run: python -m tools.release RESULTS")
        archive = release(Path(sys.argv[1]))
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    print(f"{sha256(archive)}  {archive}")
