"""A job's log has one line for a user's mistake and a traceback for a bug."""

import errno
import io
import re
import resource
import sys

import numpy as np
import pytest

from oodpriors.data.datasets import load_npz
from oodpriors.data.subsets import assign, select
from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic, load_json
from oodpriors.io.job import job
from oodpriors.statistics.estimates import ScoreTable, estimate


@pytest.fixture
def log(tmp_path):
    return tmp_path / "job.log"


def failed(log, work, *arguments):
    """The log of a job that fails in ``work``."""
    with pytest.raises(SystemExit, match=r"^1$") as caught, job(str(log)):
        work(*arguments)
    assert caught.value.code == 1
    return log.read_text()


def throw(error):
    raise error


def test_what_a_job_prints_is_in_its_log(log):
    with job(str(log)):
        print("to the one stream")
        print("to the other", file=sys.stderr)
    assert log.read_text() == "to the one stream\nto the other\n"


def test_what_a_job_does_first_is_a_part_of_it(log):
    def start():
        print("it starts")
        raise UserError("not like this")

    with pytest.raises(SystemExit), job(str(log), start):
        pytest.fail("the job went on")
    assert log.read_text() == "it starts\nerror: not like this\n"


def test_a_log_can_be_read_while_the_job_runs(log):
    with job(str(log)):
        print("half way")
        assert log.read_text() == "half way\n"


def test_a_log_begins_anew(log):
    log.write_text("of the last run\n")
    with job(str(log)):
        pass
    assert log.read_text() == ""


def test_the_streams_come_back(log):
    before = sys.stdout, sys.stderr
    with job(str(log)):
        assert sys.stdout is not before[0]
        assert sys.stderr is not before[1]
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), RuntimeError("x")], ids=repr)
def test_the_streams_come_back_after_an_error(log, error):
    before = sys.stdout, sys.stderr
    failed(log, throw, error)
    assert (sys.stdout, sys.stderr) == before


def test_the_streams_come_back_after_an_interruption(log):
    before = sys.stdout, sys.stderr
    failed(log, throw, KeyboardInterrupt())
    assert (sys.stdout, sys.stderr) == before


def broken_import():
    """Ctrl-C in an import, as NumPy and others report it."""
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        raise ImportError("cannot load a library") from error


@pytest.mark.parametrize("work", [lambda: throw(KeyboardInterrupt()), broken_import])
def test_an_interruption_is_one_line(log, work):
    assert failed(log, work) == "error: interrupted\n"


@pytest.mark.parametrize(
    ("work", "arguments", "line"),
    [
        (estimate, (ScoreTable([]), "mode"), "error: statistic 'mode' is unknown; there are mean"),
        (
            select,
            (np.zeros((2, 3, 3)), np.array([1, 7]), [5]),
            "error: labels [5] are missing; there are [1, 7]",
        ),
        (load_npz, ("nowhere.npz",), "error: nowhere.npz: not a usable npz data set: "),
    ],
    ids=["statistics", "subsets", "datasets"],
)
def test_an_error_of_the_library_is_one_line(log, work, arguments, line):
    text = failed(log, work, *arguments)
    assert text.startswith(line)
    assert len(text.splitlines()) == 1


def test_an_error_of_the_library_comes_after_what_was_printed(log):
    def work():
        print("half way")
        select(np.zeros((1, 3, 3)), np.array([1]), [5])

    first, second = failed(log, work).splitlines()
    assert first == "half way"
    assert second.startswith("error: labels")


def test_an_error_about_a_file_is_one_line(log, tmp_path):
    text = failed(log, open, tmp_path / "missing.csv")
    assert text == f"error: [Errno 2] No such file or directory: '{tmp_path / 'missing.csv'}'\n"


@pytest.mark.parametrize(
    "error",
    [ValueError("from elsewhere"), RuntimeError("from elsewhere"), KeyError("from elsewhere")],
    ids=repr,
)
def test_a_foreign_error_keeps_its_traceback(log, error):
    lines = failed(log, throw, error).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any("in throw" in line for line in lines)
    assert lines[-1].startswith(type(error).__name__)
    assert "from elsewhere" in lines[-1]


def test_an_error_of_another_library_keeps_its_traceback(log, tmp_path):
    (tmp_path / "half.json").write_text("{")
    text = failed(log, load_json, tmp_path / "half.json")
    assert text.startswith("Traceback (most recent call last):")
    assert "JSONDecodeError" in text


def test_a_full_disk_is_one_line_that_says_how_to_go_on(log):
    text = failed(log, throw, OSError(errno.ENOSPC, "No space left on device"))
    assert re.fullmatch(
        r"error: .*No space left on device: free some space, then run again\n", text
    )


def test_a_full_disk_while_a_file_is_written_names_the_file(log, tmp_path):
    def work():
        with atomic(tmp_path / "weights.pt"):
            raise OSError(errno.ENOSPC, "No space left on device")

    text = failed(log, work)
    assert text.startswith(f"error: no space left to write {tmp_path / 'weights.pt'}: ")
    assert len(text.splitlines()) == 1
    assert text.count("run again") == 1


def test_a_bug_inside_the_library_keeps_its_traceback(tmp_path):
    with pytest.raises(SystemExit, match="1"), job(str(tmp_path / "log")):
        assign("label", np.array([7]), np.array([0]), [1])
    assert "Traceback" in (tmp_path / "log").read_text()


def test_the_streams_of_before_come_back(tmp_path, monkeypatch):
    mine = io.StringIO()
    monkeypatch.setattr(sys, "stdout", mine)
    monkeypatch.setattr(sys, "stderr", mine)
    with job(str(tmp_path / "log")):
        print("to the log")
    assert sys.stdout is sys.stderr is mine
    assert (tmp_path / "log").read_text() == "to the log\n"


def faults_of_a_large_block():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**25)  # 256 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_a_job_uses_freed_memory_again(log):
    with job(str(log)):
        first, second = faults_of_a_large_block(), faults_of_a_large_block()
    assert second < first / 10
