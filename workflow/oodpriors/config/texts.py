"""Titles, captions and headings: printed as they are written, or refused."""

import re
from collections.abc import Iterator, Mapping, Sequence

from oodpriors.config.schema import ConfigError
from oodpriors.document.characters import described, printable

# What fits into a table, a legend or above a panel; a caption must fit below its figure.
LONGEST = {"title": 50, "component": 50, "where": 100, "panels": 100, "caption": 2000}
NO_TEXT = "is no text: write it in quotes"
TAG = re.compile("<[A-Za-z/!?]")


def check_texts(config: Mapping) -> None:
    """Check that all texts can be printed in figures, in tables, in the PDF and in HTML.

    Args:
        config: validated.

    Raises:
        ConfigError: a line for each text that cannot.
    """
    mistakes = [
        f"{where}: {mistake}"
        for where, key, text in _texts(config)
        if (mistake := _mistake(text, key))
    ]
    if mistakes:
        raise ConfigError(mistakes)


def check_claims(claims: Sequence[Mapping]) -> None:
    """Check that what claims quote and mean is text; YAML reads some as numbers or dates.

    Raises:
        ConfigError: a line for each that is none.
    """
    mistakes = [
        f"claims.yaml: {claim['id']}: {key}: {claim[key]!r} {NO_TEXT}"
        for claim in claims
        for key in ("quote", "means")
        if not isinstance(claim.get(key, ""), str)
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _texts(entry: Mapping, above: str = "") -> Iterator[tuple[str, str, object]]:
    """Key with all above it, key alone, and text; the titles of panels are keys themselves."""
    for key, value in entry.items():
        where = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from ((where, key, title) for title in value if key == "panels")
            yield from _texts(value, f"{where}.")
        elif key in LONGEST and value is not None:
            yield where, key, value


def _mistake(text, key: str) -> str | None:
    if not isinstance(text, str):
        return f"{text!r} {NO_TEXT}"
    if key != "caption" and text != " ".join(text.split()):
        return "write it in one line, with no blank at its ends and none after another"
    for character in text.replace("\n", " "):
        if not printable(character):
            return (
                f"{described(character)} cannot be printed: write it with Latin, Greek or Cyrillic "
                "letters, or other symbols"
            )
    if tag := TAG.search(text):
        return f"{tag[0]!r} begins a tag of HTML: put a blank after <"
    if len(text) > LONGEST[key]:
        return f"{len(text):,} characters; there is room for {LONGEST[key]:,}"
    return None
