"""Images as addresses that hold them (data URIs)."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

WIDEST = 1300  # pixels of a figure: the width of the text of the document at 200 per inch
FEW = 96  # colours of a figure
VISIBLE, SHARE = 24, 0.01  # change of a pixel's value by fewer colours; pixels that may have it
QUALITY = 75  # of a figure that would lose more than that


def _uri(picture: Image.Image, **options) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def image_uri(image: np.ndarray) -> str:
    """A uint8 image (H, W), (H, W, 1) or (H, W, 3), without loss."""
    picture = Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image)
    return _uri(picture, lossless=True, method=4)


def strip(images: np.ndarray) -> np.ndarray:
    """Images (N, H, W[, C]) side by side, with a white line between them: (H, W', [C])."""
    line = np.full((*images.shape[1:2], 1, *images.shape[3:]), 255, np.uint8)
    return np.concatenate([part for image in images for part in (image, line)][:-1], axis=1)


def figure_uri(path: Path | str) -> tuple[str, tuple[int, int]]:
    """A figure, at most WIDEST pixels wide, and its size.

    Lines and areas stay sharp with few colours; a figure of colour photographs has too many,
    and loses detail instead.
    """
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)))
    few = picture.quantize(FEW, dither=Image.Dither.NONE).convert("RGB")
    change = np.abs(np.asarray(few, int) - np.asarray(picture, int)).max(axis=2)
    if (change > VISIBLE).mean() < SHARE:
        return _uri(few, lossless=True, method=4), picture.size
    return _uri(picture, quality=QUALITY, method=4), picture.size
