"""The workflow from any folder, as a module, from git, and in folders of any name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.workflow.conftest import ROOT, SMOKE, copy_project, snakemake
from tests.workflow.test_rules import TRAININGS, jobs

DRY = ("-n", "--cores", "1", *SMOKE)
IMAGES = "results/smoke-embedded/data/mnist.npz"
MINE = {"only": ["control"], "experiments": {"control": {"seeds": [0, 1]}}}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder next to the project."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "mine.yaml").write_text(yaml.safe_dump(MINE))
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository of the project."""
    project = copy_project(tmp_path / "project")
    identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@localhost")
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*identity, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "project"),
    ):
        subprocess.run(["git", *command], cwd=project, check=True)
    return project


def use(folder: Path, snakefile: str, *more: str) -> None:
    """Write a workflow that is made of this one."""
    lines = (f"snakefile: {snakefile}", "config: config", *more)
    text = "".join(f"    {line}\n" for line in lines)
    (folder / "Snakefile").write_text(f"module x:\n{text}use rule * from x\n")


def test_from_another_folder_everything_is_planned_in_that_folder(elsewhere: Path):
    done = snakemake(elsewhere, "-s", str(ROOT / "workflow/Snakefile"), *DRY)
    assert jobs(done.stdout)["train"] == TRAININGS["smoke"]


def test_the_users_values_are_merged_over_the_workflows_own(elsewhere: Path):
    snakefile = ("-s", str(ROOT / "workflow/Snakefile"))
    done = snakemake(elsewhere, *snakefile, *DRY, "--configfile", "mine.yaml")
    assert jobs(done.stdout)["train"] == 4


def test_results_go_into_the_working_directory(project: Path, elsewhere: Path):
    snakemake(project, "-d", str(elsewhere), *SMOKE, "--", IMAGES)
    assert (elsewhere / IMAGES).is_file()
    assert not (project / "results").exists()


@pytest.mark.parametrize("more", [(), ('prefix: "part"',)])
def test_it_is_a_module_of_another_workflow(elsewhere: Path, more: tuple):
    use(elsewhere, f"{str(ROOT / 'workflow/Snakefile')!r}", *more)
    done = snakemake(elsewhere, *DRY, "--configfile", "mine.yaml")
    assert jobs(done.stdout)["train"] == 4
    assert ("part/results" in done.stdout) == bool(more)


@pytest.mark.parametrize("source", ["gitfile", "github"])
def test_it_is_a_module_from_git(elsewhere: Path, repository: Path, monkeypatch, source: str):
    name = str(repository) if source == "gitfile" else "someone/something"
    branch = "ref" if source == "gitfile" else "branch"
    use(elsewhere, f'{source}("{name}", path="workflow/Snakefile", {branch}="main")')
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere / "cache"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{repository}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/someone/something")
    assert jobs(snakemake(elsewhere, *DRY).stdout)["train"] == TRAININGS["smoke"]
    (clone,) = (elsewhere / ".snakemake/projects").iterdir()
    (clone / "workflow/scripts/download.py").write_text("raise SystemExit('the clone')\n")
    done = snakemake(elsewhere, "--cores", "1", *SMOKE, "--", IMAGES, check=False)
    assert "the clone" in done.stdout


def test_folders_may_have_spaces_and_any_letters_and_no_home_is_needed(tmp_path: Path, monkeypatch):
    project, environment = copy_project(tmp_path / "my réseau 'x'"), tmp_path / "an environment"
    environment.symlink_to(sys.prefix)
    monkeypatch.setenv("HOME", "/dev/null/nowhere")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    python = environment / Path(sys.executable).relative_to(sys.prefix)
    target = "results/smoke-embedded/README.md"
    snakemake(project, *SMOKE, "--", IMAGES, target, python=str(python))
    assert (project / IMAGES).is_file()
    assert (project / target).is_file()


@pytest.mark.parametrize("letter", ["{", "\\", os.pathsep])
def test_a_folder_that_jobs_cannot_use_is_refused_in_one_line(tmp_path: Path, letter: str):
    project = copy_project(tmp_path / f"a{letter}b")
    done = snakemake(project, "-n", check=False)
    assert f"{project}: jobs cannot use the library in a folder with {letter} " in done.stdout
