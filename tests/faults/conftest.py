"""Copies of the project in which something is broken on purpose."""

from tests.workflow.conftest import project, smoke

__all__ = ["project", "smoke"]
