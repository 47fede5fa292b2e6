"""How pytest-xdist shares the tests out, where it is used."""

import os
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a process per processor
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait let others work


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, or one process would end long after the others."""
    items.sort(key=lambda item: item.path.parent.name not in ("workflow", "faults"))


def group_of(nodeid: str) -> str:
    """Tests with one group run in one process: what they share is made there once.

    A group is a file; all files with the fixture of a complete run; or a model on a GPU,
    whose functions are compiled.
    """
    file = nodeid.split("::")[0]
    if needs_run(file):
        return "smoke"
    model = re.search(r"colour vae|vae|cv_glow|glow", nodeid.partition("[")[2])
    return model[0] if model and file == "tests/gpu/test_gpu.py" else file


@cache
def needs_run(file: str) -> bool:
    return "smoke: Path" in (ROOT / file).read_text(encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)
