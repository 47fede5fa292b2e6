"""What is stored of one training, as companion scores take it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from oodpriors.data.datasets import load_arrays
from oodpriors.io.tables import read_parquet
from oodpriors.priors import Prior, build_prior

FEWEST = 10  # training images to which anything is fitted
BLOCK = 64  # images that are processed at once
KEYS = ["set", "index"]  # of an image in the score files of all models of the same images


class NotApplicable(Exception):
    """Why a training has no such score."""


@dataclass(frozen=True)
class Training:
    """Scores and latents of N images, those of one set after the other.

    Attributes:
        scores: a row per image, as in the score file.
        prior: of the training, in double precision.
        other: the prior that is exchanged for it, if there is one.
        means: latents, for a VAE means of the posteriors, (N, D).
        stds: standard deviations of the posteriors, (N, D); None for a flow.
        sizes: size of the images in nats as PNG files, by the name of the images and
            by their index.
        background: log p under the model of mutated images by set and index, nats, if there
            is one.
        gradients: logs of squared gradient norms by set and index, a column a layer, of
            some images, if they were computed.
    """

    scores: pd.DataFrame
    prior: Prior
    other: Prior | None = None
    means: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    stds: np.ndarray | None = None
    sizes: Mapping[str, pd.Series] = field(default_factory=dict)
    background: pd.Series | None = None
    gradients: pd.DataFrame | None = None

    @cached_property
    def train(self) -> np.ndarray:
        """Which rows are training images, (N,) bool."""
        return (self.scores["set"] == "train").to_numpy()

    @cached_property
    def latents(self) -> np.ndarray:
        """A latent of each image, (N, D): of a flow, or a draw from the posterior."""
        if self.stds is None:
            return self.means
        noise = np.random.default_rng(0).standard_normal(self.means.shape)
        return self.means + self.stds * noise

    def matched(self, table: pd.DataFrame | pd.Series) -> np.ndarray:
        """Values by set and index for each image, NaN where there is none: (N, ...)."""
        return table.reindex(pd.MultiIndex.from_frame(self.scores[KEYS])).to_numpy(float)

    def of_train(self, values: np.ndarray) -> np.ndarray:
        """Values of the training images without those that are not finite: (N, ...) -> (n, ...).

        Raises:
            NotApplicable: there are fewer than FEWEST.
        """
        own = values[self.train]
        own = own[np.isfinite(own.reshape(len(own), -1)).all(1)]
        if len(own) < FEWEST:
            raise NotApplicable(
                f"{len(own)} training images are scored, it takes {FEWEST} (images.score_train)"
            )
        return own.astype(float)

    def in_batches(self, size: int) -> "Training":
        """Mean log p of batches of so many images of a set, drawn at random; the rest is left out.

        Training images stay single. Every training has the same batches.
        """
        if size == 1:
            return self
        kept = self.scores[["set", "images", "log_prob"]]
        parts = [kept[self.train]]
        for (which, images), part in kept[~self.train].groupby(["set", "images"], sort=False):
            order = np.random.default_rng(0).permutation(len(part))
            chosen = order[: len(part) // size * size].reshape(-1, size)
            means = part["log_prob"].to_numpy()[chosen].mean(1)
            name = f"{images} in batches of {size}"
            parts.append(pd.DataFrame({"set": which, "images": name, "log_prob": means}))
        return replace(self, scores=pd.concat(parts, ignore_index=True))


@dataclass(frozen=True)
class Stored:
    """Files of one training, see docs/results-folder.md, and what they do not say of it.

    Attributes:
        model: its name.
        priors: specifications of the training's prior and, if there is one, of the other.
        files: scores and latents.
        further: scores and latents of each further set by its name; some have no images.
        background: score file of the training on mutated images with the same seed.
        gradients: its gradient norms.
    """

    model: str
    priors: Sequence[Mapping | None]
    files: tuple[Path, Path]
    further: Mapping[str, tuple[Path, Path]] = field(default_factory=dict)
    background: Path | None = None
    gradients: Path | None = None


def stored_trainings(
    runs: Sequence[tuple[str, int]],
    files: Mapping[str, Sequence[Path]],
    priors: Mapping[str, Sequence[Mapping | None]],
    further: Mapping[str, Sequence[str]],
    backgrounds: Mapping[str, str],
) -> Iterator[Stored]:
    """What is stored of each training.

    Args:
        runs: model and seed of each, those of a model together.
        files: ``scores`` and ``latents`` of each; ``gradients`` of all or of none; and
            ``further`` and ``further_latents``, those of its further sets, one training
            after the other.
        priors: specifications of the prior of each model, and of the other of its pair.
        further: further sets of each model that has any.
        backgrounds: the background model of each model that has one.
    """
    scores = {tuple(run): path for run, path in zip(runs, files["scores"], strict=True)}
    gradients: Sequence[Path | None] = files.get("gradients") or [None] * len(runs)
    more = zip(files.get("further", []), files.get("further_latents", []), strict=True)
    for run, latents, norms in zip(runs, files["latents"], gradients, strict=True):
        model, seed = run
        names = further.get(model, [])
        others = dict(zip(names, islice(more, len(names)), strict=True))
        background = scores.get((backgrounds.get(model, ""), seed))
        own = scores[model, seed], latents
        yield Stored(model, priors[model], own, others, background, norms)


def read_training(stored: Stored, sizes: Mapping[str, pd.Series]) -> Training:
    """A training from its files; a further set without images is left out.

    Args:
        stored: its files.
        sizes: see :class:`Training`.

    Raises:
        UserError: the latents are damaged.
    """
    files = [stored.files, *stored.further.values()]
    tables = [table for path, _ in files if len(table := read_parquet(path))]
    latents = {name: array for _, path in files for name, array in load_arrays(path).items()}
    table = pd.concat(tables, ignore_index=True)
    if "refined" in table:  # further sets are not
        table["refined"] = table["refined"].eq(True)
    for more in tables[1:]:
        table["in_training"] = table["in_training"].astype(float)
        values = pd.Series(more["png_size"].to_numpy(), index=more["index"])
        sizes = {**sizes, more["images"].iloc[0]: values}
    sets = table["set"].unique()

    def joined(name: str) -> np.ndarray:
        return np.concatenate([latents[f"{which}_{name}"] for which in sets])

    means, stds = joined("mean"), joined("std") if f"{sets[0]}_std" in latents else None
    dim = means.shape[1]
    own_spec, other_spec = stored.priors
    if "prior_means" in latents:
        learnt = {"means": latents["prior_means"].tolist(), "trainable_means": False}
        own_spec = {**(own_spec or {}), **learnt}
    own, other = (build_prior(dim=dim, **s).double() if s else None for s in (own_spec, other_spec))
    assert own is not None
    others = (stored.background, stored.gradients)
    ratio, norms = (read_parquet(path).set_index(KEYS) if path else None for path in others)
    background = None if ratio is None else ratio["log_prob"]
    layers = None if norms is None else norms.filter(regex="^gradient_")
    return Training(table, own, other, means, stds, sizes, background, layers)


def in_blocks(function: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """A function of arrays of N rows, a few rows at a time: (N,); -inf where one is not finite."""
    found = []
    for start in range(0, len(arrays[0]), BLOCK):
        parts = [np.asarray(array[start : start + BLOCK], float) for array in arrays]
        good = np.all([np.isfinite(part).all(1) for part in parts], axis=0)
        values = np.full(len(good), -np.inf)
        values[good] = function(*(part[good] for part in parts)) if good.any() else 0
        found.append(values)
    return np.concatenate(found)
