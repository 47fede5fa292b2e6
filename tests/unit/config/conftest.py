"""Valid configurations, and the messages for invalid ones."""

import copy
from pathlib import Path

import pytest
import yaml

from oodpriors.config.checks import check_names, check_references
from oodpriors.config.choices import with_kinds
from oodpriors.config.means import with_means
from oodpriors.config.restrict import with_only
from oodpriors.config.schema import ConfigError, merge, validate
from oodpriors.config.specs import with_further

ROOT = Path(__file__).parents[3]


def read(path):
    return yaml.safe_load((ROOT / path).read_text())


SCHEMA = with_kinds(read("workflow/schemas/config.schema.yaml"))


OWN = read("config/config.yaml")


# What config/beyond.yaml adds, by dotted keys.
_OF_BEYOND = read("config/beyond.yaml")
BEYOND = {"gradients": _OF_BEYOND.pop("gradients")} | {
    f"{section}.{name}": entry
    for section, entries in _OF_BEYOND.items()
    for name, entry in entries.items()
}


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
    config = with_further(validate(changed(changes or {}, scale), SCHEMA))
    check_names(config)
    config = with_means(with_only(config), files)
    check_references(config, inspected or {})
    return config


def mistakes_of(changes, inspected=None):
    with pytest.raises(ConfigError, match=r"^config: ") as caught:
        checked(changes, inspected)
    return str(caught.value).splitlines()


# mistakes that only the whole configuration can show

GREY_NPZ = {
    "own": {"shape": (1, 28, 28), "labels": {"train": [3, 5], "test": [3]}, "content": "grey"}
}


NPZ = {
    "datasets.own": {"kind": "npz", "path": "own.npz"},
    "subsets.own": {"title": "Own", "dataset": "own", "out_of_distribution": "mnist"},
}


# claims and numbers


def entry(name, *models):
    quantities = [{"model": model, "statistic": "nll"} for model in models]
    return {
        "id": name,
        "comparisons": [{"left": q, "relation": ">", "right": 1} for q in quantities],
    }


def schema_leaves(schema, name):
    """Leaves of the schema by their dotted names, read only from its text."""
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
