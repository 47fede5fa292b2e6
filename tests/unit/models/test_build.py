"""Models are built from plain values; their weights load unchanged or are refused."""

import pytest

from oodpriors.io.errors import UserError
from oodpriors.models.build import build_model, load_model, save_weights
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
