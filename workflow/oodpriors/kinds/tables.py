"""Kinds of tables: what goes in, and how it is printed."""

from collections.abc import Mapping
from typing import NamedTuple

from oodpriors.kinds.rows import IMAGES, SCORES, key, models


class TableKind(NamedTuple):
    """A kind of table.

    Attributes:
        show: function ``show(table)``, the table as it is printed.
        make: function ``make(entry, source, published)``, the table of an entry of the
            configuration; None takes the source as it is.
        source: path below the results of what it is made from; it may hold keys of the entry.
        keys: schema of the keys that only this kind has.
        needs: the key that an entry must have.
        note: below the table in print.
        columns: of the table in print, as LaTeX has them; "" puts all to the left.
        long: whether it may take more than one page.
        architectures: of its models, or IMAGES; None allows all.
    """

    show: str
    make: str | None = None
    source: str = ""
    keys: Mapping[str, Mapping] = {}
    needs: str | None = None
    note: str = ""
    columns: str = ""
    long: bool = False
    architectures: tuple[str, ...] | None = None


PAIR = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string"}}
PAIRS = {
    "pairs": key("array", "pairs of one unimodal and one multimodal model", minItems=1, items=PAIR)
}

TABLES = {
    "likelihoods": TableKind(
        "oodpriors.tables.likelihoods:show_likelihoods",
        "oodpriors.tables.likelihoods:make_likelihoods",
        source="tables/models.csv",
        needs="models",
        keys={"models": models(uniqueItems=True)},
        architectures=IMAGES,
    ),
    "ranking": TableKind(
        "oodpriors.tables.ranking:show_ranking",
        source="statistics/ranking.csv",
        note=(
            "Out of distribution is the positive class and -log p the score; AUPR: average "
            "precision; FPR95: share of the test images that are called out of distribution where "
            "95 % of those out of distribution are. Intervals of 95 % over images and trainings."
        ),
        columns="P{1.3cm}P{2.2cm}P{2.8cm}P{1.9cm}llll",
        long=True,
    ),
    "refined": TableKind(
        "oodpriors.tables.refined:show_refined",
        "oodpriors.tables.refined:make_refined",
        source="tables/models.csv",
        note=(
            "Nats per image; both estimates are of the same images. encoder: importance sampling "
            "with the encoder's posterior, as in the paper; refined: with a posterior refined for "
            "each image. Both are lower bounds in expectation. AUROC with intervals of 95 %."
        ),
        columns="P{1.5cm}P{2cm}l" + 4 * "P{1.65cm}" + 2 * "P{1.9cm}",
        long=True,
    ),
    "decomposition": TableKind(
        "oodpriors.tables.decomposition:show_decomposition",
        "oodpriors.tables.decomposition:make_decomposition",
        source="statistics/decomposition.csv",
        needs="pairs",
        keys=PAIRS,
        note=(
            "A unimodal prior has no coordinate that separates components: all of its coordinates "
            "are in prior_rest and its prior_separating is zero, so read the changes of these two "
            "together. AUROC is of the part alone, in the place of log p, under the multimodal "
            "model; |z_1|, shown for two components, has no mean here, and in distribution it "
            "should be the larger."
        ),
        columns="P{0.9cm}P{1.5cm}P{2.1cm}llrrrrl",
        long=True,
        architectures=IMAGES,
    ),
    "architecture": TableKind(
        "oodpriors.tables.architecture:show_architecture",
        source="statistics/{network}.csv",
        needs="network",
        keys={
            "network": {
                "description": "network for images of one channel (grey) or three (colour)",
                "enum": ["grey", "colour"],
            }
        },
        note=(
            "Kernel, stride, channels and padding as built; in brackets the paper's where it "
            "differs."
        ),
        columns="lllllllll",
    ),
    "toy": TableKind(
        "oodpriors.tables.toy:show_toy",
        "oodpriors.tables.toy:make_toy",
        source="statistics/toy_table.csv",
        note="Exact: of the mixture itself, in closed form and by quadrature; nats per point.",
        columns="llrrrrrrr",
    ),
    "second_order": TableKind(
        "oodpriors.tables.second_order:show_second_order",
        "oodpriors.tables.second_order:make_second_order",
        source="statistics/second_order.csv",
        needs="models",
        keys={"models": models(uniqueItems=True)},
        note=(
            "Nats per image, q being MNIST. Equation 7: from the products of the 1 × 1 "
            "convolutions; Jacobian: from the exact Jacobian at the mean images, with pixels taken "
            "as uncorrelated (diagonal) or not."
        ),
        columns="lrrrr",
        architectures=("cv_glow",),
    ),
    "companions": TableKind(
        "oodpriors.tables.companions:show_companions",
        "oodpriors.tables.companions:make_companions",
        source="statistics/companions.csv",
        needs="models",
        keys={"models": models(uniqueItems=True)} | SCORES,
        architectures=IMAGES,
        note=(
            "AUROC with intervals of 95 % over images (or batches of M) and trainings; the test "
            "images have the higher score above 0.5. Likelihoods of a VAE with an exchanged prior "
            "are lower bounds. Published numbers are of other models, trained on all labels. "
            "docs/companions.md says what each score is."
        ),
    ),
    "best_scores": TableKind(
        "oodpriors.tables.best_scores:show_best_scores",
        "oodpriors.tables.best_scores:make_best_scores",
        source="statistics/companions.csv",
        needs="models",
        keys={"models": models(uniqueItems=True)} | SCORES,
        architectures=IMAGES,
        note=(
            "AUROC with intervals of 95 % over images and trainings. All scores are of single "
            "images, and the best of them is chosen on the images that it is shown for."
        ),
        columns="lP{4.8cm}llllP{2.7cm}l",
    ),
    "remedy": TableKind(
        "oodpriors.tables.remedy:show_remedy",
        "oodpriors.tables.remedy:make_remedy",
        source="statistics/companions.csv",
        needs="pairs",
        keys=PAIRS | SCORES,
        architectures=IMAGES,
        note=(
            "AUROC with intervals of 95 % over images and trainings. The other scores are of "
            "single images, and the best of them is chosen on the set that it is shown for. "
            "Better: the score or the multimodal prior, if their intervals are apart."
        ),
        columns="lP{2.2cm}P{2.2cm}llP{2.6cm}ll",
        long=True,
    ),
}
