"""The configuration as plain values: merged, checked, and asked for models.

Everything here works on dictionaries; who calls it reads the files.
"""

import copy
import difflib
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from jsonschema import Draft202012Validator

__all__ = [
    "ConfigError",
    "ModelId",
    "check_references",
    "document",
    "image_shape",
    "merge",
    "model_ids",
    "model_spec",
    "run_name",
    "selection",
    "validate",
    "with_models",
    "with_stand_ins",
]

# Image shapes (C, H, W) and labels of the data sets whose files need not be opened.
SHAPES = {
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "svhn": (3, 32, 32),
}
VAE_SHAPES = ((1, 28, 28), (3, 32, 32))
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
    where = ".".join(map(str, error.path)) or "top level"
    allowed = error.schema.get("properties", {})
    if error.validator == "additionalProperties":
        for key in sorted(set(error.instance) - set(allowed), key=str):
            name = f"{where}.{key}" if error.path else str(key)
            yield f"{name}: unknown key{_suggestion(key, allowed)}"
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield f"{where}: {', '.join(missing)} missing"
    elif error.validator == "enum":
        choices = ", ".join(map(str, error.validator_value))
        yield f"{where}: {error.instance!r} is not one of {choices}"
    else:
        described = f" ({error.schema['description']})" if "description" in error.schema else ""
        yield f"{where}: {error.message}{described}"


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


def _suggestion(name: str, known) -> str:
    close = difflib.get_close_matches(str(name), list(map(str, known)), 1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known: {', '.join(map(str, known))}" if known else ""


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
    return [ModelId(*name.split("/")) for name in dict.fromkeys(names)]


def dataset_facts(config: Mapping, name: str, inspected: Mapping) -> tuple[tuple, dict]:
    """Image shape and labels by split of a data set; npz files were inspected before."""
    entry = config["datasets"][name]
    if entry["kind"] == "npz":
        return inspected[name]["shape"], inspected[name]["labels"]
    like = entry["stands_for"] if entry["kind"] == "embedded" else entry["kind"]
    return SHAPES[like], dict.fromkeys(SPLITS[like], TEN_LABELS)


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


def run_name(config: Mapping) -> str:
    """Folder of a run under results/: by default the scale, and whether on stand-ins."""
    default = config["scale"] + ("-embedded" if config["data"] == "embedded" else "")
    return config["run"] or default


def _latent_dim(network: Mapping, shape: tuple) -> int:
    return network.get("latent_dim", math.prod(shape))


def _network(config: Mapping, architecture: str, shape: tuple) -> dict:
    return config["models"][architecture]["network"]["grey" if shape[0] == 1 else "colour"]


def model_spec(config: Mapping, model: ModelId, seed: int, inspected: Mapping) -> dict:
    """Everything that defines a trained model, as plain values (spec.yaml)."""
    shape = image_shape(config, model.subset, inspected)
    prior = config["priors"][model.prior]
    shown = ("title", "assignment")
    return {
        "architecture": model.architecture,
        "image_shape": list(shape),
        "prior": {k: v for k, v in prior.items() if k not in shown and v is not None},
        "network": _network(config, model.architecture, shape),
        "training": config["models"][model.architecture]["training"],
        "seed": seed,
    }


def with_models(entries: list[Mapping], config: Mapping) -> list[Mapping]:
    """Those claims or published numbers of which the experiments have every model."""
    known = {str(model) for model in model_ids(config)}
    return [entry for entry in entries if set(_models_in(entry)) <= known]


def _models_in(entry) -> Iterator[str]:
    if isinstance(entry, Mapping):
        for key, value in entry.items():
            if key == "model":
                yield value
            else:
                yield from _models_in(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _models_in(value)


def check_references(config: Mapping, inspected: Mapping) -> None:
    """Check what names and numbers of the configuration say about one another.

    Args:
        config: validated.
        inspected: what :func:`oodpriors.datasets.inspect_npz` says of each npz data set.

    Raises:
        ConfigError: a line for each mistake.
    """
    _raise(_check_datasets(config))
    _raise(_check_subsets(config, inspected))
    _raise(_check_priors(config))
    _raise(_check_models(config, inspected))
    _raise(_check_budgets(config))
    _raise(_check_figures(config))


def _raise(mistakes: Iterator[str]) -> None:
    found = list(mistakes)
    if found:
        raise ConfigError(found)


def _unknown(where: str, what: str, name: str, known) -> str:
    return f"{where}: there is no {what} {name!r}{_suggestion(name, known)}"


def _check_datasets(config: Mapping) -> Iterator[str]:
    needs = {"npz": "path", "embedded": "stands_for"}
    for name, entry in config["datasets"].items():
        key = needs.get(entry["kind"])
        if key and not entry.get(key):
            yield f"datasets.{name}: kind {entry['kind']} needs the key {key}"
        if key != "path" and entry.get("path"):
            yield f"datasets.{name}.path: only kind npz has a path; kind is {entry['kind']}"


def _check_subsets(config: Mapping, inspected: Mapping) -> Iterator[str]:
    datasets, subsets = config["datasets"], config["subsets"]
    for name, subset in subsets.items():
        where = f"subsets.{name}"
        if subset["dataset"] not in datasets:
            yield _unknown(f"{where}.dataset", "data set", subset["dataset"], datasets)
            continue
        other = subset["out_of_distribution"]
        if other is not None and other not in subsets:
            yield _unknown(f"{where}.out_of_distribution", "subset", other, subsets)
        _, labels = dataset_facts(config, subset["dataset"], inspected)
        for split in ("test",) if other is None else ("train", "test"):
            have = labels.get(split, [])
            missing = sorted(set(subset["labels"] or []) - set(have))
            if missing:
                source = f"the {split} split of {subset['dataset']}"
                yield f"{where}.labels: {source} lacks {missing}; it has {have}"
        kmeans = subset["kmeans"]
        if kmeans and kmeans["keep"] is not None and kmeans["keep"] >= kmeans["k"]:
            yield f"{where}.kmeans.keep: clusters are numbered 0 to {kmeans['k'] - 1}"


def _check_models(config: Mapping, inspected: Mapping) -> Iterator[str]:
    for experiment, entry in config["experiments"].items():
        for name in entry["models"]:
            where = f"experiments.{experiment}: {name}"
            model = ModelId(*name.split("/"))
            missing = [
                _unknown(where, what, key, config[table])
                for what, key, table in (
                    ("model", model.architecture, "models"),
                    ("subset", model.subset, "subsets"),
                    ("prior", model.prior, "priors"),
                )
                if key not in config[table]
            ]
            yield from missing or _check_model(config, model, where, inspected)


def _check_model(config: Mapping, model: ModelId, where: str, inspected: Mapping) -> Iterator[str]:
    subset, prior = config["subsets"][model.subset], config["priors"][model.prior]
    shape, labels = dataset_facts(config, subset["dataset"], inspected)
    for split in ("train", "test"):
        if split not in labels:
            yield f"{where}: {subset['dataset']} has no {split} split to learn or test on"
    yield from _check_exposure(config, model.subset, shape, where, inspected)
    network = _network(config, model.architecture, shape)
    yield from _check_shape(network, shape, where)
    latent, longest = _latent_dim(network, shape), max(map(len, prior["means"]))
    if longest > latent:
        yield (
            f"priors.{model.prior}.means: {longest} coordinates, but the latent of "
            f"{model.architecture} on {model.subset} has {latent}"
        )
    groups = _groups(subset, labels, prior["assignment"])
    if groups != len(prior["means"]):
        yield (
            f"{where}: assignment {prior['assignment']!r} makes {groups} groups of images, "
            f"priors.{model.prior} has {len(prior['means'])} means"
        )


def _check_exposure(
    config: Mapping, subset: str, shape: tuple, where: str, inspected: Mapping
) -> Iterator[str]:
    other = config["subsets"][subset]["out_of_distribution"]
    if other is None:
        yield f"{where}: subsets.{subset} names no out_of_distribution subset"
        return
    dataset = config["subsets"][other]["dataset"]
    other_shape, labels = dataset_facts(config, dataset, inspected)
    if other_shape != shape:
        yield f"{where}: images are {shape}, those of {other} are {other_shape}"
    if "test" not in labels:
        yield f"{where}: {dataset} has no test split for {other}"


def _check_shape(network: Mapping, shape: tuple, where: str) -> Iterator[str]:
    if "latent_dim" in network and shape not in VAE_SHAPES:
        yield f"{where}: a VAE takes images {' or '.join(map(str, VAE_SHAPES))}, not {shape}"
    squeezes = 1 + len(network.get("squeeze_after", []))
    if "squeeze_after" in network and any(side % 2**squeezes for side in shape[1:]):
        yield f"{where}: {squeezes} squeezes do not divide images {shape}: shorten squeeze_after"


def _groups(subset: Mapping, labels: Mapping, assignment: str) -> int:
    n_labels = len(subset["labels"] or labels.get("train", []))
    all_clusters = subset["kmeans"] and subset["kmeans"]["keep"] is None
    per_label = subset["kmeans"]["k"] if all_clusters else 1
    return {"single": 1, "label": n_labels, "cluster": n_labels * per_label}[assignment]


def _check_priors(config: Mapping) -> Iterator[str]:
    for name, prior in config["priors"].items():
        if prior["beta"] is not None and prior["kind"] != "generalized_gaussian":
            yield f"priors.{name}.beta: only kind generalized_gaussian has it"
        if not all(math.isfinite(value) for mean in prior["means"] for value in mean):
            yield f"priors.{name}.means: {prior['means']} must be finite"
        if not math.isfinite(prior["scale"]):
            yield f"priors.{name}.scale: {prior['scale']} must be finite"


def _check_budgets(config: Mapping) -> Iterator[str]:
    for name, model in config["models"].items():
        if name == "vae" and model["draws"] < 2:
            yield "models.vae.draws: a standard error needs at least 2 importance samples"
        for kind, network in model["network"].items():
            late = [n for n in network.get("squeeze_after", []) if n > network["couplings"]]
            if late:
                yield (
                    f"models.{name}.network.{kind}.squeeze_after: there are "
                    f"{network['couplings']} couplings, so no squeeze comes after {late}"
                )


def _check_figures(config: Mapping) -> Iterator[str]:
    known = [str(name) for entry in config["experiments"].values() for name in entry["models"]]
    for kind in ("figures", "tables"):
        for name, entry in config[kind].items():
            panels = entry["panels"].values() if kind == "figures" else [entry["models"]]
            for model in (m for panel in panels for m in panel):
                if model not in known:
                    yield _unknown(f"{kind}.{name}", "model of an experiment named", model, known)
