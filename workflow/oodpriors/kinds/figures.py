"""Kinds of figures: what is drawn, and from which files."""

from collections.abc import Mapping
from typing import NamedTuple

from oodpriors.kinds.rows import IMAGES, PLANE, SCORES, key, models

COLUMNS = {
    "description": "column of the score files",
    "enum": [
        "log_prob",
        "log_prob_refined",
        "latent_first",
        "latent_first_refined",
        "latent_farthest",
    ],
}


class FigureKind(NamedTuple):
    """A kind of figure.

    Attributes:
        place: function ``draw(files, about, note, paths)``, see
            :mod:`oodpriors.figures.sheet`.
        files: what it is drawn from, by name, as paths below the results. A path with
            ``{model}``, ``{subset}``, ``{other}`` (the subset out of distribution) or
            ``{assignment}`` means a file of each model: one, or with ``{seed}`` one of
            each seed.
        keys: schema of the keys that only this kind has.
        needs: the key that an entry must have.
        architectures: of its models, or IMAGES; None allows all.
        analysis: whose stored numbers it draws.
        note: below the caption.
        dense: whether it takes the full width of the text, to be read.
    """

    place: str
    files: Mapping[str, str] = {}
    keys: Mapping[str, Mapping] = {}
    needs: str | None = None
    architectures: tuple[str, ...] | None = None
    analysis: str | None = None
    note: str = ""
    dense: bool = False


PANELS = key(
    "object",
    "models in each panel, by the title of the panel",
    minProperties=1,
    additionalProperties=models(uniqueItems=True),
)
SETS = {"enum": ["test", "ood"]}
ROWS = {
    "description": "what has a row, scores if not given; the others have a panel each",
    "enum": ["scores", "sets"],
}
NOT_SHOWN = "At most half a per cent of a set is not shown."

FIGURES = {
    "histograms": FigureKind(
        "oodpriors.figures.histograms:draw",
        files={"scores": "models/{model}/seed{seed}/scores.parquet"},
        needs="panels",
        keys={
            "panels": PANELS,
            "column": COLUMNS | {"default": "log_prob"},
            "columns": key(
                "object",
                "another column for the panel with this title",
                additionalProperties=COLUMNS,
                default={},
            ),
            "sets": key(
                "array",
                "sets of images that are drawn",
                minItems=1,
                uniqueItems=True,
                items=SETS,
                default=["test", "ood"],
            ),
        },
        note=NOT_SHOWN,
    ),
    "curves": FigureKind(
        "oodpriors.figures.curves:draw",
        files={"table": "statistics/curves.csv"},
        needs="curves",
        keys={"curves": key("array", "names of the curves", minItems=1, items={"type": "string"})},
    ),
    "contours": FigureKind(
        "oodpriors.figures.toy:draw_contours",
        files={
            "densities": "models/{model}/seed{first_seed}/density.parquet",
            "contours": "models/{model}/seed{first_seed}/contours.json",
            "scores": "models/{model}/seed{first_seed}/scores.parquet",
        },
        needs="models",
        keys={
            "models": models(),
            "levels": key(
                "array",
                "lowest and highest contour in nats; there is one at each nat between them",
                minItems=2,
                maxItems=2,
                items={"type": "integer", "minimum": -1000, "maximum": 1000},
                default=[-10, -1],
            ),
        },
        architectures=PLANE,
    ),
    "topology": FigureKind(
        "oodpriors.figures.toy:draw_topology",
        files={
            "densities": "models/{model}/seed{first_seed}/density.parquet",
            "latents": "models/{model}/seed{first_seed}/latent.parquet",
            "facts": "models/{model}/seed{first_seed}/facts.json",
        },
        needs="models",
        keys={"models": models()},
        architectures=PLANE,
    ),
    "densities": FigureKind(
        "oodpriors.figures.densities:draw", files={"table": "statistics/fig03.csv"}
    ),
    "pixels": FigureKind(
        "oodpriors.figures.pixels:draw",
        files={"table": "statistics/fig07.csv"},
        needs="models",
        keys={"models": models()},
        architectures=IMAGES,
        analysis="pixels",
    ),
    "decoded": FigureKind(
        "oodpriors.figures.images:draw",
        files={
            "decoded": "models/{model}/seed{first_seed}/decoded.npz",
            "arrays": "data/{subset}/train.npz",
            "components": "data/{subset}/assignment.{assignment}.csv",
        },
        needs="models",
        keys={"models": models()},
        architectures=IMAGES,
    ),
    "clusters": FigureKind(
        "oodpriors.figures.clusters:draw",
        files={"table": "statistics/fig13.csv", "pictures": "statistics/fig13.npz"},
        needs="subset",
        keys={"subset": key("string", "subset with k-means")},
        analysis="clusters",
    ),
    "ridges": FigureKind(
        "oodpriors.figures.ridges:draw",
        files={"scores": "models/{model}/seed{seed}/scores.parquet"},
        needs="panels",
        keys={
            "panels": PANELS,
            "column": COLUMNS | {"default": "log_prob"},
            "set": SETS | {"description": "set of images that is drawn", "default": "ood"},
        },
        note=NOT_SHOWN,
    ),
    "companions": FigureKind(
        "oodpriors.figures.companions:draw",
        files={"table": "statistics/companions.csv"},
        needs="models",
        keys={"models": models()} | SCORES | {"rows": ROWS},
        architectures=IMAGES,
        dense=True,
    ),
}
