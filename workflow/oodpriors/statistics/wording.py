"""Quantities of claims in words: what is measured, of which model, and in which unit.

*in* is the test images (or points) of the training distribution, *out* those out of it. A model is
named only by the parts of its name in which the models of a claim differ.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from oodpriors.statistics.bootstrap import SHARES

SETS = {"test": "in", "ood": "out"}
STATISTICS = {
    "auroc": "AUROC",
    "aupr": "AUPR",
    "fpr95": "FPR95",
    "nll": "NLL",
    "within": "share near a component",
    "in_band": "share in the central 95 %",
}
OF_BOTH_SETS = ("auroc", "aupr", "fpr95", "gap", "overlap")
ESTIMATES = {
    "log_prob": "",
    "log_prob_refined": "refined ",
    "log_prob_unrefined": "encoder's ",
    "latent_first_refined": "refined ",
}
# Columns of scores; "" where the statistic says it, and all others by their names.
COLUMNS = {
    "log_prob_true": "the true log p",
    "log_prob_nearest": "log p of the nearest component",
    "latent_first": "the first latent coordinate",
    "latent_farthest": "the farthest latent coordinate",
    "latent_farthest_index": "the index of the farthest latent coordinate",
    "latent_mode_distance": "",
    "squared_distance": "the squared distance",
    "refined_change": "the change by refinement",
    "x_1": "the first coordinate",
}
# Stored quantities, by the last part of their names; all others by that part.
STORED = {
    "at_origin": "log p at the origin",
    "regions": "number of areas of high density",
    "mass_outside": "share of the mass outside the data",
    "integral": "integral of the density",
    "variance": "variance of the density",
    "largest_difference": "largest difference from the Gaussian density",
    "equation_7": "Equation 7",
    "equation_2_sum": "sum of Equation 2",
    "measured": "measured difference",
    "lower_fraction": "share of pixels with a lower variance out",
    "median_difference": "median difference of variances, out − in",
    "mean_percentile": "percentile of the mean images",
    "sample_percentile": "percentile of samples",
    "blank_ratio": "distance of the mean images / of a black image",
    "own_ratio": "distance of a mean image from its own component / from another",
}
OF_CLUSTERS = {
    "ratio": "variance of cluster {1} / of label {0}",
    "lowered": "share of dimensions with a lower variance in cluster {1} of label {0}",
}
OF_CLUSTER = re.compile(r"(ratio|lowered)_(\d+)_(\d+)")
UNITS = {"bits_per_dim": "bits per dimension", "squared_distance": "squared pixel values"}
# Of stored quantities, by the last part of their names; all others are plain numbers.
STORED_UNITS = dict.fromkeys(("at_origin", "equation_7", "measured", "jacobian"), "nats")
FUNCTIONS = {"spearman": "rank correlation with the distance of the", "range": "range of the"}
DISTANCES = {
    "turning_distance": "distance at which the {of} turns",
    "distance_at_drop": "distance at which the {of} has fallen by {drop}",
}
SIGNS = {"difference": " − ", "ratio": " / "}
# What a verdict says of the clause that a claim means.
DECIDES_NOTHING = "that {}; this decides nothing."
MEANINGS = {
    "holds": "{}.",
    "fails": "It is not true that {}.",
    "not decided": "It is not decided whether {}.",
    "shown by one training": f"One training shows {DECIDES_NOTHING}",
    "not shown by one training": f"One training does not show {DECIDES_NOTHING}",
    "shown by two trainings": f"Two trainings show {DECIDES_NOTHING}",
    "not shown by two trainings": f"Two trainings do not show {DECIDES_NOTHING}",
    "not applicable": "These data cannot decide whether {}.",
}


class Worded(NamedTuple):
    """Both sides of a comparison in words, and their unit, "" for a plain number."""

    left: str
    right: str
    unit: str


def word_claim(comparisons: Sequence[Mapping]) -> list[Worded]:
    """Each comparison of a claim in words.

    >>> side = {"model": "vae/a/uni", "statistic": "mean", "set": "ood"}
    >>> word_claim([{"left": side, "right": {**side, "model": "vae/a/multi"}}])[0]
    Worded(left='mean out (uni)', right='mean out (multi)', unit='nats')
    """
    names = [name for entry in comparisons for side in _sides(entry) for name in _named(side)]
    labels = _labels(list(dict.fromkeys(names)))
    worded = []
    for entry in comparisons:
        left, right = _sides(entry)
        unit = unit_of(left) or unit_of(right)
        worded.append(Worded(words(left, labels), words(right, labels), unit))
    return worded


def joined(words: Sequence[str]) -> str:
    """A list in a sentence.

    >>> joined(["a"]), joined(["a", "b", "c"]), joined([])
    ('a', 'a, b and c', '')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def meaning(verdict: str, clause: str) -> str:
    """What a verdict means, in a sentence; "" for a claim that has no clause.

    >>> meaning("holds", "it rains"), meaning("not decided", "it rains")
    ('It rains.', 'It is not decided whether it rains.')
    """
    said = MEANINGS[verdict].format(clause)
    return said[0].upper() + said[1:] if clause else ""


def _sides(comparison: Mapping) -> tuple:
    return comparison["left"], comparison["right"]


def _named(quantity) -> Iterator[str]:
    """Models and curves of a quantity."""
    if isinstance(quantity, Mapping):
        if "stored" in quantity:
            yield from [_stored_model(quantity["stored"])] * (quantity["stored"].count("/") > 3)
        yield from (quantity[key] for key in ("model", "curve") if key in quantity)
        yield from (name for key in _operations(quantity) for name in _named(quantity[key]))
    elif isinstance(quantity, list | tuple):
        yield from (name for part in quantity for name in _named(part))


def _stored_model(name: str) -> str:
    return "/".join(name.split("/")[1:4])


def _operations(quantity: Mapping) -> list[str]:
    return [key for key, value in quantity.items() if isinstance(value, list | tuple)]


def _labels(names: Sequence[str]) -> dict[str, str]:
    """What tells each name from the others: nothing, if it is the only one."""
    rows = [name.replace("_", " ").split("/") for name in names]
    same = [len(set(column)) == 1 for column in zip(*rows, strict=False)]
    return {
        name: ", ".join(part for part, alike in zip(row, same, strict=False) if not alike)
        for name, row in zip(names, rows, strict=True)
    }


def words(quantity, labels: Mapping[str, str]) -> str:
    """A quantity in words; labels say how each of its models is named."""
    if not isinstance(quantity, Mapping):
        return f"{quantity:,g}"
    if "stored" in quantity:
        return _stored_words(quantity["stored"], labels)
    for name in _operations(quantity):
        parts = [_part(part, labels) for part in quantity[name]]
        return SIGNS[name].join(parts) if name in SIGNS else f"{name} of {', '.join(parts)}"
    found = _statistic(quantity)
    if "curve" in quantity:
        found = _on_curve(quantity, found)
    return _with_label(found, labels.get(quantity.get("curve") or quantity["model"], ""))


def _part(quantity, labels: Mapping[str, str]) -> str:
    found = words(quantity, labels)
    return f"({found})" if isinstance(quantity, Mapping) and _operations(quantity) else found


def _with_label(found: str, label: str) -> str:
    return f"{found} ({label})" if label else found


def _stored_words(name: str, labels: Mapping[str, str]) -> str:
    last = name.split("/")[-1]
    of_cluster = OF_CLUSTER.fullmatch(last)
    if of_cluster:
        kind, *numbers = of_cluster.groups()
        return OF_CLUSTERS[kind].format(*numbers)
    found = STORED.get(last, last.replace("_", " "))
    return _with_label(found, labels.get(_stored_model(name), ""))


def _statistic(quantity: Mapping) -> str:
    name, column = quantity.get("statistic", "auroc"), quantity.get("column", "log_prob")
    found = ESTIMATES.get(column, "") + STATISTICS.get(name, name.replace("_", " "))
    if not column.startswith("log_prob") or column not in ESTIMATES:
        plain = column.removesuffix("_refined")
        of = COLUMNS.get(plain, plain.replace("_", " "))
        found += f" of {of}" if of else ""
    if name not in OF_BOTH_SETS:
        found += f" {SETS[quantity.get('set', 'ood')]}"
    component = quantity.get("component")
    return found if component is None else f"{found}, component {component}"


def _on_curve(quantity: Mapping, of: str) -> str:
    function = quantity["function"]
    if function in FUNCTIONS:
        return f"{FUNCTIONS[function]} {of}"
    return DISTANCES[function].format(of=of, drop=f"{quantity.get('drop', 0):g}")


def unit_of(quantity) -> str:
    """Unit of a quantity; "" for a number, a share, a ratio and a distance of the latent.

    >>> unit_of({"model": "vae/a/b", "statistic": "mean", "set": "ood"})
    'nats'
    """
    if not isinstance(quantity, Mapping):
        return ""
    if "stored" in quantity:
        return STORED_UNITS.get(quantity["stored"].split("/")[-1], "")
    for name in _operations(quantity):
        return "" if name == "ratio" else unit_of(quantity[name][0])
    statistic, function = quantity.get("statistic", "auroc"), quantity.get("function", "range")
    if statistic in SHARES or function != "range":
        return ""
    column = quantity.get("column", "log_prob")
    nats = column.startswith("log_prob") or column == "refined_change"
    return "nats" if nats else UNITS.get(column, "")
