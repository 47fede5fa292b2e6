"""config/README.md lists every key of the schema."""

from tests.unit.config.conftest import LEAVES, SCHEMA
from tests.workflow.conftest import ROOT
from tools.config_readme import document, render


def test_the_readme_of_the_configuration_lists_the_keys_of_the_schema():
    place = f"<!-- keys: begin -->\n{render()}\n<!-- keys: end -->"
    assert place in (ROOT / "config/README.md").read_text()


def test_the_documentation_has_every_key_once():
    names = [name for name, _, _ in document(SCHEMA)]
    assert len(names) == len(set(names))
    assert set(names) == set(LEAVES)


def test_the_documentation_tells_default_and_description():
    told = {name: (default, description) for name, default, description in document(SCHEMA)}
    for name, schema in LEAVES.items():
        default = str(schema["default"]) if "default" in schema else ""
        assert told[name] == (default, schema.get("description", ""))
    assert told["device"] == ("auto", "where models are trained and scored")
    assert told["subsets.*.kmeans.keep"][0] == "None"
    assert told["models.glow.training.epochs"][0] == ""
