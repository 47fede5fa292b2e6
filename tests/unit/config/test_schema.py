"""The schema reports forbidden values and fills in missing ones."""

import copy
import math
import re

import pytest
import yaml
from tests.unit.config.conftest import (
    LEAVES,
    OWN,
    REMOVED,
    SCHEMA,
    UNI,
    changed,
    checked,
    mistakes_of,
)

from oodpriors.config.schema import ConfigError, merge, validate
from oodpriors.config.specs import lookup

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
        "compare_with": None,
        "data": "real",
        "mirror": None,
        "run": None,
        "device": "auto",
        "gpu": {"samples_at_once": 8192, "images_at_once": 1024},
        "save_every": 60,
        "only": None,
        "data_seed": 0,
        "gradients": None,
        "experiments": {
            "x": {"models": [UNI], "where": "", "seeds": None, "further": True, "weights": None}
        },
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
            "mnist": {
                **dict.fromkeys(("path", "shape", "stands_for", "system_folder")),
                "kind": "mnist",
            }
        },
        "subsets": {
            "all": {
                "title": "All",
                "dataset": "mnist",
                "made": None,
                "of": None,
                "labels": None,
                "out_of_distribution": None,
                "kmeans": {"k": 2, "keep": None, "seed": 0},
                "shift": 0.0,
                "mutate": 0.0,
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
                "trainable_means": False,
            }
        },
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("seeds: &s [*s]", "seeds.0"),
        ("toy: &t {data: *t}", "toy.data"),
        ("figures: {x: &f {panels: {a: [*f]}}}", "figures.x.panels.a.0"),
    ],
)
def test_what_contains_itself_is_told(text, key):
    with pytest.raises(ConfigError) as caught:
        validate(yaml.safe_load(text), SCHEMA)
    assert str(caught.value) == (
        f"config: {key}: it contains itself: write values in the place of the alias (*)"
    )


def test_a_value_that_is_there_twice_is_taken():
    validator = {"properties": {key: {"type": "array"} for key in "ab"}}
    validate(yaml.safe_load("{a: &s [1], b: *s}"), validator)


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


# mistakes that the schema finds

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
    ({"figures.fig02.levels": [-10]}, "figures.fig02.levels: [-10] is too short (contours: lowest"),
    ({"figures.fig02.levels": [-9.5, 0]}, "figures.fig02.levels.0: -9.5 is not of type 'integer'"),
    ({"curves.c": {"models": [UNI]}}, "curves.c: title missing"),
    ({"analyses.pixel": {}}, "analyses.pixel: unknown key; did you mean pixels?"),
    ({"analyses.densities": {"beta": 0}}, "analyses.densities.beta: 0 is less than the minimum"),
    ({"toy.dims": [1]}, "toy.dims.0: 1 is less than the minimum of 2"),
    ({"toy.points.train": 1}, "toy.points.train: 1 is less than the minimum of 2 (number of"),
    (
        {"toy.network.log_scale_bound": 0},
        "toy.network.log_scale_bound: 0 is less than or equal to the minimum of 0 (bound of each",
    ),
    (
        {"toy.network.log_scale_bound": "none"},
        "toy.network.log_scale_bound: 'none' is not of type 'number', 'null' (bound of each",
    ),
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
        "images.train: 'all' is not of type 'integer', 'null' (number of training images",
    ),
    (
        {"models.vae.adaptive": {"std_error": 1.0, "effective_sample_size": 4}},
        "models.vae.adaptive.std_error: 1.0 is greater than or equal to the maximum of 1",
    ),
    ({"images.test": -5}, "images.test: -5 is less than the minimum of 1 (number of in-"),
    ({"images.ood": 0}, "images.ood: 0 is less than the minimum of 1"),
    ({"subsets.mnist.limit.train": 0}, "subsets.mnist.limit.train: 0 is less than the minimum"),
    (
        {"bootstrap": 10},
        "bootstrap: 10 is less than the minimum of 100 (number of bootstrap replicates",
    ),
    ({"scale": "huge"}, "scale: 'huge' is not one of smoke, quick, short, paper"),
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
    ({"priors.unimodal.scale": 0}, "priors.unimodal.scale: 0 is less than the minimum of 1e-06"),
    ({"priors.unimodal.beta": -4}, "priors.unimodal.beta: -4 is less than the minimum of 0.1"),
    (
        {"priors.unimodal.assignment": "labels"},
        "priors.unimodal.assignment: 'labels' is not one of single, label, cluster, random, "
        "mixture",
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
    ({"models.vae.threads": 1.5}, "models.vae.threads: 1.5 is not of type 'integer' (number of"),
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


def test_a_configuration_error_is_a_value_error():
    with pytest.raises(ValueError, match=re.escape("config: device: 'gpu' is not one of auto")):
        validate(changed({"device": "gpu"}), SCHEMA)


# the schema


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


@pytest.mark.parametrize("name", ["mine\n", "a b", "ä", "a-b", "a/b", "", "a" * 101])
def test_a_name_has_small_letters_digits_and_underscores_alone(name):
    prior = {"title": "t", "means": [[0]], "assignment": "single"}
    with pytest.raises(ConfigError, match="priors: '"):
        checked({"priors": {**OWN["priors"], name: prior}})


@pytest.mark.parametrize("name", ["mine\n", "a" * 101])
def test_the_name_of_a_run_is_that_of_a_folder(name):
    with pytest.raises(ConfigError, match="run: "):
        checked({"run": name})


# numbers


def numbers(schema, where=""):
    """Every number in the schema with its place."""
    parts = schema if isinstance(schema, dict) else dict(enumerate(schema))
    kinds = parts.get("type", ())
    if {"integer", "number"} & {kinds if isinstance(kinds, str) else "", *kinds}:
        yield pytest.param(schema, id=where)
    for key, below in parts.items():
        if isinstance(below, dict | list):
            yield from numbers(below, f"{where}.{key}")


@pytest.mark.parametrize("schema", [*numbers(SCHEMA)])
def test_every_number_has_limits_and_is_finite(schema):
    assert {"minimum", "exclusiveMinimum"} & set(schema)
    assert {"maximum", "exclusiveMaximum"} & set(schema)
    for value in (math.nan, math.inf, -math.inf, 10**400, -(10**400)):
        with pytest.raises(ConfigError, match=r"^config: x: "):
            validate({"x": value}, {"properties": {"x": schema}})


WHOLE = {
    "images.train": 192.0,
    "models.vae.draws": 4.0,
    "seeds": [0.0, 1.0],
    "toy.dims": [2.0, 5, 10.0],
    "subsets.mnist.labels": [7.0],
    "figures.fig02.levels": [-10.0, -1.0],
    "models.glow.network.grey.squeeze_after": [3.0],
    "priors.axes_150.means": {"rule": "axes", "k": 4.0, "distance": 150},
}


@pytest.mark.parametrize("key", WHOLE)
def test_a_whole_number_may_have_a_point(key):
    value = lookup(validate(changed({key: WHOLE[key]}), SCHEMA), key)
    assert value == WHOLE[key]
    assert "." not in str(value)


def test_a_number_that_may_be_broken_is_left_alone():
    config = validate(changed({"priors.unimodal.scale": 2.0}), SCHEMA)
    assert isinstance(config["priors"]["unimodal"]["scale"], float)


@pytest.mark.parametrize("name", ["..", "."])
def test_a_run_stays_below_results(name):
    with pytest.raises(ConfigError, match="run"):
        checked({"run": name})
