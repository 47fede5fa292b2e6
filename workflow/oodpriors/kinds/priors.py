"""Kinds of priors: the density of a component."""

from collections.abc import Mapping
from typing import NamedTuple

from oodpriors.kinds.rows import beta


class PriorKind(NamedTuple):
    """A kind of prior.

    Attributes:
        place: a subclass of :class:`oodpriors.priors.Prior`.
        parameters: schema of each further argument of the class; a prior must give all.
    """

    place: str
    parameters: Mapping[str, Mapping] = {}


PRIORS = {
    "gaussian": PriorKind("oodpriors.priors:GaussianPrior"),
    "generalized_gaussian": PriorKind(
        "oodpriors.priors:GeneralizedGaussianPrior",
        parameters={
            "beta": beta("shape of the generalised Gaussian (Equation 3); the paper uses 4")
        },
    ),
}
