"""config/README.md lists every key of the schema."""

from tests.workflow.conftest import ROOT
from tools.config_readme import render


def test_the_readme_of_the_configuration_lists_the_keys_of_the_schema():
    place = f"<!-- keys: begin -->\n{render()}\n<!-- keys: end -->"
    assert place in (ROOT / "config/README.md").read_text()
