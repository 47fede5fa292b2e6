"""The schema that editors read: it takes what a user may write, and refuses mistakes."""

import json
import re

import pytest
import yaml
from jsonschema import Draft7Validator
from tests.workflow.conftest import ROOT
from tools.config_schema import PUBLISHED, render

SCHEMA = json.loads((ROOT / PUBLISHED).read_text())
EXAMPLE = re.search(
    r"```yaml\n(# mine.yaml\n.*?)```", (ROOT / "docs/tutorial.md").read_text(), re.S
)[1]
# Text of each file by its place, from which the path in its first lines counts.
FILES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in [
        *(ROOT / f"config/{name}.yaml" for name in ("config", "beyond")),
        *ROOT.glob("config/scales/*.yaml"),
    ]
} | {"mine.yaml": EXAMPLE}
TAKEN = FILES | {"two lines": "only: [mine]\nmodels: { glow: { training: { epochs: 3 } } }"}


def mistakes(text: str) -> list[str]:
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(text))]


def test_the_published_schema_is_that_of_the_checks():
    assert (ROOT / PUBLISHED).read_text() == render(), "run make docs"
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_it_takes_what_is_written(text):
    assert mistakes(text) == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_where_it_is(name):
    place = re.search(r"^# yaml-language-server: \$schema=(.+)$", FILES[name], re.M)[1]
    assert (ROOT / name).parent.joinpath(place).resolve() == (ROOT / PUBLISHED).resolve()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: [0]", "'seed' was unexpected"),
        ("models: { vae: { training: { epoch: 3 } } }", "'epoch' was unexpected"),
        ("models: { vea: {} }", "'vea' was unexpected"),
        ("bootstrap: many", "'many' is not of type 'integer'"),
        ("bootstrap: 3", "3 is less than the minimum of 100"),
        ("datasets: { a: { kind: mnits } }", "'mnits' is not one of"),
        ("datasets: { A: { kind: npz } }", "'A' does not match"),
        ("priors: { a: { means: { rule: ring } } }", "is not valid under any of the given"),
        ("priors: { a: { beta: wide } }", "'wide' is not of type"),
        ("figures: { a: { kind: pie } }", "'pie' is not one of"),
    ],
)
def test_it_refuses_a_mistake(text, message):
    (found,) = mistakes(text)
    assert message in found
