"""Every row of a kind names code that there is, and is read without importing it."""

import subprocess
import sys

import pytest

from oodpriors.kinds import (
    analyses,
    architectures,
    companions,
    datasets,
    figures,
    made,
    priors,
    tables,
)
from oodpriors.kinds.rows import load

ROWS = {
    "architecture": architectures.ARCHITECTURES,
    "prior": priors.PRIORS,
    "data set": datasets.OFFICIAL,
    "made set": made.MADE,
    "figure": figures.FIGURES,
    "table": tables.TABLES,
    "analysis": analyses.ANALYSES,
    "companion score": companions.COMPANIONS,
}
PLACES = [
    (f"{what} {name}", place)
    for what, rows in ROWS.items()
    for name, row in rows.items()
    for place in row
    if isinstance(place, str) and place.startswith("oodpriors.")
]


@pytest.mark.parametrize(("row", "place"), PLACES)
def test_a_row_names_code_that_there_is(row, place):
    assert callable(load(place)), row


def test_rows_are_read_without_heavy_packages():
    heavy = ("torch", "numpy", "pandas", "matplotlib", "scipy")
    code = (
        "import sys, oodpriors.config.choices, oodpriors.config.checks, oodpriors.config.specs; "
        f"sys.exit(bool(set({heavy}) & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kind", datasets.OFFICIAL.values())
def test_each_label_has_a_name_of_its_own(kind):
    assert len(kind.classes) == len(set(kind.classes))


def test_the_paper_s_sets_come_first_and_have_ten_labels():
    paper = list(datasets.OFFICIAL)[:4]
    assert paper == ["mnist", "fashion_mnist", "cifar10", "svhn"]
    assert all(len(datasets.OFFICIAL[kind].classes) in (0, 10) for kind in paper)


def test_labels_of_the_paper_have_their_names():
    names = {"fashion_mnist": "T-shirt trouser sneaker bag", "cifar10": "airplane deer"}
    labels = {"fashion_mnist": (0, 1, 7, 8), "cifar10": (0, 4)}
    for kind, expected in names.items():
        classes = datasets.OFFICIAL[kind].classes
        assert " ".join(classes[label] for label in labels[kind]) == expected


@pytest.mark.parametrize("kinds", [figures.FIGURES, tables.TABLES])
def test_kinds_agree_on_what_a_shared_key_is(kinds):
    known: dict = {}
    for name, kind in kinds.items():
        for key, schema in kind.keys.items():
            assert known.setdefault(key, schema) == schema, (name, key)
        assert kind.needs is None or kind.needs in kind.keys
