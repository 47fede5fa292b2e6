"""Reads stored tables; one that cannot be read is named, with what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from oodpriors.io.errors import UserError


def read_parquet(path: Path | str) -> pd.DataFrame:
    """A table in Parquet's form.

    Raises:
        UserError: the file is damaged.
    """
    with _named(path):
        return pd.read_parquet(path)


def read_csv(path: Path | str, **options) -> pd.DataFrame:
    """A table in the form of CSV; options are those of pandas.read_csv.

    Raises:
        UserError: the file is damaged.
    """
    with _named(path):
        return pd.read_csv(path, **options)


@contextmanager
def _named(path: Path | str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:  # pandas, pyarrow and UTF-8 raise kinds of these
        first = next(iter(str(error).splitlines()), "empty")
        raise UserError(f"{path}: damaged ({first}); delete the file, then run again") from error
