"""config/README.md lists every key of the schema. Run this file to write the list anew."""

from pathlib import Path

import yaml

from oodpriors.config import document

ROOT = Path(__file__).parents[2]
README = ROOT / "config" / "README.md"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


def render() -> str:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    rows = [f"| `{key}` | {default} | {text} |" for key, default, text in document(schema)]
    return "\n".join([BEGIN, "| key | default | what it is |", "| --- | --- | --- |", *rows, END])


def written() -> str:
    text = README.read_text()
    return text[: text.index(BEGIN)] + render() + text[text.index(END) + len(END) :]


def test_the_readme_of_the_configuration_lists_the_keys_of_the_schema():
    assert README.read_text() == written()


if __name__ == "__main__":
    README.write_text(written())
