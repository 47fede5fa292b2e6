"""How pytest-xdist shares the tests out, where it is used."""

import os
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a process per processor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, or one process would end long after the others."""
    items.sort(key=lambda item: item.path.parent.name not in ("workflow", "faults"))


@cache
def group_of(file: str) -> str:
    """A file, or that of the fixture of a complete run, which one process makes for all."""
    return "smoke" if "smoke: Path" in (ROOT / file).read_text(encoding="utf-8") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.split("::")[0])

    return ByGroup(config, log)
