"""Images as addresses, read back by an image library."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from oodpriors.page.pictures import WIDEST, figure_uri, image_uri, strip


def read(uri: str) -> np.ndarray:
    head, data = uri.split(",")
    assert head == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_an_image_is_kept_without_loss(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expected = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(image_uri(image)), expected)
    if image.ndim == 2:
        assert image_uri(image[..., None]) == image_uri(image)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_images_lie_side_by_side_with_a_white_line_between(channels):
    images = np.zeros((3, 4, 5, *channels), np.uint8)
    joined = strip(images)
    assert joined.shape == (4, 3 * 5 + 2, *channels)
    assert set(np.flatnonzero(joined.reshape(4, 17, -1)[0, :, 0])) == {5, 11}


def test_a_figure_becomes_no_wider_than_the_page_needs(tmp_path):
    Image.new("RGB", (2 * WIDEST, 100), "red").save(tmp_path / "a.png")
    uri, size = figure_uri(tmp_path / "a.png")
    assert size == (WIDEST, 50)
    assert read(uri).shape == (50, WIDEST, 3)
    assert np.abs(read(uri)[0, 0].astype(int) - [255, 0, 0]).max() < 10
