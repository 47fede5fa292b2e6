"""Means of a prior: lists of coordinates, a CSV file, or a rule."""

import math
from collections.abc import Callable, Mapping

from oodpriors.config.schema import ConfigError


def component_distance(config: Mapping, prior: str) -> float:
    """Distance between the two components of a prior, 0 for a single one."""
    first, *others = config["priors"][prior]["means"]
    return math.dist(first, others[0]) if others else 0.0


def with_means(config: Mapping, read: Callable[[str], str]) -> dict:
    """The configuration with the means of each prior as lists of coordinates.

    Args:
        config: validated.
        read: gives the text of a file.

    Raises:
        ConfigError: a file of means cannot be read.
    """
    priors, mistakes = {}, []
    for name, entry in config["priors"].items():
        try:
            priors[name] = entry | {"means": _means(entry["means"], read)}
        except (OSError, ValueError) as error:
            mistakes.append(
                f"priors.{name}.means: {entry['means']} is no CSV file with a mean in each line "
                f"({error})"
            )
    if mistakes:
        raise ConfigError(mistakes)
    return dict(config) | {"priors": priors}


def _means(means, read: Callable[[str], str]) -> list[list[float]]:
    if isinstance(means, str):
        lines = [line for line in read(means).splitlines() if line.strip()]
        if not lines:
            raise ValueError("it is empty")
        return [[float(value) for value in line.split(",")] for line in lines]
    if isinstance(means, Mapping):
        return _by_rule(**means)
    return means


def _by_rule(rule: str, k: int, distance: float, centred: bool = True) -> list[list[float]]:
    if rule == "line":
        start = -(k - 1) / 2 if centred else 0
        # the first component is the rightmost, as with means written [[m], [-m]]
        order = reversed(range(k)) if centred else range(k)
        return [[distance * (start + i)] for i in order]
    if rule == "axes":
        return [[distance if i == j else 0.0 for i in range(k)] for j in range(k)]
    side = distance / math.sqrt(2)  # of a simplex
    return [[side * ((i == j) - 1 / k) for i in range(k)] for j in range(k)]
