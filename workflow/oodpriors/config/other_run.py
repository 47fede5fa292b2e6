"""Another run that a run is shown beside: its folder is checked before any work starts."""

import csv
from pathlib import Path

from oodpriors.config.schema import ConfigError
from oodpriors.io.files import expanded

FILES = {  # that are read of another run, with the columns
    "claims.csv": ("id", "estimator", "verdict", "comparison", "difference"),
    "tables/models.csv": (
        "model",
        "nll_ood",
        "nll_ood_std_error",
        "auroc",
        "auroc_low",
        "auroc_high",
    ),
}


def other_files(folder: str) -> list[str]:
    """Files of another run that are read."""
    return [str(expanded(folder) / name) for name in FILES]


def check_other_run(folder: str, own: str) -> None:
    """Refuse a folder that is no finished run.

    Args:
        folder: of the other run.
        own: of this run.

    Raises:
        ConfigError: what is wrong, in one line.
    """
    place = expanded(folder)
    missing = [name for name in FILES if not (place / name).is_file()]
    if place.resolve() == Path(own).resolve():
        mistake = "is the folder of this run: name that of another one"
    elif not place.is_dir():
        mistake = "is no folder here"
    elif missing:
        mistake = f"has no {missing[0]}: name the folder of a finished run, results/NAME"
    else:
        lacking = [
            f"{name} has no column {column}: run it again with this version"
            for name, columns in FILES.items()
            for column in columns
            if column not in _header(place / name)
        ]
        if not lacking:
            return
        mistake = lacking[0]
    raise ConfigError([f"compare_with: {folder} {mistake}"])


def _header(path: Path) -> list[str]:
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        return next(csv.reader(file), [])
