"""Reads stored tables; one that cannot be read is named, with what to do."""

from pathlib import Path

import pandas as pd

from oodpriors.io.files import undamaged

DAMAGES = (ValueError, OSError)  # pandas, pyarrow and UTF-8 raise kinds of these


def read_parquet(path: Path | str) -> pd.DataFrame:
    """A table in Parquet's form.

    Raises:
        UserError: the file is damaged.
    """
    with undamaged(path, *DAMAGES):
        return pd.read_parquet(path)


def read_csv(path: Path | str, **options) -> pd.DataFrame:
    """A table in the form of CSV; options are those of pandas.read_csv.

    Raises:
        UserError: the file is damaged.
    """
    with undamaged(path, *DAMAGES):
        return pd.read_csv(path, **options)
