"""Describes what a job runs on: commit of the code, processor and packages."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "snakemake",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "matplotlib",
    "seaborn",
)


def code_version() -> dict:
    """Commit of the code and whether it was changed since; "unknown" outside git."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "-uno")
    return {"commit": commit or "unknown", "changed": bool(changes)}


def processor(told: Path = Path("/proc/cpuinfo")) -> str:
    """CPU name with family and model number, if known: several generations share a name."""
    try:
        lines = [
            line.split(":", 1)
            for line in told.read_text(encoding="utf-8").splitlines()
            if ":" in line
        ]
    except OSError:
        lines = []
    facts = {name.strip(): value.strip() for name, value in lines}
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    numbers = [f"{key} {facts[key]}" for key in ("cpu family", "model") if key in facts]
    return f"{facts['model name']} ({', '.join(numbers)})" if numbers else facts["model name"]


def software_versions() -> dict[str, str]:
    """Versions of Python and of the installed packages among PACKAGES."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
