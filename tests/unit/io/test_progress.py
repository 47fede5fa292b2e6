"""Progress is correct and on time; in a file the intervals grow."""

import io
from itertools import pairwise

import pytest

from oodpriors.io import progress
from oodpriors.io.progress import Progress


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def clock(monkeypatch):
    """A clock set by the test."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def stream(monkeypatch):
    def make(terminal=False):
        made = Stream(terminal)
        monkeypatch.setattr(progress.sys, "stderr", made)
        return made

    return make


def run(clock, told, seconds, **more):
    """One unit per second, each reported."""
    reported, start = Progress(seconds, "steps", **more), more.get("start", 0)
    for done in range(start + 1, seconds + 1):
        clock[0] += 1
        reported.update(done)
    return told.getvalue()


def test_what_ends_at_once_is_told_once(clock, stream):
    told = stream()
    Progress(10, "images").update(10)
    assert told.getvalue() == "10/10 images (100%), 0 s left\n"


def test_nothing_is_told_in_the_first_seconds(clock, stream):
    told = stream()
    reported = Progress(10, "images")
    for done in range(1, 5):
        clock[0] += 1
        reported.update(done)
    assert told.getvalue() == ""


@pytest.mark.parametrize(
    ("start", "done", "left"),
    [(0, 25, 30), (0, 50, 10), (50, 75, 10)],
)
def test_the_time_left_follows_what_was_done_since_the_start(clock, stream, start, done, left):
    told = stream()
    reported = Progress(100, "steps", start)
    clock[0] += 10
    reported.update(done)
    assert told.getvalue() == f"{done}/100 steps ({done}%), {left} s left\n"


def test_a_note_stands_at_the_end(clock, stream):
    told = stream()
    Progress(1, "files").update(1, "from a mirror")
    assert told.getvalue().endswith(", from a mirror\n")


def test_lines_in_a_file_become_ever_rarer(clock, stream):
    lines = run(clock, stream(), 1000).splitlines()
    told = [int(line.split("/")[0]) for line in lines]
    assert (told[0], told[-1]) == (5, 1000)
    pauses = [b - a for a, b in pairwise(told[:-1])]
    assert pauses == sorted(pauses)
    assert 10 <= pauses[0] < pauses[-1]
    assert len(lines) < 30


def test_a_terminal_has_one_changing_line(clock, stream):
    text = run(clock, stream(terminal=True), 60)
    assert text.count("\n") == 1
    assert text.endswith("60/60 steps (100%), 0 s left\n")
    assert text.count("\r") > 50
