"""The toy flows of Section 3.1 against SciPy, quadrature and autograd's Jacobian."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import integrate, stats
from tests.unit.toy.conftest import MEANS, every_dim, generator, random_flow, scipy_mixture

from oodpriors.io.errors import UserError
from oodpriors.priors import build_prior
from oodpriors.toy.flow import Coupling, ToyFlow, build_toy, fit_toy, score_toy
from oodpriors.toy.mixture import ToyData, entropy

pytestmark = pytest.mark.usefixtures("double_precision")


every_prior = pytest.mark.parametrize("prior", MEANS)


BOUNDS = (0.5, 1, 2.0, 4.0, None)


every_bound = pytest.mark.parametrize("bound", BOUNDS)


def toy_spec(prior="bimodal", epochs=4, **changed):
    """A specification with a training of one or two seconds."""
    return {
        "architecture": "toy",
        "dim": 2,
        "prior": {"kind": "gaussian", "means": MEANS[prior]},
        "network": {"couplings": 4, "width": 32},
        "points": 6400,
        "training": {"epochs": epochs, "batch_size": 64, "learning_rate": 5e-3},
        "seed": 0,
    } | changed


@every_dim
def test_a_coupling_starts_as_the_identity_and_keeps_its_first_half(dim):
    layer, x = Coupling(dim, width=8), torch.randn(5, dim)
    y, ladj = layer(x)
    assert torch.equal(y, x)
    assert torch.equal(ladj, torch.zeros(5))
    torch.nn.init.normal_(layer.network[-1].weight)
    y = layer(x)[0]
    assert torch.equal(y[:, : dim // 2], x[:, : dim // 2])
    assert (y[:, dim // 2 :] != x[:, dim // 2 :]).all()


@pytest.mark.parametrize(
    ("points", "found"),
    [
        (torch.zeros(4, 3, dtype=torch.float64), r"torch.float64 \(4, 3\)"),
        (torch.zeros(4, 1, 28, 28, dtype=torch.uint8), r"torch.uint8 \(4, 1, 28, 28\)"),
        (torch.zeros(4, 2, dtype=torch.float32), r"torch.float32 \(4, 2\)"),
    ],
)
def test_what_are_no_points_is_refused(points, found):
    flow = ToyFlow(2, build_prior("gaussian", 2, means=[[0.0]]))
    with pytest.raises(UserError, match=r"must be torch.float64 \(number, 2\), and are " + found):
        flow.log_prob(points)


def test_features_are_reversed_after_each_coupling():
    x = torch.randn(4, 3)
    for couplings, truth in ((1, x.flip(1)), (2, x), (3, x.flip(1))):
        prior = build_prior("gaussian", 3, means=[[0.0]])
        assert torch.equal(ToyFlow(3, prior, couplings)(x)[0], truth)


@every_dim
@every_bound
@pytest.mark.parametrize("couplings", [1, 4])
def test_ladj_is_that_of_autograds_jacobian(dim, bound, couplings):
    flow = random_flow(dim, couplings=couplings, log_scale_bound=bound)
    x = 2 * torch.randn(4, dim)
    ladj = flow(x)[1].detach()
    jacobians = [torch.autograd.functional.jacobian(lambda v: flow(v[None])[0][0], v) for v in x]
    truth = torch.stack([torch.linalg.slogdet(jacobian).logabsdet for jacobian in jacobians])
    assert (ladj.abs() > 1e-3).all()
    torch.testing.assert_close(ladj, truth, rtol=1e-9, atol=1e-10)


@every_dim
@every_bound
def test_inverse_undoes_forward_and_forward_inverse(dim, bound):
    # without a bound, the inverse of a point far away overflows
    reach = 3 if bound else 0.5
    flow, x = random_flow(dim, log_scale_bound=bound), reach * torch.randn(50, dim)
    with torch.no_grad():
        torch.testing.assert_close(flow.inverse(flow(x)[0]), x)
        torch.testing.assert_close(flow(flow.inverse(x))[0], x)


@pytest.mark.parametrize("bound", BOUNDS[:-1])
def test_log_scale_comes_up_to_its_bound_however_large_the_weights(bound):
    layer, x = Coupling(2, 8, bound), torch.randn(20, 2)
    torch.nn.init.normal_(layer.network[-1].weight, std=1e6)
    assert float(layer(x)[1].detach().abs().max()) == bound
    assert layer.inverse(x).isfinite().all()


def log_scale_and_raw(bound):
    """A coupling's log-scales (20, 1) of points in two dimensions, and h before the bound."""
    layer, x = Coupling(2, 8, bound), torch.randn(20, 2)
    torch.nn.init.normal_(layer.network[-1].weight, std=10)
    raw = []
    layer.network.register_forward_hook(lambda _, __, output: raw.append(output))
    ladj = layer(x)[1]
    return ladj[:, None], raw[0]


@every_bound
def test_the_gradient_through_the_bound_is_that_of_a_tanh(bound):
    log_scale, raw = log_scale_and_raw(bound)
    (gradient,) = torch.autograd.grad(log_scale.sum(), raw)
    assert (gradient[:, :1] == 0).all()  # of the shift
    truth = 1 - (log_scale / bound).square() if bound else torch.ones_like(log_scale)
    torch.testing.assert_close(gradient[:, 1:], truth)


def test_without_a_bound_the_log_scale_is_the_networks_output():
    log_scale, raw = log_scale_and_raw(None)
    assert torch.equal(log_scale, raw[:, 1:])
    assert log_scale.abs().max() > 1


def test_the_default_bound_is_one():
    torch.manual_seed(0)
    prior = build_prior("gaussian", 2, means=[[0.0]])
    layer = ToyFlow(2, prior, 1, 8).layers[0]
    torch.nn.init.normal_(layer.network[-1].weight)
    x = torch.randn(20, 2)
    assert torch.equal(layer(x)[1], layer.network(x[:, :1])[:, 1].tanh())


@every_prior
def test_density_of_a_flow_integrates_to_one(prior):
    flow = random_flow(means=[[0.0]] if prior == "unimodal" else [[2.0], [-2.0]], width=8)
    side = torch.linspace(-20, 20, 401)
    with torch.no_grad():
        density = flow.log_prob(torch.cartesian_prod(side, side)).exp().view(401, 401)
    total = integrate.trapezoid(integrate.trapezoid(density, side), side)
    assert total == pytest.approx(1, abs=1e-4)


@torch.no_grad()
@every_prior
def test_loss_is_minus_the_mean_density_under_the_assigned_components(prior):
    flow, (x, k) = random_flow(3, MEANS[prior]), ToyData(3).sample(30, generator())
    k = k.clamp(max=len(MEANS[prior]) - 1)
    z, ladj = flow(x)
    centres = torch.nn.functional.pad(torch.tensor(MEANS[prior]), (0, 2))[k]
    truth = stats.norm.logpdf(z, centres).sum(-1).mean() + float(ladj.mean())
    terms = flow.loss(x, k)
    assert float(terms["loss"]) == pytest.approx(-truth, rel=1e-12)
    assert float(terms["prior"] + terms["log_det"]) == pytest.approx(truth, rel=1e-12)


@every_bound
def test_a_gradient_reaches_every_parameter(bound):
    flow = random_flow(3, MEANS["bimodal"], log_scale_bound=bound)
    x, k = ToyData(3).sample(30, generator())
    flow.loss(x, k)["loss"].backward()
    assert all((p.grad != 0).any() for p in flow.parameters())


@every_prior
@every_dim
def test_scores_add_up_and_are_the_log_prob_of_the_model(prior, dim):
    flow, data = random_flow(dim, MEANS[prior]), ToyData(dim)
    table = score_toy(flow, data, 40, seed=7)
    parts = table[list(flow.parts)]
    components = [f"log_prob_component_{k}" for k in range(len(MEANS[prior]))]
    mixture = np.logaddexp.reduce(table[components], 1) - math.log(len(components))
    assert all(dtype == np.float64 for dtype in parts.dtypes)
    np.testing.assert_allclose(parts.sum(axis=1), table["log_prob"], rtol=1e-12)
    np.testing.assert_allclose(mixture, table["log_prob"], rtol=1e-12)
    if dim == 2:
        x = torch.tensor(table[["x_1", "x_2"]].to_numpy())
        with torch.no_grad():
            np.testing.assert_allclose(flow.log_prob(x), table["log_prob"], rtol=1e-12)
        np.testing.assert_allclose(scipy_mixture(2)(x), table["log_prob_true"], rtol=1e-10)


def test_score_files_name_sets_points_and_components():
    table = score_toy(random_flow(3, MEANS["bimodal"]), ToyData(3), 50, seed=7)
    assert list(table.columns[:4]) == ["set", "images", "index", "label"]
    names = table.groupby("set")["images"].unique().str.join(" ").to_dict()
    assert names == {"test": "mixture_3.test", "ood": "gaussian_3.test"}
    assert table["index"].tolist() == 2 * list(range(50))
    test, ood = table[table["set"] == "test"], table[table["set"] == "ood"]
    assert ((test["x_1"] > 0) == (test["label"] == 0)).all()
    assert (ood["label"] == -1).all()
    assert ood["x_1"].abs().max() < 0.5


def test_every_model_is_scored_on_the_same_points():
    tables = [score_toy(random_flow(means=means), ToyData(2), 30, 7) for means in MEANS.values()]
    columns = ["set", "images", "index", "label", "x_1", "x_2", "log_prob_true"]
    pd.testing.assert_frame_equal(tables[0][columns], tables[1][columns])
    assert not tables[0]["log_prob"].equals(tables[1]["log_prob"])


@every_prior
def test_training_approaches_the_truth_from_below(prior, tmp_path):
    spec, data = toy_spec(prior), ToyData(2)
    trained = fit_toy(spec, tmp_path / "checkpoint.pt")
    before, after = (score_toy(m, data, 5000, 9) for m in (build_toy(spec), trained.model))
    gains = {
        name: (table["log_prob"] - table["log_prob_true"])[table["set"] == "test"]
        for name, table in (("before", before), ("after", after))
    }
    error = gains["after"].std() / math.sqrt(5000)
    assert gains["after"].mean() < 3 * error
    assert gains["after"].mean() > -0.4
    assert gains["before"].mean() < -1
    assert trained.history["loss"].iloc[-1] < trained.history["loss"].iloc[0]
    assert trained.diagnostics["steps"] == 400
    assert trained.diagnostics["round_trip_error"] < 1e-9


def test_a_flow_without_a_bound_trains(tmp_path):
    network = {"couplings": 4, "width": 32, "log_scale_bound": None}
    trained = fit_toy(toy_spec(epochs=1, network=network), tmp_path / "checkpoint.pt")
    assert trained.model.layers[0].log_scale_bound is None
    assert score_toy(trained.model, ToyData(2), 100, 9)["log_prob"].notna().all()


def test_same_seed_same_bits_and_another_seed_other_points(tmp_path):
    short = {"epochs": 1, "batch_size": 64}
    specs = [toy_spec(points=640, training=short, seed=seed) for seed in (3, 3, 4)]
    fits = [fit_toy(spec, tmp_path / str(number)) for number, spec in enumerate(specs)]
    weights = [torch.nn.utils.parameters_to_vector(fit.model.parameters()) for fit in fits]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_training_and_test_points_differ_under_one_seed(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(ToyFlow, "initialize", lambda self, x: seen.append(x))
    short = {"epochs": 1, "batch_size": 64, "initialization_batch": 640}
    model = fit_toy(toy_spec(points=640, training=short), tmp_path / "checkpoint.pt").model
    table = score_toy(model, ToyData(2), 640, seed=0)
    assert not set(table["x_1"]) & set(seen[0][:, 0].tolist())


def test_weights_load_into_a_fresh_toy_in_double_precision():
    model = build_toy(toy_spec(seed=1))
    fresh = build_toy(toy_spec(seed=2))
    fresh.load_state_dict(model.state_dict())
    x = torch.randn(5, 2)
    assert {p.dtype for p in fresh.parameters()} == {torch.float64}
    assert torch.equal(fresh.log_prob(x), model.log_prob(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ToyData(1), "at least 2 dimensions, got 1"),
        (lambda: ToyFlow(1, build_prior("gaussian", 1, means=[[0.0]])), "at least 2 dimensions"),
        (lambda: ToyFlow(3, build_prior("gaussian", 2, means=[[0.0]])), "has 2 coordinates, a po"),
        (
            lambda: entropy(build_prior("gaussian", 2, means=[[0.0, 1.0], [1.0, 0.0]])),
            "components differ in 2 coordinates",
        ),
        (
            lambda: fit_toy(toy_spec(prior="trimodal"), "unused"),
            "toy data have 2 components, the prior 3",
        ),
        *(
            (
                lambda bound=bound: random_flow(log_scale_bound=bound),
                f"positive and finite, or None for no bound, got {bound}",
            )
            for bound in (0, -1.0, math.inf, math.nan)
        ),
    ],
)
def test_impossible_toys_are_refused_with_the_reason(call, message, monkeypatch):
    monkeypatch.setitem(MEANS, "trimodal", [[5.0], [0.0], [-5.0]])
    with pytest.raises(ValueError, match=message):
        call()
