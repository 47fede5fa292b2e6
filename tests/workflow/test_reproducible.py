"""The same machine, configuration and seed give the same bits."""

from pathlib import Path

import pandas as pd
import yaml
from tests.workflow.conftest import SMOKE, copy_project, snakemake

MODELS = ("vae/fashion_1_7/bimodal_75", "glow/fashion_1_7/bimodal_50")
FILES = [f"results/smoke-embedded/models/{model}/seed0/scores.parquet" for model in MODELS]
# two threads for each job; with a single core Snakemake gives one
CHANGES = {"models": {name: {"threads": 2, "training": {"epochs": 1}} for name in ("vae", "glow")}}


def scores(folder: Path, cores: int) -> list[pd.DataFrame]:
    copy_project(folder)
    (folder / "mine.yaml").write_text(yaml.safe_dump(CHANGES))
    snakemake(folder, "--cores", str(cores), *SMOKE, "--configfile", "mine.yaml", "--", *FILES)
    return [pd.read_parquet(folder / file) for file in FILES]


def test_scores_do_not_depend_on_the_number_of_cores(tmp_path: Path):
    on_one, on_three = (scores(tmp_path / str(cores), cores) for cores in (1, 3))
    for ours, theirs in zip(on_one, on_three, strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
