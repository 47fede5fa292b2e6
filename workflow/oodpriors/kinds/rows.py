"""Parts of a row: code that is imported when it is needed, and keys of the configuration."""

import importlib

IMAGES = ()  # of the models of a figure or analysis: any architecture of images
PLANE = ("toy",)  # flows in two dimensions
MODEL = "^[a-z0-9_]+/[a-z0-9_]+/[a-z0-9_]+$"


def load(place: str):
    """The function or class at ``module:name``.

    Rows name code in this way, so that a configuration is read without importing PyTorch.

    >>> load("math:sqrt")(4.0)
    2.0
    """
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def key(kind: str, description: str, **rules) -> dict:
    """JSON schema of a key: its type, what it is, and what is allowed."""
    return {"type": kind, "description": description, **rules}


def models(**rules) -> dict:
    """JSON schema of a list of models."""
    written = {"type": "string", "pattern": MODEL, "description": "write architecture/subset/prior"}
    return key("array", "models", minItems=1, items=written, **rules)


def beta(description: str) -> dict:
    """JSON schema of a shape for which the density can be computed in single precision."""
    return key("number", description, minimum=0.1, maximum=40)


# Keys of what shows companion scores; ``config.choices`` adds the names of the scores.
SCORES = {
    "further": key(
        "boolean",
        "whether further sets out of distribution are shown as well; they are if not given",
    ),
    "scores": key(
        "array",
        "companion scores that are shown; if not given, all that one of the models has",
        minItems=1,
        uniqueItems=True,
        items={"type": "string"},
    ),
}
