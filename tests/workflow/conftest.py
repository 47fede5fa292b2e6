"""The workflow in a copy of the project, run like a user's."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("config", "docs", "envs", "paper", "profiles", "workflow")

Run = Callable[..., subprocess.CompletedProcess]


def copy_project(folder: Path) -> Path:
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def snakemake(
    folder: Path, *arguments: str, check: bool = True, python: str = sys.executable
) -> subprocess.CompletedProcess:
    """Run Snakemake in a copy of the project; standard output and error are joined."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [python, "-m", "snakemake", *arguments],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if check:
        assert done.returncode == 0, done.stdout
    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clean copy of the project."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after a complete run at scale smoke on stand-ins."""
    folder = copy_project(tmp_path_factory.mktemp("smoke"))
    snakemake(folder, *SMOKE)
    return folder


HAS_TEX = bool(shutil.which("latexmk") or shutil.which("tectonic"))
SMOKE = ("--config", "scale=smoke", "data=embedded")
