"""Tables of the configuration, made and shown as their kind says."""

from collections.abc import Mapping

import pandas as pd

from oodpriors.kinds.rows import load
from oodpriors.kinds.tables import TABLES
from oodpriors.tables.cells import Published


def make_table(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Content of a table of the configuration, from what was stored for its kind.

    Args:
        entry: of the configuration.
        source: the statistics of the kind.
        published: the paper's numbers.
    """
    make = TABLES[entry["kind"]].make
    return load(make)(entry, source, published) if make else source


def show_table(kind: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table of a kind as it is printed."""
    return load(TABLES[kind].show)(table)
