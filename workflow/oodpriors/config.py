"""The configuration as plain values: merged, checked, and asked for models.

Everything here works on dictionaries; who calls it reads the files.
"""

import copy
import difflib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from jsonschema import Draft202012Validator

__all__ = [
    "ConfigError",
    "ModelId",
    "component_distance",
    "dataset_facts",
    "document",
    "image_shape",
    "lookup",
    "merge",
    "model_ids",
    "model_seeds",
    "model_spec",
    "models_of",
    "network_of",
    "run_name",
    "selection",
    "suggestion",
    "toy_ids",
    "toy_spec",
    "validate",
    "with_means",
    "with_models",
    "with_only",
    "with_stand_ins",
]

# Image shapes (C, H, W) and labels of the data sets whose files need not be opened.
SHAPES = {
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "svhn": (3, 32, 32),
}
TOY = "toy"
TEN_LABELS = list(range(10))
SPLITS = {
    "mnist": ("test",),
    "svhn": ("test",),
    "fashion_mnist": ("train", "test"),
    "cifar10": ("train", "test"),
}


class ConfigError(ValueError):
    """What is wrong in the configuration, a line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(f"config: {mistake}" for mistake in dict.fromkeys(mistakes)))


class ModelId(NamedTuple):
    """Names of a model, written ``architecture/subset/prior``."""

    architecture: str
    subset: str
    prior: str

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def of(cls, name: str) -> "ModelId":
        return cls(*name.split("/"))


def merge(base: Mapping, override: Mapping) -> dict:
    """base with the values of override, key by key in nested mappings.

    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    merged = copy.deepcopy(dict(base))
    for key, value in override.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def validate(config: Mapping, schema: Mapping) -> dict:
    """The configuration with the schema's defaults filled in.

    Raises:
        ConfigError: a line for each mistake, with its key and what is allowed there.
    """
    filled = _with_defaults(copy.deepcopy(dict(config)), schema)
    errors = sorted(
        Draft202012Validator(schema).iter_errors(filled),
        key=lambda e: [str(step) for step in e.path],
    )
    mistakes = [line for error in errors for line in _explain(error)]
    if mistakes:
        raise ConfigError(mistakes)
    return filled


def _with_defaults(value, schema: Mapping):
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    for key, below in properties.items():
        if key not in value and "default" in below:
            value[key] = copy.deepcopy(below["default"])
    rest = schema.get("additionalProperties")
    for key in value:
        below = properties.get(key, rest)
        if isinstance(below, Mapping):
            value[key] = _with_defaults(value[key], below)
    return value


def _explain(error) -> Iterator[str]:
    where = ".".join(map(str, error.absolute_path)) or "top level"
    allowed = error.schema.get("properties", {})
    if error.validator == "additionalProperties":
        for key in sorted(set(error.instance) - set(allowed), key=str):
            name = f"{where}.{key}" if error.absolute_path else str(key)
            yield f"{name}: unknown key{suggestion(key, allowed)}"
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield f"{where}: {', '.join(missing)} missing"
    elif error.validator == "enum":
        choices = list(map(str, error.validator_value))
        close = suggestion(error.instance, choices) if _closest(error.instance, choices) else ""
        yield f"{where}: {error.instance!r} is not one of {', '.join(choices)}{close}"
    elif error.validator == "anyOf" and (meant := _meant_branch(error)):
        for below in meant:
            yield from _explain(below)
    else:
        described = f" ({error.schema['description']})" if "description" in error.schema else ""
        yield f"{where}: {error.message}{described}{_mending(error)}"


def _meant_branch(error) -> list:
    """What is wrong in the branch of an anyOf that has the type of the value."""
    wrong_type = {e.schema_path[0] for e in error.context if e.schema_path[1] == "type"}
    return [e for e in error.context if e.schema_path[0] not in wrong_type]


def _mending(error) -> str:
    value, allowed = error.instance, error.validator_value
    if error.validator != "type":
        return ""
    if "array" in allowed and not isinstance(value, list | Mapping):
        return f"; write a list, [{value}]"
    # YAML takes 1e-3 for text, and Snakemake the nested values of --config
    if ("integer" in allowed or "number" in allowed) and _is_number(value):
        return f"; it is text: write {float(value):g}, in a --configfile if it is nested"
    return ""


def _is_number(text) -> bool:
    try:
        return isinstance(text, str) and math.isfinite(float(text))
    except ValueError:
        return False


def document(schema: Mapping, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Key, default and description of every leaf of a schema; * stands for a name."""
    for key, below in schema.get("properties", {}).items():
        yield from _document_entry(below, f"{prefix}{key}")
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _document_entry(schema["additionalProperties"], f"{prefix}*")


def _document_entry(schema: Mapping, name: str) -> Iterator[tuple[str, str, str]]:
    nested = list(document(schema, f"{name}."))
    if nested:
        yield from nested
    else:
        default = str(schema["default"]) if "default" in schema else ""
        yield name, default, schema.get("description", "")


def suggestion(name: str, known) -> str:
    close = _closest(name, known)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known: {', '.join(map(str, known))}" if known else ""


def _closest(name, known) -> list[str]:
    return difflib.get_close_matches(str(name), list(map(str, known)), 1)


def with_stand_ins(config: Mapping) -> dict:
    """The configuration with an embedded stand-in for each official data set."""
    stand_ins = {}
    for name, entry in config["datasets"].items():
        official = entry["kind"] in SHAPES
        change = {"kind": "embedded", "stands_for": entry["kind"]} if official else {}
        stand_ins[name] = {**entry, **change}
    return dict(config) | {"datasets": stand_ins}


def model_ids(config: Mapping) -> list[ModelId]:
    """Models of all experiments, each once, in their order."""
    names = [m for experiment in config["experiments"].values() for m in experiment["models"]]
    return [ModelId.of(name) for name in dict.fromkeys(names)]


def toy_ids(config: Mapping) -> list[ModelId]:
    """Flows on mixtures in a few dimensions, named like models."""
    toy = config["toy"] or {"dims": [], "priors": []}
    return [ModelId(TOY, f"mixture_{d}", prior) for d in toy["dims"] for prior in toy["priors"]]


def model_seeds(config: Mapping) -> dict[ModelId, list[int]]:
    """Seeds of each model: those of all experiments that it belongs to."""
    seeds = {model: set() for model in model_ids(config)}
    for experiment in config["experiments"].values():
        for name in experiment["models"]:
            seeds[ModelId.of(name)] |= set(experiment["seeds"] or config["seeds"])
    return {model: sorted(own) for model, own in seeds.items()}


def dataset_facts(config: Mapping, name: str, inspected: Mapping) -> tuple[tuple, dict]:
    """Image shape and labels by split of a data set; npz files were inspected before."""
    entry = config["datasets"][name]
    if entry["kind"] == "npz":
        return inspected[name]["shape"], inspected[name]["labels"]
    like = entry["stands_for"] if entry["kind"] == "embedded" else entry["kind"]
    return SHAPES[like], dict.fromkeys(SPLITS[like], TEN_LABELS)


def component_distance(config: Mapping, prior: str) -> float:
    """Distance between the two components of a prior, 0 for a single one."""
    first, *others = config["priors"][prior]["means"]
    return math.dist(*_padded(first, others[0])) if others else 0.0


def _padded(a: list[float], b: list[float]) -> tuple[list[float], list[float]]:
    length = max(len(a), len(b))
    return a + [0.0] * (length - len(a)), b + [0.0] * (length - len(b))


def image_shape(config: Mapping, subset: str, inspected: Mapping) -> tuple[int, int, int]:
    """(C, H, W) of a subset's images."""
    return dataset_facts(config, config["subsets"][subset]["dataset"], inspected)[0]


def selection(config: Mapping, subset: str, split: str) -> dict:
    """What a subset keeps of a split: labels, limit, seed and k-means cluster.

    The limit of the test split follows the subset's role: what nothing is trained on
    is out of distribution.
    """
    entry = config["subsets"][subset]
    role = "ood" if split == "test" and entry["out_of_distribution"] is None else split
    limits = [config["images"][role], entry["limit"].get(split)]
    return {
        "labels": entry["labels"],
        "limit": min((limit for limit in limits if limit is not None), default=None),
        "seed": config["data_seed"],
        "cluster": entry["kmeans"]["keep"] if entry["kmeans"] else None,
    }


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
        rule = RULES[means["rule"]]
        return rule(means["k"], means["distance"], means.get("centred", True))
    return means


def _line(k: int, distance: float, centred: bool) -> list[list[float]]:
    start = -(k - 1) / 2 if centred else 0
    # the first component is the rightmost, as with means written [[m], [-m]]
    order = reversed(range(k)) if centred else range(k)
    return [[distance * (start + i)] for i in order]


def _axes(k: int, distance: float, centred: bool) -> list[list[float]]:
    return [[distance if i == j else 0.0 for i in range(k)] for j in range(k)]


def _simplex(k: int, distance: float, centred: bool) -> list[list[float]]:
    side = distance / math.sqrt(2)
    return [[side * ((i == j) - 1 / k) for i in range(k)] for j in range(k)]


RULES = {"line": _line, "axes": _axes, "simplex": _simplex}


def with_only(config: Mapping) -> dict:
    """The configuration restricted to the experiments of ``only``, if it names any.

    Figures, tables, curves and analyses that need anything else are left out.

    Raises:
        ConfigError: there is no experiment of such a name.
    """
    if config["only"] is None:
        return dict(config)
    experiments = config["experiments"]
    unknown = [
        f"only: there is no experiment {name!r}{suggestion(name, [*experiments, TOY])}"
        for name in config["only"]
        if name not in (*experiments, TOY)
    ]
    if unknown:
        raise ConfigError(unknown)
    if set(config["only"]) == {TOY}:
        raise ConfigError([f"only: {TOY} alone leaves no table; name another experiment beside it"])
    kept = dict(config) | {
        "experiments": {k: v for k, v in experiments.items() if k in config["only"]},
        "toy": config["toy"] if TOY in config["only"] else None,
    }
    for table in ("curves", "analyses", "figures", "tables"):
        known = _known(kept)
        kept[table] = {k: v for k, v in config[table].items() if set(_parts(v)) <= known}
    return kept


def _known(config: Mapping) -> set[str]:
    models = [*model_ids(config), *toy_ids(config)]
    toy = {TOY} if config["toy"] else set()
    return {str(m) for m in models} | {m.subset for m in models} | set(config["curves"]) | toy


def _parts(entry: Mapping) -> Iterator[str]:
    yield from models_of(entry)
    yield from entry.get("curves", [])
    yield from [entry["subset"]] if "subset" in entry else []
    yield from [TOY] if entry.get("kind") == TOY else []


def lookup(config: Mapping, key: str):
    """The value at a dotted key, whose names may hold digits for places in a list."""
    value = config
    for step in key.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def run_name(config: Mapping) -> str:
    """Folder of a run under results/: by default the scale, and whether on stand-ins."""
    default = config["scale"] + ("-embedded" if config["data"] == "embedded" else "")
    return config["run"] or default


def network_of(config: Mapping, architecture: str, shape: tuple) -> dict:
    return config["models"][architecture]["network"]["grey" if shape[0] == 1 else "colour"]


def model_spec(config: Mapping, model: ModelId, seed: int, inspected: Mapping) -> dict:
    """Everything that defines a trained model, as plain values (spec.yaml)."""
    shape = image_shape(config, model.subset, inspected)
    training = config["models"][model.architecture]["training"]
    return {
        "architecture": model.architecture,
        "image_shape": list(shape),
        "prior": _prior_spec(config["priors"][model.prior]),
        "network": network_of(config, model.architecture, shape),
        "training": training | {"shift": config["subsets"][model.subset]["shift"]},
        "seed": seed,
    }


def toy_spec(config: Mapping, dim: int, prior: str, seed: int) -> dict:
    """The same of a flow on a mixture in dim dimensions."""
    toy, entry = config["toy"], config["priors"][prior]
    return {
        "architecture": TOY,
        "dim": dim,
        "data": toy["data"],
        "prior": _prior_spec(entry),
        "network": toy["network"],
        "points": toy["points"]["train"],
        "training": toy["training"],
        "seed": seed,
    }


def _prior_spec(entry: Mapping) -> dict:
    shown = ("title", "assignment")
    return {k: v for k, v in entry.items() if k not in shown and v is not None}


def with_models(
    entries: list[Mapping], config: Mapping, analyses: Collection[str]
) -> list[Mapping]:
    """Those claims or published numbers for which this configuration has everything.

    Args:
        entries: with quantities (see :class:`oodpriors.statistics.Measure`).
        config: the whole configuration.
        analyses: names of those whose stored quantities there will be.
    """
    known = _known(config) | set(analyses) | set(_cluster_estimates(config))
    return [
        entry
        for entry in entries
        if set(_needs(entry)) <= known and _has(config, entry.get("setting"))
    ]


def _has(config: Mapping, key: str | None) -> bool:
    try:
        return key is None or lookup(config, key) is not None
    except (KeyError, IndexError, TypeError):
        return False


def _cluster_estimates(config: Mapping) -> Iterator[str]:
    about = config.get("analyses", {}).get("clusters", {})
    subset = config.get("subsets", {}).get(about.get("subset"), {"labels": None})
    for label in subset["labels"] or []:
        for cluster in range(subset["kmeans"]["k"]):
            yield from (f"clusters/{kind}_{label}_{cluster}" for kind in ("ratio", "lowered"))


def _needs(entry) -> Iterator[str]:
    if isinstance(entry, Mapping):
        for key, value in entry.items():
            if key in ("model", "curve"):
                yield value
            elif key == "stored":
                analysis, *name = value.split("/")
                yield analysis
                yield from ["/".join(name[:3])] if len(name) > 3 else []
                yield from [value] if analysis == "clusters" else []
            else:
                yield from _needs(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _needs(value)


def models_of(entry: Mapping) -> Iterator[str]:
    """Names of the models of a figure, table, curve or analysis of the configuration."""
    yield from [entry["model"]] if "model" in entry else []
    yield from entry.get("models", [])
    for group in (*entry.get("panels", {}).values(), *entry.get("pairs", [])):
        yield from group
