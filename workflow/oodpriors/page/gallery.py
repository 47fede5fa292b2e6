"""Images of the highest and the lowest likelihood under each model, with their parts."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from oodpriors.page.pictures import image_uri, strip

EACH = 8  # images of a row
VALUES = 3 * 32 * 32  # of an image; of one with more, fewer are shown
LEAST = 2  # images, however large
# Columns that add up to log p, and their names.
PARTS = {
    "reconstruction": "reconstruction",
    "prior_separating": "prior, separating coordinates",
    "prior_rest": "prior, other coordinates",
    "log_det": "log-determinant",
    "posterior_entropy": "entropy of the posterior",
    "importance_gain": "gain of importance weights",
}
SHORT = {
    "reconstruction": "rec",
    "prior_separating": "sep",
    "prior_rest": "rest",
    "log_det": "det",
    "posterior_entropy": "ent",
    "importance_gain": "gain",
}
ENDS = {"highest": False, "lowest": True}


class Shown(NamedTuple):
    """An image with its score.

    Attributes:
        key: of the image, the same under all models.
        alt: what it is, in words.
        log_prob: in nats.
        parts: names and nats of the parts of log p.
    """

    key: str
    alt: str
    log_prob: float
    parts: tuple[tuple[str, float], ...]


class Images:
    """Images of the sets that models score, by their place in the official split.

    Args:
        sets: by name as in the score files: ``images`` (N, H, W[, C]) and ``index`` (N,).
    """

    def __init__(self, sets: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        self._sets = {
            name: (arrays["images"], {int(i): k for k, i in enumerate(arrays["index"])})
            for name, arrays in sets.items()
        }
        self.used: dict[str, str] = {}  # addresses of the images that were asked for, by key

    def __contains__(self, name: str) -> bool:
        return name in self._sets

    def array(self, name: str, index: int) -> np.ndarray:
        """The image of a set with this place in its split, (H, W[, C])."""
        images, places = self._sets[name]
        return images[places[index]]

    def number(self, name: str, most: int, values: int = VALUES) -> int:
        """How many images of a set are shown: most, or fewer of those with more values."""
        return max(LEAST, min(most, most * values // self._sets[name][0][0].size))

    def key(self, name: str, index: int) -> str:
        """The key of an image, whose address is kept."""
        key = f"{name.replace('.', '-')}-{index}"
        if key not in self.used:
            self.used[key] = image_uri(self.array(name, index))
        return key


def extremes(
    scores: pd.DataFrame, images: Images, titles: Mapping[str, str]
) -> Iterator[tuple[str, str, list[Shown]]]:
    """Sets with the end of their likelihoods, and the images there, the outermost first.

    Args:
        scores: of one training.
        images: of its sets.
        titles: of subsets.
    """
    for which in ("test", "ood"):
        rows = _finite(scores, which)
        if not len(rows) or rows["images"].iloc[0] not in images:
            continue
        number = images.number(rows["images"].iloc[0], EACH)
        for end, ascending in ENDS.items():
            chosen = rows.sort_values("log_prob", ascending=ascending, kind="stable").head(number)
            yield which, end, [_shown(row, images, titles) for row in chosen.to_dict("records")]


def _finite(scores: pd.DataFrame, which: str) -> pd.DataFrame:
    rows = scores[scores["set"] == which]
    return rows[np.isfinite(rows["log_prob"])]


def _shown(row: Mapping, images: Images, titles: Mapping[str, str]) -> Shown:
    subset = row["images"].split(".")[0]
    return Shown(
        key=images.key(row["images"], row["index"]),
        alt=f"{titles.get(subset, subset)}, test image {row['index']}, label {row['label']}",
        log_prob=row["log_prob"],
        parts=tuple((part, row[part]) for part in PARTS if part in row),
    )


def most_likely(scores: pd.DataFrame, images: Images) -> str:
    """Address of one picture of the most likely images out of distribution; "" without images."""
    rows = _finite(scores, "ood")
    if not len(rows) or rows["images"].iloc[0] not in images:
        return ""
    name = rows["images"].iloc[0]
    highest = rows.sort_values("log_prob", ascending=False, kind="stable")
    chosen = highest["index"].head(images.number(name, EACH))
    return image_uri(strip(np.stack([images.array(name, index) for index in chosen])))
