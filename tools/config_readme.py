"""Writes the schema's keys into config/README.md: python -m tools.config_readme"""

from collections.abc import Iterator, Mapping

from tools.config_schema import checked
from tools.pages import put


def document(schema: Mapping, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Key, default and description of every leaf of a schema; * means any name."""
    for key, below in schema.get("properties", {}).items():
        yield from _document_entry(below, f"{prefix}{key}")
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _document_entry(schema["additionalProperties"], f"{prefix}*")


def _document_entry(schema: Mapping, name: str) -> Iterator[tuple[str, str, str]]:
    nested = list(document(schema, f"{name}."))
    if nested:
        yield from nested
    else:
        default = str(schema["default"]) if "default" in schema else ""
        yield name, default, schema.get("description", "")


def render() -> str:
    """One row for each key of the schema: its default and its meaning."""
    rows = [f"| `{key}` | {default} | {text} |" for key, default, text in document(checked())]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    put("config/README.md", "keys", render())
