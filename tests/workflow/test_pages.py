"""The pages that a finished run fills with results."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
from tests.workflow.conftest import ROOT, copy_project
from tools.publish import SHOWN, curves

from oodpriors.io.files import sha256


def publish(folder: Path, results: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tools.publish", str(results)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def copy_with_tools(folder: Path) -> Path:
    copy_project(folder)
    for part in ("benchmarks", "tools"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "README.md", folder)
    return folder


def generated(page: Path, name: str) -> str:
    form = f"<!-- {name}: begin -->\n(.*)\n<!-- {name}: end -->"
    return re.search(form, page.read_text(), re.DOTALL)[1]


def test_a_run_fills_the_pages_with_its_own_numbers(smoke: Path, tmp_path: Path):
    folder, results = copy_with_tools(tmp_path), smoke / "results/smoke-embedded"
    done = publish(folder, results)
    assert done.returncode == 0, done.stderr
    page, readme = folder / "docs/results.md", folder / "README.md"
    assert re.search(r"\| scale +\| smoke ", generated(page, "run"))
    claims = pd.read_csv(results / "claims.csv").drop_duplicates("id")
    held = (claims["verdict"] == "holds").sum()
    for text in generated(page, "counts"), generated(readme, "counts"):
        assert f"{len(claims)} claims: holds {held}, fails" in text
    aurocs = pd.read_csv(results / "tables/models.csv").set_index("model")["auroc"]
    for text in generated(page, "findings"), generated(readme, "findings"):
        assert f"{aurocs['vae/fashion_1_7/bimodal_75']:.2f} [" in text
        assert "{" not in text
    pictures = list((results / "figures").glob("*.png"))
    assert pictures
    assert all(sha256(folder / "docs" / path.name) == sha256(path) for path in pictures)
    nll = pd.read_csv(results / "tables/table1.csv")["nll_ood"]
    for text in generated(page, "table1"), generated(readme, "table1"):
        assert all(f"{value:,.1f} ±" in text for value in nll)
    for name in (*SHOWN, "curves", "claims"):
        rows = generated(page, name).splitlines()
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert len(rows) > 2, name
        assert len(columns) == 1, name


def test_the_pictures_of_the_pages_are_of_the_run_of_their_tables():
    named = re.findall(r"`(\w+\.png)` ([0-9a-f]{12})", generated(ROOT / "docs/results.md", "run"))
    assert named
    for name, checksum in named:
        assert sha256(ROOT / "docs" / name).startswith(checksum), name
        assert f"({name})" in (ROOT / "docs/results.md").read_text()


def test_a_curve_that_does_not_turn_says_so():
    columns = ["distance", "midpoint_charge", "mean_test"]
    columns += [f"{name}{end}" for name in ("mean_ood", "auroc") for end in ("", "_low", "_high")]
    table = pd.DataFrame(0.1, [0, 1], columns).assign(curve_title="c", turning_distance=[9, None])
    assert curves(table)["Turns at"].tolist() == ["9", "none"]


def test_a_page_without_a_place_is_named(smoke: Path, tmp_path: Path):
    folder = copy_with_tools(tmp_path)
    page = folder / "docs/results.md"
    page.write_text(page.read_text().replace("<!-- toy: begin -->", ""))
    done = publish(folder, smoke / "results/smoke-embedded")
    assert done.returncode == 1
    assert "docs/results.md has no place for toy" in done.stderr
