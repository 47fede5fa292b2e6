"""The plan of a run counts the images, trainings and results that there are."""

import numpy as np
import pytest
import yaml
from benchmarks import cost

OWN = {
    "only": ["mine"],
    "datasets": {name: {"kind": "npz"} for name in ("shirts", "letters")},
    "subsets": {
        "shirts": {"title": "s", "dataset": "shirts", "labels": [0, 2], "out_of_distribution": "l"},
        "l": {"title": "l", "dataset": "letters"},
    },
    "experiments": {"mine": {"models": ["vae/shirts/unimodal"], "seeds": [0, 1]}},
    "images": {"train": 6, "test": None, "ood": 9, "score_train": 4},
}


@pytest.fixture
def own(tmp_path):
    """A configuration of the user, with data of three labels: 12 + 6 and 30 + 30 images."""
    for name, (train, test) in {"shirts": (12, 6), "letters": (30, 30)}.items():
        n = train + test
        split = np.repeat(["train", "test"], [train, test])
        images = np.zeros((n, 28, 28), np.uint8)
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.arange(n) % 3, split=split)
        OWN["datasets"][name]["path"] = str(tmp_path / f"{name}.npz")
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(OWN))
    return path


@pytest.mark.parametrize("content", [None, b"", b"- a", b"a:\n\tb", b"\xff\xfe"])
def test_what_is_no_configuration_is_named_in_one_line(tmp_path, content):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(cost.UserError, match=r"mine\.yaml") as error:
        cost.load("smoke", path)
    assert "\n" not in str(error.value)


def test_images_are_counted_by_label_split_and_limit(own):
    config = cost.load("smoke", own)
    assert cost.sizes(config, "shirts") == (6, 4 + 9 + 4)
    config["images"] = dict.fromkeys(config["images"])
    assert cost.sizes(config, "shirts") == (8, 4 + 30 + 8)


def test_of_the_official_data_the_paper_uses_all():
    assert cost.sizes(cost.load("paper"), "fashion_1_7") == (12_000, 2000 + 10_000 + 2000)


def test_images_of_further_sets_are_counted_for_the_models_that_have_them():
    config = cost.load("paper")
    of = {str(m): cost.further_images(config, m) for m in cost.specs.model_ids(config)}
    # KMNIST, eight other labels, blends and constants; and CIFAR-10's eight other labels
    assert of["vae/fashion_1_7/unimodal"] == 10_000 + 8 * 1000 + 2000 + 2000
    assert of["glow/cifar_0_4_clusters/bimodal_200"] == 8 * 1000
    assert of["vae/fashion_1_7/random_75"] == 0
    config["images"]["ood"] = 300
    assert cost.further_images(config, cost.specs.ModelId.of("vae/fashion_1_7/unimodal")) == 1200


def test_what_is_scored_is_there(own, tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "ROOT", tmp_path)
    config = {"run": "r", "scale": "smoke", "data": "real"}
    model = cost.specs.ModelId("vae", "shirts", "unimodal")
    folder = tmp_path / "results/r/models/vae/shirts/unimodal"
    for seed in (0, 1):
        (folder / f"seed{seed}").mkdir(parents=True)
    assert cost.there(config, model, [0, 1]) == 0
    (folder / "seed1/scores.parquet").write_text("")
    assert cost.there(config, model, [0, 1, 2]) == 1


def test_disk_holds_weights_latents_and_rows(own):
    config = cost.load("smoke", own)
    model = cost.specs.ModelId("vae", "shirts", "unimodal")
    inspected = {"shirts": {"shape": (1, 28, 28), "labels": {}}}
    spec = cost.specs.model_spec(config, model, 0, inspected)
    weights = 4 * sum(p.numel() for p in cost.build(spec).parameters())
    assert cost.disk(spec, 0) == weights
    assert cost.disk(spec, 10) - weights == 10 * (300 + 2 * 8 * spec["network"]["latent_dim"])
