"""Every mistake in the configuration is told with its place; the right one means what it says."""

import copy
import math
import re
from pathlib import Path

import pytest
import yaml

from oodpriors.checks import VAE_SHAPES, check_references
from oodpriors.config import (
    ConfigError,
    ModelId,
    document,
    image_shape,
    merge,
    model_ids,
    model_spec,
    run_name,
    selection,
    validate,
    with_models,
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


def checked(changes=None, inspected=None, scale="smoke"):
    config = validate(changed(changes or {}, scale), SCHEMA)
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
    config = validate(changed({"data": data, "scale": scale}, scale), SCHEMA)
    check_references(with_stand_ins(config) if data == "embedded" else config, {})


@every_scale
def test_no_key_stands_both_in_a_scale_and_in_the_configuration(scale):
    # the configuration is merged over the scale, so the scale's value would never count
    assert leaves(SCALES[scale]).isdisjoint(leaves(OWN))


def test_every_scale_sets_the_same_required_keys():
    def required(scale):
        return {path[:1] for path in leaves(SCALES[scale])}

    assert required("smoke") == required("quick") == required("paper")


def test_there_is_a_file_for_every_scale():
    assert set(SCALES) == set(SCHEMA["properties"]["scale"]["enum"])


# defaults


def test_defaults_are_filled_in_at_every_depth():
    minimal = {
        "datasets": {"mnist": {"kind": "mnist"}},
        "subsets": {"all": {"title": "All", "dataset": "mnist", "kmeans": {"k": 2}}},
        "priors": {"uni": {"title": "uni", "means": [[0]], "assignment": "single"}},
        "models": {},
        "experiments": {},
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
        "data_seed": 0,
        "figures": {},
        "tables": {},
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
    ({"tables.table1.title": "x"}, "tables.table1.title: unknown key; known: where, caption, mod"),
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
    ({"priors.unimodal.means": [[]]}, "priors.unimodal.means.0: [] should be non-empty"),
    ({"priors.unimodal.means": [0]}, "priors.unimodal.means.0: 0 is not of type 'array'"),
    ({"priors.unimodal.scale": 0}, "priors.unimodal.scale: 0 is less than or equal to the minimum"),
    ({"priors.unimodal.beta": -4}, "priors.unimodal.beta: -4 is less than or equal to the minimum"),
    (
        {"priors.unimodal.assignment": "labels"},
        "priors.unimodal.assignment: 'labels' is not one of single, label, cluster",
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
    ({"tables.table1.models": REMOVED}, "tables.table1: models missing"),
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
        "subsets.svhn.kmeans.keep: clusters are numbered 0 to 2",
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
]


@pytest.mark.parametrize(
    ("changes", "message"), REFERENCE_MISTAKES, ids=[message for _, message in REFERENCE_MISTAKES]
)
def test_what_does_not_fit_together_is_told(changes, message):
    inspected = GREY_NPZ if "datasets.own" in changes else {}
    lines = mistakes_of(changes, inspected)
    assert any(message in line for line in lines)


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
        "models.vae": REMOVED,
        "experiments": {"x": {"models": ["glow/fashion_1/unimodal"]}},
        "figures": {},
        "tables": {},
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
    [(None, None, None), (None, 5, 5), (9, None, 9), (9, 5, 5), (5, 9, 5)],
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
    names = OWN["experiments"]["two_modes"]["models"]
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


def entry(name, *models):
    quantities = [{"model": model, "statistic": "nll"} for model in models]
    return {
        "id": name,
        "comparisons": [{"left": q, "relation": ">", "right": 1} for q in quantities],
    }


def test_claims_about_models_that_are_not_trained_are_left_out():
    entries = [
        entry("both", UNI, "glow/fashion_1/unimodal"),
        entry("one unknown", UNI, "glow/mnist/unimodal"),
        entry("no model"),
        {"id": "number", "quantity": {"model": "vae/mnist/unimodal", "statistic": "nll"}},
    ]
    assert [e["id"] for e in with_models(entries, checked())] == ["both", "no model"]


def test_the_configuration_trains_every_model_of_the_papers_claims_and_numbers():
    for path in ("config/claims.yaml", "config/published.yaml"):
        entries = read(path)
        assert with_models(entries, checked()) == entries


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
        assert told[name] == (default, schema["description"])
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
