"""A stored table that cannot be read is named, with what to do."""

import pandas as pd
import pytest

from oodpriors.io.errors import UserError
from oodpriors.io.tables import read_csv, read_parquet

TABLE = pd.DataFrame({"name": ["a", "b"], "value": [1.5, 2.5]})


def test_tables_are_read(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    TABLE.to_parquet(tmp_path / "t.parquet", index=False)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "t.csv"), TABLE)
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "t.parquet"), TABLE)


@pytest.mark.parametrize("read", [read_csv, read_parquet])
@pytest.mark.parametrize("content", [b"", b'"a\n1,2', b"\xff\xfe,\x00\n1"])
def test_a_damaged_table_is_named_in_one_line(tmp_path, read, content):
    path = tmp_path / "t"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: damaged (")
    assert str(error.value).endswith("; delete the file, then run again")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("cut", [10, 300, -9])
def test_a_parquet_file_that_was_cut_is_named(tmp_path, cut):
    path = tmp_path / "t.parquet"
    TABLE.to_parquet(path, index=False)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match="damaged"):
        read_parquet(path)


def test_a_table_that_is_not_there_is_missing_and_not_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "t.csv")
