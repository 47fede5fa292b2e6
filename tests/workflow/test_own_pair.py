"""A complete run of the user's data sets and prior, as docs/tutorial.md says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.workflow.conftest import ROOT, SMOKE, copy_project, snakemake

from oodpriors.io.files import load_yaml

PAGE = (ROOT / "docs/tutorial.md").read_text()
MODELS = ["vae/cells/unimodal", "vae/cells/wide"]
RESULTS = "results/smoke-embedded-mine"


def save(path: Path, brightness: int) -> None:
    """Write images of a data set into folders, then pack them all."""
    rng = np.random.default_rng(0)
    for split, label, number in np.ndindex(2, 2, 20):
        image = rng.integers(brightness, brightness + 20, (28, 28), dtype=np.uint8)
        file = path.with_suffix("") / ("train", "test")[split] / str(label) / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    subprocess.run([sys.executable, "pack.py"], cwd=path.parent, check=True)


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """A copy of the project after a run of the example."""
    folder = copy_project(tmp_path_factory.mktemp("own"))
    for name, text in re.findall(r"```\w+\n# (pack.py|mine.yaml|more.yaml)\n(.*?)```", PAGE, re.S):
        (folder / name).write_text(text)
    for name, brightness in (("cells", 60), ("debris", 200)):
        save(folder / f"{name}.npz", brightness)
    with np.load(folder / "cells.npz") as file:
        np.savez(folder / "other.npz", **{**file, "images": 255 - file["images"]})
    assert f"The results go into {RESULTS};" in run(folder)
    return folder


def run(folder: Path, *arguments: str, old: str = "", new: str = "", check: bool = True) -> str:
    """Output of Snakemake with the example, in which old is replaced."""
    text = (folder / "mine.yaml").read_text()
    assert old in text
    (folder / "now.yaml").write_text(text.replace(old, new))
    return snakemake(folder, *arguments, "--configfile", "now.yaml", *SMOKE, check=check).stdout


def test_the_tutorials_own_pair_needs_a_configuration_alone(own: Path):
    results = own / RESULTS
    assert (results / "figures/cells.png").stat().st_size > 0
    assert pd.read_csv(results / "tables/models.csv")["model"].tolist() == MODELS
    assert pd.read_csv(results / "tables/ranking.csv")["model"].tolist() == MODELS
    header = re.search(r"^ +model .*", PAGE, re.M)[0].split()
    assert header in [line.split() for line in (results / "verdicts.txt").read_text().splitlines()]
    spec = load_yaml(results / "models/vae/cells/wide/seed0/spec.yaml")
    np.testing.assert_allclose(np.linalg.norm(np.diff(spec["prior"]["means"], axis=0)), 150)
    scores = pd.read_parquet(results / "models/vae/cells/wide/seed0/scores.parquet")
    assert scores["set"].value_counts().to_dict() == {"test": 40, "ood": 40, "train": 20}


def test_the_same_bytes_at_another_time_and_place_make_nothing_again(own: Path):
    file, moved = own / "cells.npz", own / "moved.npz"
    file.rename(moved)
    os.utime(moved)
    try:
        output = run(own, "-n", old="cells.npz", new="moved.npz")
    finally:
        moved.rename(file)
    assert "Nothing to be done" in output
    assert "made with other values" not in output


def test_other_bytes_of_an_older_time_are_noticed(own: Path):
    kept = (own / "debris.npz").read_bytes()
    save(own / "debris.npz", 100)
    os.utime(own / "debris.npz", (0, 0))
    try:
        output = run(own, "-n")
    finally:
        (own / "debris.npz").write_bytes(kept)
    assert "rule download:" in output
    assert "rule score:" in output
    assert "rule train:" not in output  # on the other data set
    assert f"{RESULTS} was made with other values of datasets.debris.content: if" in output


def test_an_edit_goes_on_in_the_same_folder(own: Path):
    output = run(own, "-n", old="distance: 150", new="distance: 140")
    assert f"{RESULTS} was made with other values of priors.wide.means: if" in output
    assert "rule train:" in output


@pytest.mark.parametrize(
    ("old", "new", "other"),
    [
        ("cells.npz", "other.npz", "the data set cells, now another"),
        ("only: [mine]", "run: smoke-embedded-mine", "only ['mine'], now None"),
    ],
)
def test_another_run_does_not_go_into_the_same_folder(own: Path, old: str, new: str, other: str):
    output = run(own, "-n", old=old, new=new, check=False)
    (line,) = [line for line in output.splitlines() if line.startswith("config: ")]
    assert line.startswith(f"config: run: {RESULTS} holds a run with {other}: ")
    assert "Job stats" not in output


def test_a_dry_run_records_nothing(own: Path):
    record = own / RESULTS / "configuration.json"
    kept = record.read_text()
    record.unlink()
    try:
        run(own, "-n", old="distance: 150", new="distance: 140")
        assert not record.exists()
    finally:
        record.write_text(kept)


def test_a_damaged_record_is_told_in_one_line(own: Path):
    record = own / RESULTS / "configuration.json"
    kept = record.read_text()
    record.write_text(kept[:100])
    try:
        output = run(own, "-n", check=False)
    finally:
        record.write_text(kept)
    (line,) = [line for line in output.splitlines() if line.startswith(f"{RESULTS}/conf")]
    assert ": damaged (" in line
    assert line.endswith("; delete the file, then run again")


@pytest.mark.parametrize(
    ("file", "rules"),
    [
        ("models/vae/cells/wide/seed0/history.csv", {"train", "score"}),
        ("models/vae/cells/wide/seed0/decoded.csv", {"score"}),
        ("data/debris.npz", {"download", "prepare", "score"}),
        ("statistics/curves.csv", {"summarise"}),
        ("verdicts.txt", {"judge"}),
        ("figures/cells.png", {"plot"}),
        ("paper/data.tex", {"typeset"}),
        ("index.html", {"build_page"}),
    ],
)
def test_a_deleted_file_is_made_again(own: Path, file: str, rules: set[str]):
    path, kept = own / RESULTS / file, own / "kept"
    path.rename(kept)
    try:
        output = run(own, "-n")
    finally:
        kept.rename(path)
    assert rules <= set(re.findall(r"^rule (\w+):", output, re.M))


def test_every_file_that_is_not_said_to_be_left_out_would_be_made_again(own: Path):
    """What a run that has begun lacks is asked for: here everything, as the folder is empty."""
    (own / "results/empty").mkdir()
    output = run(own, "-n", old="only:", new="run: empty\nonly:")
    asked = re.search(r"^rule all:\n    input: (.*)$", output, re.M)[1].split(", ")
    files = {str(p.relative_to(own / RESULTS)) for p in (own / RESULTS).rglob("*") if p.is_file()}
    left_out = {name for name in files if name.endswith((".log", ".tsv", "configuration.json"))}
    assert {name.removeprefix("results/empty/") for name in asked} == files - left_out


# last, because its files are not those of the run above
def test_a_set_is_added_with_three_lines_and_nothing_is_trained_or_scored_again(own: Path):
    for number in range(12):
        file = own / "letters" / "AB"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image = np.random.default_rng(number).integers(0, 256, (40, 30, 3), dtype=np.uint8)
        Image.fromarray(image).save(file)
    shutil.copy(own / "cells/train/0/0.png", own / "letters/A/known.png")  # a training image
    assert len((own / "more.yaml").read_text().splitlines()) == 3
    output = snakemake(own, "--configfile", "mine.yaml", "more.yaml", *SMOKE).stdout
    jobs = re.findall(r"^(?:local)?rule (\w+):", output, re.M)
    assert {"download", "prepare", "score_further", "score_companions"} <= set(jobs)
    assert jobs.count("download") == jobs.count("prepare") == 1  # of the new set alone
    assert jobs.count("score_further") == len(MODELS)
    assert {"train", "score", "assign"}.isdisjoint(jobs)
    table = pd.read_csv(own / RESULTS / "statistics/companions.csv")
    assert set(table["set"]) == {"ood", "letters"}
    rows = table[table["set"] == "letters"]
    assert set(rows["model"]) == set(MODELS)
    assert set(rows["in_training"]) == {1}
    log_p = rows[rows["score"] == "log_prob"]
    assert log_p["n_ood"].tolist() == [13, 13]
    assert log_p["auroc"].gt(0.5).all()  # noise, but for one image
