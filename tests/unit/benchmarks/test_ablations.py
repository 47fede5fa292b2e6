"""Ablations: the correction's mathematics, what a variant changes, and the table."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from benchmarks import ablations
from benchmarks.ablations import (
    AS_TRAINED,
    CORRECTED,
    ENCODER,
    KEPT,
    MODELS,
    NETWORKS,
    PRIORS,
    RESCORED,
    corrections,
    folder_of,
    markdown,
    pixel_log_probs,
    rescore,
    seeds_of,
    spec_of,
)

from oodpriors.io.errors import UserError
from oodpriors.models.build import build_model
from oodpriors.scoring.score_files import with_refined

SPEC = {
    "architecture": "vae",
    "image_shape": [1, 28, 28],
    "prior": {"kind": "gaussian", "means": [[75.0], [-75.0]]},
    "network": {"latent_dim": 4, "decoder_width": 4, "scaled_start": True},
    "training": {"epochs": 1},
    "images": None,
    "seed": 0,
}


def model_of(spec):
    torch.manual_seed(0)
    parts = ("architecture", "image_shape", "prior", "network")
    return build_model(*(spec[part] for part in parts)).eval()


def test_corrections_are_means_over_images_of_means_over_their_pixels():
    rng = np.random.default_rng(0)
    values = rng.choice([3, 7, 9, 250], (5, 6), p=[0.6, 0.2, 0.1, 0.1])
    log_probs = rng.normal(-3, 1, values.shape)
    found = corrections(values, log_probs)
    for value in np.unique(values):
        means = []
        for own, logs in zip(values, log_probs, strict=True):
            if value in own:
                means.append(
                    np.mean([math.exp(p) for v, p in zip(own, logs, strict=True) if v == value])
                )
        assert found[value] == pytest.approx(math.log(np.mean(means)))
    slope = found[7] - found[3]
    np.testing.assert_allclose(found[[5, 0]], [found[3] + slope / 2, found[3] - slope * 3 / 4])
    assert found.shape == (256,)


def test_pixels_add_up_to_the_likelihood_at_the_encoders_mean():
    model, images = (
        model_of(SPEC),
        np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28), np.uint8),
    )
    x = torch.from_numpy(images)
    with torch.no_grad():
        expected = model.log_likelihood(x, model.encode(x)[0], full_precision=True)
    np.testing.assert_allclose(pixel_log_probs(model, images).sum(1), expected, rtol=1e-5)


def test_each_training_changes_the_network_and_nothing_else():
    specs = [spec_of(name, SPEC) for name in NETWORKS]
    for spec in specs:
        assert spec != SPEC
        assert spec | {"network": SPEC["network"]} == SPEC
    assert len({json.dumps(spec) for spec in specs}) == len(specs)
    assert all(spec_of(name, SPEC) == SPEC for name in RESCORED)
    for spec in specs:
        model_of(spec)


def test_from_the_encoders_start_alone_the_model_stays_the_same(monkeypatch):
    """The encoder is at the second component, where the best of all starts is as well."""
    model, table = model_of(SPEC), scores_of(0)
    mean = torch.tensor([-75.0, 0, 0, 0])
    monkeypatch.setattr(model, "encode", lambda x: (mean.expand(len(x), -1), torch.ones(len(x), 4)))
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
    arrays = {name: {"images": images} for name in ("test", "ood")}
    settings = {"seed": 0, "refined": {"images": 4}}
    alone = rescore(ENCODER, model, table, arrays, settings)
    both = with_refined(model, arrays, table[KEPT], **settings)
    assert alone["refinement_start"].dropna().eq(0).all()
    assert (both["refinement_steps"] > alone["refinement_steps"])[both["refined"]].all()
    names = ["log_prob_refined", "prior_separating_refined", "prior_rest_refined"]
    # their draws differ; under a changed prior, terms would differ by thousands
    np.testing.assert_allclose(alone[names], both[names], atol=5)


def scores_of(shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    sets, images = np.repeat(["test", "ood"], 6), np.repeat(["own.test", "other.test"], 6)
    table = pd.DataFrame({"set": sets, "images": images, "index": 0, "label": 0})
    table["log_prob"] = shift + rng.normal(size=12)
    table["refined"] = np.tile([True, True, False], 4)
    for name in ("log_prob_refined", "effective_sample_size_refined"):
        table[name] = (table["log_prob"] + 1).where(table["refined"])
    return table.assign(refinement_steps=5.0, refinement_start=0.0, refinement_failed=0.0)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    budget = {"bootstrap": 20, "models": {"vae": {"refined": {"images": 4}}}}
    (tmp_path / "provenance.json").write_text(json.dumps({"budget": budget}))
    for number, variant in enumerate((*RESCORED, *NETWORKS)):
        for prior in PRIORS:
            for seed in (0, 1, 2):
                folder = folder_of(tmp_path, variant, prior, seed)
                folder.mkdir(parents=True)
                (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC))
                scores_of(100 * number).to_parquet(folder / "scores.parquet")
    return tmp_path


def test_the_table_has_a_row_for_each_variant_and_prior(results: Path, monkeypatch):
    monkeypatch.setattr(ablations, "make", print)  # every file is there
    table = ablations.run(results, 1)
    assert list(table["variant"].unique()) == [*RESCORED, *NETWORKS]
    assert list(table["prior"].unique()) == list(PRIORS)
    assert (table["seeds"] == 3).all()
    assert (table[["n_ood_refined", "n_test_refined"]] == 4).all(axis=None)
    scores = scores_of(100).query("refined and set == 'ood'")["log_prob"]
    second = table[table["variant"] == RESCORED[1]].iloc[0]
    assert second["mean_ood_unrefined"] == pytest.approx(scores.mean())
    assert second["mean_ood_refined"] == pytest.approx(scores.mean() + 1)
    lines = markdown(table).splitlines()
    assert len(lines) == 2 + len(table)
    assert "AUROC, refined" in lines[0]


def test_the_correction_shifts_both_estimates_by_the_same_sum():
    model, table = model_of(SPEC), scores_of(0)
    rng = np.random.default_rng(0)
    arrays = {
        name: {"images": rng.integers(0, 256, (6, 28, 28), np.uint8)}
        for name in ("train", "test", "ood")
    }
    changed = rescore(CORRECTED, model, table, arrays, {"seed": 0})
    shift = (changed["log_prob"] - table["log_prob"]).to_numpy()
    train = arrays["train"]["images"]
    bias = corrections(train.reshape(6, -1), pixel_log_probs(model, train[:, None]))
    assert shift[7] == pytest.approx(-bias[arrays["ood"]["images"][1]].sum())
    refined = (changed["log_prob_refined"] - table["log_prob_refined"])[table["refined"]]
    np.testing.assert_allclose(refined, shift[table["refined"]])


def test_a_folder_without_a_run_is_named(tmp_path: Path, results: Path):
    with pytest.raises(UserError, match="nowhere is no finished run"):
        seeds_of(tmp_path / "nowhere")
    for file in results.glob(f"{MODELS}/unimodal/*/scores.parquet"):
        file.unlink()
    with pytest.raises(UserError, match="no finished run"):
        seeds_of(results)
    assert folder_of(results, AS_TRAINED, "p", 1) == results / MODELS / "p" / "seed1"
