"""Companion scores of images, (N,); the higher, the more like the training images.

What each is and where it comes from is said in its row in
:data:`oodpriors.kinds.companions.COMPANIONS`.
"""

import io
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from scipy.special import entr, logsumexp
from scipy.stats import gaussian_kde, norm

from oodpriors.companions.training import NotApplicable, Training, in_blocks

PARTS = (  # of log p, and the numbers beside it that are of every image
    *("log_prob", "reconstruction", "prior_separating", "prior_rest", "log_det"),
    *("posterior_entropy", "kl", "importance_gain", "latent_norm_squared"),
)
OUTLIERS = 0.1  # share of training images that a one-class machine may leave out
REFERENCE = 100_000  # draws from a component's density


def stored(training: Training, column: str) -> np.ndarray:
    """A column of the score file."""
    if column not in training.scores:
        raise NotApplicable("the score file has no refined posteriors")
    return training.scores[column].to_numpy(float)


def log_prob(training: Training) -> np.ndarray:
    return stored(training, "log_prob")


def refined(training: Training) -> np.ndarray:
    return stored(training, "log_prob_refined")


def regret(training: Training) -> np.ndarray:
    return -stored(training, "refinement_gain")


def typicality(training: Training) -> np.ndarray:
    """Minus the distance of log p to its mean over the training images, nats."""
    values = log_prob(training)
    return -np.abs(values - training.of_train(values).mean())


def complexity(training: Training) -> np.ndarray:
    """Sizes of the images as PNG files, nats; NaN for images that were not given."""
    if not training.sizes:
        raise NotApplicable("no images were given")
    rows = pd.MultiIndex.from_frame(training.scores[["images", "index"]])
    return pd.concat(training.sizes).reindex(rows).to_numpy()


def corrected(training: Training) -> np.ndarray:
    """log p plus the size of the image as a PNG file, nats."""
    return log_prob(training) + complexity(training)


def likelihood_ratio(training: Training) -> np.ndarray:
    """log p less log p under a model of mutated images, nats; -inf wherever log p is."""
    if training.background is None:
        raise NotApplicable("no model of this seed was trained on these images with mutations")
    own, background = log_prob(training), training.matched(training.background)
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(own), own, own - background)


def gradient_norms(training: Training) -> np.ndarray:
    """Log-density of the log gradient norms, by a Gaussian for each layer; NaN without norms.

    The Gaussians are fitted to the training images. A layer counts if its norm is positive
    for all of them and varies.
    """
    if training.gradients is None:
        raise NotApplicable("no gradients were computed (gradients.images)")
    values = training.matched(training.gradients)
    known = ~np.isnan(values).all(1)
    usable = np.isfinite(values[training.train & known]).all(0)
    own = training.of_train(values[:, usable])
    means, deviations = own.mean(0), own.std(0)
    varying = deviations > 1e-9 * (1 + np.abs(means))
    if not varying.any():
        raise NotApplicable("no layer has gradient norms that vary over the training images")
    fits = norm(means[varying], deviations[varying])
    return fits.logpdf(values[:, usable][:, varying]).sum(1)


def png_sizes(arrays: Mapping[str, np.ndarray]) -> pd.Series:
    """Sizes as PNG files by ``index``, nats, of uint8 ``images`` (N, H, W[, 1 or 3])."""
    sizes = [_png_bytes(image) * 8 * math.log(2) for image in arrays["images"]]
    return pd.Series(sizes, index=arrays["index"])


def _png_bytes(image: np.ndarray) -> int:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image).save(
        file, "PNG", optimize=True
    )
    return len(file.getvalue())


def waic(log_probs: np.ndarray) -> np.ndarray:
    """Mean less variance over S trainings: (S, N) -> (N,), nats."""
    if len(log_probs) < 2:
        raise NotApplicable("one training: a variance over trainings needs two")
    mean = log_probs.mean(0)
    with np.errstate(invalid="ignore"):  # infinite ones have no variance
        return np.where(np.isneginf(mean), mean, mean - log_probs.var(0, ddof=1))


def parts_kernels(training: Training) -> np.ndarray:
    """Sum over the parts of log p of their log-densities, by kernels of Scott's width, nats."""
    parts = _standardised(training)
    kernels = [gaussian_kde(column) for column in training.of_train(parts).T]
    return in_blocks(
        lambda x: np.sum([k.logpdf(column) for k, column in zip(kernels, x.T, strict=True)], 0),
        parts,
    )


def parts_machine(training: Training) -> np.ndarray:
    """Signed distance of the parts of log p to a one-class machine's boundary."""
    from sklearn.svm import OneClassSVM

    parts = _standardised(training)
    machine = OneClassSVM(nu=OUTLIERS, gamma="scale").fit(training.of_train(parts))
    return in_blocks(machine.decision_function, parts)


def _standardised(training: Training) -> np.ndarray:
    """Parts that vary, with mean 0 and variance 1 over the training images: (N, parts)."""
    parts = training.scores[[name for name in PARTS if name in training.scores]].to_numpy(float)
    own = training.of_train(parts)
    varying = own.std(0) > 1e-9 * (1 + np.abs(own.mean(0)))
    return ((parts - own.mean(0)) / np.where(varying, own.std(0), 1))[:, varying]


def log_odds(training: Training) -> np.ndarray:
    """log p(k given x) of the best component less that of all others together, nats."""
    ordered = np.sort(_by_component(training), axis=1)
    return ordered[:, -1] - logsumexp(ordered[:, :-1], axis=1)


def certainty(training: Training) -> np.ndarray:
    """Minus the entropy of p(k given x), nats; 0 is the largest."""
    values = _by_component(training)
    log_p = values - logsumexp(values, axis=1, keepdims=True)
    return -entr(np.exp(log_p)).sum(1)


def _by_component(training: Training) -> np.ndarray:
    """log p with each component; that no component explains an image counts as no preference."""
    values = training.scores.filter(regex=r"^log_prob_component_\d+$").to_numpy(float)
    if values.shape[1] < 2:
        raise NotApplicable("the prior has one component")
    return np.where(np.isneginf(values).all(1, keepdims=True), 0, values)


def norm_typicality(training: Training) -> np.ndarray:
    """Minus how far the latent's squared norm is from that of the prior's draws, in deviations.

    The norm is the distance to the nearest mean, for a VAE of one draw from the posterior. It
    is compared with chi-square after Wilson and Hilferty's (1931) transform, whose tails have
    no ties. For components of another shape the degrees of freedom are those that match the
    variance (Satterthwaite 1946).
    """
    dim = training.means.shape[1]
    freedom = 2 * dim / (_reference(training) ** 2).var()
    norms = training.scores["latent_norm_squared"].to_numpy(float)
    if training.stds is not None:
        nearest = training.prior.means.numpy()[training.scores["nearest_component"].to_numpy()]
        norms = ((training.latents - nearest) ** 2).sum(1) / training.prior.scale**2
    roots = np.cbrt(norms / dim)
    return -np.abs(roots - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))


def coordinate_fit(training: Training) -> np.ndarray:
    """Minus Kolmogorov and Smirnov's distance of a latent's coordinates to a component's density.

    The coordinates are of one latent, less the mean of the nearest component.
    """
    nearest = training.scores["nearest_component"].to_numpy()
    means, reference = training.prior.means.numpy(), np.sort(_reference(training))
    dim = training.means.shape[1]
    steps = np.arange(dim + 1) / dim

    def distance(z: np.ndarray, k: np.ndarray) -> np.ndarray:
        u = np.sort((z - means[k[:, 0].astype(int)]) / training.prior.scale, axis=1)
        below = np.searchsorted(reference, u) / len(reference)
        return -np.maximum(steps[1:] - below, below - steps[:-1]).max(1)

    return in_blocks(distance, training.latents, nearest[:, None])


def _reference(training: Training) -> np.ndarray:
    """Draws from a component's density with mean 0 and scale 1, (at least REFERENCE,)."""
    prior = training.prior
    n = -(-REFERENCE // prior.means.shape[1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drawn = prior.sample(n, torch.zeros(n, dtype=torch.long)) - prior.mean(0)
    return (drawn / prior.scale).flatten().double().numpy()
