"""The user's own images: folders of image files, and what is wrong with an npz file."""

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from oodpriors.data.datasets import DAMAGES, Dataset, inspect_npz, npy_header
from oodpriors.io.errors import UserError
from oodpriors.io.files import expanded, regular, sha256

MODES = (
    "1",
    "L",
    "LA",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
)  # of Pillow, with 8 bits or fewer
LONGEST = 18  # digits of a label
GREY = ("1", "L", "LA")
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    *(".pbm", ".pgm", ".ppm"),
)
# Files that may lie beside images: their suffixes, and names without one.
BESIDE = (
    *(".txt", ".csv", ".tsv", ".md", ".rst", ".json", ".xml", ".yaml", ".yml", ".html", ".pdf"),
    *(".db", ".ini", "readme", "license"),
)


def inspect_own(entry: Mapping) -> dict:
    """Shape, labels and content of the data set of an entry of kind npz or folder.

    Returns:
        See :func:`oodpriors.data.datasets.inspect_npz`.

    Raises:
        UserError: it cannot be used; with the line of NumPy that mends an npz file, if known.
    """
    if entry["kind"] == "folder":
        return inspect_folder(entry["path"], entry["shape"])
    try:
        return inspect_npz(entry["path"])
    except UserError as error:
        hints = "".join(f"; {hint}" for hint in npz_hints(entry["path"]))
        raise UserError(f"{error}{hints}") from error


def npz_hints(path: Path | str) -> Iterator[str]:
    """Lines of NumPy that mend shapes which other programs give to images and labels."""
    try:
        with zipfile.ZipFile(place := regular(path)) as archive:
            size = place.stat().st_size
            shapes = [npy_header(archive, name, size)[0] for name in ("images", "labels")]
    except DAMAGES:
        return
    images, labels = shapes
    if len(images) == 4 and images[1] in (1, 3) and images[3] not in (1, 3):
        yield "channels come last: np.moveaxis(images, 1, -1)"
    if len(images) == 2:
        yield "images have rows and columns: for squares of one channel, images.reshape(N, H, W)"
    if len(labels) == 2:
        yield "for one-hot labels: labels.argmax(1)" if labels[1] > 1 else "labels[:, 0]"


def inspect_folder(path: Path | str, shape: Sequence[int] | None) -> dict:
    """What is in a folder with a folder of images for each label; only the first is decoded.

    Args:
        path: the folder.
        shape: (C, H, W) into which images are converted; None takes that of the first.

    Returns:
        See :func:`oodpriors.data.datasets.inspect_npz`. The labels are the names of the
        folders, if these are numbers, and else their places in alphabetical order; all images
        are test images. The content is made of the names of the files and of their bytes.

    Raises:
        UserError: there is no such folder, no image in it, or something that is not used.
    """
    files = _images(path)
    first = _pixels(files[0][1], shape)
    listed = [(label, f"{file.parent.name}/{file.name}", _sha256(file)) for label, file in files]
    content = repr((listed, shape and list(shape))).encode()
    return {
        "shape": (1 if first.ndim == 2 else 3, *first.shape[:2]),
        "labels": {"test": sorted({label for label, _ in files})},
        "content": hashlib.sha256(content).hexdigest(),
    }


def load_images(path: Path | str, shape: Sequence[int] | None, content: str | None) -> Dataset:
    """All images of a folder, see :func:`inspect_folder`.

    Raises:
        UserError: an image is damaged, transparent or has another size than the others, grey
            images are among those in colour, or the files are not those that were inspected.
    """
    if content and content != inspect_folder(path, shape)["content"]:
        raise UserError(f"{path}: files were changed after the run started: run again")
    files = _images(path)
    images = [_pixels(file, shape) for _, file in files]
    for (_, file), image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise UserError(
                f"{file} has {_form(image)}, {files[0][1]} {_form(images[0])}: give the data set "
                "the key shape, into which all images are converted"
            )
    stacked = np.stack(images)
    listed = repr([file.name for _, file in files]).encode()
    name = {"name": Path(path).name, "origin": str(path), "bytes": stacked.nbytes}
    record = name | {"sha256": hashlib.sha256(listed + stacked.tobytes()).hexdigest()}
    about = {"kind": "folder", "stand_in": False, "files": [record], "images": {"test": len(files)}}
    labels = np.array([label for label, _ in files], np.int64)
    return Dataset(stacked, labels, np.full(len(files), "test"), about)


def _images(path: Path | str) -> list[tuple[int, Path]]:
    """Label and path of each image, the labels in their order."""
    place = expanded(path)
    try:
        if not place.is_dir():
            raise UserError(f"{path} is no folder here")
        entries = _entries(place)
        found = {entry.name: _entries(entry) for entry in entries if entry.is_dir()}
        inner = [entry for files in found.values() for entry in files]
        unused = [entry for entry in entries if not entry.is_dir()]
        unused += [f for f in inner if f.suffix.lower() not in SUFFIXES or not f.is_file()]
        lost = [entry for entry in unused if not entry.exists()]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if lost:
        raise UserError(f"{lost[0]} is a link to nothing: mend or delete it")
    if unused:
        more = f" and {len(unused) - 1:,} more" if unused[1:] else ""
        raise UserError(
            f"{unused[0]}{more} would not be used: images are files in the folder of a label, with "
            f"one of the suffixes {' '.join(SUFFIXES)}; convert, move or delete what is none"
        )
    names = [name for name, files in found.items() if files]
    if not names:
        raise UserError(f"{path}: there are no images in folders of it, one folder for each label")
    numbers = all(name.isascii() and name.isdigit() and len(name) <= LONGEST for name in names)
    if numbers and len(set(map(int, names))) < len(names):
        raise UserError(f"{path}: two folders are the same number, as 1 and 01: rename one")
    labels = {name: int(name) if numbers else place for place, name in enumerate(names)}
    pairs = [(labels[name], file) for name in names for file in found[name]]
    return sorted(pairs, key=lambda pair: (pair[0], os.fspath(pair[1])))


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, without hidden names, those of macOS and files beside images."""
    return sorted(
        entry
        for entry in folder.iterdir()
        if not entry.name.startswith((".", "__MACOSX"))
        and not ((entry.suffix or entry.name).lower() in BESIDE and entry.is_file())
    )


def _form(image: np.ndarray) -> str:
    return f"{image.shape[:2]} pixels {'in grey' if image.ndim == 2 else 'in colour'}"


def _pixels(file: Path, shape: Sequence[int] | None) -> np.ndarray:
    """An image, (H, W) or (H, W, 3), as a viewer turns it; another size is a mean over areas."""
    with _reading(file), Image.open(file) as image:
        if image.mode not in MODES:
            raise UserError(f"{file}: pixels of mode {image.mode}: convert the image to 8 bits")
        if getattr(image, "is_animated", False):
            raise UserError(f"{file}: several frames: store each as an image of its own")
        grey = shape[0] == 1 if shape else image.mode in GREY
        turned = ImageOps.exif_transpose(image)
        if turned.has_transparency_data:
            turned = turned.convert("RGBA")
            if np.asarray(turned.getchannel("A")).min() < 255:
                raise UserError(
                    f"{file}: some pixels are transparent: flatten the image on a background first"
                )
        converted = turned.convert("L" if grey else "RGB")
        if shape:
            converted = converted.resize((shape[2], shape[1]), Image.Resampling.BOX)
        return np.asarray(converted)


def _sha256(file: Path) -> str:
    with _reading(file):
        return sha256(file)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # Pillow has many kinds for damaged files
        raise UserError(f"{file}: no image that can be read: {error}") from error
