"""Which data, in words: for titles, captions and the first page."""

import hashlib
from collections.abc import Mapping

import numpy as np

from oodpriors.io.files import load_json


def subset_provenance(source: dict, selection: dict, data: dict, chosen: dict) -> dict:
    """Where a subset's images come from, how many there were and which were kept.

    Args:
        source: provenance of the data set.
        selection: names and choices of the subset.
        data: ``labels`` and ``split`` of the whole data set.
        chosen: what was selected.
    """
    eligible = data["split"] == selection["split"]
    if selection["labels"]:
        eligible &= np.isin(data["labels"], selection["labels"])
    return {
        **selection,
        "images": len(chosen["images"]),
        "of_images": int(eligible.sum()),
        "content_sha256": hashlib.sha256(chosen["images"].tobytes()).hexdigest(),
        "source": source,
    }


def describe(provenances: list[dict], scale: str, titles: Mapping[str, str]) -> str:
    """One line: the scale, whether data are stand-ins, and how many images of how many.

    Args:
        provenances: of the subsets' splits.
        scale: name of the scale.
        titles: names to show of the subsets.

    >>> source = {"kind": "mnist", "stand_in": False}
    >>> part = {"subset": "mnist", "split": "test", "images": 5, "of_images": 9, "source": source}
    >>> describe([part], "quick", {"mnist": "MNIST"})
    'scale quick; part of the data: 5 of 9 MNIST test images'
    """
    words = [f"scale {scale}"]
    if any(p["source"]["stand_in"] for p in provenances):
        words.append("STAND-IN DATA, no number compares with the paper")
    parts = [
        f"{p['images']:,} of {p['of_images']:,} {titles[p['subset']]} {p['split']} images"
        for p in provenances
        if p["images"] < p["of_images"]
    ]
    if parts:
        words.append("part of the data: " + ", ".join(parts))
    return "; ".join(words)


def read_note(paths: list[str], scale: str, titles: Mapping[str, str]) -> str:
    """:func:`describe` of the provenance files of subsets' splits."""
    return describe([load_json(path) for path in paths], scale, titles)


def trained_on(training: Mapping) -> str:
    """The GPU or the processor that a training's diagnostics name."""
    return training["processor"] if training["device"] == "cpu" else training["device"]
