"""Killed trainings continue where they stopped and end with the same result."""

import os
import random
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from tests.faults.conftest import (
    MODELS,
    OPTIONS,
    Training,
    assert_same_bits,
    environment,
    running,
    wait_until,
)
from tests.workflow.conftest import snakemake

KILLS = 10
STEPS = Training.spec["training"]["epochs"] * Training.spec["images"] // 8
SAVING = (*OPTIONS, "save_every=0.1")
SEED = 20191115


def test_a_training_killed_ten_times_ends_with_the_same_bits(tmp_path, uninterrupted: Training):
    whole = max(uninterrupted.seconds(), 0.3)
    training = Training(tmp_path / "killed", save_every=whole / 60)
    draw = random.Random(SEED)
    steps, moments = [], []
    for _ in range(KILLS):
        before = training.step()
        if before > 0.6 * STEPS:  # this machine has become faster
            break
        with running(training.command, tmp_path / "output") as process:
            if draw.random() < 0.3:  # during its start: nothing may be lost
                moment = draw.uniform(0, 0.4)
            else:  # during training: after its first checkpoint
                wait_until(training.saved_after(training.saved()), "checkpoint")
                moment = draw.uniform(0, whole / 15)
            time.sleep(moment)
            assert process.poll() is None, "it ended before it was killed"
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        moments.append(round(moment, 3))
        assert not any((training.outputs / name).exists() for name in training.names)
        assert training.step() >= before
        steps.append(training.step())
    print(f"seed {SEED}: killed {moments} s after a checkpoint or the start, at steps {steps}")
    assert len(set(steps)) > 4, "it was never killed while it learnt"

    training.finish()
    assert f"resumed from {training.checkpoint} at step {steps[-1]}" in training.log.read_text()
    training.assert_like(uninterrupted)
    assert not list(training.outputs.glob(".*")), "something half-written was left"


def test_a_training_killed_as_it_writes_leaves_whole_files_or_none(
    tmp_path, uninterrupted: Training
):
    training = Training(tmp_path / "killed")
    for name in training.names:
        for output in training.names:  # like Snakemake
            (training.outputs / output).unlink(missing_ok=True)
        with running(training.command, tmp_path / "output") as process:
            wait_until((training.outputs / name).exists, name)
            process.kill()
            process.wait()
        left = {path.name for path in training.outputs.glob("[!.]*")}
        assert name in left
        if "weights.pt" in left:
            assert_same_bits(training.outputs, uninterrupted.outputs)
    training.finish()
    training.assert_like(uninterrupted)


def test_a_checkpoint_cut_in_half_is_told_and_costs_the_time_alone(
    tmp_path, uninterrupted: Training
):
    training = Training(tmp_path / "cut")
    with running(training.command, tmp_path / "output") as process:
        wait_until(lambda: training.step() > 20, "checkpoint")
        process.kill()
        process.wait()
    checkpoint = training.checkpoint
    os.truncate(checkpoint, checkpoint.stat().st_size // 2)
    training.finish()
    log = training.log.read_text()
    assert f"{checkpoint} is damaged (" in log
    assert "training starts again" in log
    assert "resumed" not in log
    training.assert_like(uninterrupted)


# through the whole workflow


@pytest.fixture
def folder(garments: Path, tmp_path: Path) -> Path:
    """A copy of the images, with Snakemake's records of them."""
    return shutil.copytree(garments, tmp_path / "project", symlinks=True)


def trainings(process: psutil.Process) -> list[psutil.Process]:
    """Processes below Snakemake that run the script of rule train."""
    found = []
    for child in process.children(recursive=True):
        try:
            command = child.cmdline()
        except psutil.NoSuchProcess:
            continue
        if any(part.endswith(".train.py") for part in command):
            found.append(child)
    return found


def unfinished(folder: Path) -> list[Path]:
    """Checkpoints of models without weights."""
    checkpoints = (folder / MODELS).glob("*/seed0/checkpoint.*.pt")
    return [path for path in checkpoints if not path.with_name("weights.pt").exists()]


def command(*targets: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *SAVING, "--retries", "1", "--", *targets]


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every finished file."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in (folder / "results").rglob("[!.]*")
        if path.is_file() and not path.name.startswith("checkpoint.")
    }


def assert_complete(folder: Path, whole: Path, *models: str) -> None:
    for model in models:
        place, other = (project / MODELS / model / "seed0" for project in (folder, whole))
        assert all((place / name).stat().st_size > 0 for name in Training.names)
        assert_same_bits(place, other)
        assert not [*place.glob("*.lock"), *place.glob(".*.pt")]


@pytest.fixture(scope="session")
def whole(garments: Path, tmp_path_factory) -> Path:
    """The same project without any killed process."""
    folder = tmp_path_factory.mktemp("whole") / "project"
    shutil.copytree(garments, folder, symlinks=True)
    snakemake(folder, *SAVING, "--", *targets("unimodal", "bimodal_50"))
    return folder


def targets(*models: str) -> list[str]:
    return [f"{MODELS}/{model}/seed0/weights.pt" for model in models]


def test_a_job_killed_under_snakemake_is_tried_again_by_itself(folder: Path, whole: Path):
    (target,) = targets("unimodal")
    log = folder / "output"
    with running(command(target), log, cwd=folder, env=environment()) as process:
        tree = psutil.Process(process.pid)
        wait_until(lambda: unfinished(folder), "checkpoint")
        (job,) = trainings(tree)
        job.kill()
        assert process.wait(300) == 0, log.read_text()
    assert "Trying to restart job" in log.read_text()
    assert "resumed from" in (folder / MODELS / "unimodal/seed0/train.log").read_text()
    assert_complete(folder, whole, "unimodal")


@pytest.mark.parametrize("alone", [True, False], ids=["its job lives on", "with its job"])
def test_snakemake_killed_needs_unlock_and_redoes_nothing(folder: Path, whole: Path, alone: bool):
    models = ("unimodal", "bimodal_50")
    log = folder / "output"
    with running(command(*targets(*models)), log, cwd=folder, env=environment()) as process:
        tree = psutil.Process(process.pid)
        wait_until(lambda: log.read_text().count("rule train:") == 2, "second training")
        wait_until(lambda: unfinished(folder), "checkpoint")
        jobs = tree.children(recursive=True)
        for job in jobs:
            with suppress(psutil.NoSuchProcess):
                job.suspend()  # so that it does not end meanwhile
        process.kill()
        process.wait()
    finished = [name for name in models if (folder / MODELS / name / "seed0/weights.pt").exists()]
    assert len(finished) == 1
    for job in jobs:
        with suppress(psutil.NoSuchProcess):
            (job.resume if alone else job.kill)()
    psutil.wait_procs(jobs, timeout=0 if alone else 10)
    before = stamps(folder)

    refused = snakemake(folder, *SAVING, "--", *targets(*models), check=False)
    assert refused.returncode != 0
    assert "It can be removed with the --unlock argument" in refused.stdout
    assert "Traceback" not in refused.stdout
    snakemake(folder, "--unlock")
    done = snakemake(folder, *SAVING, "--", *targets(*models))
    assert done.stdout.count("rule train:") == 1

    after = stamps(folder)
    for name, stamp in before.items():
        if f"/{finished[0]}/" in name or "/data/" in name:
            assert after[name] == stamp, f"{name} was made again"
    assert_complete(folder, whole, *models)
    for job in jobs:
        if job.is_running():
            job.wait(60)
