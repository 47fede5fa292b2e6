"""Conda environments: names, ranges, and which rule needs which. Conda itself is not run."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from rattler import BuildString, MatchSpec, PackageName, PackageRecord
from tests.workflow.conftest import ROOT

LIBRARY = ROOT / "workflow/oodpriors"

# Names on conda-forge that differ from PyPI, and names of modules that differ from both.
PYPI = {"pytorch": "torch", "matplotlib-base": "matplotlib", "seaborn-base": "seaborn"}
MODULES = {"scikit-learn": "sklearn", "pillow": "PIL", "pyyaml": "yaml"} | {
    "vl-convert-python": "vl_convert"
}
# Not Python packages, so without a pinned version to compare with.
PROGRAMS = {"tectonic"}

ENVIRONMENTS = {
    path.stem: yaml.safe_load(path.read_text())["dependencies"]
    for path in sorted((ROOT / "envs").glob("*.yaml"))
}
# The smaller one first: a rule gets the first environment with everything that it needs.
SIZES = ["latex", "plotting", "torch", "page"]
SPECS = [(name, spec) for name, specs in ENVIRONMENTS.items() for spec in specs]
every_spec = pytest.mark.parametrize(
    ("name", "spec"), SPECS, ids=[": ".join(spec) for spec in SPECS]
)


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    found = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {name.lower(): version for name, version in found.items()}


def allows(spec: MatchSpec, version: str) -> bool:
    """Whether conda would take this version of the package."""
    name, build = PackageName(package(spec)), BuildString("0")
    return spec.matches(PackageRecord(name, version, build, build_number=0, subdir="linux-64"))


def package(spec: MatchSpec) -> str:
    return re.fullmatch(r"[a-z0-9-]+", spec.name.normalized).group()


@every_spec
def test_every_line_is_a_name_with_a_range_that_excludes_something(name: str, spec: str):
    parsed = MatchSpec(spec, strict=True)
    assert spec == f"{package(parsed)} {parsed.version}"
    assert parsed.version is not None
    assert not allows(parsed, "0.0.1")


@every_spec
def test_what_pip_installs_is_in_the_range_of_conda(name: str, spec: str):
    parsed = MatchSpec(spec, strict=True)
    conda = package(parsed)
    if conda == "python":
        version = ".".join(map(str, sys.version_info[:3]))
        pyproject = (ROOT / "pyproject.toml").read_text()
        assert f'requires-python = ">={re.search(r">=([0-9.]+)", spec)[1]}"' in pyproject
    elif conda in PROGRAMS:
        assert PYPI.get(conda, conda) not in pins()
        return
    else:
        version = pins()[PYPI.get(conda, conda)]
    assert allows(parsed, version), f"{spec}: pip installs {version}"


def test_packages_come_from_conda_forge_alone():
    for path in (ROOT / "envs").glob("*.yaml"):
        assert yaml.safe_load(path.read_text())["channels"] == ["conda-forge", "nodefaults"]


def test_one_package_has_one_range_everywhere():
    ranges = {}
    for _, spec in SPECS:
        ranges.setdefault(spec.split()[0], set()).add(spec)
    assert all(len(specs) == 1 for specs in ranges.values()), ranges


# which rule needs which environment


def modules_of(environment: str) -> set[str]:
    """Module names of the environment's packages."""
    names = [package(MatchSpec(spec)) for spec in ENVIRONMENTS[environment]]
    return {MODULES.get(PYPI.get(name, name), PYPI.get(name, name)) for name in names}


ROW = re.compile(r"oodpriors\.([\w.]+):(\w+)")  # how oodpriors.kinds names code


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def source(module: str) -> Path:
    return LIBRARY.joinpath(*module.strip(".").split(".")).with_suffix(".py")


class Needs:
    """Packages that code imports when it runs: at the top of every module that it imports,
    and inside the functions and classes that it can reach."""

    def __init__(self) -> None:
        self.packages, self.seen = set(), set()

    def follow(self, imports: ast.Import | ast.ImportFrom, used: bool = True) -> None:
        if isinstance(imports, ast.Import):
            names = [(alias.name, None) for alias in imports.names]
        else:
            names = [(imports.module, alias.name) for alias in imports.names]
        for module, name in names:
            first, _, below = module.partition(".")
            if first != "oodpriors":
                self.packages.add(first)
            elif source(f"{below}.{name}").is_file():  # a module: all of it may be used
                self.whole(f"{below}.{name}".strip("."))
            else:
                self.module(below)
                if used:
                    self.definition(below, name)

    def module(self, name: str) -> None:
        """Code that runs when a module is imported."""
        if (name, None) in self.seen:
            return
        self.seen.add((name, None))
        for statement in tree(source(name)).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.follow(statement, used=False)

    def definition(self, module: str, name: str) -> None:
        """Code that a function, class or value of a module can reach."""
        if (module, name) in self.seen:
            return
        self.seen.add((module, name))
        for statement in tree(source(module)).body:
            if name in defined(statement):
                self.code(module, statement)

    def code(self, module: str | None, node: ast.AST) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Import | ast.ImportFrom):
                self.follow(part)
            elif isinstance(part, ast.Name) and module:
                self.definition(module, part.id)
            elif isinstance(part, ast.Constant) and (row := ROW.fullmatch(str(part.value))):
                self.module(row[1])
                self.definition(*row.groups())
            elif isinstance(part, ast.Attribute) and part.attr.endswith("_parquet"):
                self.packages.add("pyarrow")  # pandas imports it

    def whole(self, module: str) -> None:
        self.module(module)
        for statement in tree(source(module)).body:
            self.code(module, statement)


def defined(statement: ast.stmt) -> set[str]:
    """Names that a statement at the top of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return {part.id for part in targets if isinstance(part, ast.Name)}


def needs(script: str) -> set[str]:
    """Packages outside the standard library that a script imports when it runs."""
    found = Needs()
    for statement in tree(ROOT / "workflow/scripts" / script).body:
        if not (isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)):
            found.code(None, statement)
    return found.packages - sys.stdlib_module_names - {"oodpriors"}


def rules() -> dict[str, tuple[str, str]]:
    """Environment and script of each rule."""
    found = {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^rule ", file.read_text(), flags=re.M)[1:]:
            environment = re.search(r"envs/(\w+)\.yaml", rule)
            script = re.search(r"scripts/(\w+\.py)", rule)
            if script:
                found[rule.split(":")[0]] = environment[1], script[1]
    return found


every_rule = pytest.mark.parametrize("rule", rules())


@every_rule
def test_a_rule_has_the_smallest_environment_that_serves_it(rule: str):
    environment, script = rules()[rule]
    needed = needs(script)
    if rule == "record":  # it records the versions of the plotting packages
        needed |= {"matplotlib"}
    serving = [name for name in SIZES if needed <= modules_of(name)]
    assert serving, f"no environment has all of {needed}"
    assert environment == serving[0], f"{script} needs {', '.join(sorted(needed))}"


def test_environments_are_all_used_and_ordered_by_size():
    assert {environment for environment, _ in rules().values()} == set(ENVIRONMENTS) == set(SIZES)
    sizes = [len(ENVIRONMENTS[name]) for name in SIZES]
    assert sizes == sorted(sizes)


def test_no_environment_has_a_package_that_no_rule_needs():
    for name in SIZES:
        needed = set().union(*(needs(script) for env, script in rules().values() if env == name))
        idle = modules_of(name) - needed - {"python"} - PROGRAMS
        assert not idle, f"{name}: {idle}"


@pytest.mark.parametrize(
    ("script", "package"),
    [("train.py", "torch"), ("cluster.py", "sklearn"), ("download.py", "torchvision")],
)
def test_needs_see_what_is_imported_deep_inside(script: str, package: str):
    """Through the library, and inside its functions."""
    assert package in needs(script)


@pytest.mark.parametrize("rule", [rule for rule in rules() if rule.startswith(("plot", "tab"))])
def test_plots_and_tables_need_no_pytorch(rule: str):
    assert not needs(rules()[rule][1]) & {"torch", "torchvision", "sklearn"}


@pytest.mark.parametrize("environment", ["latex", "plotting", "page"])
def test_scripts_import_nothing_that_their_environment_lacks(environment: str):
    """In Python itself: each import of a script succeeds without any other package."""
    beyond = set().union(*map(modules_of, SIZES)) - modules_of(environment)
    beyond -= {"PIL"} if environment == "plotting" else set()  # part of Matplotlib
    lines = [
        "import sys",
        "class OutOfReach:",
        "    def find_spec(name, *_):",
        f"        if name in {beyond}: raise ImportError(name)",
        "sys.meta_path.insert(0, OutOfReach)",
    ]
    for name, script in rules().values():
        if name == environment:
            body = ast.walk(tree(ROOT / "workflow/scripts" / script))
            imports = [node for node in body if isinstance(node, ast.ImportFrom | ast.Import)]
            lines += [ast.unparse(node) for node in imports if "snakemake" not in ast.unparse(node)]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=LIBRARY.parent, check=True)
