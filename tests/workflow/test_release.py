"""Trained models of one run, released, are taken by another instead of trained."""

import subprocess
import sys
from pathlib import Path

import yaml
from tests.workflow.conftest import ROOT, SMOKE, snakemake
from tests.workflow.test_rules import jobs

from oodpriors.io.files import load_json

MODEL = "vae/fashion_1_7/unimodal"
FILES = ("diagnostics.json", "scores.parquet")


def release(results: Path, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tools.release", str(folder / results)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def files(run: str) -> list[str]:
    return [f"results/{run}/models/{MODEL}/seed0/{name}" for name in FILES]


def configure(project: Path, **entry) -> tuple[str, ...]:
    experiment = {"models": [MODEL], **entry}
    config = {"only": ["mine"], "experiments": {"mine": experiment}, "save_every": 0}
    (project / "mine.yaml").write_text(yaml.safe_dump(config))
    return ("--configfile", "mine.yaml", *SMOKE)


def test_a_released_model_is_taken_and_scores_the_same(project: Path):
    snakemake(project, *configure(project), "run=first", "--", *files("first"))
    unfinished = release(Path("results/first"), project)
    assert unfinished.stderr.startswith("error: ")
    assert "there is no provenance.json" in unfinished.stderr
    (project / "results/first/provenance.json").write_text("{}")
    sums = [release(Path("results/first"), project).stdout.split()[0] for _ in range(2)]
    assert sums[0] == sums[1]

    archive = {"archive": "results/first.tar.gz", "sha256": sums[0]}
    arguments = (*configure(project, weights=archive), "run=second")
    planned = jobs(snakemake(project, "-n", *arguments).stdout)
    assert (planned["unpack"], planned["take"]) == (1, 1)
    assert "train" not in planned
    snakemake(project, *arguments, "--", *files("second"))
    first, second = ([project / name for name in files(run)] for run in ("first", "second"))
    assert first[1].read_bytes() == second[1].read_bytes()
    taken = load_json(second[0])
    assert taken.pop("weights")["from"] == "results/first.tar.gz"
    assert taken == load_json(first[0])

    arguments = (*configure(project, weights="results/first/models"), "run=third")
    planned = jobs(snakemake(project, "-n", *arguments).stdout)
    assert planned["take"] == 1
    assert not {"train", "unpack"} & set(planned)
    other = snakemake(project, "-n", *arguments, "images={train: 200}", check=False)
    assert "config: images.train" in other.stdout or "holds another model" in other.stdout
