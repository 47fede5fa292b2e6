"""Which data, in words: for titles, captions and the first page."""

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from oodpriors.files import load_json

__all__ = [
    "code_version",
    "describe",
    "processor",
    "read_note",
    "software_versions",
    "subset_provenance",
    "trained_on",
]

PACKAGES = (
    "snakemake",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "matplotlib",
    "seaborn",
)


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


def code_version() -> dict:
    """Commit of the code, and whether it was changed since; "unknown" outside git."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "-uno")
    return {"commit": commit or "unknown", "changed": bool(changes)}


def processor(told: Path = Path("/proc/cpuinfo")) -> str:
    """Its name, with family and model where the system tells them: one name stands for many."""
    try:
        lines = [line.split(":", 1) for line in told.read_text().splitlines() if ":" in line]
    except OSError:
        lines = []
    facts = {name.strip(): value.strip() for name, value in lines}
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    numbers = [f"{key} {facts[key]}" for key in ("cpu family", "model") if key in facts]
    return f"{facts['model name']} ({', '.join(numbers)})" if numbers else facts["model name"]


def trained_on(training: Mapping) -> str:
    """The GPU or the processor that a training's diagnostics name."""
    return training["processor"] if training["device"] == "cpu" else training["device"]


def software_versions() -> dict[str, str]:
    """Versions of Python and of those packages that are installed here."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
