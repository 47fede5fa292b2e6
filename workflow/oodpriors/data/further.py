"""Further sets out of distribution: cut out of data sets or made, and what cannot be had."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oodpriors.data.datasets import Dataset, _joined, _record, load_dataset
from oodpriors.data.fetching import DownloadError, fetch
from oodpriors.data.provenance import subset_provenance
from oodpriors.data.subsets import drawn, select
from oodpriors.kinds.further import FURTHER
from oodpriors.kinds.made import MADE
from oodpriors.kinds.rows import load

Arrays = dict[str, np.ndarray]


def load_further(entry: Mapping, sources: Sequence[str], cache: Path) -> Dataset:
    """A data set of any kind, see :func:`oodpriors.data.datasets.load_dataset`.

    Args:
        entry: with ``path``, ``shape`` and ``content`` of a folder.
        sources, cache: see :func:`oodpriors.data.datasets.load_official`.

    Raises:
        UserError, DownloadError: see the loader of its kind.
    """
    kind, original = entry["kind"], entry["stands_for"]
    if kind == "folder":
        from oodpriors.data.own import load_images  # needs Pillow, which prepare does not have

        return load_images(entry["path"], entry["shape"], entry["content"])
    if original in FURTHER:
        about = {"kind": kind, "stand_in": True, "stands_for": original, "files": []}
        about["description"] = FURTHER[original].stand_in
        return _joined(load(FURTHER[original].draw)(), about)
    if kind not in FURTHER:
        return load_dataset(dict(entry), sources, cache)
    tried = [place for source in sources for place in (source, f"{source.rstrip('/')}/{kind}")]
    paths, records = {}, []
    for file in load(FURTHER[kind].files)():
        paths[file.name], origin = fetch(file, tried, cache)
        records.append(_record(paths[file.name], origin))
    about = {"kind": kind, "stand_in": False, "files": records}
    return _joined(load(FURTHER[kind].read)(paths), about)


def load_or_leave_out(entry: Mapping, sources: Sequence[str], cache: Path) -> Dataset:
    """The same; one that cannot be fetched has no images, and ``missing`` in its provenance.

    Raises:
        UserError: the user's own files cannot be used.
    """
    try:
        return load_further(entry, sources, cache)
    except DownloadError as error:
        reason = str(error).partition(":\n")[0]
    about = {"kind": entry["kind"], "stand_in": False, "files": [], "images": {}}
    nothing = np.empty((0, 1, 1), np.uint8)
    labels, split = np.empty(0, np.int64), np.empty(0, str)
    return Dataset(nothing, labels, split, about | {"missing": reason})


def prepare(
    data: Arrays,
    source: Mapping,
    selection: Mapping,
    name: str,
    made: str | None = None,
    centres: np.ndarray | None = None,
) -> tuple[Arrays, dict]:
    """Images of a further set, and their provenance.

    Args:
        data: arrays of the data set, or with ``made`` those of the subset that it is made of.
        source: provenance of the same.
        selection: see :func:`oodpriors.config.specs.selection`.
        name: of the set.
        made: a name of :data:`oodpriors.kinds.made.MADE`.
        centres: see :func:`oodpriors.data.subsets.select`.

    Raises:
        UserError: no image is left.
    """
    if made:
        source = source["source"] | {"made": made, "of": source["subset"]}
        eligible = {key: data[key] for key in ("images", "labels", "cluster", "index")}
    if "missing" in source:
        empty = {key: np.empty(0, np.int64) for key in ("labels", "cluster", "index")}
        chosen, number = {"images": data["images"][:0], **empty}, 0
    else:
        if not made:
            test = data["split"] == "test"
            cut = (data["images"][test], data["labels"][test], selection["labels"])
            eligible = select(*cut, centres=centres, cluster=selection["cluster"])
        number = len(eligible["index"])
        kept = drawn(number, selection["limit"], selection["seed"])
        chosen = {key: values[kept] for key, values in eligible.items()}
        if made:
            rng = np.random.default_rng([selection["seed"], *name.encode()])
            chosen["images"] = load(MADE[made].place)(chosen["images"], rng)
    names = {"subset": name, "split": "test", **selection}
    return chosen, subset_provenance(dict(source), names, number, chosen)
