"""A model takes images of uint8 pixels in its own shape; anything else is refused."""

import numpy as np
import pytest
import torch

from oodpriors.io.errors import UserError
from oodpriors.models import base
from oodpriors.models.annealing import lower_bound, upper_bound
from oodpriors.models.build import build_model
from oodpriors.models.likelihood import flow_log_prob, importance_weighted_log_prob
from oodpriors.models.refinement import Refinement, refine, refined_log_prob
from oodpriors.scoring.score_files import score
from oodpriors.training.fit import fit

SHAPE = (1, 28, 28)
PRIOR = {"kind": "gaussian", "means": [[1.0], [-1.0]]}
NETWORKS = {
    "vae": {"latent_dim": 2, "decoder_width": 4},
    "glow": {"couplings": 2, "squeeze_after": [], "width": 4},
    "cv_glow": {"couplings": 2, "width": 4},
}
CALLS = {
    "scores": lambda model, x: model.scores(x, 2),
    "log_prob": lambda model, x: model.log_prob(x, 2),
    "latents": lambda model, x: model.latents(x),
    "score": lambda model, x: score(model, x.numpy(), 2, seed=0),
    "score of a tensor": lambda model, x: score(model, x, 2, seed=0),
}
LATENTS = torch.zeros(2, 2)
VAE_CALLS = {
    "encode": lambda model, x: model.encode(x),
    "log_likelihood": lambda model, x: model.log_likelihood(x, LATENTS),
    "importance weights": lambda model, x: importance_weighted_log_prob(model, x, 2),
    "refine": lambda model, x: refine(model, x, Refinement()),
    "refined_log_prob": lambda model, x: refined_log_prob(model, x, Refinement()),
    "lower_bound": lambda model, x: lower_bound(model, x, 2, 1),
    "upper_bound": lambda model, x: upper_bound(model, x, LATENTS, 2, 1),
}
GLOW_CALLS = {
    "initialize": lambda model, x: model.initialize(x),
    "transform": lambda model, x: model.transform(x),
    "diagnostics": lambda model, x: model.diagnostics(x),
    "flow_log_prob": lambda model, x: flow_log_prob(model, x),
}
REFUSED = {
    "float32": (
        torch.rand(2, *SHAPE),
        r"must be uint8, from 0 to 255, and are float32; .*255 \* x",
    ),
    "int64": (torch.ones(2, *SHAPE, dtype=torch.long), "must be uint8, .* and are int64"),
    "channels last": (
        torch.zeros(2, 28, 28, 1, dtype=torch.uint8),
        r"images are \(2, 28, 28, 1\), the model takes \(number, 1, 28, 28\)",
    ),
    "no channel": (
        torch.zeros(2, 28, 28, dtype=torch.uint8),
        r"images are \(2, 28, 28\), the model takes \(number, 1, 28, 28\)",
    ),
}


def images(n: int = 2) -> torch.Tensor:
    return torch.randint(256, (n, *SHAPE), dtype=torch.uint8)


@pytest.fixture(params=NETWORKS)
def model(request):
    model = build_model(request.param, SHAPE, PRIOR, NETWORKS[request.param])
    model.initialize(images(8))
    return model.eval()


@pytest.mark.parametrize(("x", "message"), REFUSED.values(), ids=REFUSED)
def test_nothing_is_trained_on_what_is_no_batch_of_images(x, message, tmp_path):
    spec = {"architecture": "glow", "image_shape": list(SHAPE), "prior": PRIOR}
    with pytest.raises(UserError, match=message):
        fit(spec, x.numpy(), np.arange(len(x)), tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("x", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_batch_of_its_images_is_refused(model, call, x, message):
    with pytest.raises(UserError, match=message):
        call(model, x)


def test_no_other_call_takes_pixels_that_are_not_uint8(model):
    own = VAE_CALLS if hasattr(model, "encoder") else GLOW_CALLS
    calls = own | {"loss": lambda model, x: model.loss(x, torch.zeros(2, dtype=torch.long))}
    for name, call in calls.items():
        for kind in ("float32", "int64"):
            with pytest.raises(UserError, match=f"must be uint8, .* and are {kind}"):
                pytest.fail(f"{name} takes them: {call(model, REFUSED[kind][0])}")


def test_no_image_gives_no_score(model):
    for call in (CALLS["score"], CALLS["scores"]):
        with pytest.raises(UserError, match="there are no images to score"):
            call(model, images(0))


@pytest.mark.parametrize("of", [torch.Tensor.numpy, torch.Tensor.tolist])
def test_what_is_no_tensor_is_refused_with_what_makes_one(model, of):
    with pytest.raises(UserError, match=r"not a tensor; use torch.from_numpy\(images\)"):
        model.log_prob(of(images()), 2)


def test_a_model_with_batch_norm_scores_in_evaluation_mode_alone():
    model = build_model("vae", SHAPE, PRIOR, NETWORKS["vae"])
    for name in ("scores", "latents", "score"):
        with pytest.raises(UserError, match=r"training mode: call model.eval\(\) first"):
            CALLS[name](model, images())


def test_images_are_scored_and_the_default_number_of_draws_is_the_paper_s(model, monkeypatch):
    table, latents = score(model, images().numpy(), 2, seed=0)
    assert np.isfinite(table["log_prob"]).all()
    assert len(latents["mean"]) == 2
    asked = []
    monkeypatch.setattr(model, "_scores", lambda x, n: asked.append(n) or {"log_prob": x})
    model.log_prob(images())
    model.log_prob(images(), 0)
    assert asked == [5000 if hasattr(model, "encoder") else 1, 0]


@pytest.mark.parametrize(
    ("precision", "gpu", "fast", "low"),
    [
        ("auto", False, False, False),
        ("auto", False, True, True),
        ("auto", True, False, True),
        ("float32", True, True, False),
        ("bfloat16", False, False, True),
    ],
)
@pytest.mark.parametrize("kind", NETWORKS)
def test_auto_is_bfloat16_where_it_is_fast(kind, precision, gpu, fast, low, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(base, "fast_bfloat16", lambda: fast)
    key = "decoder_precision" if kind == "vae" else "precision"
    model = build_model(kind, SHAPE, PRIOR, NETWORKS[kind] | {key: precision})
    assert {m.low_precision for m in model.modules() if hasattr(m, "low_precision")} == {low}
