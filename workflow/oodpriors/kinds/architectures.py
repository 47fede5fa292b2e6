"""Architectures: models of images."""

from collections.abc import Mapping
from typing import NamedTuple

from oodpriors.kinds.rows import key


class ArchitectureKind(NamedTuple):
    """An architecture.

    Attributes:
        place: function that builds a model from ``image_shape`` (C, H, W), ``prior``
            (arguments of :func:`oodpriors.priors.build_prior`) and the network's keys.
        network: schema of each key of its network; all must be given.
        keys: schema of further keys of its budget.
        shapes: of the images that it takes, (C, H, W); none allows all.
        least_draws: draws for each image that a score needs at least.
        infers: whether its latents are means of a posterior.
    """

    place: str
    network: Mapping[str, Mapping] = {}
    keys: Mapping[str, Mapping] = {}
    shapes: tuple[tuple[int, int, int], ...] = ()
    least_draws: int = 1
    infers: bool = False


PRECISIONS = {"enum": ["float32", "bfloat16", "auto"]}
WIDTH = key("integer", "hidden channels of the coupling networks", minimum=1, maximum=10_000)
PRECISION = key(
    "string",
    "precision of the coupling networks' products in training; auto: bfloat16 where it is fast; "
    "scores are in float32",
    **PRECISIONS,
)
VAE_NETWORK = {
    "latent_dim": key("integer", "number of latent coordinates", minimum=1, maximum=10_000),
    "decoder_width": key(
        "integer", "channels of the decoder's last hidden layer", minimum=1, maximum=10_000
    ),
    "encoder_norm_last": key(
        "boolean", "whether batch normalisation follows the encoder's last convolution"
    ),
    "scaled_start": key("boolean", "whether the first latents have the size of the prior's means"),
    "decoder_precision": key(
        "string",
        "precision of the products of the decoder's convolutions, except the latent's; auto: "
        "bfloat16 where it is fast; the largest importance weights of scores are always in float32",
        **PRECISIONS,
    ),
}
GLOW_NETWORK = {
    "couplings": key("integer", "number of affine coupling layers", minimum=1, maximum=1000),
    "squeeze_after": key(
        "array",
        "a squeeze follows each of these couplings, counted from 1",
        uniqueItems=True,
        items={"type": "integer", "minimum": 1, "maximum": 1000},
    ),
    "width": WIDTH,
    "scale_floor": key(
        "number", "constant added to the scale of each coupling", minimum=0, maximum=1000
    ),
    "precision": PRECISION,
}
CV_GLOW_NETWORK = {
    "couplings": key("integer", "number of additive coupling layers", minimum=1, maximum=1000),
    "width": WIDTH,
    "precision": PRECISION,
}
ADAPTIVE = {
    "type": ["object", "null"],
    "description": "fewer importance samples for an image whose estimate is good; null draws all",
    "default": None,
    "additionalProperties": False,
    "required": ["std_error", "effective_sample_size"],
    "properties": {
        "std_error": key(
            "number",
            "largest allowed standard error of log p (nats); by its formula it is never above 1",
            exclusiveMinimum=0,
            exclusiveMaximum=1,
        ),
        "effective_sample_size": key(
            "number", "smallest allowed effective sample size", minimum=1, maximum=1_000_000
        ),
    },
}
REFINED = {
    "type": ["object", "null"],
    "description": "a second estimate of log p, with a posterior refined for each image; or null",
    "default": None,
    "additionalProperties": False,
    "required": ["images"],
    "properties": {
        "images": {
            "type": ["integer", "null"],
            "description": "images of each set, in and out of distribution; null takes all",
            "minimum": 1,
            "maximum": 1_000_000_000,
        },
        "screening": key(
            "integer",
            "optimiser steps from each start (the encoder's posterior, and this at each component)",
            minimum=1,
            maximum=1000,
            default=8,
        ),
        "steps": key(
            "integer",
            "largest number of steps from the best start; none is taken for a gain below 0.3 nats",
            minimum=1,
            maximum=10_000,
            default=20,
        ),
        "samples": key("integer", "importance samples", minimum=16, maximum=1_000_000, default=48),
        "defensive": key(
            "number",
            "share of the samples that come from the encoder's posterior",
            minimum=0.125,
            maximum=0.875,
            default=0.125,
        ),
    },
}

ARCHITECTURES = {
    "vae": ArchitectureKind(
        "oodpriors.models.build:build_vae",
        network=VAE_NETWORK,
        keys={"adaptive": ADAPTIVE, "refined": REFINED},
        shapes=((1, 28, 28), (3, 32, 32)),
        least_draws=2,
        infers=True,
    ),
    "glow": ArchitectureKind("oodpriors.models.build:build_glow", network=GLOW_NETWORK),
    "cv_glow": ArchitectureKind("oodpriors.models.build:build_cv_glow", network=CV_GLOW_NETWORK),
}
