"""Another run that a run is shown beside: its folder is checked before any work starts."""

import csv
import os
from pathlib import Path

from oodpriors.config.schema import ConfigError
from oodpriors.io.files import expanded

NUMBERS = {"difference", "nll_ood", "nll_ood_std_error", "auroc", "auroc_low", "auroc_high"}
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
    # not Path.is_file, which fails for a name that no disk takes
    missing = [name for name in FILES if not os.path.isfile(place / name)]  # noqa: PTH113
    if place.resolve() == Path(own).resolve():
        mistake = "is the folder of this run: name that of another one"
    elif not os.path.isdir(place):  # noqa: PTH112
        mistake = "is no folder here"
    elif missing:
        mistake = f"has no {missing[0]}: name the folder of a finished run, results/NAME"
    else:
        mistakes = [_mistake(place / name, columns) for name, columns in FILES.items()]
        wrong = [f"{name} {told}" for name, told in zip(FILES, mistakes, strict=True) if told]
        if not wrong:
            return
        mistake = f"holds a file that cannot be read: {wrong[0]}; make that run again"
    raise ConfigError([f"compare_with: {folder} {mistake}"])


def _mistake(path: Path, columns: tuple[str, ...]) -> str | None:
    """What is wrong with a table, None if it can be shown."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            header, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    except (OSError, ValueError, csv.Error) as error:
        return f"is damaged ({error})"
    if lacking := [column for column in columns if column not in header]:
        return f"has no column {lacking[0]}"
    if any(len(row) != len(header) for row in rows):
        return "is damaged (a line has not as many values as the first)"
    read = {name: [row[header.index(name)] for row in rows] for name in columns}
    if len(set(read.get("model", []))) < len(read.get("model", [])):
        return "has two rows of a model"
    wrong = [v for name in NUMBERS & read.keys() for v in read[name] if v and not _is_number(v)]
    return f"is damaged ({wrong[0]!r} is no number)" if wrong else None


def _is_number(text: str) -> bool:
    try:
        return isinstance(float(text), float)
    except ValueError:
        return False
