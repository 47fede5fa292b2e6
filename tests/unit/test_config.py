"""Every mistake in the configuration is told with its place; the right one means what it says."""

import copy
import math
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import yaml

from oodpriors.checks import VAE_SHAPES, check_references
from oodpriors.config import (
    ConfigError,
    ModelId,
    component_distance,
    document,
    image_shape,
    lookup,
    merge,
    model_ids,
    model_seeds,
    model_spec,
    models_of,
    run_name,
    selection,
    toy_ids,
    toy_spec,
    validate,
    with_means,
    with_models,
    with_only,
    with_stand_ins,
)
from oodpriors.vae import ARCHITECTURES

ROOT = Path(__file__).parents[2]


def read(path):
    return yaml.safe_load((ROOT / path).read_text())


SCHEMA = read("workflow/schemas/config.schema.yaml")
OWN = read("config/config.yaml")
SCALES = {path.stem: yaml.safe_load(path.read_text()) for path in ROOT.glob("config/scales/*.yaml")}
every_scale = pytest.mark.parametrize("scale", SCALES)

REMOVED = object()
UNI = "vae/fashion_1_7/unimodal"


def changed(changes, scale="smoke"):
    """The project's configuration with values at dotted keys replaced, added or REMOVED."""
    config = merge(SCALES[scale], OWN)
    for key, value in changes.items():
        *path, last = key.split(".")
        place = config
        for name in path:
            place = place.setdefault(name, {})
        if value is REMOVED:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return config


def no_file(path):
    raise OSError(f"there is no {path}")


def checked(changes=None, inspected=None, scale="smoke", files=no_file):
    config = with_means(validate(changed(changes or {}, scale), SCHEMA), files)
    check_references(config, inspected or {})
    return config


def mistakes_of(changes, inspected=None):
    with pytest.raises(ConfigError, match=r"^config: ") as caught:
        checked(changes, inspected)
    return str(caught.value).splitlines()


# merging


@pytest.mark.parametrize(
    ("base", "override", "merged"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 5}}}, {"a": {"b": {"c": 5, "d": 2}}}),
        ({"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
    ],
)
def test_the_override_wins_key_by_key(base, override, merged):
    assert merge(base, override) == merged


def test_merging_changes_neither_side():
    base, override = {"a": {"b": [1]}}, {"a": {"c": [2]}}
    merged = merge(base, override)
    merged["a"]["b"].append(9)
    merged["a"]["c"].append(9)
    assert (base, override) == ({"a": {"b": [1]}}, {"a": {"c": [2]}})


# the project's own files


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        return {leaf for key, below in value.items() for leaf in leaves(below, (*path, key))}
    return {path}


@every_scale
@pytest.mark.parametrize("data", ["real", "embedded"])
def test_the_configuration_is_right_at_every_scale(scale, data):
    config = checked({"data": data, "scale": scale}, scale=scale)
    check_references(with_stand_ins(config) if data == "embedded" else config, {})


@every_scale
def test_no_key_stands_both_in_a_scale_and_in_the_configuration(scale):
    # the configuration is merged over the scale, so the scale's value would never count
    assert leaves(SCALES[scale]).isdisjoint(leaves(OWN))


def test_every_scale_sets_the_same_required_keys():
    def required(scale):
        # a scale may give an experiment seeds of its own, and need not
        return {path[:1] for path in leaves(SCALES[scale])} - {("experiments",)}

    assert required("smoke") == required("quick") == required("paper")


@every_scale
def test_a_scale_gives_seeds_to_known_experiments_alone(scale):
    for name, entry in SCALES[scale].get("experiments", {}).items():
        assert name in OWN["experiments"]
        assert entry.keys() == {"seeds"}


def test_there_is_a_file_for_every_scale():
    assert set(SCALES) == set(SCHEMA["properties"]["scale"]["enum"])


# defaults


def test_defaults_are_filled_in_at_every_depth():
    minimal = {
        "datasets": {"mnist": {"kind": "mnist"}},
        "subsets": {"all": {"title": "All", "dataset": "mnist", "kmeans": {"k": 2}}},
        "priors": {"uni": {"title": "uni", "means": [[0]], "assignment": "single"}},
        "models": {},
        "experiments": {"x": {"models": [UNI]}},
        "figures": {"f": {}},
        "tables": {"t": {}},
        "images": dict.fromkeys(("train", "test", "ood", "score_train")),
        "seeds": [0],
        "bootstrap": 100,
    }
    given = copy.deepcopy(minimal)
    filled = validate(minimal, SCHEMA)
    assert minimal == given
    assert filled == minimal | {
        "scale": "quick",
        "data": "real",
        "mirror": None,
        "run": None,
        "device": "auto",
        "save_every": 60,
        "only": None,
        "data_seed": 0,
        "experiments": {"x": {"models": [UNI], "where": "", "seeds": None}},
        "figures": {
            "f": {
                "kind": "histograms",
                "where": "",
                "caption": "",
                "column": "log_prob",
                "columns": {},
                "sets": ["test", "ood"],
            }
        },
        "tables": {"t": {"kind": "likelihoods", "where": "", "caption": ""}},
        "curves": {},
        "analyses": {},
        "toy": None,
        "datasets": {
            "mnist": {"kind": "mnist", "path": None, "stands_for": None, "system_folder": None}
        },
        "subsets": {
            "all": {
                "title": "All",
                "dataset": "mnist",
                "labels": None,
                "out_of_distribution": None,
                "kmeans": {"k": 2, "keep": None, "seed": 0},
                "shift": 0.0,
                "limit": {"train": None, "test": None},
            }
        },
        "priors": {
            "uni": {
                "title": "uni",
                "means": [[0]],
                "assignment": "single",
                "kind": "gaussian",
                "scale": 1.0,
                "beta": None,
            }
        },
    }


def test_defaults_replace_nothing_that_is_given():
    given = {"device": "cpu", "priors.unimodal.scale": 2.0, "subsets.mnist.limit.test": 7}
    config = checked(given)
    assert config["device"] == "cpu"
    assert config["priors"]["unimodal"]["scale"] == 2.0
    assert config["subsets"]["mnist"]["limit"] == {"test": 7, "train": None}


def test_two_configurations_share_no_default():
    first, second = checked(), checked()
    first["subsets"]["mnist"]["limit"]["test"] = 1
    assert second["subsets"]["mnist"]["limit"] != first["subsets"]["mnist"]["limit"]


# mistakes that the schema sees

SCHEMA_MISTAKES = [
    ({"datasts": {}}, "datasts: unknown key; did you mean datasets?"),
    ({"images.trian": 5}, "images.trian: unknown key; did you mean train?"),
    ({"images.7": 5}, "images.7: unknown key; known: train, test, ood, score_train"),
    ({"datasets.mnist.url": "x"}, "datasets.mnist.url: unknown key; known: kind, path, "),
    ({"subsets.mnist.lables": [1]}, "subsets.mnist.lables: unknown key; did you mean labels?"),
    ({"subsets.mnist.limit.tset": 5}, "subsets.mnist.limit.tset: unknown key; did you mean test?"),
    (
        {"subsets.mnist.kmeans": {"k": 3, "clusters": 3}},
        "subsets.mnist.kmeans.clusters: unknown key; known: k, keep, seed",
    ),
    ({"priors.unimodal.mean": [0]}, "priors.unimodal.mean: unknown key; did you mean means?"),
    ({"models.vea": {}}, "models.vea: unknown key; did you mean vae?"),
    (
        {"models.vae.training.epoch": 5},
        "models.vae.training.epoch: unknown key; did you mean epochs?",
    ),
    (
        {"models.glow.network.grey.widht": 5},
        "models.glow.network.grey.widht: unknown key; did you mean width?",
    ),
    (
        {"models.vae.network.grey.couplings": 5},
        "models.vae.network.grey.couplings: unknown key; known: latent_dim, ",
    ),
    ({"experiments.two_modes.model": []}, "experiments.two_modes.model: unknown key; did you mean"),
    ({"figures.fig04.panel": {}}, "figures.fig04.panel: unknown key; did you mean panels?"),
    ({"tables.table1.title": "x"}, "tables.table1.title: unknown key; known: kind, where, caption"),
    ({"tables.table1.kind": "likelihood"}, "tables.table1.kind: 'likelihood' is not one of likeli"),
    ({"figures.fig04.kind": "bars"}, "figures.fig04.kind: 'bars' is not one of histograms, curves"),
    ({"figures.fig04.column": "loss"}, "figures.fig04.column: 'loss' is not one of log_prob, "),
    ({"figures.fig04.sets": ["train"]}, "figures.fig04.sets.0: 'train' is not one of test, ood"),
    ({"curves.c": {"models": [UNI]}}, "curves.c: title missing"),
    ({"analyses.pixel": {}}, "analyses.pixel: unknown key; did you mean pixels?"),
    ({"analyses.densities": {"beta": 0}}, "analyses.densities.beta: 0 is less than or equal to"),
    ({"toy.dims": [1]}, "toy.dims.0: 1 is less than the minimum of 2"),
    ({"toy.points.train": 1}, "toy.points.train: 1 is less than the minimum of 2 (to learn from)"),
    ({"subsets.mnist.shift": 1}, "subsets.mnist.shift: 1 is greater than or equal to the maximum"),
    ({"experiments.two_modes.seeds": []}, "experiments.two_modes.seeds: [] should be non-empty"),
    ({"only": []}, "only: [] should be non-empty (experiments to run"),
    ({"seeds": 0}, "seeds: 0 is not of type 'array' (seeds of the trainings"),
    ({"seeds": []}, "seeds: [] should be non-empty"),
    ({"seeds": [1, 1]}, "seeds: [1, 1] has non-unique elements"),
    ({"seeds": [0, -1]}, "seeds.1: -1 is less than the minimum of 0"),
    ({"seeds": [True]}, "seeds.0: True is not of type 'integer'"),
    ({"data_seed": -1}, "data_seed: -1 is less than the minimum of 0"),
    (
        {"images.train": "all"},
        "images.train: 'all' is not of type 'integer', 'null' (training images of a subset)",
    ),
    ({"images.test": -5}, "images.test: -5 is less than the minimum of 1 (in-distribution test"),
    ({"images.ood": 0}, "images.ood: 0 is less than the minimum of 1"),
    ({"subsets.mnist.limit.train": 0}, "subsets.mnist.limit.train: 0 is less than the minimum"),
    ({"bootstrap": 10}, "bootstrap: 10 is less than the minimum of 100 (replicates"),
    ({"scale": "huge"}, "scale: 'huge' is not one of smoke, quick, paper"),
    ({"data": "fake"}, "data: 'fake' is not one of real, embedded"),
    ({"device": "gpu"}, "device: 'gpu' is not one of auto, cpu, cuda"),
    ({"run": "my run"}, "run: 'my run' does not match"),
    ({"mirror": 5}, "mirror: 5 is not of type 'string', 'null' (folder or base URL"),
    ({"datasets": None}, "datasets: None is not of type 'object' (data sets by name)"),
    ({"datasets.mnist.kind": "emnist"}, "datasets.mnist.kind: 'emnist' is not one of mnist, fash"),
    ({"subsets.mnist.title": REMOVED}, "subsets.mnist: title missing"),
    ({"subsets.mnist.labels": 7}, "subsets.mnist.labels: 7 is not of type 'array', 'null'"),
    ({"subsets.mnist.labels": []}, "subsets.mnist.labels: [] should be non-empty"),
    ({"subsets.mnist.kmeans": {"k": 1}}, "subsets.mnist.kmeans.k: 1 is less than the minimum of 2"),
    ({"subsets.mnist.kmeans": {"keep": 1}}, "subsets.mnist.kmeans: k missing"),
    (
        {"priors.Uni": {"title": "u", "means": [[0]], "assignment": "single"}},
        "priors: 'Uni' does not match",
    ),
    ({"priors.unimodal.kind": "laplace"}, "priors.unimodal.kind: 'laplace' is not one of gaussian"),
    *(
        ({"priors.unimodal.means": means}, f"priors.unimodal.means{message}")
        for means, message in (
            ([], ": [] should be non-empty"),
            ([[]], ".0: [] should be non-empty"),
            ([0], ".0: 0 is not of type 'array'; write a list, [0]"),
            (0, ": 0 is not valid under any of the given schemas (leading coordinates of"),
            ([["1"]], ".0.0: '1' is not of type 'number'; it is text: write 1, in a --configfile"),
            (
                {"rule": "circle", "k": 2, "distance": 1},
                ".rule: 'circle' is not one of line, axes, simplex",
            ),
            ({"rule": "line", "k": 0, "distance": 1}, ".k: 0 is less than the minimum of 1"),
            ({"rule": "line", "k": 2, "distance": -1}, ".distance: -1 is less than the minimum"),
            ({"rule": "line", "k": 2}, ": distance missing"),
            (
                {"rule": "line", "k": 2, "distance": 1, "center": True},
                ".center: unknown key; did you mean centred?",
            ),
        )
    ),
    ({"priors.unimodal.scale": 0}, "priors.unimodal.scale: 0 is less than or equal to the minimum"),
    ({"priors.unimodal.beta": -4}, "priors.unimodal.beta: -4 is less than or equal to the minimum"),
    (
        {"priors.unimodal.assignment": "labels"},
        "priors.unimodal.assignment: 'labels' is not one of single, label, cluster, random",
    ),
    ({"images": REMOVED}, "top level: images missing"),
    ({"models.vae.draws": REMOVED}, "models.vae: draws missing"),
    ({"models.glow.network.colour": REMOVED}, "models.glow.network: colour missing"),
    ({"models.vae.draws": 0}, "models.vae.draws: 0 is less than the minimum of 1 (importance"),
    ({"models.glow.network.grey.width": -8}, "models.glow.network.grey.width: -8 is less than"),
    ({"models.vae.training.epochs": 0}, "models.vae.training.epochs: 0 is less than the minimum"),
    ({"models.vae.training.learning_rate": 0}, "learning_rate: 0 is less than or equal to the min"),
    ({"models.vae.training.beta1": 1}, "models.vae.training.beta1: 1 is greater than or equal to"),
    (
        {"models.vae.training.decay_fraction": 1.5},
        "decay_fraction: 1.5 is greater than the",
    ),
    ({"models.vae.threads": 1.5}, "models.vae.threads: 1.5 is not of type 'integer' (CPU threads"),
    ({"experiments.x": {"models": []}}, "experiments.x.models: [] should be non-empty"),
    ({"experiments.x": {"models": [UNI, UNI]}}, "experiments.x.models: ['vae/fashion_1_7/unimod"),
    ({"experiments.x": {"models": ["vae"]}}, "experiments.x.models.0: 'vae' does not match"),
    (
        {"experiments.x": {"models": ["vae/fashion_1_7"]}},
        "experiments.x.models.0: 'vae/fashion_1_7' does not match",
    ),
    ({"figures.fig04.panels": {}}, "figures.fig04.panels: {} should be non-empty"),
]


@pytest.mark.parametrize(
    ("changes", "message"), SCHEMA_MISTAKES, ids=[message for _, message in SCHEMA_MISTAKES]
)
def test_a_value_that_the_schema_forbids_is_told(changes, message):
    (line,) = mistakes_of(changes)
    assert line.startswith("config: ")
    assert message in line


# mistakes that only the whole configuration shows

GREY_NPZ = {"own": {"shape": (1, 28, 28), "labels": {"train": [3, 5], "test": [3]}}}
NPZ = {
    "datasets.own": {"kind": "npz", "path": "own.npz"},
    "subsets.own": {"title": "Own", "dataset": "own", "out_of_distribution": "mnist"},
}

THREE = {"title": "3", "means": [[1], [2], [3]], "assignment": "random"}
FOUR = {
    "title": "4",
    "means": {"rule": "axes", "k": 4, "distance": 9},
    "assignment": "label",
}

REFERENCE_MISTAKES = [
    (
        {"datasets.mnist": {"kind": "npz"}},
        "datasets.mnist: kind npz needs the key path",
    ),
    (
        {"datasets.mnist": {"kind": "embedded"}},
        "datasets.mnist: kind embedded needs the key stands_for",
    ),
    (
        {"datasets.mnist.path": "mnist.npz"},
        "datasets.mnist.path: only kind npz has a path; kind is mnist",
    ),
    (
        {"datasets.mnist": {"kind": "embedded", "stands_for": "mnist", "path": "x"}},
        "datasets.mnist.path: only kind npz has a path; kind is embedded",
    ),
    (
        {"subsets.svhn.dataset": "shvn"},
        "subsets.svhn.dataset: there is no data set 'shvn'; did you mean svhn?",
    ),
    (
        {"subsets.svhn.dataset": "x"},
        "there is no data set 'x'; known: fashion_mnist, mnist, cifar10, svhn",
    ),
    (
        {"subsets.fashion_1.out_of_distribution": "mnst"},
        "subsets.fashion_1.out_of_distribution: there is no subset 'mnst'; did you mean mnist?",
    ),
    (
        {"subsets.fashion_1.labels": [12, 1, 10]},
        "subsets.fashion_1.labels: the train split of fashion_mnist lacks [10, 12]; it has [0, 1, ",
    ),
    (
        {"subsets.svhn.kmeans": {"k": 3, "keep": 3}},
        "subsets.svhn.kmeans.keep: there is no cluster 3; they are numbered 0 to 2",
    ),
    (
        {"experiments.x": {"models": ["gloww/fashion_1/unimodal"]}},
        "gloww/fashion_1/unimodal: there is no model 'gloww'; did you mean glow?",
    ),
    (
        {"experiments.x": {"models": ["vae/fashion_2/unimodal"]}},
        "experiments.x: vae/fashion_2/unimodal: there is no subset 'fashion_2'; did you mean fash",
    ),
    (
        {"experiments.x": {"models": ["vae/fashion_1/unimodel"]}},
        "there is no prior 'unimodel'; did you mean unimodal?",
    ),
    (
        {
            "priors.long": {"title": "l", "means": [[0] * 51], "assignment": "single"},
            "experiments.x": {"models": ["vae/fashion_1/long"]},
        },
        "priors.long.means: 51 coordinates, but the latent of vae on fashion_1 has 50",
    ),
    (
        {
            "priors.long": {"title": "l", "means": [[0] * 785], "assignment": "single"},
            "experiments.x": {"models": ["glow/fashion_1/long"]},
        },
        "priors.long.means: 785 coordinates, but the latent of glow on fashion_1 has 784",
    ),
    (
        {"experiments.x": {"models": ["vae/fashion_1/bimodal_75"]}},
        "experiments.x: vae/fashion_1/bimodal_75: assignment 'label' makes 1 groups of images, "
        "priors.bimodal_75 has 2 means",
    ),
    (
        {
            "subsets.all": {
                "title": "All",
                "dataset": "fashion_mnist",
                "out_of_distribution": "mnist",
            },
            "experiments.x": {"models": ["vae/all/bimodal_75"]},
        },
        "assignment 'label' makes 10 groups of images, priors.bimodal_75 has 2 means",
    ),
    (
        {
            "subsets.parts": {
                "title": "Parts",
                "dataset": "fashion_mnist",
                "labels": [1, 7],
                "out_of_distribution": "mnist",
                "kmeans": {"k": 3},
            },
            "priors.four": {"title": "4", "means": [[1], [2], [3], [4]], "assignment": "cluster"},
            "experiments.x": {"models": ["vae/parts/four"]},
        },
        "assignment 'cluster' makes 6 groups of images, priors.four has 4 means",
    ),
    (
        {
            "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "single"},
            "experiments.x": {"models": ["vae/fashion_1_7/two"]},
        },
        "assignment 'single' makes 1 groups of images, priors.two has 2 means",
    ),
    (
        {"subsets.fashion_1.out_of_distribution": None},
        "vae/fashion_1/unimodal: subsets.fashion_1 names no out_of_distribution subset",
    ),
    (
        {"subsets.fashion_1.out_of_distribution": "svhn"},
        "vae/fashion_1/unimodal: images are (1, 28, 28), those of svhn are (3, 32, 32)",
    ),
    (
        {
            "subsets.svhn.out_of_distribution": "svhn",
            "experiments.x": {"models": ["vae/svhn/unimodal"]},
        },
        "experiments.x: vae/svhn/unimodal: svhn has no train split to learn or test on",
    ),
    (
        NPZ | {"subsets.own.labels": [3, 4]},
        "subsets.own.labels: the train split of own lacks [4]; it has [3, 5]",
    ),
    (
        NPZ
        | {
            "experiments.x": {"models": ["vae/own/three"]},
            "priors.three": {"title": "3", "means": [[1], [2], [3]], "assignment": "label"},
        },
        "assignment 'label' makes 2 groups of images, priors.three has 3 means",
    ),
    (
        {"models.vae.draws": 1},
        "models.vae.draws: a standard error needs at least 2 importance samples",
    ),
    (
        {"figures.fig04.panels": {"(a)": ["vae/fashion_1_7/bimodal_50"]}},
        "figures.fig04: there is no model of an experiment named 'vae/fashion_1_7/bimodal_50'; did",
    ),
    (
        {"tables.table1.models": [UNI, "glow/mnist/unimodal"]},
        "tables.table1: there is no model of an experiment named 'glow/mnist/unimodal'; did you m",
    ),
    (
        {"priors.three": THREE, "experiments.x": {"models": ["vae/fashion_1_7/three"]}},
        "assignment 'random' makes 2 groups of images, priors.three has 3 means",
    ),
    *(
        ({place: entry}, f"{place}: there is no model of an experiment named 'vae/mnist/unimodal'")
        for place, entry in {
            "figures.x": {"kind": "decoded", "models": ["vae/mnist/unimodal"]},
            "tables.x": {"kind": "decomposition", "pairs": [[UNI, "vae/mnist/unimodal"]]},
            "curves.x": {"title": "x", "models": [UNI, "vae/mnist/unimodal"]},
            "analyses.pixels": {"model": "vae/mnist/unimodal"},
            "analyses.decoded": {"models": ["vae/mnist/unimodal"]},
        }.items()
    ),
    (
        {"figures.x": {"kind": "curves", "curves": ["vae_gausian"]}},
        "figures.x.curves: there is no curve 'vae_gausian'; did you mean vae_gaussian?",
    ),
    (
        {"analyses.clusters": {"subset": "fashion"}},
        "analyses.clusters.subset: 'fashion' is no subset with kmeans",
    ),
    (
        {"figures.x": {"kind": "clusters", "subset": "fashion_1_7"}},
        "figures.x.subset: 'fashion_1_7' is no subset with kmeans",
    ),
    (
        {"figures.x": {"panels": {"(a) VAE": [UNI]}, "columns": {"(a) VAF": "latent_first"}}},
        "figures.x.columns: there is no panel '(a) VAF'; did you mean (a) VAE?",
    ),
    (
        {
            "priors.four": FOUR,
            "experiments.x": {"models": ["glow/fashion_0_1_7_8/four"]},
            "curves.x": {"title": "x", "models": ["glow/fashion_0_1_7_8/four"]},
        },
        "curves.x: glow/fashion_0_1_7_8/four has 4 components; a distance needs two",
    ),
    (
        {"toy.priors": ["unimodl"]},
        "toy.priors: there is no prior 'unimodl'; did you mean unimodal?",
    ),
    (
        {"priors.four": FOUR, "toy.priors": ["four"]},
        "toy.priors: four has 4 components, the mixtures have 2",
    ),
]


@pytest.mark.parametrize(
    ("changes", "message"), REFERENCE_MISTAKES, ids=[message for _, message in REFERENCE_MISTAKES]
)
def test_what_does_not_fit_together_is_told(changes, message):
    inspected = GREY_NPZ if "datasets.own" in changes else {}
    lines = mistakes_of(changes, inspected)
    assert any(message in line for line in lines)


NEEDED = {
    "figures": {
        "histograms": "panels",
        "curves": "curves",
        "contours": "models",
        "topology": "models",
        "densities": None,
        "pixels": "models",
        "decoded": "models",
        "clusters": "subset",
    },
    "tables": {
        "likelihoods": "models",
        "ranking": None,
        "decomposition": "pairs",
        "architecture": "network",
        "toy": None,
        "second_order": "models",
    },
}
every_kind = pytest.mark.parametrize(
    ("table", "kind"), [(table, kind) for table in NEEDED for kind in NEEDED[table]]
)


def kinds_of(table):
    properties = SCHEMA["properties"][table]["additionalProperties"]["properties"]
    return set(properties["kind"]["enum"])


@every_kind
def test_a_kind_without_its_needed_key_is_told(table, kind):
    assert set(NEEDED[table]) == kinds_of(table)
    needed, change = NEEDED[table][kind], {f"{table}.x": {"kind": kind}}
    if needed:
        assert mistakes_of(change) == [
            f"config: {table}.x: kind {kind} needs the key {needed}",
        ]
    else:
        checked(change)


def test_columns_need_panels():
    for kind in ("histograms", "densities"):
        lines = mistakes_of({"figures.x": {"kind": kind, "columns": {"(a)": "latent_first"}}})
        assert any("figures.x" in line for line in lines)


NO_MODEL = "vae/fashion_1_7"  # the prior is missing


@pytest.mark.parametrize(
    ("place", "entry"),
    [
        ("figures.x", {"kind": "decoded", "models": [NO_MODEL]}),
        ("tables.x", {"models": [NO_MODEL]}),
        ("tables.y", {"kind": "decomposition", "pairs": [[UNI, NO_MODEL]]}),
        ("analyses.pixels", {"model": NO_MODEL}),
        ("analyses.decoded", {"models": [NO_MODEL]}),
    ],
    ids=["figure", "table", "pair", "pixels", "decoded"],
)
def test_what_is_no_name_of_a_model_is_told(place, entry):
    lines = mistakes_of({place: entry})
    assert any(place in line and repr(NO_MODEL) in line for line in lines)


def test_every_mistake_has_its_line():
    lines = mistakes_of({"seeds": [], "images.trian": 5, "device": "gpu", "bootstrap": 1})
    starts = ["bootstrap: ", "device: ", "images.trian: ", "seeds: "]
    for line, start in zip(sorted(lines), starts, strict=True):
        assert line.startswith(f"config: {start}")


def test_every_mistaken_reference_has_its_line():
    lines = mistakes_of({"subsets.mnist.dataset": "x", "subsets.svhn.dataset": "y"})
    assert [line.split(":")[1].strip() for line in lines] == [
        "subsets.mnist.dataset",
        "subsets.svhn.dataset",
    ]


def test_a_configuration_error_is_a_value_error():
    with pytest.raises(ValueError, match=re.escape("config: device: 'gpu' is not one of auto")):
        validate(changed({"device": "gpu"}), SCHEMA)


# what is allowed, though it looks odd

NOTHING = {key: {} for key in ("experiments", "figures", "tables", "curves", "analyses")}
ALLOWED = {
    "as many coordinates as the latent": {
        "priors.full": {"title": "f", "means": [[0] * 50], "assignment": "single"},
        "experiments.x": {"models": ["vae/fashion_1/full"]},
    },
    "the last cluster": {"subsets.svhn.kmeans": {"k": 3, "keep": 2}},
    "no limits": dict.fromkeys(("images.train", "images.test", "images.ood")),
    "a component of each cluster": {
        "subsets.fashion_1.kmeans": {"k": 2},
        "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "cluster"},
        "experiments.x": {"models": ["glow/fashion_1/two"]},
    },
    "one kept cluster of each label": {
        "subsets.fashion_1_7.kmeans": {"k": 2, "keep": 1},
        "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "cluster"},
        "experiments.x": {"models": ["glow/fashion_1_7/two"]},
    },
    "colour": {
        "subsets.cifar": {
            "title": "CIFAR-10",
            "dataset": "cifar10",
            "labels": [0, 4],
            "out_of_distribution": "svhn",
        },
        "experiments.x": {"models": ["vae/cifar/bimodal_75", "glow/cifar/unimodal"]},
    },
    "no figures and tables": {"figures": {}, "tables": {}},
    "only one architecture": {
        **NOTHING,
        "models.vae": REMOVED,
        "experiments": {"x": {"models": ["glow/fashion_1/unimodal"]}},
    },
    "no toy flows": {
        "toy": None,
        "figures": {},
        "tables": {},
    },
    "only toy flows": NOTHING,
    "a random assignment": {
        "priors.two": {"title": "2", "means": [[1], [2]], "assignment": "random"},
        "experiments.x": {"models": ["vae/fashion_1_7/two"]},
    },
    "a curve of one component": {"curves.x": {"title": "x", "models": [UNI]}},
    "another column for a panel": {
        "figures.x": {"panels": {"(a)": [UNI]}, "columns": {"(a)": "latent_first"}}
    },
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=ALLOWED)
def test_what_fits_together_is_allowed(changes):
    checked(changes)


def test_labels_of_an_npz_are_those_that_were_found_in_it():
    models = {"experiments.x": {"models": ["vae/own/bimodal_75"]}}
    config = checked(NPZ | models, GREY_NPZ)
    assert image_shape(config, "own", GREY_NPZ) == (1, 28, 28)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"shape": (3, 32, 32)}, "images are (3, 32, 32), those of mnist are (1, 28, 28)"),
        ({"labels": {"train": [3, 5]}}, "own has no test split to learn or test on"),
        ({"labels": {"test": [3, 5]}}, "own has no train split to learn or test on"),
    ],
)
def test_an_npz_has_to_suit_the_models_that_learn_it(facts, message):
    inspected = {"own": GREY_NPZ["own"] | facts}
    lines = mistakes_of(NPZ | {"experiments.x": {"models": ["vae/own/unimodal"]}}, inspected)
    assert any(message in line for line in lines)


# what is asked of the configuration


@pytest.mark.parametrize(
    ("subset", "split", "limit"),
    [
        ("fashion_1_7", "train", 70),
        ("fashion_1_7", "test", 50),
        ("mnist", "test", 60),
        ("mnist", "train", 70),
    ],
)
def test_the_limit_follows_the_role_of_the_subset(subset, split, limit):
    config = checked({"images.train": 70, "images.test": 50, "images.ood": 60})
    assert selection(config, subset, split)["limit"] == limit


@pytest.mark.parametrize(
    ("scale", "own", "limit"),
    [(None, None, None), (None, 50, 50), (90, None, 90), (90, 50, 50), (50, 90, 50)],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_smaller_limit_counts(scale, own, limit, split):
    config = checked({f"images.{split}": scale, f"subsets.fashion_1.limit.{split}": own})
    assert selection(config, "fashion_1", split)["limit"] == limit


def test_a_selection_has_labels_seed_and_cluster():
    changes = {"data_seed": 4, "subsets.fashion_1.kmeans": {"k": 3, "keep": 1}}
    assert selection(checked(changes | {"images.train": None}), "fashion_1", "train") == {
        "labels": [1],
        "limit": None,
        "seed": 4,
        "cluster": 1,
    }


def test_without_kmeans_there_is_no_cluster():
    assert selection(checked(), "fashion_1", "train")["cluster"] is None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"scale": "quick"}, "quick"),
        ({"scale": "smoke", "data": "embedded"}, "smoke-embedded"),
        ({"scale": "paper", "run": "mine"}, "mine"),
        ({"data": "embedded", "run": "mine"}, "mine"),
    ],
)
def test_a_run_is_named_by_its_scale_and_data_unless_it_has_a_name(changes, name):
    assert run_name(checked(changes)) == name


def test_models_of_all_experiments_stand_once_in_their_order():
    config = checked({"experiments.again": {"models": [UNI, "glow/fashion_1/unimodal"]}})
    names = []
    for experiment in OWN["experiments"].values():
        names += [name for name in experiment["models"] if name not in names]
    assert [str(model) for model in model_ids(config)] == names
    assert model_ids(config)[0] == ModelId("vae", "fashion_1_7", "unimodal")


@pytest.mark.parametrize(
    ("subset", "shape"), [("mnist", (1, 28, 28)), ("fashion_1", (1, 28, 28)), ("svhn", (3, 32, 32))]
)
@pytest.mark.parametrize("stand_ins", [False, True])
def test_official_images_have_their_known_shapes(subset, shape, stand_ins):
    config = with_stand_ins(checked()) if stand_ins else checked()
    assert image_shape(config, subset, {}) == shape


def test_stand_ins_replace_official_data_sets_alone():
    before = checked(NPZ | {"data": "embedded"}, GREY_NPZ)
    given = copy.deepcopy(before)
    after = with_stand_ins(before)
    assert before == given
    for name in ("mnist", "fashion_mnist", "cifar10", "svhn"):
        entry = after["datasets"][name]
        assert (entry["kind"], entry["stands_for"]) == ("embedded", name)
    assert after["datasets"]["own"] == before["datasets"]["own"]
    assert {k: v for k, v in after.items() if k != "datasets"} == {
        k: v for k, v in before.items() if k != "datasets"
    }


def test_a_specification_holds_everything_that_defines_a_model():
    config = checked(
        {
            "models.vae.training": {
                "epochs": 3,
                "batch_size": 8,
                "learning_rate": 0.1,
                "beta1": 0.5,
                "beta2": None,
            }
        }
    )
    assert model_spec(config, ModelId("vae", "fashion_1_7", "bimodal_75"), 6, {}) == {
        "architecture": "vae",
        "image_shape": [1, 28, 28],
        "prior": {"kind": "gaussian", "means": [[75], [-75]], "scale": 1.0},
        "network": {
            "latent_dim": 50,
            "decoder_width": 4,
            "encoder_norm_last": True,
            "scaled_start": True,
            "decoder_precision": "bfloat16",
        },
        "training": {
            "epochs": 3,
            "batch_size": 8,
            "learning_rate": 0.1,
            "beta1": 0.5,
            "beta2": None,
            "warmup_epochs": 0,
            "decay_fraction": 0,
            "max_grad_norm": None,
            "polyak_epochs": 0,
            "initialization_batch": 256,
            "shift": 0.0,
        },
        "seed": 6,
    }


def test_a_specification_has_the_shape_of_the_prior_where_it_has_one():
    config = checked({"priors.unimodal.kind": "generalized_gaussian", "priors.unimodal.beta": 4})
    spec = model_spec(config, ModelId("glow", "fashion_1", "unimodal"), 0, {})
    expected = {"kind": "generalized_gaussian", "means": [[0]], "scale": 1.0, "beta": 4}
    assert spec["prior"] == expected


@pytest.mark.parametrize(("shape", "latent"), [((1, 28, 28), 50), ((3, 32, 32), 100)])
def test_the_network_follows_the_number_of_channels(shape, latent):
    inspected = {"own": {"shape": shape, "labels": {"train": [0], "test": [0]}}}
    spec = model_spec(checked(NPZ, inspected), ModelId("vae", "own", "unimodal"), 0, inspected)
    assert (spec["image_shape"], spec["network"]["latent_dim"]) == (list(shape), latent)


def test_what_does_not_define_a_model_is_not_in_its_specification():
    model = ModelId("glow", "fashion_1", "unimodal")
    other = {
        "subsets.fashion_1.title": "Trousers",
        "priors.unimodal.title": "one",
        "models.glow.draws": 9,
        "models.glow.threads": 9,
        "bootstrap": 999,
        "device": "cpu",
    }
    assert model_spec(checked(), model, 0, {}) == model_spec(checked(other), model, 0, {})


def test_the_shift_of_a_subset_is_in_the_specification_of_its_models():
    config = checked({"subsets.fashion_1.shift": 0.25})
    for subset, shift in (("fashion_1", 0.25), ("fashion_7", 0.0)):
        spec = model_spec(config, ModelId("vae", subset, "unimodal"), 0, {})
        assert spec["training"]["shift"] == shift


# seeds


def seeded(**experiments):
    entries = {name: {"models": [UNI], "seeds": seeds} for name, seeds in experiments.items()}
    return {"seeds": [4, 2], "experiments": entries}


@pytest.mark.parametrize(
    ("experiments", "seeds"),
    [
        ({"a": None}, [2, 4]),
        ({"a": [7]}, [7]),
        ({"a": [7, 0], "b": [3]}, [0, 3, 7]),
        ({"a": [7, 4], "b": None}, [2, 4, 7]),
        ({"a": [1, 2], "b": [2, 1]}, [1, 2]),
    ],
)
def test_a_model_has_the_seeds_of_all_its_experiments(experiments, seeds):
    assert model_seeds(seeded(**experiments)) == {ModelId.of(UNI): seeds}


@every_scale
def test_every_model_has_seeds(scale):
    config = checked(scale=scale)
    seeds = model_seeds(config)
    assert list(seeds) == model_ids(config)
    assert all(own == sorted(set(own)) and own for own in seeds.values())


# means


MEANS_OF_PRIORS = {
    "bimodal_75": [[75], [-75]],
    "axes_150": [[150 if i == j else 0 for i in range(4)] for j in range(4)],
    "line_200": [[0], [200], [400], [600]],
}


@pytest.mark.parametrize("name", MEANS_OF_PRIORS)
def test_the_papers_means_are_as_it_prints_them(name):
    assert checked()["priors"][name]["means"] == MEANS_OF_PRIORS[name]


def means_of(means, files=no_file):
    prior = {"title": "t", "means": means, "assignment": "single"}
    config = {"priors": {"p": prior}, "other": 1}
    found = with_means(config, files)
    assert config["priors"]["p"]["means"] is means
    assert found == {"priors": {"p": prior | {"means": found["priors"]["p"]["means"]}}, "other": 1}
    return found["priors"]["p"]["means"]


@pytest.mark.parametrize(
    ("rule", "means"),
    [
        ({"rule": "line", "k": 1, "distance": 7}, [[0]]),
        ({"rule": "line", "k": 2, "distance": 150}, [[75], [-75]]),
        ({"rule": "line", "k": 2, "distance": 150, "centred": True}, [[75], [-75]]),
        ({"rule": "line", "k": 3, "distance": 2}, [[2], [0], [-2]]),
        ({"rule": "line", "k": 1, "distance": 7, "centred": False}, [[0]]),
        (
            {"rule": "line", "k": 4, "distance": 200, "centred": False},
            [[0], [200], [400], [600]],
        ),
        ({"rule": "line", "k": 2, "distance": 0}, [[0], [0]]),
        ({"rule": "axes", "k": 1, "distance": 7}, [[7]]),
        ({"rule": "axes", "k": 3, "distance": 2}, [[2, 0, 0], [0, 2, 0], [0, 0, 2]]),
        ({"rule": "simplex", "k": 1, "distance": 7}, [[0]]),
    ],
)
def test_a_rule_gives_its_means(rule, means):
    assert means_of(rule) == means


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("distance", [1.0, 150])
def test_the_corners_of_a_simplex_are_at_one_distance_about_zero(k, distance):
    means = means_of({"rule": "simplex", "k": k, "distance": distance})
    assert len(means) == k
    for a, b in combinations(means, 2):
        assert math.dist(a, b) == pytest.approx(distance, rel=1e-12)
    for coordinate in zip(*means, strict=True):
        assert sum(coordinate) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("centred", [True, False])
def test_neighbours_on_a_line_are_at_one_distance(k, centred):
    means = means_of({"rule": "line", "k": k, "distance": 3.5, "centred": centred})
    gaps = {abs(a[0] - b[0]) for a, b in pairwise(means)}
    assert gaps == {3.5}
    assert (sum(mean[0] for mean in means) == 0) == centred


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("75\n-75\n", [[75], [-75]]),
        ("1, 2.5\n\n-3e1,0\n", [[1, 2.5], [-30, 0]]),
        ("1,2,3\r\n4\r\n", [[1, 2, 3], [4]]),
        ("7", [[7]]),
    ],
)
def test_a_file_has_a_mean_in_each_line(text, means):
    asked = []
    assert means_of("my/means.csv", lambda path: asked.append(path) or text) == means
    assert asked == ["my/means.csv"]


def test_means_as_lists_stay_as_they_are():
    means = [[1, 2], [3]]
    assert means_of(means) is means


@pytest.mark.parametrize("text", ["a,b\n", "1,2,\n", "1;2\n", "x\n1\n", "", "\n\n"])
def test_a_file_that_holds_no_means_is_told(text):
    with pytest.raises(ConfigError, match=r"^config: priors\.p\.means: my\.csv is no CSV file"):
        means_of("my.csv", lambda path: text)


def test_a_file_that_cannot_be_read_is_told_with_every_other():
    prior = {"title": "t", "assignment": "single"}
    config = {"priors": {name: prior | {"means": f"{name}.csv"} for name in "ab"}}
    with pytest.raises(ConfigError) as caught:
        with_means(config, no_file)
    first, second = str(caught.value).splitlines()
    assert first.startswith("config: priors.a.means: a.csv is no CSV file with a mean in each line")
    assert "there is no b.csv" in second


def test_means_of_a_file_are_checked_like_others():
    def long(path):
        return ",".join("1" * 51)

    change = {
        "priors.long": {"title": "l", "means": "long.csv", "assignment": "single"},
        "experiments.x": {"models": ["vae/fashion_1/long"]},
    }
    with pytest.raises(ConfigError, match=r"priors\.long\.means: 51 coordinates, but the latent"):
        checked(change, files=long)


@pytest.mark.parametrize(
    ("means", "distance"),
    [
        ([[0]], 0),
        ([[75], [-75]], 150),
        ([[3, 0], [0, 4]], 5),
        ([[3], [0, 4]], 5),
        ([[0, 0, 2], [1]], math.sqrt(5)),
    ],
)
def test_a_distance_is_that_of_the_two_means(means, distance):
    config = {"priors": {"p": {"means": means}}}
    assert component_distance(config, "p") == pytest.approx(distance, rel=1e-12)


# what is asked of the whole


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a", {"b": [[5, 6], {"c": 7}]}),
        ("a.b.0.1", 6),
        ("a.b.1.c", 7),
        ("2.x", "digits may be a name"),
    ],
)
def test_a_dotted_key_leads_through_mappings_and_lists(key, value):
    config = {"a": {"b": [[5, 6], {"c": 7}]}, "2": {"x": "digits may be a name"}}
    assert lookup(config, key) == value


@pytest.mark.parametrize(("key", "error"), [("a.x", KeyError), ("a.b.9", IndexError)])
def test_a_key_that_leads_nowhere_is_an_error(key, error):
    with pytest.raises(error):
        lookup({"a": {"b": [1]}}, key)


def test_an_entry_names_its_models_and_nothing_else():
    entry = {
        "title": "VAE, Gaussian",
        "where": "a/b/c",
        "model": "toy/mixture_2/uni",
        "models": ["vae/f/uni"],
        "panels": {"(a) x/y/z": ["glow/f_1/uni_2", "no model"]},
        "pairs": [["vae/f/a", "vae/f/b"]],
    }
    names = ["toy/mixture_2/uni", "vae/f/uni", "glow/f_1/uni_2", "no model", "vae/f/a", "vae/f/b"]
    assert list(models_of(entry)) == names
    assert list(models_of({})) == []


# toy flows


def test_a_toy_flow_is_named_by_its_mixture_and_prior():
    config = {"toy": {"dims": [2, 10], "priors": ["uni", "two"]}}
    assert [str(model) for model in toy_ids(config)] == [
        "toy/mixture_2/uni",
        "toy/mixture_2/two",
        "toy/mixture_10/uni",
        "toy/mixture_10/two",
    ]
    assert toy_ids({"toy": None}) == []


def test_the_specification_of_a_toy_flow_holds_everything_that_defines_it():
    data = {"mean": 2.0, "variance": 1.0, "ood_variance": 0.1}
    network = {"couplings": 3, "width": 5}
    config = checked({"toy.points.train": 277, "toy.network": network, "toy.data": data})
    config["priors"]["two"] = {
        "title": "t",
        "kind": "gaussian",
        "means": [[1], [2]],
        "scale": 2.0,
        "beta": None,
        "assignment": "label",
    }
    assert toy_spec(config, 5, "two", 6) == {
        "architecture": "toy",
        "dim": 5,
        "data": data,
        "prior": {"kind": "gaussian", "means": [[1], [2]], "scale": 2.0},
        "network": network,
        "points": 277,
        "training": config["toy"]["training"],
        "seed": 6,
    }


# some of the experiments


def small(only):
    """Two experiments, toy flows, and what needs the one, the other, both or none."""
    one, two, toy = "vae/a/uni", "glow/b/multi", "toy/mixture_2/uni"
    return {
        "only": only,
        "experiments": {"first": {"models": [one, "vae/a/multi"]}, "second": {"models": [two]}},
        "toy": {"dims": [2], "priors": ["uni"]},
        "curves": {"c1": {"title": "1", "models": [one]}, "c2": {"title": "2", "models": [two]}},
        "analyses": {
            "densities": {"beta": 4},
            "pixels": {"model": one},
            "clusters": {"subset": "b"},
            "decoded": {"models": [one, two]},
        },
        "figures": {
            "one": {"kind": "histograms", "panels": {"(a)": [one, "vae/a/multi"]}},
            "two": {"kind": "clusters", "subset": "b"},
            "both": {"kind": "curves", "curves": ["c1", "c2"]},
            "curve": {"kind": "curves", "curves": ["c2"]},
            "flows": {"kind": "contours", "models": [toy]},
            "none": {"kind": "densities"},
        },
        "tables": {
            "one": {"kind": "likelihoods", "models": [one]},
            "both": {"kind": "decomposition", "pairs": [[one, two]]},
            "flows": {"kind": "toy"},
            "none": {"kind": "architecture", "network": "grey"},
        },
    }


KEPT = {
    "experiments": {"first": ["first"], "second": ["second"]},
    "curves": {"first": ["c1"], "second": ["c2"]},
    "analyses": {"first": ["densities", "pixels"], "second": ["densities", "clusters"]},
    "figures": {"first": ["one", "none"], "second": ["two", "curve", "none"]},
    "tables": {"first": ["one", "none"], "second": ["none"]},
}


@pytest.mark.parametrize("only", ["first", "second"])
@pytest.mark.parametrize("table", KEPT)
def test_what_needs_other_experiments_is_left_out(table, only):
    config = small([only])
    given = copy.deepcopy(config)
    kept = with_only(config)
    assert config == given
    assert list(kept[table]) == KEPT[table][only]
    assert kept[table].items() <= config[table].items()
    assert kept["toy"] is None


def test_toy_flows_need_another_experiment_beside_them():
    with pytest.raises(ConfigError, match=r"^config: only: toy alone leaves no table"):
        with_only(small(["toy"]))
    assert with_only(small(["toy", "first"]))["toy"] is not None


@pytest.mark.parametrize("only", [None, ["first", "second", "toy"]])
def test_all_experiments_keep_everything(only):
    assert with_only(small(only)) == small(only)


def test_an_experiment_that_does_not_exist_is_told():
    with pytest.raises(ConfigError) as caught:
        with_only(small(["frist", "second", "tyo"]))
    assert str(caught.value).splitlines() == [
        "config: only: there is no experiment 'frist'; did you mean first?",
        "config: only: there is no experiment 'tyo'; did you mean toy?",
    ]


@pytest.mark.parametrize("only", OWN["experiments"])
def test_any_experiment_alone_is_a_sound_configuration(only):
    config = with_only(checked({"only": [only]}))
    check_references(config, {})
    for table in ("figures", "tables", "curves", "analyses"):
        needed = set(models_of(config[table]))
        assert needed <= {str(model) for model in (*model_ids(config), *toy_ids(config))}


# claims and numbers


def entry(name, *models):
    quantities = [{"model": model, "statistic": "nll"} for model in models]
    return {
        "id": name,
        "comparisons": [{"left": q, "relation": ">", "right": 1} for q in quantities],
    }


def kept_of(entries, config=None, analyses=()):
    config = small(None) if config is None else config
    return [e["id"] for e in with_models(entries, config, analyses)]


def test_claims_about_models_that_are_not_trained_are_left_out():
    entries = [
        entry("both", "vae/a/uni", "glow/b/multi"),
        entry("one unknown", "vae/a/uni", "glow/a/uni"),
        entry("toy flow", "toy/mixture_2/uni"),
        entry("no such toy flow", "toy/mixture_3/uni"),
        entry("no model"),
        {"id": "number", "quantity": {"model": "vae/b/uni", "statistic": "nll"}},
    ]
    assert kept_of(entries) == ["both", "toy flow", "no model"]


@pytest.mark.parametrize(
    ("quantity", "kept"),
    [
        ({"curve": "c1", "function": "range"}, True),
        ({"curve": "c3", "function": "range"}, False),
        ({"stored": "pixels/lower_fraction"}, True),
        ({"stored": "clusters/ratio_0_0"}, False),
        ({"difference": [{"model": "vae/a/uni"}, {"stored": "pixels/lower_fraction"}]}, True),
        ({"difference": [{"model": "vae/a/uni"}, {"stored": "clusters/ratio_0_0"}]}, False),
        ({"largest": [{"ratio": [{"curve": "c1"}, {"curve": "c3"}]}, 5]}, False),
    ],
)
def test_claims_about_what_is_not_computed_are_left_out(quantity, kept):
    claim = {"id": "x", "comparisons": [{"left": 1, "relation": ">", "right": quantity}]}
    number = {"id": "x", "quantity": quantity, "value": 1}
    for each in (claim, number):
        assert bool(kept_of([each], analyses=["pixels"])) == kept


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        ("toy.dims.0", True),
        ("toy.dims.1", False),
        ("toy.nothing", False),
        ("analyses.densities.beta", True),
        ("only", False),
        ("experiments.first.models.0.x", False),
    ],
)
def test_settings_that_the_configuration_lacks_are_left_out(setting, kept):
    assert bool(kept_of([{"id": "x", "setting": setting, "value": 4}])) == kept


@every_scale
@pytest.mark.parametrize("path", ["config/claims.yaml", "config/published.yaml"])
def test_the_configuration_has_everything_for_the_papers_claims_and_numbers(path, scale):
    entries, config = read(path), checked(scale=scale)
    known = kept_of(entries, config, [*config["analyses"], "toy"])
    assert known == [e["id"] for e in entries]


# the schema


def schema_leaves(schema, name):
    """Leaves of the schema by their dotted names, walked from its text alone."""
    below = {f"{name}.{key}": value for key, value in schema.get("properties", {}).items()}
    if isinstance(schema.get("additionalProperties"), dict):
        below[f"{name}.*"] = schema["additionalProperties"]
    if not below:
        return {name.removeprefix("."): schema}
    found = {}
    for key, value in below.items():
        found |= schema_leaves(value, key)
    return found


LEAVES = schema_leaves(SCHEMA, "")


@pytest.mark.parametrize("name", LEAVES)
def test_every_key_is_described(name):
    assert LEAVES[name].get("description", "").strip()


@pytest.mark.parametrize("name", LEAVES)
def test_every_default_is_allowed(name):
    if "default" in LEAVES[name]:
        validator = {"type": "object", "properties": {"x": LEAVES[name]}}
        validate({"x": LEAVES[name]["default"]}, validator)


def objects(schema):
    if isinstance(schema, dict):
        if schema.get("type") == "object" or "object" in (schema.get("type") or []):
            yield schema
        for below in schema.values():
            yield from objects(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from objects(below)


def test_no_object_lets_unknown_keys_pass():
    for schema in objects(SCHEMA):
        assert schema.get("additionalProperties") is False or "description" in schema
        assert "additionalProperties" in schema


def test_the_documentation_has_every_key_once():
    names = [name for name, _, _ in document(SCHEMA)]
    assert len(names) == len(set(names))
    assert set(names) == set(LEAVES)


def test_the_documentation_tells_default_and_description():
    told = {name: (default, description) for name, default, description in document(SCHEMA)}
    for name, schema in LEAVES.items():
        default = str(schema["default"]) if "default" in schema else ""
        assert told[name] == (default, schema.get("description", ""))
    assert told["device"] == ("auto", "where models are trained and scored")
    assert told["subsets.*.kmeans.keep"][0] == "None"
    assert told["models.glow.training.epochs"][0] == ""


def test_a_missing_pair_of_keys_is_told_once():
    assert len(mistakes_of({"subsets.x": {"labels": [1]}})) == 1


def test_numbers_as_names_do_not_stop_the_check():
    prior = {"means": [[0]], "assignment": "single"}
    with pytest.raises(ConfigError, match="title missing"):
        checked({"priors": {1: prior, "a": prior}})


def test_a_number_is_no_name():
    prior = {"title": "t", "means": [[0]], "assignment": "single"}
    with pytest.raises(ConfigError, match="priors: 1 is not of type 'string'"):
        checked({"priors": {**OWN["priors"], 1: prior}})


@pytest.mark.parametrize("name", ["..", "."])
def test_a_run_stays_below_results(name):
    with pytest.raises(ConfigError, match="run"):
        checked({"run": name})


def own_set(**labels) -> dict:
    return {"own": {"shape": (1, 28, 28), "labels": labels}}


def test_an_ood_set_needs_a_test_split():
    with pytest.raises(ConfigError, match="own has no test split"):
        checked(NPZ | {"subsets.fashion_1.out_of_distribution": "own"}, own_set(train=[0]))


@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_have_to_be_in_every_split_that_is_used(split):
    inspected = own_set(**{"train": [3, 5], "test": [3, 5], split: [3]})
    models = {"models": ["vae/own/unimodal"]}
    with pytest.raises(ConfigError, match=rf"the {split} split of own lacks \[5\]"):
        checked(NPZ | {"subsets.own.labels": [3, 5], "experiments.x": models}, inspected)


@pytest.mark.parametrize(
    ("architecture", "message"), [("vae", "a VAE takes"), ("glow", "squeezes do not divide")]
)
def test_images_that_no_network_takes_are_told(architecture, message):
    inspected = {"own": {"shape": (1, 9, 9), "labels": {"train": [0], "test": [0]}}}
    models = {"models": [f"{architecture}/own/unimodal"]}
    change = {"subsets.own.out_of_distribution": "own", "experiments.x": models}
    with pytest.raises(ConfigError, match=message):
        checked(NPZ | change, inspected)


PRIOR = {"title": "t", "means": [[1], [-1]], "assignment": "label"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"priors.p": PRIOR | {"beta": 4}}, "priors.p.beta: only kind generalized_gaussian has it"),
        ({"priors.p": PRIOR | {"means": [[math.inf], [1]]}}, "priors.p.means: .* must be finite"),
        ({"priors.p": PRIOR | {"scale": math.nan}}, "priors.p.scale: nan must be finite"),
        (
            {"models.glow.network.grey.couplings": 1},
            r"squeeze_after: there are 1 couplings, so no squeeze comes after \[",
        ),
    ],
)
def test_numbers_that_no_model_takes_are_told(change, message):
    with pytest.raises(ConfigError, match=message):
        checked(change)


def test_shapes_that_the_vae_takes_are_those_of_its_architectures():
    assert set(VAE_SHAPES) == set(ARCHITECTURES)
