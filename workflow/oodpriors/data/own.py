"""The user's own images: folders of image files, and what is wrong with an npz file."""

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from oodpriors.data.datasets import DAMAGES, Dataset, inspect_npz, npy_header
from oodpriors.io.errors import UserError

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
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


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
    if not Path(path).is_file():  # a device or a pipe may have no end
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = Path(path).stat().st_size
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
    """What is in a folder with a folder of images for each label; only the first is opened.

    Args:
        path: the folder.
        shape: (C, H, W) into which images are converted; None takes that of the first.

    Returns:
        See :func:`oodpriors.data.datasets.inspect_npz`. The labels are the names of the
        folders, if these are numbers, and else their places in alphabetical order; all images
        are test images. The content is made of the names and sizes of the files.

    Raises:
        UserError: there is no such folder, or no image in it.
    """
    files = _images(path)
    listed = [(label, f"{f.parent.name}/{f.name}", f.stat().st_size) for label, f in files]
    first = _pixels(files[0][1], *_form(files[0][1], shape))
    content = repr((listed, shape and list(shape))).encode()
    return {
        "shape": (1 if first.ndim == 2 else 3, *first.shape[:2]),
        "labels": {"test": sorted({label for label, _ in files})},
        "content": hashlib.sha256(content).hexdigest(),
    }


def load_images(path: Path | str, shape: Sequence[int] | None, content: str | None) -> Dataset:
    """All images of a folder, see :func:`inspect_folder`.

    Raises:
        UserError: an image is damaged or has another size than the others, or the files are
            not those that were inspected.
    """
    if content and content != inspect_folder(path, shape)["content"]:
        raise UserError(f"{path}: files were changed after the run started: run again")
    files = _images(path)
    form = _form(files[0][1], shape)
    images = [_pixels(file, *form) for _, file in files]
    for (_, file), image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise UserError(
                f"{file} has {image.shape[:2]} pixels, {files[0][1]} {images[0].shape[:2]}: give "
                "the data set the key shape, into which all images are converted"
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
    place = Path(path).expanduser()
    if not place.is_dir():
        raise UserError(f"{path} is no folder here")
    try:
        found = {
            folder.name: sorted(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES)
            for folder in sorted(place.iterdir())
            if folder.is_dir()
        }
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    names = [name for name, files in found.items() if files]
    if not names:
        raise UserError(f"{path}: there are no images in folders of it, one folder for each label")
    numbers = all(name.isascii() and name.isdigit() and len(name) <= LONGEST for name in names)
    if numbers and len(set(map(int, names))) < len(names):
        raise UserError(f"{path}: two folders are the same number, as 1 and 01: rename one")
    labels = {name: int(name) if numbers else place for place, name in enumerate(names)}
    pairs = [(labels[name], file) for name in names for file in found[name]]
    return sorted(pairs, key=lambda pair: (pair[0], os.fspath(pair[1])))


def _form(first: Path, shape: Sequence[int] | None) -> tuple[str, tuple[int, int] | None]:
    """Mode of Pillow of all images, and their width and height; None keeps the size."""
    if shape:
        return "L" if shape[0] == 1 else "RGB", (shape[2], shape[1])
    with _opened(first) as image:
        return "L" if image.mode in ("1", "L") else "RGB", None


def _pixels(file: Path, mode: str, size: tuple[int, int] | None) -> np.ndarray:
    """An image, (H, W) or (H, W, 3); another size is a mean over areas."""
    with _opened(file) as image:
        converted = image.convert(mode)
        return np.asarray(converted.resize(size, Image.Resampling.BOX) if size else converted)


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(file) as image:
            if image.mode not in MODES:
                raise UserError(f"{file}: pixels of mode {image.mode}: convert the image to 8 bits")
            yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{file}: no image that can be read: {error}") from error
