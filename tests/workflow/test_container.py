"""The container's file: it installs what the workflow needs. It is not built here."""

import ast
import re
import sys
from fnmatch import fnmatch

import pytest
from tests.workflow.conftest import ROOT
from tests.workflow.test_environments import MODULES, pins

TEXT = (ROOT / "Dockerfile").read_text()
JOINED = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.M))
INSTRUCTIONS = [tuple(line.split(None, 1)) for line in JOINED.splitlines() if line.strip()]


def of(kind: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == kind]


def imported() -> set[str]:
    """Modules outside the standard library that any file of the workflow imports."""
    found = set()
    for path in (ROOT / "workflow").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module)
    for path in [ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]:
        found |= set(re.findall(r"^(?:from|import) ([\w.]+)", path.read_text(), re.M))
    own = {"oodpriors", *(path.stem for path in (ROOT / "workflow").glob("*.py"))}
    return {name.partition(".")[0] for name in found} - own - sys.stdlib_module_names


def test_its_requirements_have_every_package_that_the_workflow_imports():
    assert "pip install --no-cache-dir -r /tmp/requirements.txt" in of("RUN")
    assert {"torch", "snakemake", "yaml"} <= imported()
    installed = {MODULES.get(name, name).replace("-", "_") for name in pins()}
    assert imported() <= installed


def test_it_installs_the_packages_of_tex_from_their_list():
    (command,) = [command for command in of("RUN") if "apt-get" in command]
    assert "xargs -a /tmp/debian-packages.txt apt-get install" in command
    assert "latexmk" in (ROOT / "paper/debian-packages.txt").read_text().split()


@pytest.mark.parametrize("copied", of("COPY"))
def test_what_it_copies_is_there_and_is_sent_to_the_build(copied: str):
    *sources, target = copied.split()
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"]
    assert target == "/tmp/"
    for source in sources:
        assert (ROOT / source).is_file()
        assert any(fnmatch(source, pattern) for pattern in sent)


def test_its_python_is_the_oldest_that_the_project_takes():
    (image,) = of("FROM")
    required = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert re.fullmatch(rf"python:{required[1]}-slim-[a-z]+", image)


def test_it_names_no_host_and_no_secret():
    assert not re.search(r"://|index|proxy|--mount|\bARG\b", TEXT)
    assert not re.search(r"token|passw|secret|credential|api.?key", TEXT, re.I)


def test_it_keeps_the_rules_of_hadolint():
    known = {"FROM", "COPY", "RUN", "ENV", "WORKDIR", "ENTRYPOINT"}
    assert {name for name, _ in INSTRUCTIONS} == known
    for command in of("RUN"):
        assert "sudo" not in command
        if "apt-get" in command:
            assert command.startswith("apt-get update")
            assert "install -y --no-install-recommends" in command
            assert command.rstrip().endswith("rm -rf /var/lib/apt/lists/*")
    (folder,), (started,) = of("WORKDIR"), of("ENTRYPOINT")
    assert folder.startswith("/")
    assert started == '["snakemake"]'
