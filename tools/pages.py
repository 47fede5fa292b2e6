"""Writes generated parts into the project's pages, each between two comments."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def put(page: str, name: str, text: str) -> None:
    """Write a generated part into a page, which is given by its path in the project.

    Raises:
        SystemExit: the page has no comments with this name.
    """
    path = ROOT / page
    old, begin, end = path.read_text(), f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in old or end not in old:
        raise SystemExit(f"{page} has no place for {name}: put {begin} and {end} there")
    before, after = old[: old.index(begin)], old[old.index(end) :]
    path.write_text(f"{before}{begin}\n{text.strip()}\n{after}")
