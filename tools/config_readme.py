"""Writes the list of the schema's keys into config/README.md: python -m tools.config_readme"""

import yaml
from tools.pages import ROOT, put

from oodpriors.config.schema import document


def render() -> str:
    """A row for each key of the schema: its default and what it is."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    rows = [f"| `{key}` | {default} | {text} |" for key, default, text in document(schema)]
    return "\n".join(["| key | default | what it is |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    put("config/README.md", "keys", render())
