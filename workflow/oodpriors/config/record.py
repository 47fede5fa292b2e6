"""What a run's folder was made with, so that no other configuration goes into it unnoticed."""

import json
from collections.abc import Iterator, Mapping

from oodpriors.config.schema import ConfigError
from oodpriors.config.specs import (
    further_datasets,
    further_subsets,
    model_ids,
    toy_ids,
    used_datasets,
    used_subsets,
)

# What changes no number and no figure.
PLACES = ("run", "compare_with", "device", "gpu", "mirror", "save_every")
BUDGETS = ("threads", "mem_mb", "runtime")
SHOWN = 5  # names of keys in a line


def settings(config: Mapping, inspected: Mapping) -> dict:
    """The part of the configuration that decides the outputs, as JSON keeps it.

    Args:
        config: checked, and restricted to what is run.
        inspected: what :func:`oodpriors.data.datasets.inspect_npz` says of each npz data set.
    """
    models = [*model_ids(config), *toy_ids(config)]
    used = {
        "models": {model.architecture for model in models},
        "priors": {model.prior for model in models},
        "subsets": {*used_subsets(config), *further_subsets(config)},
    }
    kept = {key: value for key, value in config.items() if key not in PLACES}
    for table, names in used.items():
        kept[table] = {name: entry for name, entry in config[table].items() if name in names}
    kept["models"] = {
        name: {key: value for key, value in model.items() if key not in BUDGETS}
        for name, model in kept["models"].items()
    }
    kept["datasets"] = {n: _source(config, n, inspected) for n in used_datasets(config)}
    if further := further_datasets(config):
        kept["further"] = {name: _source(config, name, inspected) for name in further}
    kept["only"] = config["only"] and sorted(config["only"])
    return json.loads(json.dumps(kept))


def _source(config: Mapping, dataset: str, inspected: Mapping) -> dict:
    """What a data set is, and where the user's own lies."""
    entry = config["datasets"][dataset]
    content = inspected.get(dataset, {}).get("content")
    return {key: entry[key] for key in ("kind", "stands_for", "path")} | {"content": content}


def compare(place: str, record: str, old: Mapping, new: Mapping) -> str | None:
    """What is different from the settings with which a folder was made, in one line.

    Args:
        place: the folder.
        record: the file in it that holds its settings.
        old: these settings.
        new: those of this run.

    Raises:
        ConfigError: they are of another scale, other data or other experiments to run.
    """
    others = [
        f"{key} {old[key]}, now {new[key]}"
        for key in ("scale", "data", "only")
        if old[key] != new[key]
    ]
    others += [
        f"the data set {name}, {'now another' if name in new['datasets'] else 'now without'}"
        for name, entry in old["datasets"].items()
        if not _same_data(entry, new["datasets"].get(name))
    ]
    if others:
        raise ConfigError(
            [
                f"run: {place} holds a run with {'; '.join(others)}: give this one a folder of "
                f"its own with run: NAME, or delete {record} to replace its results"
            ]
        )
    keys = list(_different(old, new))
    if not keys:
        return None
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return (
        f"{place} was made with other values of {', '.join(keys[:SHOWN])}{more}: if anything "
        "depends on them, it is made again"
    )


def _same_data(old: Mapping, new: Mapping | None) -> bool:
    """A file may have been edited or moved, but not both."""
    if new is None or any(old[key] != new[key] for key in ("kind", "stands_for")):
        return False
    return old["path"] == new["path"] or old["content"] == new["content"]


def _different(old, new, key: str = "") -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            if name != "path":
                yield from _different(old.get(name), new.get(name), f"{key}.{name}".strip("."))
    elif old != new:
        yield key
