"""Names of quantities and models in words."""

import re
from collections.abc import Mapping

MODEL = re.compile(r"\b(\w+)/(\w+)/(\w+)\b")
STATISTIC = re.compile(r"(\w+)\((\w+), (test|ood)(?:, component (\d+))?\) of (\w+/\w+/\w+)")
SETS = {"test": "in distribution", "ood": "out of distribution"}
STORED = re.compile(r"(?<![\w/])(\w+)/(\w+/\w+/\w+)/(\w+)")  # analysis, model and quantity
COLUMNS = {
    "log_prob": "log p",
    "log_prob_refined": "log p (refined)",
    "log_prob_unrefined": "log p (encoder, the same images)",
    "log_prob_nearest": "log p under the nearest component",
    "log_prob_true": "the true log density",
    "refined_change": "the gain by refinement",
    "squared_distance": "the squared distance",
    "latent_first": "the first latent coordinate",
    "latent_first_refined": "the first latent coordinate (refined)",
    "latent_farthest": "the farthest latent coordinate",
    "latent_mode_distance": "the distance to the nearest component",
    "x_1": "the first coordinate of the points",
}
# By the name of a statistic: words for a column of one set, or of both.
STATISTICS = {
    "mean": "mean of {column}, {which}",
    "median": "median of {column}, {which}",
    "nll": "mean of -{column}, {which}",
    "gap": "mean of {column} in less out of distribution",
    "auroc": "AUROC of {column}",
    "overlap": "overlap of {column}, in and out of distribution",
    "within": "share near a component by {column}, {which}",
    "in_band": "share, {which}, in the band of the test images by {column}",
}
IN_NATS = ("mean", "median", "nll", "gap")


def model_words(name: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    """A model by its titles; what has none keeps its name.

    >>> model_words("vae/a/b", {"models": {"vae": "VAE"}, "subsets": {}, "priors": {"b": "uni"}})
    'VAE uni on a'
    """
    architecture, subset, prior = name.split("/")
    parts = [
        titles["models"].get(architecture, architecture),
        titles["priors"].get(prior, prior),
        "on",
        mixture_words(subset) or titles["subsets"].get(subset, subset),
    ]
    return " ".join(parts)


def mixture_words(subset: str) -> str:
    """The dimensions of a mixture of two Gaussians; of anything else, nothing.

    >>> mixture_words("mixture_10")
    'a mixture in 10 dimensions'
    """
    found = re.fullmatch(r"mixture_(\d+)", subset)
    return f"a mixture in {found[1]} dimensions" if found else ""


def quantity_words(text: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    """A comparison of quantities in words; what has no words stays as it is.

    Args:
        text: as :func:`oodpriors.statistics.claims.quantity_name` writes it.
        titles: of architectures (as models), subsets and priors.
    """
    said = STATISTIC.sub(lambda found: _statistic(found, titles), text)
    said = STORED.sub(lambda found: _stored(found, titles), said)
    return MODEL.sub(lambda found: _model(found[0], titles), said)


def _stored(found: re.Match, titles: Mapping) -> str:
    _, model, name = found.groups()
    words = _model(model, titles)
    return found[0] if words == model else f"{name.replace('_', ' ')} ({words})"


def _statistic(found: re.Match, titles: Mapping) -> str:
    statistic, column, which, component, model = found.groups()
    words = STATISTICS.get(statistic, f"{statistic} of {{column}}, {{which}}")
    said = words.format(column=COLUMNS.get(column, column), which=SETS[which])
    part = f" to component {int(component) + 1}" if component else ""
    return f"{said}{part} ({_model(model, titles)})"


def _model(name: str, titles: Mapping) -> str:
    """A path of three names that is no model of the configuration is left as it is."""
    architecture, subset, _ = name.split("/")
    known = architecture in titles["models"] and subset in titles["subsets"]
    return model_words(name, titles) if known else name


def unit(comparison: str) -> str:
    """Unit of both sides of a comparison: nats per image or point; else nothing.

    >>> unit("mean(log_prob, ood) of toy/mixture_2/unimodal > 1")
    'nats per point'
    """
    found = STATISTIC.search(comparison)
    if not found or found[1] not in IN_NATS or " / " in comparison:
        return ""
    if not found[2].startswith(("log_prob", "refined_change")):
        return ""
    return f"nats per {'point' if found[5].startswith('toy/') else 'image'}"
