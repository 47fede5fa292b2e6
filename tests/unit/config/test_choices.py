"""What a row of a kind says is what a configuration may say."""

import pytest
from tests.unit.config.conftest import read

from oodpriors.config.choices import with_kinds
from oodpriors.kinds.analyses import ANALYSES, AnalysisKind
from oodpriors.kinds.architectures import ARCHITECTURES, ArchitectureKind
from oodpriors.kinds.datasets import OFFICIAL, DatasetKind
from oodpriors.kinds.figures import FIGURES, FigureKind
from oodpriors.kinds.made import MADE, MadeKind
from oodpriors.kinds.priors import PRIORS, PriorKind
from oodpriors.kinds.rows import key
from oodpriors.kinds.tables import TABLES, TableKind

PLAIN = read("workflow/schemas/config.schema.yaml")
SIZE = {"size": key("integer", "how large", minimum=1)}
ROWS = [
    (ANALYSES, AnalysisKind(keys=SIZE, description="new")),
    (ARCHITECTURES, ArchitectureKind("m:f", network=SIZE)),
    (OFFICIAL, DatasetKind("m:f", "m:r", "m:d")),
    (FIGURES, FigureKind("m:f", keys=SIZE)),
    (MADE, MadeKind("m:f", "new")),
    (PRIORS, PriorKind("m:f", SIZE)),
    (TABLES, TableKind("m:f", keys=SIZE)),
]


@pytest.fixture
def schema(monkeypatch):
    """The schema with a new row in each table."""
    for table, row in ROWS:
        monkeypatch.setitem(table, "new", row)
    return with_kinds(PLAIN)["properties"]


def entry(schema, table):
    return schema[table]["additionalProperties"]["properties"]


@pytest.mark.parametrize("table", ["datasets", "figures", "priors", "tables"])
def test_a_new_row_is_a_choice(schema, table):
    assert "new" in entry(schema, table)["kind"]["enum"]


def test_a_new_kind_of_made_set_is_a_choice(schema):
    assert entry(schema, "subsets")["made"]["enum"] == [*MADE, None]


@pytest.mark.parametrize("table", ["figures", "tables"])
def test_a_key_says_which_kinds_have_it(schema, table):
    assert entry(schema, table)["size"] == SIZE["size"] | {
        "description": "new: how large",
        "kinds": ["new"],
    }


def test_a_parameter_of_one_kind_of_prior_may_be_null(schema):
    assert entry(schema, "priors")["size"]["type"] == ["integer", "null"]
    assert entry(schema, "priors")["size"]["default"] is None


def test_an_architecture_and_an_analysis_must_have_all_their_keys(schema):
    networks = schema["models"]["properties"]["new"]["properties"]["network"]["properties"]
    for part in (networks["grey"], networks["colour"], schema["analyses"]["properties"]["new"]):
        assert (part["required"], part["properties"]) == (["size"], SIZE)
        assert part["additionalProperties"] is False


def test_a_stand_in_may_be_of_any_official_set(schema):
    assert entry(schema, "datasets")["stands_for"]["enum"] == [*OFFICIAL, None]


def test_the_plain_schema_is_left_alone(schema):
    assert read("workflow/schemas/config.schema.yaml") == PLAIN
