"""Files from other sources execute nothing and write only where they may: tested by attacks."""

import gzip
import hashlib
import io
import json
import pickle
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tests.faults.conftest import CONFIG, Training, running, wait_until
from tests.workflow.conftest import ROOT

RUNNER = Path(__file__).with_name("run_script.py")


class Attack:
    """Unpickling this object creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that a successful attack creates; the test checks that attacks can succeed."""
    mark = tmp_path / "attacked"
    pickle.loads(pickle.dumps(Attack(mark)))
    assert mark.exists()
    mark.unlink()
    return mark


def run_script(name: str, told: dict, folder: Path, library: Path = ROOT) -> tuple[int, str]:
    """Exit status and log of a script of the workflow."""
    told = {"log": str(folder / "log"), "config": CONFIG} | told
    (folder / "told.json").write_text(json.dumps(told))
    script = library / "workflow/scripts" / name
    done = subprocess.run([sys.executable, RUNNER, script, folder / "told.json"])
    return done.returncode, (folder / "log").read_text()


# CIFAR-10's archive of pickles

ARCHIVE = "cifar-10-python.tar.gz"
BATCHES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"]


def archive(members: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A tar of files, by their paths, and of symbolic links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def batches(**replaced: bytes) -> dict[str, bytes]:
    """Valid members of the archive, except the replaced ones."""
    sound = {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]}
    members = dict.fromkeys(BATCHES, pickle.dumps(sound))
    members["batches.meta"] = pickle.dumps({"label_names": list("abcdefghij")})
    return {f"cifar-10-batches-py/{name}": data for name, data in (members | replaced).items()}


def load_cifar10(project: Path, content: bytes, trusted: bool) -> tuple[int, str]:
    """Run the script of rule download on an archive; if trusted, with the known checksum.

    Each member has the checksum that torchvision knows; only the archive is tested.
    """
    mirror = project / "mirror"
    mirror.mkdir()
    (mirror / ARCHIVE).write_bytes(content)
    members = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        for entry in filter(tarfile.TarInfo.isfile, tar.getmembers()):
            members[Path(entry.name).name] = hashlib.md5(tar.extractfile(entry).read()).hexdigest()
    known = {name: members.get(name, "0" * 32) for name in BATCHES}
    lines = [
        "source = datasets.CIFAR10",
        "source.url = 'http://127.0.0.1:9/'",
        f"source.train_list = {[[name, known[name]] for name in BATCHES[:5]]}",
        f"source.test_list = {[['test_batch', known['test_batch']]]}",
        f"source.meta = source.meta | {{'md5': {known['batches.meta']!r}}}",
        *([f"source.tgz_md5 = {hashlib.md5(content).hexdigest()!r}"] if trusted else []),
    ]
    with open(project / "workflow/oodpriors/data/_torchvision.py", "a") as file:
        file.write("\n" + "\n".join(lines) + "\n")
    told = {
        "input": {},
        "output": {
            "arrays": str(project / "cifar10.npz"),
            "provenance": str(project / "cifar10.provenance.json"),
        },
        "params": {
            "source": {"kind": "cifar10", "stands_for": None},
            "required": True,
            "cache": str(project / "resources/cifar10"),
        },
        "wildcards": {"dataset": "cifar10"},
        "config": {
            "mirror": str(mirror),
            "datasets": {"cifar10": {"path": None, "shape": None, "system_folder": None}},
        },
    }
    return run_script("download.py", told, project, project)


def test_a_sound_archive_with_the_known_checksum_is_read(project: Path):
    """The reference for the attacks below."""
    status, log = load_cifar10(project, archive(batches()), trusted=True)
    assert status == 0, log
    with np.load(project / "cifar10.npz") as arrays:
        assert arrays["images"].shape == (12, 32, 32, 3)


@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "batches.meta"])
def test_no_pickle_of_cifar10_is_opened_before_the_checksum_matched(
    project: Path, mark: Path, name: str
):
    attack = archive(batches(**{name: pickle.dumps(Attack(mark))}))
    status, log = load_cifar10(project, attack, trusted=False)
    assert status == 1
    assert f"error: could not get {ARCHIVE}" in log
    assert "wrong checksum" in log
    assert not mark.exists()
    assert not (project / "cifar10.npz").exists()
    assert not list((project / "resources").rglob("*.gz"))


OUTSIDE = {
    "upwards": lambda place: archive({f"{'../' * 20}{str(place)[1:]}": b"attack"} | batches()),
    "an absolute path": lambda place: archive({str(place): b"attack"} | batches()),
    "a link upwards": lambda place: archive(
        {f"cifar-10-batches-py/door/{place.name}": b"attack"} | batches(),
        {"cifar-10-batches-py/door": str(place.parent)},
    ),
}


@pytest.mark.parametrize("attack", OUTSIDE.values(), ids=OUTSIDE)
def test_an_archive_writes_nothing_outside_its_folder(project: Path, tmp_path_factory, attack):
    """Not even one with the known checksum."""
    place = tmp_path_factory.mktemp("outside") / "attacked"
    content = attack(place)
    load_cifar10(project, content, trusted=True)
    assert not place.exists()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(tmp_path_factory.mktemp("inside"), filter="fully_trusted")
    assert place.exists(), "the attack would have done nothing anyway"


# a mirror


def test_a_mirror_cannot_change_a_byte_unnoticed(tmp_path: Path):
    """Not even if only the content is known and the file was compressed again."""
    from oodpriors.data.fetching import DownloadError, RemoteFile, fetch

    content = bytes(range(256)) * 4
    packed = gzip.compress(content, mtime=0)
    known = RemoteFile(
        "images.gz", (), hashlib.md5(packed).hexdigest(), hashlib.sha256(content).hexdigest()
    )
    changed = bytearray(content)
    changed[500] ^= 1
    cut, longer = content[:-1], content + b"\0"
    for attack in (bytes(changed), cut, longer):
        for level in (1, 9):
            (tmp_path / "images.gz").write_bytes(gzip.compress(attack, level, mtime=0))
            with pytest.raises(DownloadError, match="wrong checksum"):
                fetch(known, [str(tmp_path)], tmp_path / "cache")
            assert not (tmp_path / "cache/images.gz").exists()
    (tmp_path / "images.gz").write_bytes(gzip.compress(content, 1, mtime=0))
    fetch(known, [str(tmp_path)], tmp_path / "cache")


def test_bytes_that_are_changed_after_their_download_are_noticed(tmp_path: Path):
    from oodpriors.data.fetching import RemoteFile, fetch

    known = RemoteFile("images.bin", (), hashlib.md5(b"images").hexdigest())
    (tmp_path / "images.bin").write_bytes(b"images")
    kept, _ = fetch(known, [str(tmp_path)], tmp_path / "cache")
    kept.write_bytes(b"imagez")
    again, _ = fetch(known, [str(tmp_path)], tmp_path / "cache")
    assert again.read_bytes() == b"images"


# weights, checkpoints and arrays


def test_a_checkpoint_executes_nothing(tmp_path: Path, mark: Path, uninterrupted: Training):
    training = Training(tmp_path / "training")
    with running(training.command, tmp_path / "output"):
        wait_until(lambda: training.step() > 20, "checkpoint")
    state = torch.load(training.checkpoint, weights_only=True)
    torch.save(state | {"step": Attack(mark)}, training.checkpoint)
    training.finish()
    assert "is damaged (" in training.log.read_text()
    assert not mark.exists()
    training.assert_like(uninterrupted)
    torch.save({"step": Attack(mark)}, tmp_path / "let in")
    torch.load(tmp_path / "let in", weights_only=False)
    assert mark.exists()


def test_weights_execute_nothing(tmp_path: Path, mark: Path, uninterrupted: Training):
    weights = tmp_path / "weights.pt"
    state = torch.load(uninterrupted.outputs / "weights.pt", weights_only=True)
    torch.save(state | {"attack": Attack(mark)}, weights)
    told = {
        "input": {"spec": str(uninterrupted.outputs / "spec.yaml"), "weights": str(weights)},
        "output": {"scores": str(tmp_path / "scores.parquet")},
        "params": {"n_decoded": 1},
        "wildcards": {"architecture": "glow"},
    }
    status, log = run_script("score.py", told, tmp_path)
    assert status == 1
    assert f"error: {weights}: cannot load these weights (" in log
    assert not mark.exists()


@pytest.mark.parametrize("name", ["images", "labels", "split"])
def test_an_npz_of_ones_own_executes_nothing(tmp_path: Path, mark: Path, name: str):
    arrays = {
        "images": np.zeros((2, 28, 28), np.uint8),
        "labels": np.arange(2),
        "split": np.array(["train", "test"]),
    }
    path = tmp_path / "own.npz"
    np.savez(path, **arrays | {name: np.array([Attack(mark)], object)})
    told = {
        "input": {},
        "output": {
            "arrays": str(tmp_path / "arrays.npz"),
            "provenance": str(tmp_path / "provenance.json"),
        },
        "params": {
            "source": {"kind": "npz", "stands_for": None, "content": None},
            "required": True,
            "cache": str(tmp_path),
        },
        "wildcards": {"dataset": "own"},
        "config": {
            "mirror": None,
            "datasets": {"own": {"path": str(path), "shape": None, "system_folder": None}},
        },
    }
    status, log = run_script("download.py", told, tmp_path)
    assert status == 1
    assert log.startswith(f"error: {path}: ")
    assert not mark.exists()
    assert not (tmp_path / "arrays.npz").exists()
    with np.load(path, allow_pickle=True) as file:
        file[name].tolist()
    assert mark.exists(), "the attack would have done nothing anyway"


def test_arrays_of_the_pipeline_execute_nothing(tmp_path: Path, mark: Path):
    training = Training(tmp_path / "training")
    arrays = training.folder / "train.npz"
    np.savez(arrays, images=np.array([Attack(mark)], object))
    assert training.finish(check=False) == 1
    assert f"error: {arrays}: damaged (Object arrays cannot be loaded" in training.log.read_text()
    assert not mark.exists()


def test_yaml_files_construct_nothing(tmp_path: Path, mark: Path):
    from oodpriors.io.files import YAML_LOADER, load_yaml

    (tmp_path / "spec.yaml").write_text(f"!!python/object/apply:os.mknod ['{mark}']")
    with pytest.raises(Exception, match="could not determine a constructor"):
        load_yaml(tmp_path / "spec.yaml")
    assert issubclass(YAML_LOADER, yaml.constructor.SafeConstructor)
    assert not mark.exists()


def test_no_module_unpickles_or_loads_more_than_weights():
    """Every call that could execute content of a file has the option that forbids it."""
    for module in (ROOT / "workflow").rglob("*.py"):
        text = module.read_text()
        assert "pickle.load" not in text, module
        assert "allow_pickle=True" not in text, module
        loads = re.findall(r"yaml\.load\(.*", text)
        assert all(call.endswith(", YAML_LOADER)") for call in loads), module
        assert text.count("torch.load(") == text.count("weights_only=True"), module
        assert text.count("extractall(") == text.count('filter="data"'), module
