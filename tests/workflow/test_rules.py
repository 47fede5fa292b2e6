"""Dry runs and the shape of the workflow; nothing is trained here."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.workflow.conftest import ROOT, SMOKE, snakemake

LIBRARY = ROOT / "workflow/oodpriors"
DRY = ("-n", "--quiet", "rules")
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
CONFIGURATIONS = sum(len(entry["models"]) for entry in CONFIG["experiments"].values())
TWO_MODES = len(CONFIG["experiments"]["two_modes"]["models"])
TRAININGS = {
    "smoke": CONFIGURATIONS,
    "quick": 3 * CONFIGURATIONS + 2 * TWO_MODES,
    "short": 3 * CONFIGURATIONS,
    "paper": 3 * CONFIGURATIONS,
}
# Trainings by further sets: of the pairs on Fashion-MNIST (1, 7), and of those on CIFAR-10.
FURTHER = {
    "smoke": (4 * 4, 4),
    "quick": (4 * 4 * 5, 4 * 3),
    "short": (4 * 4 * 3, 4 * 3),
    "paper": (4 * 4 * 3, 4 * 3),
}


def jobs(output: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, re.M)}


@pytest.mark.parametrize("scale", ["smoke", "quick", "short", "paper"])
def test_a_dry_run_of_every_scale_on_a_clean_clone_plans_everything(project: Path, scale: str):
    planned = jobs(snakemake(project, "-n", "--config", f"scale={scale}").stdout)
    assert planned["download"] == len(CONFIG["datasets"])
    assert planned["score_further"] == sum(FURTHER[scale])
    assert planned["train"] == planned["score"] == TRAININGS[scale]
    seeds = 1 if scale == "smoke" else 10
    assert planned["train_toy"] == seeds * len(CONFIG["toy"]["dims"]) * len(CONFIG["toy"]["priors"])
    assert planned["tabulate"] == len(CONFIG["tables"])
    assert planned["plot"] == len(CONFIG["figures"])
    assert {"judge", "record", "summarise", "build_page", "build_pdf"} <= set(planned)
    if scale == "paper":
        assert_page_of_clusters_counts(planned)


def rules() -> dict[str, str]:
    """Text of each rule by its name."""
    files = [(ROOT / "workflow/Snakefile"), *(ROOT / "workflow/rules").glob("*.smk")]
    parts = [re.split(r"^rule ", f.read_text(), flags=re.M)[1:] for f in files]
    return {part.split(":")[0]: part for each in parts for part in each}


def assert_page_of_clusters_counts(planned: dict[str, int]):
    page = (ROOT / "docs/cluster.md").read_text()
    counted = {name: int(n) for name, n in re.findall(r"^\| ([\w ]+) \| (\d+) \|", page, re.M)}
    names = {"trainings": "train", "scorings": "score", "toy flows": "train_toy"}
    names["scorings of further sets"] = "score_further"
    local = [name for name, text in rules().items() if "localrule: True" in text]
    submitted = {name: n for name, n in planned.items() if name not in [*local, "total"]}
    assert {name: counted[name] for name in names} == {n: planned[r] for n, r in names.items()}
    assert counted["submissions in total"] == sum(submitted.values())
    others = [n for name, n in submitted.items() if name not in names.values()]
    assert counted["other jobs"] == sum(others)


def test_the_profile_has_a_partition_for_every_rule_that_may_need_a_gpu():
    profile = (ROOT / "profiles/slurm/profile.yaml").read_text()
    named = re.findall(r"^#   (\w+):\n#     slurm_partition: GPU_PARTITION$", profile, re.M)
    assert set(named) == {name for name, text in rules().items() if "gpu=" in text}


def test_the_default_target_is_everything(project: Path):
    assert jobs(snakemake(project, "-n").stdout)["all"] == 1


def test_every_training_states_its_threads_and_resources(project: Path):
    output = snakemake(project, "-n", "-p", *SMOKE).stdout
    trainings = output.split("rule train:")[1:]
    assert len(trainings) == TRAININGS["smoke"]
    for training in trainings:
        block = training.split("\n\n")[0]
        assert all(f"{key}=" in block for key in ("mem_mb", "runtime", "gpu")), block


def test_the_library_knows_no_snakemake():
    for module in LIBRARY.rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", module.read_text(), re.M), module


def test_tables_figures_and_the_documents_need_no_pytorch():
    places = ("data/provenance", "document/*", "figures/*", "page/*", "statistics/*", "tables/*")
    paths = [path for place in places for path in sorted(LIBRARY.glob(f"{place}.py"))]
    modules = [".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts) for path in paths]
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_rule_with_a_script_has_log_benchmark_environment_and_resources():
    for name, rule in rules().items():
        if "script:" not in rule:
            continue
        needed = ["log:", "benchmark:", "conda:"]
        if "localrule: True" not in rule:  # what stays where Snakemake runs has no limits
            needed += ["mem_mb=", "runtime="]
        missing = [key for key in needed if key not in rule]
        assert not missing, f"{name}: {missing}"


def test_every_rule_with_a_script_knows_the_code_of_this_script():
    for name, rule in rules().items():
        for script in re.findall(r"scripts/(\w+)\.py", rule):
            assert f'code=get_code("{script}"),' in rule, name


def test_k_means_clusters_are_made_once_and_used_by_prepare(project: Path):
    override = {
        "subsets": {
            "objects": {
                "title": "objects",
                "dataset": "cifar10",
                "labels": [0, 4],
                "out_of_distribution": "svhn",
                "kmeans": {"k": 4, "keep": 1},
            }
        },
    }
    (project / "mine.yaml").write_text(yaml.safe_dump(override))
    target = "results/smoke-embedded/data/objects/train.npz"
    snakemake(project, "--configfile", "mine.yaml", *SMOKE, "--", target)
    with np.load(project / target) as arrays:
        assert set(arrays["cluster"]) == {1}
        assert set(arrays["labels"]) == {0, 4}
        assert arrays["images"].shape[1:] == (32, 32, 3)


def test_one_experiment_alone_plans_what_it_needs_and_no_more(project: Path):
    output = snakemake(project, "-n", *SMOKE, 'only=["cifar"]').stdout
    planned = jobs(output)
    assert (planned["train"], planned["download"]) == (4, 2)
    assert "wildcards: figure=fig13" in output
    assert "wildcards: figure=fig06" not in output
    assert "train_toy" not in planned


def test_a_gpu_that_is_not_there_is_refused_at_the_start(project: Path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    done = snakemake(project, *SMOKE, "device=cuda", check=False)
    assert done.returncode != 0
    assert "device: cuda was asked for" in done.stdout
    assert not (project / "results").exists()


def test_without_tex_everything_but_the_pdf_is_planned_and_said_so(project: Path, monkeypatch):
    for program in ("bash", "which"):  # needed by Snakemake and its plugins
        (project / program).symlink_to(shutil.which(program))
    monkeypatch.setenv("PATH", str(project))
    output = snakemake(project, "-n").stdout
    assert "No TeX here" in output
    planned = jobs(output)
    assert planned["train"] == TRAININGS["quick"]
    assert "build_pdf" not in planned


def test_a_wrong_download_is_refused_in_one_line_and_leaves_nothing(project: Path, monkeypatch):
    mirror = project / "mirror"
    mirror.mkdir()
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        (mirror / name).write_bytes(b"<html>an error page</html>")
    target = "results/smoke/data/mnist.npz"
    for scheme in ("http", "https"):  # official addresses, behind a closed port
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    done = snakemake(project, "--config", "scale=smoke", "mirror=mirror", "--", target, check=False)
    assert done.returncode != 0
    assert "could not get t10k-images-idx3-ubyte.gz" in done.stdout
    assert "wrong checksum" in done.stdout
    assert "Traceback" not in done.stdout.split("error: could not get")[1].split("====")[0]
    assert not list((project / "results").rglob("mnist*.npz"))


def test_waiting_jobs_are_looked_at_when_another_ends_and_no_oftener(project: Path):
    arguments = ("--cores", "1", "--verbose", "--until", "prepare")
    output = snakemake(project, *SMOKE, *arguments).stdout
    ended, looks = output.count("Finished jobid"), output.count("Ready jobs:")
    assert ended >= 10
    assert looks <= ended + 1
