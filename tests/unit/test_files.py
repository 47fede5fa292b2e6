"""Files are whole or absent, whatever happens while they are written."""

import errno
import hashlib

import pytest

from oodpriors.files import atomic, load_json, load_yaml, save_json, save_yaml, sha256

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
    # writers choose the format by the suffix, and a rename is atomic within one folder only
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
