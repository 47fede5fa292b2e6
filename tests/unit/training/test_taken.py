"""Trained models from elsewhere are those that would be trained, or are refused."""

import hashlib
import tarfile

import pytest

from oodpriors.io.errors import UserError
from oodpriors.io.files import load_json, load_yaml, save_json, save_yaml, sha256
from oodpriors.models.build import build_model, save_tensors
from oodpriors.training.taken import check, check_archive, take, unpack

PRIOR = {"kind": "gaussian", "means": [[0.0]], "scale": 1.0}
PLAN = {
    "architecture": "vae",
    "image_shape": [1, 28, 28],
    "prior": PRIOR,
    "network": {"latent_dim": 2, "decoder_width": 1},
    "training": {"epochs": 3},
    "seed": 0,
}
NOTED = {"steps": 9, "code": {"commit": "c"}, "software": {"torch": "2"}}
DATA = {"data_sha256": {"arrays": "aa", "components": "bb"}}


@pytest.fixture
def folder(tmp_path):
    """A trained model."""
    folder = tmp_path / "seed0"
    save_yaml(folder / "spec.yaml", PLAN | DATA)
    save_weights(folder, PLAN)
    (folder / "history.csv").write_text("epoch\n0\n")
    save_json(folder / "diagnostics.json", NOTED)
    return folder


def save_weights(folder, spec):
    parts = ("architecture", "image_shape", "prior", "network")
    save_tensors(build_model(*(spec[part] for part in parts)).state_dict(), folder / "weights.pt")


def test_the_planned_model_is_accepted_without_its_data_and_with_it(folder):
    check(folder, PLAN)
    check(folder, PLAN | DATA)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"training": {"epochs": 4}}, "training.epochs is 3 there, 4 here"),
        ({"training": {"epochs": 3, "shift": 0.1}}, "training.shift is None there, 0.1 here"),
        ({"prior": PRIOR | {"means": [[75.0]]}}, "prior.means is [[0.0]] there, [[75.0]] here"),
        ({"data_sha256": {"arrays": "aa", "components": "cc"}}, "data_sha256.components is bb"),
        ({"seed": 1, "architecture": "glow"}, "architecture is vae there, glow here; seed is 0"),
    ],
)
def test_another_model_is_refused_with_what_differs(folder, change, told):
    with pytest.raises(UserError) as error:
        check(folder, PLAN | DATA | change)
    assert str(error.value).startswith(f"{folder} holds another model: {told}")


@pytest.mark.parametrize("name", ["spec.yaml", "weights.pt", "history.csv", "diagnostics.json"])
def test_a_model_without_one_of_its_files_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"there is no {name}"):
        check(folder, PLAN)


@pytest.mark.parametrize("name", ["spec.yaml", "weights.pt", "diagnostics.json"])
@pytest.mark.parametrize("content", [b"", b"[1", b"\xff\x00", b"7"])
def test_a_damaged_file_is_refused(folder, tmp_path, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match="is damaged: take another copy"):
        take(folder, PLAN | DATA, "elsewhere", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"prior": PRIOR | {"means": [[75.0]]}}, "of a model with other prior means"),
        ({"network": {"latent_dim": 3, "decoder_width": 1}}, "size mismatch"),
    ],
)
def test_weights_of_another_model_are_refused(folder, tmp_path, other, told):
    save_weights(folder, PLAN | other)
    with pytest.raises(UserError, match=told) as error:
        take(folder, PLAN | DATA, "elsewhere", tmp_path / "new")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("name", "content"), [("history.csv", ""), ("diagnostics.json", "{}")])
def test_files_that_are_not_of_a_whole_training_are_refused(folder, tmp_path, name, content):
    (folder / name).write_text(content)
    with pytest.raises(UserError, match="is damaged: take another copy"):
        take(folder, PLAN | DATA, "elsewhere", tmp_path / "new")


def test_what_is_taken_is_a_copy_that_says_where_it_came_from(folder, tmp_path):
    take(folder, PLAN | DATA, "elsewhere", tmp_path / "new")
    assert load_yaml(tmp_path / "new/spec.yaml") == PLAN | DATA
    for name in ("weights.pt", "history.csv"):
        assert (tmp_path / "new" / name).read_bytes() == (folder / name).read_bytes()
    came = {"from": "elsewhere", "sha256": sha256(folder / "weights.pt")}
    assert load_json(tmp_path / "new/diagnostics.json") == NOTED | {"weights": came}


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_an_archive_is_checked_and_unpacked(folder, tmp_path, form):
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        tar.add(folder, "models/seed0")
    address = form.format(tmp_path / "a.tgz")
    check_archive(address)
    unpack(address, sha256(tmp_path / "a.tgz"), tmp_path / "weights/new")
    check(tmp_path / "weights/new/models/seed0", PLAN | DATA)
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["new"]


def test_another_archive_than_the_checksums_is_refused(tmp_path):
    (tmp_path / "a.tgz").write_bytes(b"something else")
    with pytest.raises(UserError, match="wrong checksum: sha256"):
        unpack(str(tmp_path / "a.tgz"), "0" * 64, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "a.tgz").write_bytes(b"no archive")
    checksum = hashlib.sha256(b"no archive").hexdigest()
    with pytest.raises(UserError, match="is no archive of make release"):
        unpack(str(tmp_path / "a.tgz"), checksum, tmp_path / "new")


def test_an_archive_that_is_not_there_is_refused_unless_it_is_elsewhere():
    check_archive("https://localhost/a.tgz")
    with pytest.raises(UserError, match="there is no file nowhere"):
        check_archive("nowhere/a.tgz")
    with pytest.raises(UserError, match="there is no file ~nouser"):
        check_archive("~nouser/a.tgz")
