"""The whole workflow on stand-ins at scale smoke, as `make demo` runs it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from tests.workflow.conftest import HAS_TEX, ROOT, SMOKE, snakemake

from oodpriors.data.datasets import load_arrays
from oodpriors.data.subsets import drawn
from oodpriors.io.files import load_yaml
from oodpriors.models.build import load_model
from oodpriors.models.glow import Glow
from oodpriors.models.vae import VAE
from oodpriors.scoring.score_files import score_sets
from oodpriors.statistics.claims import VERDICTS
from oodpriors.statistics.estimates import auroc
from oodpriors.toy.flow import ToyFlow

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
MODELS = [name for entry in CONFIG["experiments"].values() for name in entry["models"]]
TOYS = [
    f"toy/mixture_{dim}/{prior}"
    for dim in CONFIG["toy"]["dims"]
    for prior in CONFIG["toy"]["priors"]
]
FLOWS = [name for name in MODELS if not name.startswith("vae")]
PARTS = {"glow": Glow.parts, "cv_glow": Glow.parts, "vae": VAE.parts, "toy": ToyFlow.parts}
PDF = ["paper.pdf"] if HAS_TEX else []


@pytest.fixture(scope="session")
def results(smoke: Path) -> Path:
    return smoke / "results/smoke-embedded"


@pytest.fixture(scope="session")
def scores(results: Path) -> dict[str, pd.DataFrame]:
    files = sorted((results / "models").rglob("scores.parquet"))
    return {"/".join(file.parts[-5:-2]): pd.read_parquet(file) for file in files}


def test_every_output_is_there_and_nothing_unfinished(results: Path, scores: dict):
    assert set(scores) == {*MODELS, *TOYS}
    for name in (
        *(*PDF, "claims.csv", "comparison.csv", "provenance.json", "verdicts.txt", "README.md"),
        "index.html",
        *(
            f"figures/{figure}.{suffix}"
            for figure in CONFIG["figures"]
            for suffix in ("pdf", "png")
        ),
        *(f"tables/{table}.{suffix}" for table in CONFIG["tables"] for suffix in ("csv", "html")),
        "tables/models.csv",
    ):
        assert (results / name).stat().st_size > 0, name
    assert not list(results.rglob("checkpoint*"))
    hidden = {path.name for path in results.rglob(".*") if path.is_file()}
    assert hidden <= {".snakemake_timestamp"}


def test_a_second_run_has_nothing_to_do(smoke: Path):
    assert "Nothing to be done" in snakemake(smoke, "-n", *SMOKE).stdout


@pytest.mark.parametrize("change", ["device=cpu", "mirror=docs"])
def test_where_it_runs_and_where_files_lie_makes_nothing_again(smoke: Path, change: str):
    assert "Nothing to be done" in snakemake(smoke, "-n", *SMOKE, change).stdout


def test_parts_add_up_to_the_log_likelihood(scores: dict):
    for name, table in scores.items():
        total = table[list(PARTS[name.split("/")[0]])].sum(axis=1)
        np.testing.assert_allclose(total, table["log_prob"], rtol=1e-9)
        assert set(table["set"]) >= {"test", "ood"}
        assert np.isfinite(table["log_prob"]).all()


@pytest.mark.parametrize("model", ["vae/fashion_1_7/bimodal_75", "glow/fashion_1_7/bimodal_50"])
def test_the_headline_shows_even_here(scores: dict, model: str):
    """With the bimodal prior the digits score far below the garments."""
    by_set = scores[model].groupby("set")["log_prob"]
    means, errors = by_set.mean(), by_set.sem()
    assert means["test"] - means["ood"] > 100 + 5 * np.hypot(errors["test"], errors["ood"])


def test_table_1_agrees_with_the_score_files(results: Path, scores: dict):
    table = pd.read_csv(results / "tables/table1.csv").set_index("model")
    assert list(table.index) == CONFIG["tables"]["table1"]["models"]
    for name, row in table.iterrows():
        mine = scores[name].groupby("set")["log_prob"]
        assert row["nll_ood"] == pytest.approx(-mine.mean()["ood"])
        assert row["nll_test"] == pytest.approx(-mine.mean()["test"])
        assert row["median_ood"] == pytest.approx(mine.median()["ood"])
        assert row["gap"] == pytest.approx(mine.mean()["test"] - mine.mean()["ood"])
        area = auroc(mine.get_group("test").to_numpy(), mine.get_group("ood").to_numpy())
        assert row["auroc"] == pytest.approx(area)
        assert row["nll_ood_std_error"] == pytest.approx(mine.sem()["ood"], rel=0.25)
    assert table.loc["vae/fashion_1_7/unimodal", "paper_nll_ood"] == 1647.76


def test_every_claim_has_a_verdict_and_every_number_a_ratio(results: Path):
    claims = pd.read_csv(results / "claims.csv")
    comparison = pd.read_csv(results / "comparison.csv")
    assert set(claims["verdict"]) <= set(VERDICTS)
    trained = claims["trainings"].notna()
    one_training = {*VERDICTS[3:5], "not applicable"}  # smoke has one, of stand-ins
    assert set(claims.loc[trained, "verdict"]) == one_training
    assert set(claims.loc[~trained, "comparison_verdict"]) <= set(VERDICTS[:3])
    assert claims["refuted_by"].notna().all()
    assert set(claims["scale"]) == {"smoke"}
    assert {f"C{number:02d}" for number in range(1, 40)} == {
        name.split(".")[0] for name in claims["id"] if name.startswith("C")
    }
    results = comparison[comparison["kind"] == "result"]
    ours, paper = (results[name].astype(float) for name in ("ours", "paper"))
    np.testing.assert_allclose(results["ratio"], ours / paper)
    assert len(results) == 11
    assert (comparison["kind"] == "index").sum() == 1
    assert comparison["ratio"].notna().sum() > 30


def test_stand_ins_are_said_wherever_numbers_are_shown(results: Path):
    assert "STAND-IN" in (results / "verdicts.txt").read_text()
    assert "STAND-IN" in (results / "paper/macros.tex").read_text()
    assert "STAND-IN" in (results / "paper/topics.tex").read_text()
    record = json.loads((results / "provenance.json").read_text())
    assert all(part["source"]["stand_in"] for part in record["data"])


def test_the_document_is_short_and_has_no_text_in_the_margin(results: Path):
    assert PDF, "no TeX: make tex"
    told = (results / "logs/build_pdf.log").read_text()
    assert "Overfull" not in told
    assert "undefined" not in told
    assert int(re.search(r"the appendix begins on page (\d+)", told)[1]) <= 13


def test_every_figure_table_and_claim_is_in_the_document(results: Path):
    text = "".join(path.read_text() for path in (results / "paper").glob("*.tex"))
    cited = set(re.findall(r"\\ref\{([^}]+)\}", (results / "paper/topics.tex").read_text()))
    floats = {f"fig:{name}" for name in CONFIG["figures"]}
    floats |= {f"tab:{name}" for name in CONFIG["tables"]}
    assert floats <= cited
    assert all(text.count(f"\\label{{{name}}}") == 1 for name in floats)
    claims = pd.read_csv(results / "claims.csv")["id"].unique()
    assert all(text.count(f"\\card{{card:{name}}}") == 1 for name in claims)


def test_trained_flows_invert_and_say_how_well(results: Path):
    errors = [
        json.loads(path.read_text())["round_trip_error"]
        for path in (results / "models").rglob("diagnostics.json")
        if path.parts[-5] != "vae"
    ]
    assert len(errors) == len(FLOWS)
    assert max(errors) < 1 / 512  # half a level of a pixel
    assert np.median(errors) < 1e-4


@pytest.mark.parametrize(
    ("model", "draws"), [("vae/fashion_1_7/bimodal_75", 4), ("glow/fashion_1_7/bimodal_50", 1)]
)
def test_stored_weights_give_the_stored_scores_again(
    results: Path, scores: dict, model: str, draws: int
):
    folder = results / "models" / model / "seed0"
    spec = load_yaml(folder / "spec.yaml")
    trained = load_model(spec, folder / "weights.pt")
    arrays = {
        "train": load_arrays(results / "data/fashion_1_7/train.npz"),
        "test": load_arrays(results / "data/fashion_1_7/test.npz"),
        "ood": load_arrays(results / "data/mnist/test.npz"),
    }
    learnt = drawn(len(arrays["train"]["images"]), spec["images"], spec["seed"])
    arrays["train"] = {name: values[learnt] for name, values in arrays["train"].items()}
    names = dict.fromkeys(arrays, "")
    torch.set_num_threads(1)
    again, _ = score_sets(trained, arrays, names, draws, spec["seed"], train_limit=20)
    np.testing.assert_array_equal(again["log_prob"], scores[model]["log_prob"])


def rerun_rules(smoke: Path, *arguments: str) -> set[str]:
    output = snakemake(smoke, "-n", *SMOKE, *arguments).stdout
    stats = output.split("Job stats:")[-1].splitlines() if "Job stats:" in output else []
    return {line.split()[0] for line in stats if line and line.split()[-1].isdigit()} - {"total"}


@contextmanager
def edited(smoke: Path, module: str, old: str, new: str) -> Iterator[None]:
    """Replaces every match of old by new in a module of the library until the block ends."""
    path = smoke / "workflow/oodpriors" / module
    before = path.read_text()
    after = re.sub(old, new, before)
    assert after != before
    path.write_text(after)
    try:
        yield
    finally:
        path.write_text(before)


COLOUR = ("figures/colours.py", '"#0072B2"', '"#0072B3"')


def test_a_change_of_style_redraws_and_retrains_nothing(smoke: Path):
    with edited(smoke, *COLOUR):
        rules = rerun_rules(smoke)
    # the document's glyphs have the style of the figures
    assert rules == {"all", "plot", "build_page", *(["typeset", "build_pdf"] if PDF else [])}


def test_an_edit_of_glow_retrains_flows_alone(smoke: Path):
    with edited(smoke, "models/glow.py", "/ PIXEL_VALUES - 0.5", "/ PIXEL_VALUES - 1 / 2"):
        output = snakemake(smoke, "-n", *SMOKE).stdout
    trained = [block.split("wildcards:")[1] for block in output.split("rule train:")[1:]]
    assert len(trained) == len(FLOWS)
    assert all("glow" in line.splitlines()[0] for line in trained)


def test_an_edit_of_the_evaluation_scores_again_and_retrains_nothing(smoke: Path):
    with edited(smoke, "models/likelihood.py", "if n_draws < 1:", "if not n_draws >= 1:"):
        rules = rerun_rules(smoke)
    assert {"score", "train_toy"} <= rules
    assert "train" not in rules


@pytest.mark.parametrize("module", ["models/glow.py", "models/likelihood.py", "io/files.py"])
def test_an_edit_of_docstrings_makes_nothing_again(smoke: Path, module: str):
    with edited(smoke, module, r'"""(?=\w)', '"""So: '):
        assert "Nothing to be done" in snakemake(smoke, "-n", *SMOKE).stdout


def test_what_cannot_matter_is_touched(smoke: Path):
    with edited(smoke, *COLOUR):
        snakemake(smoke, "--touch", *SMOKE)
        assert "Nothing to be done" in snakemake(smoke, "-n", *SMOKE).stdout
    snakemake(smoke, "--touch", *SMOKE)


def test_scores_that_are_made_again_are_recorded_again_with_their_code(smoke: Path):
    rules = rerun_rules(smoke, "--forcerun", "score")
    assert "record" in rules
    assert "train" not in rules


def test_a_change_of_budget_retrains_the_models_that_it_touches(smoke: Path):
    (smoke / "mine.yaml").write_text(yaml.safe_dump({"models": {"vae": {"draws": 5}}}))
    rules = rerun_rules(smoke, "--configfile", "mine.yaml")
    assert "score" in rules
    assert "train" not in rules
