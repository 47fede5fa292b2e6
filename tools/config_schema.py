"""Writes the schema of the configuration for editors: python -m tools.config_schema

It is the schema that is checked, without `required`: a user's file has few of the keys.
"""

import json

import yaml
from tools.pages import ROOT

from oodpriors.config.choices import with_kinds

PUBLISHED = "config/config.schema.json"
DIALECT = "http://json-schema.org/draft-07/schema#"  # which editors know


def checked() -> dict:
    """The schema of a whole configuration."""
    return with_kinds(yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text()))


def render() -> str:
    """The published schema, a line for each key at the top."""
    schema = {**_optional(checked()), "$schema": DIALECT, "title": "Changes to the configuration"}
    keys = schema.pop("properties").items()
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(below)}" for key, below in keys)
    return f'{json.dumps(schema)[:-1]}, "properties": {{\n{lines}\n}}}}\n'


def _optional(schema):
    """A schema without `required` at any depth."""
    if isinstance(schema, list):
        return [_optional(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _optional(below) for key, below in schema.items()}
    if not isinstance(kept.get("required"), dict):  # which would be a key of this name
        kept.pop("required", None)
    return kept


if __name__ == "__main__":
    (ROOT / PUBLISHED).write_text(render())
