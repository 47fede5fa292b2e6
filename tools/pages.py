"""Generated parts of the project's pages, each between a pair of comments."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def put(page: str, name: str, text: str) -> None:
    """Put a generated part into its place on a page, given by its path in the project.

    Raises:
        SystemExit: the page has no such place.
    """
    path = ROOT / page
    old, begin, end = path.read_text(), f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in old or end not in old:
        raise SystemExit(f"{page} has no place for {name}: put {begin} and {end} there")
    before, after = old[: old.index(begin)], old[old.index(end) :]
    path.write_text(f"{before}{begin}\n{text.strip()}\n{after}")
