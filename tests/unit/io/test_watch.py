"""What is said of a run while it goes on is what its files say."""

import os
from pathlib import Path

import pytest

from oodpriors.io.watch import status

SINCE = 1000.0
MODELS = [Path("vae/fashion/uni/seed0"), Path("vae/fashion/multi/seed0"), Path("glow/a/b/seed1")]


@pytest.fixture
def folders(tmp_path):
    folders = [tmp_path / "models" / model for model in MODELS]
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


def log(path, text, time=SINCE + 1):
    path.write_text(text)
    os.utime(path, (time, time))


def finish(folder, seconds, job="train", file="weights.pt"):
    (folder / file).write_text("")
    (folder / f"{job}.benchmark.tsv").write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")
    log(folder / f"{job}.log", "1/1 steps (100%), 0 s left\n")


def test_at_the_start_nothing_is_done_and_no_time_is_known(folders):
    assert status(folders, SINCE) == "0 of 3 models trained, 0 scored"


def test_a_model_that_is_trained_shows_the_last_that_it_said(folders):
    log(folders[0] / "train.log", "1/9 steps (11%), 8 s left\n3/9 steps (33%), 6 s left, loss 5\n")
    said = "train vae/fashion/uni/seed0 (3/9 steps (33%), 6 s left, loss 5)"
    assert status(folders, SINCE) == f"0 of 3 models trained, 0 scored; {said}"


@pytest.mark.parametrize("text", ["", "a warning\n"])
def test_a_model_that_has_said_nothing_yet_is_named(folders, text):
    log(folders[1] / "train.log", text)
    assert status(folders, SINCE).endswith("; train vae/fashion/multi/seed0")


def test_logs_of_an_earlier_run_are_no_running_jobs(folders):
    log(folders[0] / "train.log", "3/9 steps (33%), 6 s left\n", SINCE - 1)
    assert status(folders, SINCE) == "0 of 3 models trained, 0 scored"


def test_the_time_left_is_that_of_models_alike_over_the_jobs_at_once(folders):
    finish(folders[0], 600)
    assert "about 20 min left" in status(folders, SINCE)  # both others as long as the first
    finish(folders[2], 60)
    finish(folders[2], 120, "score", "scores.parquet")
    for name in ("vae/fashion/multi", "vae/fashion/uni"):
        folder = folders[0].parents[3] / name / "seed0"
        log(folder / ("score.log" if name.endswith("uni") else "train.log"), "")
    # a training of 600 s and two scorings of 120 s, two jobs at once
    assert "2 of 3 models trained, 1 scored" in status(folders, SINCE)
    assert "about 7 min left" in status(folders, SINCE)


def test_when_all_is_done_there_is_no_time_left(folders):
    for folder in folders:
        finish(folder, 60)
        finish(folder, 60, "score", "scores.parquet")
    assert status(folders, SINCE) == "3 of 3 models trained, 3 scored"
