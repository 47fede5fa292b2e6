"""What a configuration says of its models: names, seeds, images, specifications."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from oodpriors.kinds.datasets import LABELS, OFFICIAL, OWN, PARTS
from oodpriors.kinds.made import MADE

TOY = "toy"
LEARNING = ("means", "unsupervised", "trainable_means")  # in which the priors of a pair may differ


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


def with_stand_ins(config: Mapping) -> dict:
    """The configuration with an embedded stand-in for each official data set."""
    stand_ins = {}
    for name, entry in config["datasets"].items():
        official = entry["kind"] in OFFICIAL
        change = {"kind": "embedded", "stands_for": entry["kind"]} if official else {}
        stand_ins[name] = {**entry, **change}
    return dict(config) | {"datasets": stand_ins}


def with_further(config: Mapping) -> dict:
    """The configuration with one set out of distribution of each subset, and ``further`` ones."""
    subsets = {}
    for name, entry in config["subsets"].items():
        given = entry["out_of_distribution"]
        first, *further = given if isinstance(given, list) else [given]
        more = {"further": further} if further else {}
        subsets[name] = {**entry, "out_of_distribution": first, **more}
    return dict(config) | {"subsets": subsets}


def further_sets(config: Mapping) -> dict[ModelId, list[str]]:
    """Further sets out of distribution that each model is scored on, of those that have any."""
    entries = [entry for entry in config["experiments"].values() if entry.get("further", True)]
    models = [ModelId.of(name) for entry in entries for name in entry["models"]]
    sets = {model: config["subsets"][model.subset].get("further", []) for model in models}
    return {model: names for model, names in sets.items() if names}


def model_ids(config: Mapping) -> list[ModelId]:
    """Models of all experiments, each once, in their order."""
    names = [m for experiment in config["experiments"].values() for m in experiment["models"]]
    return [ModelId.of(name) for name in dict.fromkeys(names)]


def toy_ids(config: Mapping) -> list[ModelId]:
    """Flows on mixtures in a few dimensions, named like models."""
    toy = config["toy"] or {"dims": [], "priors": []}
    return [ModelId(TOY, f"mixture_{d}", prior) for d in toy["dims"] for prior in toy["priors"]]


def model_seeds(config: Mapping) -> dict[ModelId, list[int]]:
    """Seeds of each model: those of all experiments that it belongs to, or of the toy flows."""
    seeds: dict[ModelId, set[int]] = {model: set() for model in model_ids(config)}
    for experiment in config["experiments"].values():
        for name in experiment["models"]:
            seeds[ModelId.of(name)] |= set(experiment["seeds"] or config["seeds"])
    toys = dict.fromkeys(toy_ids(config), (config["toy"] or {}).get("seeds") or config["seeds"])
    return {model: sorted(own) for model, own in seeds.items()} | toys


def taken(config: Mapping) -> dict[tuple[ModelId, int], tuple[str, str | dict]]:
    """Experiment and ``weights`` of each model and seed that is taken instead of trained."""
    return {
        (ModelId.of(name), seed): (experiment, entry["weights"])
        for experiment, entry in config["experiments"].items()
        for name in (entry["models"] if entry["weights"] else [])
        for seed in entry["seeds"] or config["seeds"]
    }


def dataset_facts(config: Mapping, name: str, inspected: Mapping) -> tuple[tuple, dict]:
    """Image shape and labels by split of a data set; the user's own were inspected before."""
    entry = config["datasets"][name]
    if entry["kind"] in OWN:
        return inspected[name]["shape"], inspected[name]["labels"]
    kind = OFFICIAL[entry["stands_for"] if entry["kind"] == "embedded" else entry["kind"]]
    return kind.shape, dict.fromkeys(kind.splits, [*range(len(kind.classes))] or LABELS)


def image_source(config: Mapping, name: str, inspected: Mapping):
    """What is equal for data sets with the same images."""
    entry = config["datasets"][name]
    if entry["kind"] in OWN:
        return inspected[name]["content"]
    kind = entry["stands_for"] or entry["kind"]
    return entry["kind"] == "embedded", PARTS.get(kind, kind)


def subset_facts(config: Mapping, name: str, inspected: Mapping) -> tuple[tuple, dict]:
    """The same of the images of a subset; a made one has those of its source."""
    entry = config["subsets"][name]
    source = config["subsets"][entry["of"]] if entry["made"] else entry
    return dataset_facts(config, source["dataset"], inspected)


def class_names(config: Mapping, dataset: str) -> dict[str, str]:
    """Names of the labels of an official data set, by label; none of others."""
    kind = OFFICIAL.get(config["datasets"][dataset]["kind"])
    return {str(label): name for label, name in enumerate(kind.classes)} if kind else {}


def published_means(published: Iterable[Mapping]) -> dict[str, dict[str, float]]:
    """Mean log-likelihoods that the paper prints, in nats, by model and set."""
    signs = {"nll": -1, "mean": 1}
    found: dict[str, dict[str, float]] = {}
    for entry in published:
        quantity = {"set": "ood"} | entry.get("quantity", {})
        sign = signs.get(quantity.get("statistic"))
        if sign and quantity.keys() == {"model", "statistic", "set"}:
            means = found.setdefault(quantity["model"], {})
            means[quantity["set"]] = sign * entry["value"]
    return found


def selection(config: Mapping, subset: str, split: str) -> dict:
    """What a subset keeps of a split: labels, limit, seed and k-means cluster.

    The limit of the test split follows the subset's role: what nothing is trained on
    is out of distribution. All images of the training split are kept; each training draws
    ``each_training`` of them (None: all).
    """
    entry = config["subsets"][subset]
    role = "ood" if split == "test" and entry["out_of_distribution"] is None else split
    limits = [config["images"][role], entry["limit"].get(split)]
    limit = min((limit for limit in limits if limit is not None), default=None)
    return {
        "labels": entry["labels"],
        "limit": None if split == "train" else limit,
        "each_training": limit if split == "train" else None,
        "seed": config["data_seed"],
        "cluster": entry["kmeans"]["keep"] if entry["kmeans"] else None,
    }


def lookup(config: Mapping, key: str):
    """The value at a dotted key, whose names may hold digits for places in a list."""
    value = config
    for step in key.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def used_subsets(config: Mapping) -> list[str]:
    """Subsets that models learn or are tested on, and those of figures and analyses."""
    learnt = [model.subset for model in model_ids(config)]
    other = [config["subsets"][name]["out_of_distribution"] for name in learnt]
    entries = [*config["figures"].values(), *config["analyses"].values()]
    shown = [entry["subset"] for entry in entries if "subset" in entry]
    return list(dict.fromkeys([*learnt, *other, *shown]))


def used_datasets(config: Mapping) -> list[str]:
    """Data sets of these subsets."""
    return list(dict.fromkeys(config["subsets"][name]["dataset"] for name in used_subsets(config)))


def further_subsets(config: Mapping) -> list[str]:
    """Subsets with images that further sets need and nothing else does."""
    subsets = config["subsets"]
    sets = list(dict.fromkeys(name for own in further_sets(config).values() for name in own))
    sources = [subsets[name]["of"] for name in sets]
    needed = [name for name in (*sources, *sets) if name and not is_drawn(subsets[name])]
    learnt = {model.subset for model in model_ids(config)}
    tested = {subsets[name]["out_of_distribution"] for name in learnt}
    return [name for name in dict.fromkeys(needed) if name not in learnt | tested]


def is_drawn(subset: Mapping) -> bool:
    """Whether the images of a subset are drawn from each model, and not stored."""
    return subset["made"] is not None and not MADE[subset["made"]].of_images


def further_datasets(config: Mapping) -> list[str]:
    """Data sets that further sets need and nothing else does."""
    names = [config["subsets"][name]["dataset"] for name in further_subsets(config)]
    used = used_datasets(config)
    return [name for name in dict.fromkeys(names) if name and name not in used]


def run_part(config: Mapping) -> list[str]:
    """What makes this another run than the paper's, for the name of its folder.

    These are the experiments of ``only``, or else that a file of the user is used.
    """
    own = any(config["datasets"][name]["kind"] in OWN for name in used_datasets(config))
    return sorted(config["only"] or (["own"] if own else []))


def run_name(config: Mapping) -> str:
    """Folder of a run under results/: by default the scale, whether on stand-ins, and the part."""
    stand_ins = ["embedded"] if config["data"] == "embedded" else []
    return config["run"] or "-".join([config["scale"], *stand_ins, *run_part(config)])


def network_kind(shape: tuple) -> str:
    return "grey" if shape[0] == 1 else "colour"


def network_of(config: Mapping, architecture: str, shape: tuple) -> dict:
    return config["models"][architecture]["network"][network_kind(shape)]


def model_spec(config: Mapping, model: ModelId, seed: int, inspected: Mapping) -> dict:
    """Everything that defines a trained model, as plain values (spec.yaml)."""
    subset = config["subsets"][model.subset]
    shape, _ = dataset_facts(config, subset["dataset"], inspected)
    training = config["models"][model.architecture]["training"]
    return {
        "architecture": model.architecture,
        "image_shape": list(shape),
        "prior": _prior_spec(config["priors"][model.prior]),
        "network": network_of(config, model.architecture, shape),
        "training": training | {key: subset[key] for key in _augmentations(subset)},
        "images": selection(config, model.subset, "train")["each_training"],
        "seed": seed,
    }


def _augmentations(subset: Mapping) -> list[str]:
    """Keys of what is done to training images; mutations only where there are any."""
    return ["shift", *(["mutate"] if subset["mutate"] else [])]


def background(config: Mapping, model: ModelId) -> ModelId | None:
    """The first model like this one whose training images are mutated, None if there is none.

    Architecture, prior and images are the same. A model of mutated images has none itself.
    """

    def images(subset: str) -> dict:
        entry = config["subsets"][subset]
        others = ("title", "mutate", "further")
        return {key: value for key, value in entry.items() if key not in others}

    def mutated(name: str) -> bool:
        return config["subsets"][name]["mutate"] > 0

    same = (each for each in model_ids(config) if each[::2] == model[::2])
    found = (m for m in same if mutated(m.subset) and images(m.subset) == images(model.subset))
    return None if mutated(model.subset) else next(found, None)


def prior_pair(config: Mapping, model: ModelId) -> tuple[dict, dict | None]:
    """Specifications of a model's prior and of the other of its pair, None if there is none.

    The other is that of the first model of the same architecture and images whose
    components have the same density, and which has several for one, or one for several;
    its means are not trained.
    """
    own, *others = (
        _prior_spec(config["priors"][each.prior])
        for each in (model, *model_ids(config))
        if each[:2] == model[:2]
    )

    def form(spec: Mapping) -> dict:
        return {key: value for key, value in spec.items() if key not in LEARNING}

    def several(spec: Mapping) -> bool:
        return len(set(map(tuple, spec["means"]))) > 1

    fixed = (spec for spec in others if not spec.get("trainable_means"))
    chosen = (s for s in fixed if form(s) == form(own) and several(s) != several(own))
    return own, next(chosen, None)


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
    spec = {k: v for k, v in entry.items() if k not in shown and v not in (None, False)}
    return spec | ({"unsupervised": True} if entry["assignment"] == "mixture" else {})


def own_files(config: Mapping) -> Iterator[tuple[str, str | None]]:
    """Key and path of each file or folder of the user that the configuration names."""
    for name, entry in config["datasets"].items():
        yield from ((f"datasets.{name}.{k}", entry.get(k)) for k in ("path", "system_folder"))
    for name, entry in config["priors"].items():
        yield f"priors.{name}.means", entry["means"] if isinstance(entry["means"], str) else None
    yield "mirror", config["mirror"]


def own_weights(config: Mapping) -> Iterator[tuple[str, str]]:
    """Key and path of each folder or archive of trained models; it may be of another run."""
    for name, entry in config["experiments"].items():
        weights = entry.get("weights")
        if weights:
            place = weights["archive"] if isinstance(weights, Mapping) else weights
            yield f"experiments.{name}.weights", place


def models_of(entry: Mapping) -> Iterator[str]:
    """Names of the models of a figure, table, curve or analysis of the configuration."""
    yield from [entry["model"]] if "model" in entry else []
    yield from entry.get("models", [])
    for group in (*entry.get("panels", {}).values(), *entry.get("pairs", [])):
        yield from group


def refined_panels(figure: Mapping) -> dict[str, list[str]]:
    """Architectures in each panel of a figure that shows a refined likelihood or latent."""
    columns = dict.fromkeys(figure.get("panels", {}), figure.get("column", ""))
    columns |= figure.get("columns", {})
    return {
        title: [model.split("/")[0] for model in figure["panels"].get(title, [])]
        for title, column in columns.items()
        if "refined" in column
    }
