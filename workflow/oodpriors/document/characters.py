"""Characters that every output can print: figures, tables, the PDF and the report."""

import re
import unicodedata

# Parts of DejaVu Sans, the font of the figures, without a gap: Latin, Greek and Cyrillic letters,
# signs, arrows, mathematics, symbols and faces. Marks that combine with other characters, and
# letters that are written from right to left, would not stand in their place.
PRINTABLE = re.compile(
    "[ -\u02e9\u0370-\u037e\u0384-\u0482\u048a-\u0525\u1e00-\u1efb\u1f00-\u20b5"
    "\u2100-\u2109\u210b-\u2149\u2150-\u2185\u2190-\u2311\u2460-\u2469\u2500-\u269c"
    "\u270c-\u2727\u2761-\u2794\u27f0-\u28ff\U0001f600-\U0001f623\U0001f62d-\U0001f640]"
)


def printable(character: str) -> bool:
    """Whether figures and the PDF have a letter or sign; no control character is one."""
    return bool(PRINTABLE.fullmatch(character)) and character.isprintable()


def described(character: str) -> str:
    """A character with its number and, if it has one, its name.

    >>> described("✓")
    "'✓' (U+2713, CHECK MARK)"
    """
    name = unicodedata.name(character, "")
    return f"{character!r} (U+{ord(character):04X}{', ' * bool(name)}{name})"


def paragraphs(text: str) -> list[str]:
    """Parts of a text between empty lines, each in one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
