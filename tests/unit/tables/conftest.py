"""Measured quantities and tables of the examples."""

import pytest
from tests.unit.tables.scores import SCORES
from tests.unit.tables.sources import ENTRIES, PUBLISHED, source_of

from oodpriors.statistics.quantities import Measure
from oodpriors.tables.make import make_table


@pytest.fixture(scope="module")
def measure():
    return Measure(SCORES, 50)


@pytest.fixture
def table(request, tmp_path):
    kind = request.param
    return make_table({"kind": kind, **ENTRIES[kind]}, source_of(kind, tmp_path), PUBLISHED)
