"""A complete run of the user's data sets and prior, as docs/tutorial.md says."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tests.workflow.conftest import ROOT, SMOKE, snakemake

from oodpriors.io.files import load_yaml

SPLITS = ("train", "test")
MODELS = ["vae/cells/unimodal", "vae/cells/wide"]


def test_the_tutorials_own_pair_needs_a_configuration_alone(project: Path, monkeypatch):
    page = (ROOT / "docs/tutorial.md").read_text()
    pack, mine = re.findall(r"```\w+\n# (?:pack.py|mine.yaml)\n(.*?)```", page, re.S)
    (project / "mine.yaml").write_text(mine)
    rng = np.random.default_rng(0)
    for name, brightness in (("cells", 60), ("debris", 200)):
        for folder in (project / name / split / label for split in SPLITS for label in "01"):
            folder.mkdir(parents=True)
            for number in range(20):
                image = rng.integers(brightness, brightness + 20, (28, 28), dtype=np.uint8)
                Image.fromarray(image).save(folder / f"{number}.png")
    monkeypatch.chdir(project)
    exec(pack, {})

    snakemake(project, "--configfile", "mine.yaml", *SMOKE)

    results = project / "results/smoke-embedded"
    assert (results / "figures/cells.png").stat().st_size > 0
    assert pd.read_csv(results / "tables/models.csv")["model"].tolist() == MODELS
    assert pd.read_csv(results / "tables/ranking.csv")["model"].tolist() == MODELS
    header = re.search(r"^ +model .*", page, re.M)[0].split()
    assert header in [line.split() for line in (results / "verdicts.txt").read_text().splitlines()]
    spec = load_yaml(results / "models/vae/cells/wide/seed0/spec.yaml")
    np.testing.assert_allclose(np.linalg.norm(np.diff(spec["prior"]["means"], axis=0)), 150)
    scores = pd.read_parquet(results / "models/vae/cells/wide/seed0/scores.parquet")
    assert scores["set"].value_counts().to_dict() == {"test": 40, "ood": 40, "train": 20}
