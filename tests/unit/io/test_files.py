"""Files are complete or absent, whatever happens while they are written."""

import errno
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading

import pytest

from oodpriors.io.files import (
    atomic,
    discard_unfinished,
    expanded,
    inside,
    load_json,
    load_yaml,
    locked,
    regular,
    save_json,
    save_yaml,
    sha256,
)

every_failure = pytest.mark.parametrize(
    "error", [ValueError("broken"), OSError("broken"), KeyboardInterrupt("broken")], ids=repr
)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write_and_fail(path, error):
    with atomic(path) as temporary:
        temporary.write_bytes(b"half of it")
        raise error


def test_a_finished_block_leaves_the_file_alone_in_its_folder(tmp_path):
    with atomic(tmp_path / "weights.pt") as temporary:
        temporary.write_bytes(b"all of it")
    assert contents(tmp_path) == {"weights.pt": b"all of it"}


def test_what_a_killed_process_left_unfinished_is_discarded_and_nothing_else(tmp_path):
    path = tmp_path / "weights.pt"
    kill = "import os; from oodpriors.io.files import atomic\n"
    kill += f"with atomic({str(path)!r}) as file: file.write_text('half'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", kill])
    (left,) = tmp_path.iterdir()
    for name in ("weights.pt", ".weights.txt", ".other.0123456789ab.pt", "weights.2.pt"):
        (tmp_path / name).touch()
    discard_unfinished(path)
    assert not left.exists()
    assert len(list(tmp_path.iterdir())) == 4


def test_missing_folders_are_made(tmp_path):
    with atomic(tmp_path / "models" / "vae" / "weights.pt") as temporary:
        temporary.write_bytes(b"all of it")
    assert contents(tmp_path / "models" / "vae") == {"weights.pt": b"all of it"}


def test_the_file_appears_only_when_the_block_ends(tmp_path):
    path = tmp_path / "weights.pt"
    with atomic(path) as temporary:
        temporary.write_bytes(b"all of it")
        assert not path.exists()
    assert path.exists()


def test_the_temporary_file_keeps_the_suffix_and_shares_the_folder(tmp_path):
    # writers choose the format by the suffix; a rename is atomic only within one folder
    with atomic(tmp_path / "figure.pdf") as temporary:
        temporary.write_bytes(b"")
        assert (temporary.suffix, temporary.parent) == (".pdf", tmp_path)


@every_failure
def test_a_failing_block_leaves_nothing_behind(tmp_path, error):
    with pytest.raises(type(error), match="broken"):
        write_and_fail(tmp_path / "weights.pt", error)
    assert contents(tmp_path) == {}


@every_failure
def test_a_failing_block_keeps_the_old_file(tmp_path, error):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"old")
    with pytest.raises(type(error), match="broken"):
        write_and_fail(path, error)
    assert contents(tmp_path) == {"weights.pt": b"old"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_the_way_out(tmp_path, number):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match=r"no space left to write .*weights\.pt: free") as caught:
        write_and_fail(path, OSError(number, "write failed"))
    assert caught.value.errno == number
    assert contents(tmp_path) == {"weights.pt": b"old"}


def test_writers_of_one_file_at_a_time_do_not_share_a_temporary_one(tmp_path):
    # two machines that share a folder may also share a process number
    path = tmp_path / "weights.pt"
    with atomic(path) as one, atomic(path) as other:
        one.write_bytes(b"one")
        other.write_bytes(b"other")
        assert one != other
    assert contents(tmp_path) == {"weights.pt": b"one"}


# locks


def process(code, *arguments):
    """Another Python process with pipes as standard input and output."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


HOLD = """
import sys
from oodpriors.io.files import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""

# reads a number and writes it plus one, slowly enough for another process to interfere
COUNT = """
import sys, time
from pathlib import Path
from oodpriors.io.files import locked
counter = Path(sys.argv[2])
for _ in range(25):
    with locked(sys.argv[1]):
        number = int(counter.read_text())
        time.sleep(0.001)
        counter.write_text(str(number + 1))
"""


def test_a_free_lock_is_taken_at_once_and_leaves_nothing(tmp_path):
    with locked(tmp_path / "lock") as waited:
        assert not waited
    assert contents(tmp_path) == {}


def test_a_lock_is_given_back_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="broken"), locked(tmp_path / "lock"):
        raise ValueError("broken")
    with locked(tmp_path / "lock") as waited:
        assert not waited


def wait_for_lock(path):
    """A thread that takes the lock, and whether it waited."""
    told = []

    def take():
        with locked(path) as waited:
            told.append(waited)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return thread, told


@pytest.mark.parametrize("end", ["it ends", "it is killed"])
def test_a_held_lock_is_waited_for_until_its_holder_is_gone(tmp_path, end):
    holder = process(HOLD, tmp_path / "lock")
    assert holder.stdout.readline() == "held\n"
    thread, told = wait_for_lock(tmp_path / "lock")
    thread.join(0.3)
    assert told == []
    if end == "it ends":
        holder.communicate("\n")
    else:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    thread.join(10)
    assert told == [True]
    assert contents(tmp_path) == {}


def test_processes_that_want_one_lock_come_one_after_the_other(tmp_path):
    (tmp_path / "counter").write_text("0")
    counters = [process(COUNT, tmp_path / "lock", tmp_path / "counter") for _ in range(4)]
    assert [each.communicate()[1] for each in counters if each.wait()] == []
    assert contents(tmp_path) == {"counter": b"100"}


def test_without_locks_on_the_file_system_work_goes_on_and_says_so(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "lock") as waited:
        assert not waited
    assert "this file system has no locks" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"abc", bytes(range(256)) * 10_000])
def test_sha256_is_that_of_the_bytes(tmp_path, content):
    path = tmp_path / "data"
    path.write_bytes(content)
    assert sha256(path) == hashlib.sha256(content).hexdigest()


FORMATS = {"json": (save_json, load_json), "yaml": (save_yaml, load_yaml)}
VALUES = {"seed": 3, "rate": 1e-3, "means": [[-75.0], [75.0]], "name": "no", "limit": None}


@pytest.mark.parametrize(("save", "load"), FORMATS.values(), ids=FORMATS)
def test_plain_values_come_back_as_they_were_and_in_their_order(save, load, tmp_path):
    save(tmp_path / "spec", VALUES)
    assert list(load(tmp_path / "spec").items()) == list(VALUES.items())
    assert list(contents(tmp_path)) == ["spec"]


def test_a_file_is_inside_a_folder_by_whatever_way_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results, own = tmp_path / "results", tmp_path / "own"
    (results / "data").mkdir(parents=True)
    own.mkdir()
    (own / "into").symlink_to(results)
    (results / "out").symlink_to(own)
    for path in (
        "results",
        "results/data/new.npz",
        "own/../results/x",
        str(results / "x"),
        "own/into/x",
        f"file://{results}/x",
    ):
        assert inside(path, "results"), path
    for path in ("own/x", "results2/x", "results/out/x", "https://results/x", str(tmp_path)):
        assert not inside(path, "results"), path


def test_a_folder_that_is_a_link_holds_what_its_target_holds(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    assert inside(tmp_path / "disk" / "x", tmp_path / "results")


def test_a_link_to_itself_or_a_long_name_is_inside_or_not_without_an_error(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert not inside(loop, tmp_path / "results")
    assert not inside(tmp_path, loop)
    assert not inside("n" * 300, tmp_path)
    assert inside(tmp_path / ("n" * 300), tmp_path)


def test_the_home_folder_is_put_in_where_there_is_one(monkeypatch):
    monkeypatch.setenv("HOME", "/home/mine")
    assert str(expanded("~/x")) == str(regular("file://~/x")) == "/home/mine/x"
    assert str(expanded("~nouser/x")) == str(regular("~nouser/x")) == "~nouser/x"
    assert not inside("~nouser/x", "/home/mine")
