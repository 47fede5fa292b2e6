"""Takes trained models from elsewhere instead of training them."""

import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from oodpriors.data.fetching import RemoteFile, fetch
from oodpriors.io.errors import UserError
from oodpriors.io.files import atomic, expanded, load_json, load_yaml, save_json, sha256

FILES = ("spec.yaml", "weights.pt", "history.csv", "diagnostics.json")
NEEDED = {"code", "software"}  # of the diagnostics: the record of a run names them


def check(folder: Path, spec: Mapping) -> None:
    """Check that a folder holds the trained model of a specification.

    Args:
        folder: like ``models/<architecture>/<subset>/<prior>/seed<k>`` of a results folder.
        spec: see :func:`oodpriors.training.fit.fit`; with ``data_sha256``, checksums of the data
            are compared as well.

    Raises:
        UserError: a file is missing or damaged, or the model is another; the message says in what.
    """
    for name in FILES:
        if not Path(folder, name).is_file():
            raise UserError(f"{folder} holds no trained model: there is no {name}")
    try:
        found = dict(load_yaml(folder / "spec.yaml"))
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError):
        raise UserError(f"{folder}/spec.yaml is damaged: take another copy") from None
    if "data_sha256" not in spec:
        found.pop("data_sha256", None)
    if differences := list(_differences(found, spec)):
        raise UserError(f"{folder} holds another model: {'; '.join(differences)}")


def _differences(there, here, key: str = "") -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in dict.fromkeys([*there, *here]):
            place = f"{key}.{name}" if key else name
            yield from _differences(there.get(name), here.get(name), place)
    elif there != here:
        yield f"{key} is {there} there, {here} here"


def take(folder: Path, spec: Mapping, source: str, target: Path) -> None:
    """Copy a trained model, and add to its diagnostics where its weights came from.

    Args:
        folder: see :func:`check`.
        spec: with ``data_sha256``.
        source: where the user has the folder from.
        target: the new folder.

    Raises:
        UserError: see :func:`check`; or a file is damaged, or the weights are of another model.
    """
    from oodpriors.models.build import load_model  # needs PyTorch, which the plan has not

    check(folder, spec)
    weights, history = folder / "weights.pt", folder / "history.csv"
    try:
        load_model(dict(spec), weights)
        diagnostics = load_json(folder / "diagnostics.json")
        if NEEDED - diagnostics.keys() or not history.stat().st_size:
            raise ValueError("diagnostics.json or history.csv is not of a whole training")
    except (UserError, ValueError, AttributeError) as error:
        why = " ".join(str(error.__cause__ or error).split())
        raise UserError(f"{folder} is damaged: take another copy ({why})") from None
    for name in FILES[:-1]:
        with atomic(target / name) as path:
            shutil.copyfile(folder / name, path)
    taken = {"from": source, "sha256": sha256(weights)}
    save_json(target / "diagnostics.json", diagnostics | {"weights": taken})


def check_archive(address: str) -> None:
    """Check that an archive is there, if it is a file and not on another machine.

    Raises:
        UserError: there is no such file.
    """
    path = expanded(address)
    if not address.startswith(("http://", "https://")) and not path.is_file():
        raise UserError(f"there is no file {address}, and it is no http:// or https:// address")


def unpack(address: str, checksum: str, folder: Path) -> None:
    """Fetch an archive of trained models and unpack it into a folder.

    Args:
        address: path, file://, http:// or https:// address of a tar file.
        checksum: its SHA-256.
        folder: a new folder; the download is next to it, until it is unpacked.

    Raises:
        UserError: it cannot be fetched, has another checksum, or is no tar file.
    """
    file = RemoteFile(f"{folder.name}.tar.gz", (address,), checksum)
    archive, _ = fetch(file, [], folder.parent)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise UserError(f"{address} is no archive of make release ({error})") from None
    for path in folder.parent.glob(f"{file.name}*"):
        path.unlink()
