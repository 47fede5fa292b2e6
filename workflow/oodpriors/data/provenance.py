"""Describes the data in words, for titles, captions and the first page."""

import hashlib
from collections.abc import Mapping

from oodpriors.io.files import load_json


def subset_provenance(source: dict, selection: dict, eligible: int, chosen: dict) -> dict:
    """Record the source of a subset's images, their number, and which were kept.

    Args:
        source: provenance of the data set.
        selection: name of the subset and how its images are selected.
        eligible: number of images that belong to the subset, before any limit.
        chosen: the selected arrays.

    Returns:
        The selection; ``images``, the number that a model uses; ``of_images``, of how many;
        the SHA-256 of all selected images; and the source.
    """
    return {
        **selection,
        "images": min(len(chosen["images"]), selection["each_training"] or len(chosen["images"])),
        "of_images": eligible,
        "content_sha256": hashlib.sha256(chosen["images"].tobytes()).hexdigest(),
        "source": source,
    }


def describe(provenances: list[dict], scale: str, titles: Mapping[str, str]) -> str:
    """Describe the data in one line: scale, stand-ins, and images used out of all.

    Args:
        provenances: one for each split of a subset.
        scale: name of the scale.
        titles: title of each subset.

    >>> source = {"kind": "mnist", "stand_in": False}
    >>> part = {"subset": "mnist", "split": "test", "images": 5, "of_images": 9, "source": source}
    >>> describe([part], "quick", {"mnist": "MNIST"})
    'scale quick; part of the data: 5 of 9 MNIST test images'
    """
    words = [f"scale {scale}"]
    if any(p["source"]["stand_in"] for p in provenances):
        words.append("STAND-IN DATA, not comparable with the paper")
    parts = [
        f"{p['images']:,} of {p['of_images']:,} {titles[p['subset']]} {p['split']} images"
        for p in provenances
        if p["images"] < p["of_images"]
    ]
    if parts:
        words.append("part of the data: " + ", ".join(parts))
    sources = [p["source"] for p in provenances if p["source"].get("test_images_in_train")]
    words += dict.fromkeys(
        f"{s['test_images_in_train']:,} of {s['images']['test']:,} test images of "
        f"{s['files'][0]['name']} are training images as well"
        for s in sources
    )
    return "; ".join(words)


def read_note(paths: list[str], scale: str, titles: Mapping[str, str]) -> str:
    """Apply :func:`describe` to provenance files, one for each split of a subset."""
    return describe([load_json(path) for path in paths], scale, titles)


def trained_on(training: Mapping) -> str:
    """Name of the GPU or the processor in the diagnostics of a training."""
    return training["processor"] if training["device"] == "cpu" else training["device"]
