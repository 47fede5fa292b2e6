"""The tables by their kind: what goes in, and how it is printed."""

from collections.abc import Callable, Mapping

import pandas as pd

from oodpriors.tables.architecture import show_architecture
from oodpriors.tables.cells import Published
from oodpriors.tables.decomposition import (
    DECOMPOSITION_NOTE,
    make_decomposition,
    show_decomposition,
)
from oodpriors.tables.likelihoods import make_likelihoods, show_likelihoods
from oodpriors.tables.ranking import show_ranking
from oodpriors.tables.second_order import make_second_order, show_second_order
from oodpriors.tables.toy import make_toy, show_toy

NOTES = {
    "ranking": (
        "Out of distribution is the positive class and -log p the score; AUPR: average precision; "
        "FPR95: share of the test images that are called out of distribution where 95 % of those "
        "out of distribution are. Intervals of 95 % from the bootstrap."
    ),
    "decomposition": DECOMPOSITION_NOTE,
    "toy": "Exact: of the mixture itself, in closed form and by quadrature; nats per point.",
    "second_order": (
        "Nats per image, q being MNIST. Equation 7: from the products of the 1 × 1 convolutions; "
        "Jacobian: from the exact Jacobian at the mean images, with pixels taken as uncorrelated "
        "(diagonal) or not."
    ),
    "architecture": (
        "Kernel, stride, channels and padding as built; in brackets the paper's where it differs."
    ),
}


def make_table(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Content of a table of the configuration, from what was stored for its kind.

    Args:
        entry: of the configuration.
        source: the statistics of the kind.
        published: the paper's numbers.
    """
    return MAKERS.get(entry["kind"], _as_it_is)(entry, source, published)


def _as_it_is(entry: Mapping, source: pd.DataFrame, published: Published) -> pd.DataFrame:
    return source


MAKERS: dict[str, Callable] = {
    "likelihoods": make_likelihoods,
    "decomposition": make_decomposition,
    "toy": make_toy,
    "second_order": make_second_order,
}


def show_table(kind: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table of a kind as it is printed."""
    return SHOWS[kind](table)


SHOWS: dict[str, Callable] = {
    "likelihoods": show_likelihoods,
    "ranking": show_ranking,
    "decomposition": show_decomposition,
    "toy": show_toy,
    "second_order": show_second_order,
    "architecture": show_architecture,
}
