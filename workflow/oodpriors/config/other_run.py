"""Another run that a run is shown beside: its folder is checked before any work starts."""

import csv
from pathlib import Path

from oodpriors.config.schema import ConfigError

FILES = ("claims.csv", "tables/models.csv")
COLUMNS = ("id", "estimator", "verdict", "comparison", "difference")


def other_files(folder: str) -> list[str]:
    """Files of another run that are read."""
    return [str(Path(folder).expanduser() / name) for name in FILES]


def check_other_run(folder: str, own: str) -> None:
    """Refuse a folder that is no finished run.

    Args:
        folder: of the other run.
        own: of this run.

    Raises:
        ConfigError: what is wrong, in one line.
    """
    place = Path(folder).expanduser()
    missing = [name for name in FILES if not (place / name).is_file()]
    if place.resolve() == Path(own).resolve():
        mistake = "is the folder of this run: name that of another one"
    elif not place.is_dir():
        mistake = "is no folder here"
    elif missing:
        mistake = f"has no {missing[0]}: name the folder of a finished run, results/NAME"
    elif absent := set(COLUMNS) - set(_header(place / FILES[0])):
        mistake = f"{FILES[0]} has no column {min(absent)}: run it again with this version"
    else:
        return
    raise ConfigError([f"compare_with: {folder} {mistake}"])


def _header(path: Path) -> list[str]:
    with open(path, encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])
