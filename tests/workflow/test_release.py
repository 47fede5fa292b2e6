"""Trained models of one run, released, are taken by another instead of trained."""

import json
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


def configure(project: Path, weights=None, epochs: int = 1) -> tuple[str, ...]:
    config = {
        "only": ["mine"],
        "experiments": {"mine": {"models": [MODEL], "weights": weights}},
        "models": {"vae": {"training": {"epochs": epochs}}},
    }
    (project / "mine.yaml").write_text(yaml.safe_dump(config))
    return ("--configfile", "mine.yaml", *SMOKE)


def test_a_released_model_is_taken_and_scores_the_same(project: Path):
    snakemake(project, *configure(project), "run=first", "--", *files("first"))
    unfinished = release(Path("results/first"), project)
    assert unfinished.stderr.startswith("error: ")
    assert "there is no provenance.json" in unfinished.stderr
    record = {"models": [{"model": MODEL, "seed": 0}]}
    (project / "results/first/provenance.json").write_text(json.dumps(record))
    history = project / f"results/first/models/{MODEL}/seed0/history.csv"
    history.rename(history.with_name("away"))
    assert release(Path("results/first"), project).stderr.endswith(
        "history.csv is not there: run again to have it back\n"
    )
    history.with_name("away").rename(history)
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

    arguments = (*configure(project, weights="results/first/models", epochs=2), "run=third")
    refused = snakemake(project, "-n", *arguments, check=False)
    told = [line for line in refused.stdout.splitlines() if line.startswith("config: ")]
    assert [line.split(" holds ")[1] for line in told] == [
        "another model: training.epochs is 1 there, 2 here"
    ]
