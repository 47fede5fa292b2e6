"""A full disk or a read-only folder is reported and costs no finished work."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faults import small_disk as disks
from tests.faults.conftest import (
    MODELS,
    OPTIONS,
    Training,
    environment,
    running,
    wait_until,
)
from tests.faults.small_disk import small_disk
from tests.workflow.conftest import snakemake


@pytest.fixture(params=["small disk", "small files"])
def strict(request, monkeypatch):
    """Both methods: the strictest one, and the one that works everywhere."""
    if request.param == "small files":
        monkeypatch.setattr(disks, "mounting", lambda: None)


@pytest.mark.usefixtures("strict")
def test_a_disk_that_fills_up_in_training_keeps_the_checkpoint(
    tmp_path, uninterrupted: Training, capfd
):
    place = tmp_path / "disk"
    with small_disk(place) as disk:
        training = Training(disk.folder, seen=place)
        with running([*disk.before, *training.command], tmp_path / "output"):
            wait_until(lambda: training.step() > 20, "checkpoint")
        kept = training.step()
        disk.fill()
        assert training.finish(before=disk.before, check=False) == 1
        output = training.log.read_text() + capfd.readouterr().err  # the log is full too
        (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
        assert re.search("(no space left|No space left|too large).*: free some.* run again$", line)
        assert "Traceback" not in output
        assert training.step() == kept
        assert not any((training.outputs / name).exists() for name in training.names)
        assert not list(training.folder.rglob(".*")), "something half-written was left"
        disk.free()
        training.finish(before=disk.before)
        assert f"at step {kept}" in training.log.read_text()
        training.assert_like(uninterrupted)


# through the whole workflow


@pytest.mark.usefixtures("strict")
def test_a_full_disk_under_snakemake_ends_in_one_line_and_the_rest_is_kept(garments, tmp_path):
    """Snakemake has space; the folder of the models has none."""
    folder = shutil.copytree(garments, tmp_path / "project", symlinks=True)
    images = folder / "results/smoke-embedded/data/fashion_1_7/train.npz"
    before = images.stat().st_mtime_ns
    models = folder / MODELS
    target = f"{MODELS}/unimodal/seed0/weights.pt"
    with small_disk(models) as disk:
        command = [sys.executable, "-m", "snakemake", *OPTIONS, "--retries", "0", "--", target]

        def run() -> subprocess.CompletedProcess:
            return subprocess.run(
                [*disk.before, "env", "--chdir", folder, *command],
                cwd=folder,
                env=environment(),
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )

        disk.fill()
        failed = run()
        assert failed.returncode != 0
        assert "run again" in failed.stdout
        assert "Traceback" not in failed.stdout, failed.stdout
        weights = disk.folder / "unimodal/seed0/weights.pt"
        assert not weights.exists()
        disk.free()
        done = run()
        assert done.returncode == 0, done.stdout
        assert done.stdout.count("rule train:") == 1
        assert weights.stat().st_size > 0
    assert images.stat().st_mtime_ns == before


# read-only folders


def without_privilege(*command) -> list[str]:
    """The command as a user with limited permissions; also root, without its capabilities."""
    code = (
        "import ctypes, os, sys\n"
        "for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH\n"
        "    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    return [sys.executable, "-c", code, *map(str, command)]


def run_bound(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        without_privilege(sys.executable, "-m", "snakemake", *arguments),
        cwd=folder,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


IMAGES = ("--config", "scale=smoke", "data=embedded", "--", "results/smoke-embedded/data/mnist.npz")


@pytest.mark.parametrize("place", ["results", "results/smoke-embedded"])
def test_results_that_are_read_only_are_told_before_anything_runs(project: Path, place: str):
    locked = project / place
    locked.mkdir(parents=True)
    locked.chmod(0o555)
    failed = run_bound(project, *IMAGES)
    locked.chmod(0o755)
    assert failed.returncode != 0
    assert f"{place} cannot be written to: change its permissions" in failed.stdout
    assert "Traceback" not in failed.stdout
    assert not list(locked.iterdir())
    assert run_bound(project, *IMAGES).returncode == 0


def test_a_dry_run_writes_nothing_and_needs_no_permission(project: Path):
    (project / "results").mkdir(mode=0o555)
    assert run_bound(project, "-n", *IMAGES).returncode == 0


IN_THE_WAY = {
    "results is a file: the results go": lambda place: place.write_text("mine"),
    "results is a link to no folder": lambda place: place.symlink_to("nowhere"),
    "results/smoke-embedded is a link to no folder": lambda place: place.symlink_to(place.name),
    "results/smoke-embedded is a file": lambda place: place.write_text("mine"),
    "results/smoke-embedded/configuration.json is a folder": lambda place: place.mkdir(),
}


@pytest.mark.parametrize("told", IN_THE_WAY)
@pytest.mark.parametrize("options", [[], ["-n"]])
def test_what_stands_in_the_place_of_results_is_told_before_anything_runs(
    project: Path, told: str, options: list[str]
):
    place = project / told.split()[0]
    place.parent.mkdir(parents=True, exist_ok=True)
    IN_THE_WAY[told](place)
    before = place.lstat().st_mtime_ns
    failed = snakemake(project, *options, *IMAGES, check=False)
    assert failed.returncode != 0
    assert told in failed.stdout
    assert "Traceback" not in failed.stdout
    assert place.lstat().st_mtime_ns == before
