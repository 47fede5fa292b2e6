"""The folder of another run is checked before any work starts."""

from pathlib import Path

import pytest

from oodpriors.config.other_run import FILES, check_other_run, other_files
from oodpriors.config.schema import ConfigError


@pytest.fixture
def other(tmp_path: Path) -> Path:
    folder = tmp_path / "results/other"
    (folder / "tables").mkdir(parents=True)
    for name, columns in FILES.items():
        (folder / name).write_text(",".join([*columns, "more"]) + "\n")
    return folder


def test_a_finished_run_is_taken(other: Path, tmp_path: Path):
    check_other_run(str(other), str(tmp_path / "results/own"))
    assert all(Path(path).is_file() for path in other_files(str(other)))


def test_a_file_that_is_missing_is_named(other: Path):
    (other / "tables/models.csv").unlink()
    with pytest.raises(ConfigError, match=r"^config: compare_with: .* has no tables/models.csv"):
        check_other_run(str(other), "results/own")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"compare_with: .*/none is no folder here$"):
        check_other_run(f"{tmp_path}/none", "results/own")


def test_the_run_itself_is_refused_however_it_is_written(other: Path):
    with pytest.raises(ConfigError, match="is the folder of this run"):
        check_other_run(f"{other}/../other/", str(other))


def test_claims_of_an_older_version_are_refused(other: Path):
    (other / "claims.csv").write_text("id,verdict,comparison,difference\n")
    with pytest.raises(
        ConfigError, match=r"claims.csv has no column estimator; make that run again"
    ):
        check_other_run(str(other), "results/own")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"model\n", b"\xff\xfe\n"])
def test_a_file_without_its_columns_is_refused(other: Path, name: str, content: bytes):
    (other / name).write_bytes(content)
    with pytest.raises(ConfigError, match=f"{name} (has no column|is damaged)"):
        check_other_run(str(other), "results/own")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ('"open', "is damaged (unexpected end of data)"),
        ("one", "is damaged (a line has not as many values as the first)"),
        ("\xff", "is damaged ('utf-8' codec can't decode"),
        ("{many}", "is damaged ('many' is no number)"),
    ],
)
def test_damage_below_the_columns_is_told(other: Path, name: str, rows: str, told: str):
    row = ",".join(["many"] * (len(FILES[name]) + 1))
    with open(other / name, "a", encoding="latin-1") as file:
        file.write(rows.format(many=row))
    with pytest.raises(ConfigError) as caught:
        check_other_run(str(other), "results/own")
    (line,) = str(caught.value).splitlines()
    assert f" holds a file that cannot be read: {name} {told}" in line


def test_a_model_that_is_there_twice_is_told(other: Path):
    with open(other / "tables/models.csv", "a") as file:
        file.write("vae/a/b,1,1,,,,\n" * 2)
    with pytest.raises(ConfigError, match=r"models\.csv has two rows of a model"):
        check_other_run(str(other), "results/own")


def test_numbers_of_every_form_and_empty_lines_are_taken(other: Path):
    with open(other / "tables/models.csv", "a") as file:
        file.write("vae/a/b,1e3,-inf,,0.5,1,\n\n")
    check_other_run(str(other), "results/own")


def test_a_name_that_no_file_system_takes_is_told():
    with pytest.raises(ConfigError, match=r"/x+ is no folder here$"):
        check_other_run("results/" + 300 * "x", "results/own")
