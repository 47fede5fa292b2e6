"""The configuration against its schema: merged, filled with defaults, explained.

Everything in this package works on dictionaries; the caller reads the files.
"""

import copy
import difflib
import math
import re
from collections.abc import Iterator, Mapping

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from oodpriors.io.errors import UserError


class ConfigError(UserError):
    """What is wrong in the configuration, a line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(f"config: {mistake}" for mistake in dict.fromkeys(mistakes)))


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


def _is_finite(checker, value) -> bool:
    known = Draft202012Validator.TYPE_CHECKER.is_type(value, "number")
    return known and (isinstance(value, int) or math.isfinite(value))


def _matches(validator, pattern: str, value, schema: Mapping) -> Iterator[ValidationError]:
    if isinstance(value, str) and not re.fullmatch(pattern, value):  # $ allows a line break
        yield ValidationError(f"{value!r} does not match {pattern!r}")


Validator = extend(
    Draft202012Validator,
    {"pattern": _matches},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite),
)


def validate(config: Mapping, schema: Mapping) -> dict:
    """The configuration with the schema's defaults filled in, and 8.0 written as 8.

    Raises:
        ConfigError: a line for each mistake, with its key and what is allowed there.
    """
    if looped := list(_looped(config)):
        raise ConfigError(looped)
    filled = _filled(copy.deepcopy(dict(config)), schema)
    errors = sorted(
        Validator(schema).iter_errors(filled),
        key=lambda e: [str(step) for step in e.path],
    )
    mistakes = [line for error in errors for line in _explain(error)]
    if mistakes:
        raise ConfigError(mistakes)
    return filled


def _looped(value, key: str = "", above: tuple[int, ...] = ()) -> Iterator[str]:
    """Lines for what contains itself: YAML allows an alias within its own anchor."""
    if id(value) in above:
        yield f"{key}: it contains itself: write values in the place of the alias (*)"
    elif isinstance(value, Mapping | list):
        parts = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, below in parts:
            yield from _looped(below, f"{key}.{name}".strip("."), (*above, id(value)))


def _filled(value, schema: Mapping):
    """The value with defaults, and with whole numbers where they are meant."""
    for branch in schema.get("anyOf", []):
        value = _filled(value, branch)
    if isinstance(value, list):
        return [_filled(part, schema.get("items", {})) for part in value]
    if isinstance(value, float) and value.is_integer() and "integer" in schema.get("type", []):
        return int(value)
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    for key, below in properties.items():  # kind is the first
        own = value.get("kind") in below.get("kinds", [value.get("kind")])
        if key not in value and "default" in below and own:
            value[key] = copy.deepcopy(below["default"])
    rest = schema.get("additionalProperties")
    for key in value:
        below = properties.get(key, rest)
        if isinstance(below, Mapping):
            value[key] = _filled(value[key], below)
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
    if "string" in allowed and not isinstance(value, list | Mapping | None):
        return "; write it in quotes"
    if isinstance(value, float) and not math.isfinite(value):
        return "; it must be finite"
    # YAML takes 1e-3 for text, and Snakemake the nested values of --config
    if ("integer" in allowed or "number" in allowed) and _is_number(value):
        return f"; it is text: write {float(value):g}, in a --configfile if it is nested"
    return ""


def _is_number(text) -> bool:
    try:
        return isinstance(text, str) and math.isfinite(float(text))
    except ValueError:
        return False


def suggestion(name: str, known) -> str:
    close = _closest(name, known)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known: {', '.join(map(str, known))}" if known else ""


def _closest(name, known) -> list[str]:
    return difflib.get_close_matches(str(name), list(map(str, known)), 1)
