"""What docs/adding.md says is followed to the letter, and a run that uses all of it ends well."""

import re
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest
from tests.workflow.conftest import ROOT, SMOKE, snakemake

from used_code import checksum

RECIPES = (ROOT / "docs/adding.md").read_text()
BLOCK = re.compile(r"^```\w+\n# ([\w/.]+)(?:, in (\w+))?\n(.*?)^```", re.M | re.S)
MODEL = "pixelwise/kuzushiji_1_7/laplace_20"


def recipes() -> dict[str, list[tuple[str, str, str]]]:
    """Files, tables and texts of the blocks of each recipe."""
    _, *sections = re.split(r"^## ", RECIPES, flags=re.M)
    return {section.splitlines()[0]: BLOCK.findall(section) for section in sections}


def follow(project: Path) -> None:
    """Add each block to its file: as a row of the table that it names, or at the end."""
    for path, table, text in [block for blocks in recipes().values() for block in blocks]:
        file = project / path
        before = file.read_text() if file.exists() else ""
        if table:
            start, rows = before.split(f"\n{table} = {{\n")
            file.write_text(f"{start}\n{table} = {{\n{text}{rows}")
        else:
            file.write_text(before + ("\n\n" if before and path.endswith(".py") else "") + text)


@pytest.mark.parametrize(
    ("recipe", "files"),
    {
        "A prior": 2,
        "An architecture": 2,
        "A made set": 2,
        "An official data set": 2,
        "A figure": 2,
        "A table": 2,
        "An analysis": 2,
        "A companion score": 2,
    }.items(),
)
def test_a_kind_is_added_in_a_module_and_a_row(recipe, files):
    paths = [path for path, _, _ in recipes()[recipe] if path.endswith(".py")]
    assert len(set(paths)) == len(paths) == files
    assert sum(bool(table) for _, table, _ in recipes()[recipe]) == 1


def test_every_kind_has_a_recipe():
    tables = defaultdict(set)
    for path in (ROOT / "workflow/oodpriors/kinds").glob("*.py"):
        tables[path.name] |= set(
            re.findall(r"^([A-Z]+) = \{\n    \"\w+\": \w+Kind\(", path.read_text(), re.M)
        )
    rows = {table for blocks in recipes().values() for _, table, _ in blocks if table}
    assert rows == set().union(*tables.values())


def test_the_recipes_work_as_they_are_written(project: Path):
    follow(project)
    snakemake(project, "--configfile", "mine.yaml", *SMOKE, 'only=["mine"]')

    results = project / "results/smoke-embedded-mine"
    assert pd.read_csv(results / "tables/models.csv")["model"].tolist() == [MODEL]
    assert (results / "figures/medians.png").stat().st_size > 0
    assert pd.read_csv(results / "tables/sizes.csv")["n_test"].tolist() == [50]
    companions = pd.read_csv(results / "tables/mine.csv")
    assert companions["set"].unique().tolist() == ["ood", "negatives"]
    areas = companions.pivot_table("auroc", "set", "score")
    assert areas["rate"].tolist() == areas["log_prob"].tolist()
    assert (pd.read_csv(results / "statistics/spread.csv")[f"{MODEL}/std"] > 0).all()
    claims = pd.read_csv(results / "claims.csv")
    assert claims.loc[claims["id"] == "K99", "verdict"].tolist() == ["shown by one training"]
    assert "How many images" in (results / "paper/tables.tex").read_text()


def test_what_is_added_changes_no_code_of_other_models_and_figures(project: Path):
    follow(project)
    for script, table, kind in (
        ("train", "architectures.ARCHITECTURES", "vae"),
        ("plot", "figures.FIGURES", "histograms"),
        ("tabulate", "tables.TABLES", "ranking"),
    ):
        choices = {f"oodpriors.kinds.{table}": kind, "oodpriors.kinds.priors.PRIORS": "gaussian"}
        before, after = (
            checksum(root / f"workflow/scripts/{script}.py", choices) for root in (ROOT, project)
        )
        assert before == after, script
