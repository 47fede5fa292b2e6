"""Small stand-ins for the four data sets, for tests and machines without internet.

Digits are scikit-learn's handwritten digits (real scans, 8 x 8, enlarged). Everything
else is drawn with a fixed seed. The stand-ins show that the pipeline works and the
direction of the effect. Their numbers cannot be compared with the paper's.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SEED = 2019
PER_LABEL = {"train": 200, "test": 60}

# Outlines of Fashion-MNIST's classes on a unit square, mirrored about x = 1/2.
HALF_OUTLINES = {
    0: [(0.42, 0.1), (0.1, 0.25), (0.17, 0.42), (0.27, 0.36), (0.27, 0.9)],  # T-shirt
    1: [(0.3, 0.04), (0.27, 0.96), (0.44, 0.96), (0.48, 0.3)],  # trouser
    2: [(0.42, 0.1), (0.12, 0.3), (0.08, 0.85), (0.2, 0.85), (0.26, 0.45), (0.26, 0.9)],  # pullover
    3: [(0.4, 0.05), (0.36, 0.4), (0.2, 0.95)],  # dress
    4: [(0.4, 0.06), (0.1, 0.25), (0.1, 0.9), (0.24, 0.9), (0.27, 0.95), (0.49, 0.95)],  # coat
    6: [(0.43, 0.1), (0.14, 0.3), (0.16, 0.6), (0.28, 0.5), (0.28, 0.92)],  # shirt
    8: [(0.42, 0.15), (0.36, 0.4), (0.08, 0.42), (0.06, 0.88)],  # bag
}
OUTLINES = {
    5: [(0.05, 0.7), (0.45, 0.62), (0.6, 0.4), (0.9, 0.45), (0.95, 0.72), (0.05, 0.75)],  # sandal
    7: [(0.04, 0.6), (0.4, 0.5), (0.62, 0.33), (0.95, 0.35), (0.97, 0.7), (0.04, 0.72)],  # sneaker
    9: [(0.05, 0.68), (0.4, 0.55), (0.5, 0.1), (0.85, 0.1), (0.92, 0.8), (0.05, 0.82)],  # boot
}
OUTLINES |= {
    label: half + [(1 - x, y) for x, y in reversed(half)] for label, half in HALF_OUTLINES.items()
}


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng([SEED, *name.encode()])


def _mask(outline: list, rng: np.random.Generator, side: int) -> np.ndarray:
    """A jittered outline, filled and smoothed: (side, side) in [0, 1]."""
    points = np.asarray(outline) - 0.5
    points = points * rng.uniform(0.85, 1.0, 2) + rng.normal(0, 0.02, 2)
    points = (points + rng.normal(0, 0.012, points.shape) + 0.5) * (4 * side)
    image = Image.new("L", (4 * side, 4 * side))
    ImageDraw.Draw(image).polygon([tuple(p) for p in points], fill=255)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX)) / 255


def _texture(rng: np.random.Generator, side: int) -> np.ndarray:
    """Smooth noise with mean 0 and values of order 1: (side, side)."""
    coarse = Image.fromarray(rng.normal(size=(side // 4, side // 4)).astype(np.float32))
    return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(255 * values), 0, 255).astype(np.uint8)


def _garment(label: int, rng: np.random.Generator) -> np.ndarray:
    tone = rng.uniform(0.45, 0.9) + 0.1 * _texture(rng, 28) + rng.normal(0, 0.03, (28, 28))
    return _to_bytes(_mask(OUTLINES[label], rng, 28) * tone)


def _object(label: int, rng: np.random.Generator) -> np.ndarray:
    """An outline in front of a sky or a meadow, depending on the label: (32, 32, 3)."""
    hue = np.array([0.45, 0.6, 0.8]) if label < 5 else np.array([0.35, 0.5, 0.25])
    background = hue * rng.uniform(0.7, 1.2) + 0.12 * _texture(rng, 32)[..., None]
    body = rng.uniform(0.2, 0.9, 3) + 0.12 * _texture(rng, 32)[..., None]
    mask = _mask(OUTLINES[label], rng, 32)[..., None]
    noise = rng.normal(0, 0.04, (32, 32, 3))
    return _to_bytes(mask * body + (1 - mask) * background + noise)


def _drawn(name: str, draw: Callable) -> list:
    rng = _rng(name)
    parts = []
    for split, count in PER_LABEL.items():
        labels = np.repeat(np.arange(10), count)
        parts.append((split, np.stack([draw(label, rng) for label in labels]), labels))
    return parts


draw_garments = partial(_drawn, "garments", _garment)
draw_objects = partial(_drawn, "objects", _object)


def _scans(side: int, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits, side - 2 margin wide, on black: (N, side, side) in [0, 1]."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    inner = side - 2 * margin
    enlarged = [
        np.asarray(
            Image.fromarray((scan * 15.9375).astype(np.uint8))
            .resize((inner, inner), Image.Resampling.BICUBIC)
            .filter(ImageFilter.GaussianBlur(0.5))
        )
        for scan in digits.images
    ]
    images = np.pad(np.stack(enlarged), ((0, 0), (margin, margin), (margin, margin))) / 255
    return images, digits.target.astype(np.int64)


def draw_digits() -> list:
    images, labels = _scans(28, 4)
    return [("test", _to_bytes(1.15 * images), labels)]


def draw_house_numbers() -> list:
    """Digits in one uniform colour on another: (N, 32, 32, 3)."""
    images, labels = _scans(32, 3)
    rng = _rng("house numbers")
    ink, paper = rng.uniform(0.1, 0.9, (2, len(images), 1, 1, 3))
    coloured = images[..., None] * ink + (1 - images[..., None]) * paper
    return [("test", _to_bytes(coloured + rng.normal(0, 0.01, coloured.shape)), labels)]
