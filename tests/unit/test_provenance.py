"""What is said of the data, the code and the software is what they are."""

import hashlib
import platform
import subprocess

import numpy as np
import pytest
import torch

from oodpriors import provenance
from oodpriors.provenance import (
    code_version,
    describe,
    processor,
    software_versions,
    subset_provenance,
    trained_on,
)

TITLES = {"mnist": "MNIST", "fashion_1": "Fashion-MNIST (1)"}


def part(subset="mnist", split="test", images=5, of_images=9, stand_in=False):
    return {
        "subset": subset,
        "split": split,
        "images": images,
        "of_images": of_images,
        "source": {"stand_in": stand_in},
    }


# in words


def test_whole_real_data_need_no_more_than_the_scale():
    assert describe([part(images=9), part("fashion_1", images=9)], "paper", TITLES) == "scale paper"


def test_without_data_there_is_the_scale():
    assert describe([], "quick", TITLES) == "scale quick"


def test_parts_of_the_data_are_counted():
    parts = [
        part(images=1000, of_images=10000),
        part("fashion_1", "train", 6000, 6000),
        part("fashion_1", "test", 20, 1000),
    ]
    assert describe(parts, "quick", TITLES) == (
        "scale quick; part of the data: 1,000 of 10,000 MNIST test images, "
        "20 of 1,000 Fashion-MNIST (1) test images"
    )


@pytest.mark.parametrize("parts", [[True], [True, True], [False, True]])
def test_a_single_stand_in_is_said_aloud(parts):
    said = describe([part(images=9, stand_in=s) for s in parts], "smoke", TITLES)
    assert said == "scale smoke; STAND-IN DATA, no number compares with the paper"


def test_stand_ins_and_parts_are_both_said():
    said = describe([part(stand_in=True)], "smoke", TITLES)
    assert said.index("STAND-IN DATA") < said.index("part of the data: 5 of 9 MNIST test images")


# of a subset


@pytest.mark.parametrize(
    ("labels", "split", "of_images"),
    [
        (None, "train", 60),
        (None, "test", 40),
        ([1], "train", 6),
        ([1, 7], "test", 8),
        ([3], "test", 4),
    ],
)
def test_eligible_images_are_counted_by_split_and_label(labels, split, of_images):
    data = {
        "labels": np.tile(np.arange(10), 10),
        "split": np.repeat(["train", "test"], [60, 40]),
    }
    chosen = {"images": np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)}
    selection = {"subset": "a", "split": split, "labels": labels, "limit": 3}
    source = {"kind": "mnist", "stand_in": False}
    assert subset_provenance(source, selection, data, chosen) == {
        **selection,
        "images": 3,
        "of_images": of_images,
        "content_sha256": hashlib.sha256(bytes(range(48))).hexdigest(),
        "source": source,
    }


def test_counting_changes_no_data():
    data = {"labels": np.arange(4), "split": np.array(["test"] * 4)}
    before = {name: array.copy() for name, array in data.items()}
    chosen = {"images": np.zeros((1, 2, 2), np.uint8)}
    subset_provenance({}, {"split": "test", "labels": [1]}, data, chosen)
    for name, array in before.items():
        np.testing.assert_array_equal(data[name], array)


# of the code


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder outside any repository that holds the module, for all that it knows."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.setattr(provenance, "__file__", str(folder / "provenance.py"))
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

    (elsewhere / "provenance.py").write_text("one = 1\n")
    git("init", "--quiet")
    git("add", "provenance.py")
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


def test_code_that_was_edited_since_is_changed(repository):
    folder, commit = repository
    (folder / "provenance.py").write_text("two = 2\n")
    assert code_version() == {"commit": commit, "changed": True}


def test_files_that_git_does_not_know_change_no_code(repository):
    folder, commit = repository
    (folder / "notes.txt").write_text("a note\n")
    assert code_version() == {"commit": commit, "changed": False}


# of the machine


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


def test_a_model_was_trained_on_its_gpu_or_else_on_the_processor():
    assert trained_on({"device": "cpu", "processor": "Z80"}) == "Z80"
    assert trained_on({"device": "Tesla", "processor": "Z80"}) == "Tesla"


# of the software


def test_versions_are_those_that_run():
    versions = software_versions()
    assert versions["python"] == platform.python_version()
    assert versions["numpy"] == np.__version__
    assert versions["torch"] == torch.__version__


def test_packages_that_are_not_there_are_left_out(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package-at-all"))
    assert software_versions().keys() == {"python", "numpy"}
