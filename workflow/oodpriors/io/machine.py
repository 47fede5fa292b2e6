"""Describes what a job runs on: commit of the code, processor and packages."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
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
        # git refuses folders of another user, whose code runs here all the same
        command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "-uno")
    return {"commit": commit or "unknown", "changed": bool(changes)}


def cpu_facts(told: Path = CPUINFO) -> dict[str, str]:
    """What Linux says of the last CPU; nothing on other systems."""
    try:
        lines = told.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = [line.split(":", 1) for line in lines if ":" in line]
    return {name.strip(): value.strip() for name, value in pairs}


def fast_bfloat16(told: Path = CPUINFO) -> bool:
    """Whether the processor multiplies bfloat16 faster than float32.

    Those with matrix units (AMX) do, and AMD's with AVX-512 BF16. Intel's without AMX take up to
    twice as long, and others, which convert each number, three to ten times as long.
    """
    facts = cpu_facts(told)
    flags = facts.get("flags", "").split()
    return "amx_bf16" in flags or (
        "avx512_bf16" in flags and facts.get("vendor_id") == "AuthenticAMD"
    )


def processor(told: Path = CPUINFO) -> str:
    """CPU name with family and model number, if known: several generations share a name."""
    facts = cpu_facts(told)
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
