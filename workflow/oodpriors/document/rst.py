"""Text for the report's captions, which are reStructuredText."""

import re
from collections.abc import Mapping

from oodpriors.document.characters import paragraphs


def escape(text: str) -> str:
    r"""Text that reStructuredText prints as it is, in the same paragraphs.

    >>> escape("*2* of a_b")
    '\\*2\\* of a\\_b'
    """
    return "\n\n".join(re.sub(r"([^\w\s]|_)", r"\\\1", part) for part in paragraphs(text))


def description(entry: Mapping) -> str:
    """Place in the paper and caption of a figure or table of the configuration."""
    where = entry["where"] and f"**{escape(entry['where'])}** "
    return where + escape(entry["caption"])
