"""The code, the processor and the packages of a job."""

import platform
import subprocess

import numpy as np
import pytest
import torch

from oodpriors.io import machine
from oodpriors.io.machine import code_version, fast_bfloat16, processor, software_versions

# the code


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder outside any repository; the module seems to be in it."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.setattr(machine, "__file__", str(folder / "machine.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def repository(elsewhere):
    def git(*arguments):
        identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@localhost")
        command = ["git", "-C", str(elsewhere), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (elsewhere / "machine.py").write_text("one = 1\n")
    git("init", "--quiet")
    git("add", "machine.py")
    git("-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "one")
    return elsewhere, git("log", "-1", "--format=%H")


def test_outside_git_the_code_is_unknown(elsewhere):
    assert code_version() == {"commit": "unknown", "changed": False}


def test_without_git_the_code_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_version() == {"commit": "unknown", "changed": False}


def test_code_as_it_was_committed_is_its_commit(repository):
    _, commit = repository
    assert code_version() == {"commit": commit, "changed": False}


def test_code_of_another_user_is_its_commit(repository, monkeypatch):
    _, commit = repository
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # as if the folder were theirs
    assert code_version() == {"commit": commit, "changed": False}


def test_code_that_was_edited_since_is_changed(repository):
    folder, commit = repository
    (folder / "machine.py").write_text("two = 2\n")
    assert code_version() == {"commit": commit, "changed": True}


def test_files_that_git_does_not_know_change_no_code(repository):
    folder, commit = repository
    (folder / "notes.txt").write_text("a note\n")
    assert code_version() == {"commit": commit, "changed": False}


# the machine


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "cpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n",
            "AMD EPYC (cpu family 26, model 2)",
        ),
        ("model name : ARMv8\nFeatures : fp\n", "ARMv8"),
    ],
)
def test_a_processor_is_named_with_its_generation(text, name, tmp_path):
    (tmp_path / "cpuinfo").write_text(text)
    assert processor(tmp_path / "cpuinfo") == name


@pytest.mark.parametrize("text", [None, "BogoMIPS : 50\n"])
def test_a_processor_that_is_not_told_has_a_name_all_the_same(text, tmp_path):
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    assert processor(tmp_path / "cpuinfo") in (platform.processor(), platform.machine())


INTEL, AMD = "GenuineIntel", "AuthenticAMD"


@pytest.mark.parametrize(
    ("vendor", "flags", "fast"),
    [
        (INTEL, "avx2 avx512_bf16 amx_bf16 amx_tile", True),
        (INTEL, "avx2 avx512f avx512_bf16", False),
        (INTEL, "avx2", False),
        (AMD, "avx2 avx512f avx512_bf16", True),
        (AMD, "avx2 avx512f", False),
        (None, None, False),
    ],
)
def test_bfloat16_is_fast_with_matrix_units_or_on_amds(vendor, flags, fast, tmp_path):
    if vendor:
        text = f"processor : 0\nvendor_id : {vendor}\nflags : fpu {flags} sse\n"
        (tmp_path / "cpuinfo").write_text(text)
    assert fast_bfloat16(tmp_path / "cpuinfo") == fast


def test_versions_are_those_that_run():
    versions = software_versions()
    assert versions["python"] == platform.python_version()
    assert versions["numpy"] == np.__version__
    assert versions["torch"] == torch.__version__


def test_packages_that_are_not_there_are_left_out(monkeypatch):
    monkeypatch.setattr(machine, "PACKAGES", ("numpy", "no-such-package-at-all"))
    assert software_versions().keys() == {"python", "numpy"}
