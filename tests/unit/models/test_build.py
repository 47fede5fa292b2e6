"""Models are built from plain values; their weights load unchanged or are refused."""

import pytest
import torch

from oodpriors.io.errors import UserError
from oodpriors.io.files import save_yaml
from oodpriors.models.build import build_model, load_folder, load_model, save_weights
from oodpriors.models.layers import ActNorm, AdditiveCoupling, AxisConvolution, Squeeze

MEANS = [[-5.0], [5.0]]


def test_a_constant_volume_glow_is_built_on_one_grid():
    prior = {"kind": "gaussian", "means": MEANS}
    model = build_model("cv_glow", (1, 8, 8), prior, {"couplings": 3, "width": 6})
    kinds = [type(layer) for layer in model.layers]
    expected = [Squeeze, *[ActNorm, AxisConvolution, AdditiveCoupling] * 3]
    assert kinds == [*expected, *[AxisConvolution] * 3]
    assert model.latent_shape == (4, 4, 4)


def test_an_unknown_architecture_is_refused_with_those_that_there_are():
    with pytest.raises(UserError, match="architecture 'gan' is unknown; choose one of vae, glow"):
        build_model("gan", (1, 8, 8), {}, {})


def test_weights_of_another_network_are_refused_with_a_way_out(tmp_path):
    spec = {"architecture": "glow", "image_shape": [1, 8, 8]}
    spec["prior"] = {"kind": "gaussian", "means": [[0.0]]}
    network = {"couplings": 2, "squeeze_after": [], "width": 4}
    save_weights(build_model(**spec, network=network), tmp_path / "weights.pt")
    wider = spec | {"network": network | {"width": 6}}
    with pytest.raises(UserError, match=r"cannot load [\s\S]*; delete the file to train"):
        load_model(wider, tmp_path / "weights.pt")


def test_a_model_comes_back_from_its_folder_ready_to_score(tmp_path):
    spec = {"architecture": "vae", "image_shape": [1, 28, 28]}
    spec["prior"] = {"kind": "gaussian", "means": MEANS}
    spec["network"] = {"latent_dim": 2, "decoder_width": 4}
    model = build_model(**spec)
    save_weights(model, tmp_path / "weights.pt")
    with pytest.raises(UserError, match=r"holds no trained model: there is no spec\.yaml"):
        load_folder(tmp_path)
    save_yaml(tmp_path / "spec.yaml", spec | {"seed": 0})
    loaded = load_folder(str(tmp_path))
    assert not loaded.training
    x = torch.randint(256, (2, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(loaded.latents(x)["mean"], model.eval().latents(x)["mean"])
    (tmp_path / "weights.pt").unlink()
    with pytest.raises(UserError, match=r"there is no weights\.pt"):
        load_folder(tmp_path)
