"""What is said of a run while it goes on is what its files say."""

import os
from pathlib import Path

import pytest

from oodpriors.io.watch import Job, changes, status

MODELS = ("vae/fashion/uni/seed0", "vae/fashion/multi/seed0", "glow/a/b/seed1")
TIMES = iter(range(2_000_000_000, 2_100_000_000))


@pytest.fixture
def jobs(tmp_path):
    folders = [tmp_path / "models" / model for model in MODELS]
    for folder in folders:
        folder.mkdir(parents=True)
    return [Job(kind, folder) for kind in ("train", "score") for folder in folders]


def write(path: Path, text=""):
    """A file that is newer than all before."""
    path.write_text(text)
    time = next(TIMES)
    os.utime(path, (time, time))


def finish(job, seconds):
    write(job.output)
    write(job.log, "1/1 steps (100%), 0 s left\n")
    write(job.folder / f"{job.kind}.benchmark.tsv", f"s\th:m:s\n{seconds}\t0:00:01\n")


def test_at_the_start_nothing_is_done_and_no_time_is_known(jobs):
    assert status(jobs, changes(jobs)) == "0 of 3 models trained, 0 of 3 models scored"


def test_what_is_not_planned_is_not_counted(jobs):
    assert status(jobs[:2], changes(jobs)) == "0 of 2 models trained"


def test_a_model_that_is_trained_shows_the_last_that_it_said(jobs):
    before = changes(jobs)
    write(jobs[0].log, "1/9 steps (11%), 8 s left\n3/9 steps (33%), 6 s left, loss 5\n")
    assert status(jobs, before).endswith(
        "; train vae/fashion/uni/seed0 (3/9 steps (33%), 6 s left, loss 5)"
    )


@pytest.mark.parametrize("text", ["", "a warning\n"])
def test_a_model_that_has_said_nothing_yet_is_named(jobs, text):
    before = changes(jobs)
    write(jobs[1].log, text)
    assert status(jobs, before).endswith("; train vae/fashion/multi/seed0")


@pytest.mark.parametrize("text", ["error: no\n", "Traceback (most recent call last):\n  File\nE\n"])
def test_a_job_that_failed_does_not_run(jobs, text):
    before = changes(jobs)
    write(jobs[0].log, text)
    assert status(jobs, before) == "0 of 3 models trained, 0 of 3 models scored"


def test_files_of_an_earlier_run_are_neither_done_nor_running(jobs):
    finish(jobs[0], 60)
    write(jobs[1].log, "3/9 steps (33%), 6 s left\n")
    before = changes(jobs)
    assert status(jobs, before) == "0 of 3 models trained, 0 of 3 models scored"
    finish(jobs[0], 60)  # again, after an edit
    assert status(jobs, before).startswith("1 of 3 models trained")


def test_of_many_running_jobs_some_are_named(jobs):
    before = changes(jobs)
    for job in jobs[:5]:
        write(job.log)
    assert status(jobs, before).endswith("; train glow/a/b/seed1; 2 more")


def test_the_time_left_is_that_of_models_alike_over_the_jobs_at_once(jobs):
    before = changes(jobs)
    finish(jobs[0], 600)
    assert "about 20 min left" in status(jobs, before)  # both others as long as the first
    finish(jobs[2], 60)
    finish(jobs[5], 120)
    write(jobs[1].log)
    write(jobs[3].log)
    # a training of 600 s and two scorings of 120 s, two jobs at once
    assert status(jobs, before).startswith("2 of 3 models trained, 1 of 3 models scored; ")
    assert "about 7 min left" in status(jobs, before)


def test_when_all_is_done_there_is_no_time_left(jobs):
    before = changes(jobs)
    for job in jobs:
        finish(job, 60)
    assert status(jobs, before) == "3 of 3 models trained, 3 of 3 models scored"
