"""Captions of the report show the text of the configuration and obey none of it."""

import pytest
from docutils.core import publish_doctree

from oodpriors.document.rst import description

CAPTIONS = [
    ".. include:: /etc/passwd",
    ".. raw:: html",
    "<script>alert(1)</script>",
    "* a",
    "1. x",
    "A. Einstein",
    ":field: x",
    ">>> x",
    "+---+",
    "a_ b__ *c* **d** `e` ``f`` |g| [1]_ :sub:`h` i::",
    "`a <javascript:b>`_ http://example.org a@example.org",
    r"\a \* \\",
    "Ελληνικά, 50 %",
]


@pytest.mark.parametrize("where", ["", "Figure *4*"])
@pytest.mark.parametrize("caption", CAPTIONS)
def test_markup_is_shown_as_it_is_written(caption, where):
    parts = publish_doctree(description({"where": where, "caption": caption})).children
    assert [part.tagname for part in parts] == ["paragraph"]
    assert parts[0].astext() == f"{where} {caption}".strip()
    inner = [part.tagname for part in parts[0].children]
    assert inner == (["strong", "#text"] if where else ["#text"])


def test_lines_that_would_be_a_heading_are_a_paragraph():
    parts = publish_doctree(description({"where": "", "caption": "=====\nTitle\n=====\n\nb"}))
    assert [part.astext() for part in parts.children] == ["===== Title =====", "b"]
