"""A complete run of the user's data sets and prior, from the example in README."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from tests.workflow.conftest import ROOT, SMOKE, snakemake

from oodpriors.io.files import load_yaml

MODELS = ["vae/cells/unimodal", "vae/cells/wide"]


def test_the_readmes_own_pair_needs_a_configuration_alone(project: Path):
    example = re.search(r"```yaml\n# mine.yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    (project / "mine.yaml").write_text(example.group(1))
    rng = np.random.default_rng(0)
    labels, split = np.arange(80) % 2, np.repeat(["train", "test"], 40)
    for name, brightness in (("cells", 60), ("debris", 200)):
        images = rng.integers(brightness, brightness + 20, (80, 28, 28), dtype=np.uint8)
        np.savez(project / f"{name}.npz", images=images, labels=labels, split=split)

    snakemake(project, "--configfile", "mine.yaml", *SMOKE)

    results = project / "results/smoke-embedded"
    assert (results / "figures/cells.png").stat().st_size > 0
    assert pd.read_csv(results / "tables/models.csv")["model"].tolist() == MODELS
    assert pd.read_csv(results / "tables/ranking.csv")["model"].tolist() == MODELS
    spec = load_yaml(results / "models/vae/cells/wide/seed0/spec.yaml")
    np.testing.assert_allclose(np.linalg.norm(np.diff(spec["prior"]["means"], axis=0)), 150)
    scores = pd.read_parquet(results / "models/vae/cells/wide/seed0/scores.parquet")
    assert scores["set"].value_counts().to_dict() == {"test": 40, "ood": 40, "train": 20}
