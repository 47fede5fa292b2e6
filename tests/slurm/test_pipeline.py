"""The smoke pipeline through SLURM: its jobs, requests and results."""

import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.slurm.conftest import BUDGET, SLURM
from tests.workflow.conftest import HAS_TEX, ROOT, SMOKE, copy_project, snakemake

EXPERIMENTS = ("two_modes", "toy")
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
MODELS = CONFIG["experiments"]["two_modes"]["models"]
SETS = {name: subset.get("out_of_distribution") for name, subset in CONFIG["subsets"].items()}
LISTS = [SETS[model.split("/")[1]] for model in MODELS]
FURTHER = [name for sets in LISTS if isinstance(sets, list) for name in sets[1:]]
TOYS = [f"{dim}/{prior}" for dim in CONFIG["toy"]["dims"] for prior in CONFIG["toy"]["priors"]]
ARGUMENTS = (*SMOKE, f"only={json.dumps(EXPERIMENTS)}")


@pytest.fixture(scope="module")
def submitted(cluster) -> list[dict]:
    """The state of every job, filled after the pipeline has run."""
    return []


@pytest.fixture(scope="module")
def pipeline(cluster, submitted: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after a complete run through SLURM."""
    folder = copy_project(tmp_path_factory.mktemp("pipeline"))
    earlier = set(cluster.queue("%i"))
    snakemake(folder, *SLURM, *ARGUMENTS)
    for line in cluster.queue("%i|%T|%l|%m|%C|%b|%k"):
        job, *facts = line.split("|")
        if job not in earlier:
            names = ("state", "limit", "memory", "cores", "gres", "comment")
            submitted.append(dict(zip(names, facts, strict=True)))
    return folder / "results/smoke-embedded-toy-two_modes"


def rule(job: dict) -> str:
    return re.match(r"rule_([a-z_]+?)(_wildcards|$)", job["comment"])[1]


def test_everything_is_there(pipeline: Path):
    for name in ("claims.csv", "figures/fig04.pdf", "tables/table1.csv", "verdicts.txt"):
        assert (pipeline / name).stat().st_size > 0, name
    assert (pipeline / "paper.pdf").exists() == HAS_TEX
    assert not list(pipeline.rglob("checkpoint*"))


def test_models_and_statistics_are_submitted_and_nothing_small(pipeline: Path, submitted: list):
    assert {job["state"] for job in submitted} == {"COMPLETED"}
    assert Counter(map(rule, submitted)) == {
        "train": len(MODELS),
        "score": len(MODELS),
        "score_further": len(FURTHER),
        "train_toy": len(TOYS),
        "analyse": 1,
        "score_companions": 1,
        "analyse_pixels": 1,
        "summarise": 1,
        "judge": 1,
    }


def test_trainings_ask_for_what_the_scale_says_and_for_no_gpu(pipeline: Path, submitted: list):
    for job in submitted:
        if rule(job) in ("train", "score"):
            budget = BUDGET[re.search(r"wildcards_(vae|glow)_", job["comment"])[1]]
            assert job["limit"] == f"{budget['runtime']}:00"
            assert job["memory"] == f"{budget['mem_mb']}M"
            assert job["cores"] == str(budget["threads"])
            assert job["gres"] == "N/A"


def test_scores_are_those_of_a_run_without_slurm(pipeline: Path, tmp_path: Path):
    model = "models/vae/fashion_1_7/bimodal_75/seed0/scores.parquet"
    here = copy_project(tmp_path)
    snakemake(here, "--cores", "2", *SMOKE, "--", f"results/smoke-embedded/{model}")
    pd.testing.assert_frame_equal(
        pd.read_parquet(here / "results/smoke-embedded" / model),
        pd.read_parquet(pipeline / model),
        check_exact=True,
    )


def test_a_second_run_submits_nothing(pipeline: Path):
    folder = pipeline.parents[1]
    assert "Nothing to be done" in snakemake(folder, *SLURM, *ARGUMENTS).stdout


def test_a_training_asks_for_a_gpu_where_the_config_wants_one(cluster, run):
    """The node has a GPU only in its configuration: the job runs there and reports it missing."""
    asking = run({"device": "cuda"}, "--retries", "0")
    assert asking.wait() != 0
    (job,) = asking.jobs()
    facts = cluster.control("show", "job", job)
    assert "gres:gpu:1" in facts or "gres/gpu=1" in facts
    assert "NodeList=n1" in facts
    assert "no GPU is visible" in asking.read("train.log")
    assert "error: device: cuda was asked for" in asking.output
