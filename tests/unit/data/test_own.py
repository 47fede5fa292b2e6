"""Folders of images, and hints for npz files of other programs."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oodpriors.data.own import inspect_folder, inspect_own, load_images, npz_hints
from oodpriors.io.errors import UserError


def write(folder, label, number, image):
    place = folder / str(label)
    place.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(place / f"{number}.png")


def grey(n=1, side=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Two images of b and one of a."""
    images = grey(3)
    for label, number, image in (("b", 0, images[0]), ("b", 1, images[1]), ("a", 0, images[2])):
        write(tmp_path / "own", label, number, image)
    return tmp_path / "own"


def test_images_are_read_as_they_are_with_labels_in_alphabetical_order(folder):
    known = inspect_folder(folder, None)
    assert (known["shape"], known["labels"]) == ((1, 6, 6), {"test": [0, 1]})
    data = load_images(folder, None, known["content"])
    np.testing.assert_array_equal(data.images, grey(3)[[2, 0, 1]])
    assert data.labels.tolist() == [0, 1, 1]
    assert set(data.split) == {"test"}
    assert data.provenance["images"] == {"test": 3}


def test_names_that_are_numbers_are_the_labels(tmp_path):
    for label in (7, 12):
        write(tmp_path, label, 0, grey()[0])
    assert inspect_folder(tmp_path, None)["labels"] == {"test": [7, 12]}
    assert load_images(tmp_path, None, None).labels.tolist() == [7, 12]


def test_two_names_of_one_number_are_refused(tmp_path):
    for label in ("1", "01"):
        write(tmp_path, label, 0, grey()[0])
    with pytest.raises(UserError, match="two folders are the same number"):
        inspect_folder(tmp_path, None)


def test_names_of_too_many_digits_are_names(tmp_path):
    for label in ("9" * 20, "8" * 20):
        write(tmp_path, label, 0, grey()[0])
    assert inspect_folder(tmp_path, None)["labels"] == {"test": [0, 1]}


def test_images_of_16_bits_are_refused(tmp_path):
    write(tmp_path, "a", 0, grey()[0].astype(np.uint16) * 256)
    with pytest.raises(
        UserError, match=r"0\.png: pixels of mode I;16: convert the image to 8 bits"
    ):
        inspect_folder(tmp_path, [1, 6, 6])


def test_colours_stay_unless_a_shape_is_given(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    write(tmp_path, 0, 0, colour)
    assert inspect_folder(tmp_path, None)["shape"] == (3, 6, 6)
    np.testing.assert_array_equal(load_images(tmp_path, None, None).images[0], colour)
    assert inspect_folder(tmp_path, [1, 6, 6])["shape"] == (1, 6, 6)
    assert load_images(tmp_path, [1, 6, 6], None).images.shape == (1, 6, 6)


def test_a_smaller_image_has_the_means_of_areas(folder):
    images = load_images(folder, [1, 3, 2], None).images
    exact = grey(3)[[2, 0, 1]].reshape(3, 3, 2, 2, 3).mean((2, 4))
    np.testing.assert_allclose(images, exact, atol=1.01)  # rounded twice


def test_images_of_several_sizes_need_a_shape(folder):
    write(folder, "a", 9, grey(side=5)[0])
    with pytest.raises(UserError, match=r"9.png has \(5, 5\) pixels .*: give .* shape"):
        load_images(folder, None, None)
    assert load_images(folder, [3, 4, 4], None).images.shape == (4, 4, 4, 3)


def test_content_is_that_of_the_files_and_of_the_shape(folder):
    before = inspect_folder(folder, None)["content"]
    assert inspect_folder(folder, None)["content"] == before
    assert inspect_folder(folder, [1, 6, 6])["content"] != before
    write(folder, "a", 1, grey()[0])
    assert inspect_folder(folder, None)["content"] != before
    with pytest.raises(UserError, match="changed after the run started"):
        load_images(folder, None, before)


def test_content_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    file = tmp_path / "a/1.bmp"  # as long with other pixels
    Image.fromarray(grey()[0]).save(file)
    before = inspect_folder(tmp_path, None)["content"]
    os.utime(file, (0, 0))
    assert inspect_folder(tmp_path, None)["content"] == before
    Image.fromarray(grey(seed=1)[0]).save(file)
    assert inspect_folder(tmp_path, None)["content"] != before


def test_what_is_no_folder_of_images_is_said(tmp_path):
    with pytest.raises(UserError, match="no is no folder here"):
        inspect_folder(tmp_path / "no", None)
    (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match="no images in folders of it, one folder for each label"):
        inspect_folder(tmp_path, None)
    with pytest.raises(UserError, match=r"/x: cannot be read: .*File name too long"):
        inspect_folder(tmp_path / ("n" * 300) / "x", None)
    with pytest.raises(UserError, match="~nouser/letters is no folder here"):
        inspect_folder("~nouser/letters", None)


def test_a_path_may_begin_with_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    content = inspect_folder("~/own", None)["content"]
    assert len(load_images("~/own", None, content).images) == 3


@pytest.mark.parametrize(
    "name",
    [
        *(".ipynb_checkpoints/0-checkpoint.png", "__MACOSX/a/0.png", "a/.ipynb_checkpoints/1.png"),
        *("a/._0.png", ".DS_Store", "README", "a/notes.txt", "Thumbs.db"),
    ],
)
def test_hidden_names_and_texts_change_nothing(folder, name):
    before = inspect_folder(folder, None)
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"no image")
    assert inspect_folder(folder, None) == before
    assert load_images(folder, None, before["content"]).labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize("name", ["0.png", "a/0.heic", "a/more/0.png", "a/b.png/0.png"])
def test_what_would_not_be_used_is_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
    (folder / "b/1.npy").write_bytes(b"")
    found = r"(0|heic|more|b\.png)( and 1 more)? would not be used: images are files in the folder"
    with pytest.raises(UserError, match=found) as caught:
        inspect_folder(folder, None)
    assert " and 1 more" in str(caught.value)


@pytest.mark.parametrize("kind", ["nothing", "itself", "pipe", "socket"])
def test_what_is_no_file_is_refused_unopened(folder, kind, monkeypatch):
    monkeypatch.chdir(folder / "a")  # the path of a socket is short
    match kind:
        case "nothing":
            Path("2.png").symlink_to("nowhere")
        case "itself":
            Path("2.png").symlink_to("2.png")
        case "pipe":
            os.mkfifo("2.png")
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("2.png")
    message = "would not be used" if kind in ("pipe", "socket") else "is a link to nothing"
    with pytest.raises(UserError, match=rf"a/2\.png {message}"):
        inspect_folder(folder, None)


def test_grey_and_colour_together_need_a_shape(folder):
    write(folder, "b", 2, np.zeros((6, 6, 3), np.uint8))
    mixed = r"2\.png has \(6, 6\) pixels in colour, .*0\.png \(6, 6\) pixels in grey: give .* shape"
    with pytest.raises(UserError, match=mixed):
        load_images(folder, None, None)
    assert load_images(folder, [1, 6, 6], None).images.shape == (4, 6, 6)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_an_image_is_turned_as_its_file_says(tmp_path, suffix):
    (tmp_path / "a").mkdir()
    turned = Image.Exif()
    turned[0x112] = 6  # the first row is the right side
    image = Image.fromarray(np.repeat([[[255] * 3], [[0] * 3]], 8, 0).repeat(8, 1).astype(np.uint8))
    image.save(tmp_path / f"a/1.{suffix}", exif=turned)
    assert inspect_folder(tmp_path, None)["shape"] == (3, 8, 16)
    (pixels,) = load_images(tmp_path, None, None).images
    assert (pixels[:, :8] < 99).all()
    assert (pixels[:, 8:] > 150).all()


def test_transparent_pixels_are_refused_and_a_full_alpha_is_dropped(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (6, 6, 4), np.uint8)
    colour[..., 3] = 255
    write(tmp_path, "a", 0, colour)
    np.testing.assert_array_equal(load_images(tmp_path, None, None).images[0], colour[..., :3])
    colour[0, 0, 3] = 254
    write(tmp_path, "a", 0, colour)
    for shape in (None, [1, 6, 6]):
        with pytest.raises(UserError, match=r"0\.png: some pixels are transparent: flatten"):
            load_images(tmp_path, shape, None)


@pytest.mark.parametrize("transparent", [0, 1])
def test_a_transparent_grey_is_refused_if_a_pixel_has_it(tmp_path, transparent):
    (tmp_path / "a").mkdir()
    image = Image.fromarray(np.ones((6, 6), np.uint8))
    image.save(tmp_path / "a/0.png", transparency=transparent)
    if transparent:
        with pytest.raises(UserError, match="some pixels are transparent"):
            inspect_folder(tmp_path, None)
    else:
        assert inspect_folder(tmp_path, None)["shape"] == (1, 6, 6)


@pytest.mark.parametrize("suffix", ["gif", "tiff", "png", "webp"])
def test_an_image_of_several_frames_is_refused(tmp_path, suffix):
    (tmp_path / "a").mkdir()
    first, *others = map(Image.fromarray, grey(3))
    first.save(tmp_path / f"a/0.{suffix}", save_all=True, append_images=others)
    with pytest.raises(UserError, match=rf"0\.{suffix}: several frames: store each as an image"):
        inspect_folder(tmp_path, None)


@pytest.mark.parametrize(("suffix", "mode"), [("pbm", "1"), ("pgm", "L"), ("ppm", "RGB")])
def test_plain_bitmaps_are_read(tmp_path, suffix, mode):
    (tmp_path / "a").mkdir()
    image = Image.fromarray(grey()[0]).convert(mode)
    image.save(tmp_path / f"a/0.{suffix}")
    expected = np.asarray(image if mode == "RGB" else image.convert("L"))
    np.testing.assert_array_equal(load_images(tmp_path, None, None).images[0], expected)


def test_a_damaged_image_is_named(folder):
    (folder / "a" / "0.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"0.png: no image that can be read"):
        load_images(folder, None, None)


def test_any_error_of_pillow_names_the_file(folder, monkeypatch):
    monkeypatch.setattr(Image.Image, "convert", lambda *_: [][0])
    with pytest.raises(UserError, match=r"0\.png: no image that can be read: list index"):
        load_images(folder, None, None)


N = 4
RIGHT = {
    "images": np.zeros((N, 28, 28), np.uint8),
    "labels": np.arange(N),
    "split": np.array(["test"] * N),
}
HINTS = [
    ("images", np.zeros((N, 3, 32, 32), np.uint8), "np.moveaxis(images, 1, -1)"),
    ("images", np.zeros((N, 28, 28), np.float32), "(255 * x).round() as uint8"),
    ("images", np.zeros((N, 784), np.uint8), "images.reshape(N, H, W)"),
    ("labels", np.eye(N), "labels.argmax(1)"),
    ("labels", np.zeros((N, 1), int), "labels[:, 0]"),
]


@pytest.mark.parametrize(("name", "array", "hint"), HINTS)
def test_a_usual_mistake_has_the_line_that_mends_it(tmp_path, name, array, hint):
    np.savez(tmp_path / "own.npz", **RIGHT | {name: array})
    entry = {"kind": "npz", "path": str(tmp_path / "own.npz")}
    with pytest.raises(UserError) as caught:
        inspect_own(entry)
    assert hint in str(caught.value)


@pytest.mark.parametrize(("name", "array"), [(name, array) for name, array, _ in HINTS])
def test_the_line_mends_it(tmp_path, name, array):
    mended = {
        4: lambda x: np.moveaxis(x, 1, -1),
        3: lambda x: (255 * x).round().astype(np.uint8),
        2: lambda x: x.reshape(N, 28, 28),
    }
    if name == "labels":
        array = array.argmax(1) if array.shape[1] > 1 else array[:, 0]
    else:
        array = mended[array.ndim](array)
    np.savez(tmp_path / "own.npz", **RIGHT | {name: array})
    assert inspect_own({"kind": "npz", "path": str(tmp_path / "own.npz")})["labels"]


def test_an_unreadable_file_has_no_hint(tmp_path):
    (tmp_path / "own.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a usable npz"):
        inspect_own({"kind": "npz", "path": str(tmp_path / "own.npz")})


@pytest.mark.parametrize("path", ["/dev/zero", "n" * 300, "~nouser/own.npz"])
def test_what_cannot_be_opened_has_no_hint(path):
    assert not list(npz_hints(path))
