"""Companion scores: other scores than log p that tell images out of distribution."""

from typing import NamedTuple


class Anchor(NamedTuple):
    """A published AUROC, of another model that was trained on all labels.

    Attributes:
        data: kind of the data set that it was trained on.
        other: kind of the data set out of distribution.
        auroc: oriented as here, above 0.5 if test images have the higher score.
        source: the model, and where it is published.
    """

    data: str
    other: str
    auroc: float
    source: str


class CompanionKind(NamedTuple):
    """A score of images, oriented so that higher is more like the training images.

    Attributes:
        place: function of a :class:`oodpriors.companions.training.Training` that gives
            the scores of its images, (N,); with ``ensemble`` of log p under all S
            trainings of a model, (S, N).
        title: in figures and tables.
        description: what it is, and where it comes from.
        batch: images that are judged together.
        ensemble: whether all trainings of a model give one score.
        partial: whether it is of some images alone; the others have NaN.
        published: numbers to compare with.
    """

    place: str
    title: str
    description: str
    batch: int = 1
    ensemble: bool = False
    partial: bool = False
    published: tuple[Anchor, ...] = ()


def typicality(batch: int) -> CompanionKind:
    """The typicality of batches of this size."""
    return CompanionKind(
        "oodpriors.companions.scores:typicality",
        f"typicality, M = {batch}",
        "minus the distance of the mean log p of M images to that of the training images "
        "(Nalisnick et al. 2019)",
        batch,
    )


COMPANIONS = {
    "log_prob": CompanionKind(
        "oodpriors.companions.scores:log_prob",
        "log p",
        "the log-likelihood itself",
        published=(
            Anchor("fashion_mnist", "mnist", 0.240, "flow, Kamkari et al. 2024"),
            Anchor("cifar10", "svhn", 0.064, "flow, Kamkari et al. 2024"),
        ),
    ),
    "prior_own": CompanionKind(
        "oodpriors.companions.exchange:with_own_prior",
        "prior of the training",
        "log p with the prior of the training; a lower bound for a VAE",
    ),
    "prior_other": CompanionKind(
        "oodpriors.companions.exchange:with_other_prior",
        "prior of the other model",
        "the same with the other prior of the pair: unimodal for multimodal, and the reverse",
    ),
    "prior_gaussian": CompanionKind(
        "oodpriors.companions.exchange:with_gaussian",
        "fitted Gaussian",
        "the same with a Gaussian fitted to the training latents (covariance after Ledoit and "
        "Wolf 2004)",
    ),
    "prior_mixture": CompanionKind(
        "oodpriors.companions.exchange:with_mixture",
        "fitted mixture",
        "the same with a mixture of spherical Gaussians fitted to the training latents",
    ),
    "prior_kernels": CompanionKind(
        "oodpriors.companions.exchange:with_kernels",
        "kernel density",
        "the same with a kernel density of the training latents (width after Duin 1976)",
    ),
    "typicality_1": typicality(1),
    "typicality_2": typicality(2),
    "typicality_5": typicality(5),
    "typicality_10": typicality(10),
    "typicality_25": typicality(25),
    "complexity": CompanionKind(
        "oodpriors.companions.scores:complexity",
        "PNG size",
        "the size of the image as a PNG file alone: what the correction brings without a model",
    ),
    "corrected": CompanionKind(
        "oodpriors.companions.scores:corrected",
        "log p + PNG size",
        "log p corrected for the complexity of the image (Serra et al. 2020)",
        published=(Anchor("cifar10", "svhn", 0.784, "Glow, Serra et al. 2020"),),
    ),
    "likelihood_ratio": CompanionKind(
        "oodpriors.companions.scores:likelihood_ratio",
        "likelihood ratio",
        "log p less log p under a background model, trained on images with mutated pixels (Ren "
        "et al. 2019)",
        published=(Anchor("fashion_mnist", "mnist", 0.994, "PixelCNN++, Ren et al. 2019"),),
    ),
    "gradient_norms": CompanionKind(
        "oodpriors.companions.scores:gradient_norms",
        "gradient norms",
        "density of the logs of the gradient's norms in all layers, fitted to the training images "
        "(Dauncey et al. 2024)",
        partial=True,
    ),
    "waic": CompanionKind(
        "oodpriors.companions.scores:waic",
        "WAIC",
        "mean less variance of log p over the trainings (Watanabe 2010; Choi et al. 2018)",
        ensemble=True,
        published=(Anchor("fashion_mnist", "mnist", 0.766, "flow, Choi et al. 2018"),),
    ),
    "parts_kernels": CompanionKind(
        "oodpriors.companions.scores:parts_kernels",
        "density of the parts",
        "product of a kernel density of each part of log p, fitted to the training images (DoSE, "
        "Morningstar et al. 2021)",
    ),
    "parts_machine": CompanionKind(
        "oodpriors.companions.scores:parts_machine",
        "one-class machine of the parts",
        "one-class support vector machine of the same parts (Morningstar et al. 2021)",
    ),
    "log_odds": CompanionKind(
        "oodpriors.companions.scores:log_odds",
        "log-odds of the component",
        "log-odds of the best component given the image: low between the components",
    ),
    "certainty": CompanionKind(
        "oodpriors.companions.scores:certainty",
        "certainty of the component",
        "minus the entropy of the component given the image; it is 0 where one is certain, so "
        "it has many ties",
    ),
    "norm_typicality": CompanionKind(
        "oodpriors.companions.scores:norm_typicality",
        "norm of the latent",
        "minus the deviation of the latent's squared norm from chi-square (Wilson and Hilferty "
        "1931)",
    ),
    "coordinate_fit": CompanionKind(
        "oodpriors.companions.scores:coordinate_fit",
        "fit of the coordinates",
        "minus the Kolmogorov-Smirnov distance of the latent's coordinates to the density of a "
        "component",
    ),
    "regret": CompanionKind(
        "oodpriors.companions.scores:regret",
        "likelihood regret",
        "minus what refining the posterior gains (Xiao et al. 2020); VAE, refined images",
    ),
    "refined": CompanionKind(
        "oodpriors.companions.scores:refined",
        "refined log p",
        "log p with the refined posterior; VAE, refined images",
    ),
}
