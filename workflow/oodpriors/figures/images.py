"""Decoded images, side by side with data or samples (Figures 11, 12 and 20)."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oodpriors.data.datasets import load_arrays
from oodpriors.figures.sheet import save, sheet
from oodpriors.io.errors import UserError
from oodpriors.io.tables import read_csv

GAP = 2  # pixels between images
IMAGES_A_LINE, MOST_LINES = 8, 2


def draw(files: Mapping, about: Mapping, note: str, paths: list[Path]) -> None:
    """Images decoded by the configuration's models, see :mod:`oodpriors.figures.sheet`."""
    rows = []
    found = (files[name] for name in ("decoded", "arrays", "components"))
    for model, decoded, arrays, components in zip(about["models"], *found, strict=True):
        rows += decoded_rows(
            about["titles"]["models"][model.split("/")[0]],
            load_arrays(decoded),
            load_arrays(arrays)["images"] / 255,
            read_csv(components)["component"].to_numpy(),
        )
    several = len(rows) > len(about["models"])
    headings = ("mean", "training images of the component" if several else "random samples")
    plot_decoded(rows, headings, note, paths)


def decoded_rows(
    name: str, decoded: Mapping[str, np.ndarray], images: np.ndarray, components: np.ndarray
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Rows of :func:`plot_decoded` of one model.

    Args:
        name: of the model.
        decoded: ``means`` (K, C, H, W) and ``samples`` (n, C, H, W) in [0, 1].
        images: training images, (N, H, W) or (N, H, W, 3) in [0, 1].
        components: their assigned components, (N,).
    """
    means, samples = (_channels_last(decoded[which]) for which in ("means", "samples"))
    if len(means) == 1:
        return [(name, means, samples)]
    return [
        (f"{name}, component {k + 1}", means[k : k + 1], images[components == k][: len(samples)])
        for k in range(len(means))
    ]


def _channels_last(images: np.ndarray) -> np.ndarray:
    return images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)


def plot_decoded(
    rows: Sequence[tuple[str, np.ndarray, np.ndarray]],
    headings: tuple[str, str],
    note: str,
    paths: list[Path],
) -> None:
    """Images of means next to data or samples, a row for each component (Figures 11, 12).

    Args:
        rows: label, images on the left and images on the right, each (n, H, W) or
            (n, H, W, 3) in [0, 1]; of those on the right, as many as fill one line or two.
        headings: of the left and the right images.
        note, paths: see :func:`oodpriors.figures.toy.plot_topology`.
    """
    left = max(len(images) for _, images, _ in rows)
    right = min(max(len(images) for _, _, images in rows), IMAGES_A_LINE)
    full = [right * min(max(1, len(images) // right), MOST_LINES) for _, _, images in rows]
    rows = [
        (label, means, images[:n]) for (label, means, images), n in zip(rows, full, strict=True)
    ]
    lines = [max(1, -(-len(images) // right)) for _, _, images in rows]
    height = min(5.5 / (left + right), 0.8) * sum(lines) + 0.08 * len(rows) + 0.6
    wide = np.shape(rows[0][1])[2] + GAP
    ratios = {"width_ratios": [left * wide - GAP, right * wide - GAP], "height_ratios": lines}
    figure, axes = sheet(len(rows), 2, height, note, **ratios)
    for (label, *images), pair in zip(rows, axes, strict=True):
        for axis, pictures, columns in zip(pair, images, (left, right), strict=True):
            show_images(axis, pictures, columns)
        pair[0].set_ylabel(textwrap.fill(label, 18), rotation=0, ha="right", va="center")
    for axis, heading in zip(axes[0], headings, strict=True):
        axis.set_title(heading)
    save(figure, paths)


def show_images(axis, images: np.ndarray, columns: int) -> tuple[int, int]:
    """Draw images in lines of so many, on white; the size of a place, with its gap."""
    pictures = rgb(images)
    n, height, width, _ = pictures.shape
    tall, wide = height + GAP, width + GAP
    canvas = np.ones((max(1, -(-n // columns)) * tall - GAP, columns * wide - GAP, 3))
    for i, picture in enumerate(pictures):
        top, left = i // columns * tall, i % columns * wide
        canvas[top : top + height, left : left + width] = picture
    axis.imshow(canvas, interpolation="nearest")
    axis.set(xticks=[], yticks=[], anchor="NW")
    axis.spines[:].set_visible(False)
    return tall, wide


def rgb(images: np.ndarray) -> np.ndarray:
    pictures = np.asarray(images, dtype=float)
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    if pictures.ndim != 4 or pictures.shape[-1] not in (1, 3):
        raise UserError(f"images must be (n, H, W) or (n, H, W, 3), got {np.shape(images)}")
    return np.broadcast_to(pictures.clip(0, 1), (*pictures.shape[:3], 3))
