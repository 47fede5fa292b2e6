"""The library can be installed without the rest, and its imports point down."""

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from tests.workflow.conftest import ROOT, SMOKE, snakemake

import oodpriors

LIBRARY = ROOT / "workflow/oodpriors"
MODULES = [path for path in sorted(LIBRARY.rglob("*.py")) if path.name != "__init__.py"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {"pyyaml": "yaml", "pillow": "PIL", "scikit-learn": "sklearn"} | {
    "vl-convert-python": "vl_convert"
}
# Parts of the library with further dependencies.
EXTRAS = {
    **{"figures": ["plots"], "document/glyphs": ["plots"], "page": ["page"]},
    **{"config/schema": ["workflow"], "data/stand_ins": ["workflow"]},
    **{"data/battery": ["workflow"], "data/own": ["workflow"]},
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts)


def imports_of(path: Path) -> set[str]:
    """Modules of the library that a module imports, anywhere in its code."""
    names = {name_of(module) for module in MODULES}
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if type(node) is ast.ImportFrom]
    found = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return (found | {node.module for node in nodes}) & names


def packages_at_import(path: Path) -> set[str]:
    """Packages that a module needs when it is imported."""
    body = ast.parse(path.read_text()).body
    names = {node.module for node in body if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
    return {name.split(".")[0] for name in names}


def test_imports_make_no_circle_between_modules_nor_between_packages():
    modules = {name_of(path): imports_of(path) for path in MODULES}
    TopologicalSorter(modules).prepare()
    packages: dict[str, set[str]] = {}
    for name, below in modules.items():
        own = name.split(".")[1]
        packages.setdefault(own, set()).update(each.split(".")[1] for each in below)
    TopologicalSorter({own: below - {own} for own, below in packages.items()}).prepare()


def test_a_package_says_what_is_in_it_and_imports_nothing():
    for path in LIBRARY.glob("*/__init__.py"):
        (statement,) = ast.parse(path.read_text()).body
        assert ast.get_docstring(ast.parse(path.read_text())), path
        assert isinstance(statement, ast.Expr)


def test_the_library_needs_what_it_declares():
    for path in MODULES:
        place = path.relative_to(LIBRARY).with_suffix("").as_posix()
        extras = [
            name for part, names in EXTRAS.items() if place.startswith(part) for name in names
        ]
        declared = [*PROJECT["dependencies"]]
        declared += [each for extra in extras for each in PROJECT["optional-dependencies"][extra]]
        names = {Requirement(each).name for each in declared}
        allowed = {IMPORTED_AS.get(name, name) for name in names} | {"oodpriors"}
        assert packages_at_import(path) - set(sys.stdlib_module_names) <= allowed, path


def test_the_version_is_that_of_the_citation():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == oodpriors.__version__


def test_a_copy_of_the_project_uses_its_own_library(project: Path):
    module = project / "workflow/oodpriors/data/loading.py"
    with open(module, "a") as file:
        file.write("\n\ndef load_dataset(*_):\n    raise UserError('this is the copy')\n")
    target = "results/smoke-embedded/data/mnist.npz"
    done = snakemake(project, *SMOKE, "--", target, check=False)
    assert "error: this is the copy" in done.stdout


def test_what_docstrings_refer_to_is_there():
    for path in MODULES:
        module = importlib.import_module(name_of(path))
        for name in re.findall(r":(?:class|func|mod):`([\w.]+)`", path.read_text()):
            place = f"{module.__package__}{name}" if name.startswith(".") else name
            if name.startswith((".", "oodpriors.")):
                assert pkgutil.resolve_name(place), path
            else:
                assert hasattr(module, name), f"{path}: {name}"
