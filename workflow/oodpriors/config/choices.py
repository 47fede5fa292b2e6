"""The schema of the configuration, with what the rows of the package ``kinds`` allow."""

import copy
from collections.abc import Mapping

from oodpriors.kinds.analyses import ANALYSES
from oodpriors.kinds.architectures import ARCHITECTURES
from oodpriors.kinds.companions import COMPANIONS
from oodpriors.kinds.datasets import OFFICIAL
from oodpriors.kinds.figures import FIGURES
from oodpriors.kinds.made import MADE
from oodpriors.kinds.priors import PRIORS
from oodpriors.kinds.tables import TABLES


def with_kinds(schema: Mapping) -> dict:
    """The schema with the names of all kinds, and with the keys of each."""
    filled = copy.deepcopy(dict(schema))
    parts = filled["properties"]
    dataset, subset, prior, figure, table = (
        parts[name]["additionalProperties"]["properties"]
        for name in ("datasets", "subsets", "priors", "figures", "tables")
    )
    dataset["kind"]["enum"] = [*OFFICIAL, *dataset["kind"]["enum"]]
    dataset["stands_for"]["enum"] = [*OFFICIAL, None]
    subset["made"]["enum"] = [*MADE, None]
    prior["kind"]["enum"] = [*PRIORS]
    for kind in PRIORS.values():
        for name, parameter in kind.parameters.items():
            prior[name] = {**parameter, "type": [parameter["type"], "null"], "default": None}
    for entry, kinds in ((figure, FIGURES), (table, TABLES)):
        entry["kind"]["enum"] = [*kinds]
        entry |= _keys_of(kinds)
        entry["scores"] |= {"items": {"enum": [*COMPANIONS]}}
    models = {name: _model(parts["models"], name) for name in ARCHITECTURES}
    parts["models"] |= {"properties": models, "additionalProperties": False}
    analyses = {
        name: {"description": kind.description} | _all_of(kind.keys)
        for name, kind in ANALYSES.items()
    }
    parts["analyses"] |= {"properties": analyses, "additionalProperties": False}
    return filled


def _keys_of(kinds: Mapping) -> dict:
    """Keys of all kinds; the description of a key begins with the kinds that have it.

    They stand in ``kinds`` as well: :func:`.schema.validate` fills in defaults for these alone.
    """
    keys = {key: schema for kind in kinds.values() for key, schema in kind.keys.items()}
    having = {key: [name for name, kind in kinds.items() if key in kind.keys] for key in keys}
    return {
        key: schema
        | {"description": f"{', '.join(having[key])}: {schema['description']}"}
        | {"kinds": having[key]}
        for key, schema in keys.items()
    }


def _model(models: Mapping, architecture: str) -> dict:
    kind, model = ARCHITECTURES[architecture], copy.deepcopy(models["additionalProperties"])
    network = _all_of(kind.network)
    model["properties"]["network"]["properties"] = {"grey": network, "colour": network}
    model["properties"] |= kind.keys
    return model


def _all_of(keys: Mapping) -> dict:
    """JSON schema of an object that must have all of these keys."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*keys],
        "properties": dict(keys),
    }
