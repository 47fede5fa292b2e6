"""How pytest-xdist shares the tests out, where it is used."""

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a process per processor


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A file stays in one process, as do all tests of the complete run; the longest come first."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    items.sort(key=lambda item: "workflow" not in item.path.parts[-2])
    for item in items:
        of_run = "smoke" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("smoke" if of_run else str(item.path)))
