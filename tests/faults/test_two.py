"""Two Snakemakes in one folder do not mix."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

from tests.faults.conftest import (
    MODELS,
    OPTIONS,
    assert_same_bits,
    environment,
    running,
    wait_until,
)
from tests.workflow.conftest import snakemake

SEED0 = f"{MODELS}/unimodal/seed0"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *arguments]


def test_the_second_of_two_is_refused_and_the_first_one_finishes(garments: Path, tmp_path: Path):
    alone = shutil.copytree(garments, tmp_path / "alone", symlinks=True)
    folder = shutil.copytree(garments, tmp_path / "project", symlinks=True)
    target = f"{SEED0}/weights.pt"
    snakemake(alone, *OPTIONS, "--", target)

    log = tmp_path / "output"
    slow = (*OPTIONS, "save_every=0.01")
    with running(command(*slow, "--", target), log, cwd=folder, env=environment()) as first:
        wait_until(lambda: "rule train:" in log.read_text(), "training")
        os.killpg(first.pid, signal.SIGSTOP)  # so that it does not end before the second one
        second = snakemake(folder, *OPTIONS, "--", target, check=False)
        os.killpg(first.pid, signal.SIGCONT)
        assert first.poll() is None, "the first one ended before the second one came"
        assert second.returncode != 0
        assert "no other Snakemake process is trying to create the same files" in second.stdout
        assert "Traceback" not in second.stdout
        assert first.wait(300) == 0, log.read_text()
    assert log.read_text().count("rule train:") == 1
    assert_same_bits(folder / SEED0, alone / SEED0)
    again = snakemake(folder, *OPTIONS, "--", target)
    assert "Nothing to be done" in again.stdout


def test_two_runs_of_different_names_go_on_side_by_side(garments: Path, tmp_path: Path):
    folder = shutil.copytree(garments, tmp_path / "project", symlinks=True)
    target = SEED0.removeprefix("results/smoke-embedded/")
    logs = [tmp_path / "first", tmp_path / "second"]
    runs = [
        command(*OPTIONS, f"run={log.name}", "--", f"results/{log.name}/{target}/weights.pt")
        for log in logs
    ]
    more = {"cwd": folder, "env": environment()}
    with running(runs[0], logs[0], **more) as first, running(runs[1], logs[1], **more) as second:
        assert [first.wait(300), second.wait(300)] == [0, 0], [log.read_text() for log in logs]
    assert_same_bits(*(folder / "results" / log.name / target for log in logs))


def test_after_ctrl_c_there_is_a_checkpoint_and_nothing_to_unlock(garments: Path, tmp_path: Path):
    folder = shutil.copytree(garments, tmp_path / "project", symlinks=True)
    target, log = f"{SEED0}/weights.pt", tmp_path / "output"
    saving = (*OPTIONS, "save_every=0.1")
    with running(command(*saving, "--", target), log, cwd=folder, env=environment()) as process:
        wait_until(lambda: list((folder / SEED0).glob("checkpoint.*.pt")), "checkpoint")
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)  # like a terminal
        process.wait(120)
    assert not (folder / SEED0 / "weights.pt").exists()
    snakemake(folder, *OPTIONS, "--", target)
    assert "resumed from" in (folder / SEED0 / "train.log").read_text()
