"""Loads official data sets, the user's files and stand-ins, all in one format."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oodpriors.data.datasets import Dataset, file_record, load_npz
from oodpriors.data.fetching import DownloadError, fetch
from oodpriors.data.official import Parts
from oodpriors.data.own import load_images
from oodpriors.io.errors import UserError
from oodpriors.kinds.datasets import OFFICIAL
from oodpriors.kinds.rows import load


def load_official(kind: str, sources: Sequence[str], cache: Path) -> Dataset:
    """An official data set: only the files it needs, each checked first.

    Args:
        kind: a name of :data:`oodpriors.kinds.datasets.OFFICIAL`.
        sources: folders or base URLs to try before the official addresses; a file may
            be there directly or in a subfolder named after the kind.
        cache: folder that keeps the verified files.

    Raises:
        DownloadError: no source gave a file with the right checksum.
    """
    official = OFFICIAL[kind]
    tried = [place for source in sources for place in (source, f"{source.rstrip('/')}/{kind}")]
    paths, records = {}, []
    for file in load(official.files)():
        paths[file.name], origin = fetch(file, tried, cache)
        records.append(file_record(paths[file.name], origin))
    return _joined(load(official.read)(paths), {"kind": kind, "stand_in": False, "files": records})


def _joined(parts: Parts, provenance: dict) -> Dataset:
    splits, images, labels = zip(*parts, strict=True)
    counts = dict(zip(splits, map(len, images), strict=True))
    split = np.repeat(splits, list(counts.values()))
    provenance |= {"images": counts}
    return Dataset(np.concatenate(images), np.concatenate(labels), split, provenance)


def load_embedded(stands_for: str) -> Dataset:
    """Create a stand-in for an official data set; needs no internet.

    Raises:
        UserError: there is no stand-in for this data set.
    """
    if stands_for not in OFFICIAL:
        raise UserError(f"no stand-in for {stands_for!r}; there are {', '.join(OFFICIAL)}")
    official = OFFICIAL[stands_for]
    provenance = {
        "kind": "embedded",
        "stand_in": True,
        "stands_for": stands_for,
        "description": official.stand_in,
        "files": [],
    }
    return _joined(load(official.draw)(), provenance)


def load_dataset(entry: Mapping, sources: Sequence[str], cache: Path) -> Dataset:
    """Load the data set of a configuration entry.

    Args:
        entry: ``kind``; ``path`` and ``content`` of the user's own, of a folder also ``shape``;
            ``stands_for`` of a stand-in.
        sources, cache: see :func:`load_official`.

    Raises:
        UserError, DownloadError: see the loader of its kind.
    """
    match entry["kind"]:
        case "npz":
            return load_npz(entry["path"], entry["content"])
        case "folder":
            return load_images(entry["path"], entry["shape"], entry["content"])
        case "embedded":
            return load_embedded(entry["stands_for"])
    return load_official(entry["kind"], sources, cache)


def load_or_leave_out(entry: Mapping, sources: Sequence[str], cache: Path) -> Dataset:
    """The same; one that cannot be fetched has no images, and ``missing`` in its provenance.

    Raises:
        UserError: the user's own files cannot be used.
    """
    try:
        return load_dataset(entry, sources, cache)
    except DownloadError as error:
        reason = str(error).partition(":\n")[0]
    about = {"kind": entry["kind"], "stand_in": False, "files": [], "images": {}}
    nothing = np.empty((0, 1, 1), np.uint8)
    labels, split = np.empty(0, np.int64), np.empty(0, str)
    return Dataset(nothing, labels, split, about | {"missing": reason})
