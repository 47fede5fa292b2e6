"""Analyses: what is computed of trained models and of the data, except scores."""

from collections.abc import Mapping
from typing import NamedTuple

from oodpriors.kinds.rows import IMAGES, beta, key, models


class AnalysisKind(NamedTuple):
    """An analysis; its estimates are stored, and claims compare them.

    Attributes:
        place: function ``analyse(files, runs, entry, n_bootstrap, seed)`` that gives
            estimates by name; None if the analysis has a rule of its own, since it also
            stores what a figure draws.
        files: what it is computed from, see :class:`oodpriors.kinds.figures.FigureKind`.
        keys: schema of each key of its entry; all must be given.
        architectures: of its models, or IMAGES; None allows all.
        description: what is computed, and its place in the paper.
    """

    place: str | None = None
    files: Mapping[str, str] = {}
    keys: Mapping[str, Mapping] = {}
    architectures: tuple[str, ...] | None = None
    description: str = ""


ANALYSES = {
    "densities": AnalysisKind(
        keys={"beta": beta("shape of the generalised Gaussian")},
        description="densities of the component types (Section 4, Figure 3)",
    ),
    "pixels": AnalysisKind(
        files={
            "scores": "models/{model}/seed{first_seed}/scores.parquet",
            "decoded": "models/{model}/seed{first_seed}/decoded.npz",
            "test": "data/{subset}/test.npz",
            "ood": "data/{other}/test.npz",
        },
        keys={"model": key("string", "model whose mean images are used")},
        architectures=IMAGES,
        description="distances to the mean images for each pixel (Figure 7)",
    ),
    "clusters": AnalysisKind(
        keys={"subset": key("string", "subset with k-means")},
        description="variances of the k-means clusters (Figure 13)",
    ),
    "second_order": AnalysisKind(
        "oodpriors.analyses.second_order:analyse",
        files={
            "specs": "models/{model}/seed{seed}/spec.yaml",
            "weights": "models/{model}/seed{seed}/weights.pt",
            "scores": "models/{model}/seed{seed}/scores.parquet",
            "test": "data/{subset}/test.npz",
            "ood": "data/{other}/test.npz",
        },
        keys={"models": models()},
        architectures=("cv_glow",),
        description="Equation 7, computed from the weights of constant-volume Glows (Section 3.2)",
    ),
    "decoded": AnalysisKind(
        "oodpriors.analyses.decoded:analyse",
        files={
            "tables": "models/{model}/seed{seed}/decoded.csv",
            "specs": "models/{model}/seed{seed}/spec.yaml",
            "arrays": "data/{subset}/train.npz",
        },
        keys={"models": models()},
        architectures=IMAGES,
        description="how similar the decoded images are to the data (Appendix D)",
    ),
}
