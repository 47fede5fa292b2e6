"""The toy of Section 3.1 against SciPy, quadrature and autograd's Jacobian."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import integrate, stats

from oodpriors.contours import contour_summary, density_grid, latent_grid
from oodpriors.priors import build_prior
from oodpriors.toy import Coupling, ToyData, ToyFlow, build_toy, entropy, fit_toy, score_toy

pytestmark = pytest.mark.usefixtures("double_precision")

DIMS = (2, 3, 10)
MEANS = {"unimodal": [[0.0]], "bimodal": [[5.0], [-5.0]]}
every_dim = pytest.mark.parametrize("dim", DIMS)
every_prior = pytest.mark.parametrize("prior", MEANS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def scipy_mixture(dim):
    """Density of the mixture from SciPy alone."""
    variances = np.diag([0.5] + [1.0] * (dim - 1))
    means = [[mean] + [0.0] * (dim - 1) for mean in (3.5, -3.5)]
    parts = [stats.multivariate_normal(mean, variances) for mean in means]
    return lambda x: np.log(np.mean([part.pdf(x) for part in parts], 0))


def random_flow(dim=2, means=MEANS["unimodal"], **network):
    """A flow with weights at which nothing is trivial."""
    flow = ToyFlow(dim, build_prior("gaussian", dim, means=means), **network)
    with torch.no_grad():
        for layer in flow.layers:
            layer.network[-1].weight.normal_(std=0.15)
            layer.network[-1].bias.normal_(std=0.15)
    return flow


def toy_spec(prior="bimodal", epochs=4, **changed):
    """A specification whose training takes a second or two."""
    return {
        "architecture": "toy",
        "dim": 2,
        "prior": {"kind": "gaussian", "means": MEANS[prior]},
        "network": {"couplings": 4, "width": 32},
        "points": 6400,
        "training": {"epochs": epochs, "batch_size": 64, "learning_rate": 5e-3},
        "seed": 0,
    } | changed


class TrueModel:
    """The data's own density in place of a model: a flow that changes nothing."""

    def __init__(self):
        self.prior = ToyData(2)

    def __call__(self, x):
        return x, x.new_zeros(len(x))


@every_dim
def test_log_prob_is_that_of_scipys_mixture(dim):
    x = 3 * torch.randn(200, dim)
    np.testing.assert_allclose(ToyData(dim).log_prob(x), scipy_mixture(dim)(x), rtol=1e-12)


@every_dim
def test_samples_follow_the_mixture_component_by_component(dim):
    x, k = ToyData(dim).sample(20_000, generator())
    assert x.dtype == torch.float64
    assert k.dtype == torch.int64
    assert abs(float(k.double().mean()) - 0.5) < 4 * 0.5 / math.sqrt(len(k))
    for component, mean in enumerate((3.5, -3.5)):
        chosen = x[k == component].numpy()
        assert stats.kstest(chosen[:, 0], stats.norm(mean, math.sqrt(0.5)).cdf).pvalue > 1e-3
        for column in chosen.T[1:]:
            assert stats.kstest(column, stats.norm.cdf).pvalue > 1e-3


@every_dim
def test_samples_out_of_distribution_have_standard_deviation_a_tenth(dim):
    x = ToyData(dim).sample_ood(5000, generator())
    assert stats.kstest(x.flatten().numpy(), stats.norm(0, 0.1).cdf).pvalue > 1e-3


@every_dim
def test_exact_means_are_those_of_monte_carlo(dim):
    data, log_prob, n = ToyData(dim), scipy_mixture(dim), 40_000
    points = {"test": data.sample(n, generator())[0], "ood": data.sample_ood(n, generator())}
    for name, x in points.items():
        values = log_prob(x.numpy())
        error = values.std() / math.sqrt(n)
        assert data.exact_means()[name] == pytest.approx(values.mean(), abs=4 * error)


@every_dim
def test_exact_mean_in_distribution_is_one_bit_below_that_of_a_component(dim):
    component = stats.norm(0, math.sqrt(0.5)).entropy() + (dim - 1) * stats.norm.entropy()
    truth = -(component + math.log(2))  # the components overlap by less than 1e-6
    assert ToyData(dim).exact_means()["test"] == pytest.approx(truth, abs=1e-5)


def test_another_mixture_than_the_papers_is_another_everywhere():
    data = ToyData(3, mean=2.0, variance=2.0, ood_variance=0.25)
    (x, k), ood = data.sample(40_000, generator()), data.sample_ood(40_000, generator(1))
    assert stats.kstest(x[k == 1, 0], stats.norm(-2, math.sqrt(2)).cdf).pvalue > 1e-3
    assert stats.kstest(ood[:, 0], stats.norm(0, 0.5).cdf).pvalue > 1e-3
    for name, points in (("test", x), ("ood", ood)):
        values = data.log_prob(points)
        assert data.exact_means()[name] == pytest.approx(
            float(values.mean()), abs=4 * float(values.std()) / 200
        )


@pytest.mark.parametrize(("dim", "test", "ood"), [(2, -3.185, -13.55), (10, -14.53, -20.94)])
def test_exact_means_are_near_the_numbers_of_the_design(dim, test, ood):
    means = ToyData(dim).exact_means()
    assert means["test"] == pytest.approx(test, abs=0.006)
    assert means["ood"] == pytest.approx(ood, abs=0.005)


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


def test_features_are_reversed_after_each_coupling():
    x = torch.randn(4, 3)
    for couplings, truth in ((1, x.flip(1)), (2, x), (3, x.flip(1))):
        prior = build_prior("gaussian", 3, means=[[0.0]])
        assert torch.equal(ToyFlow(3, prior, couplings)(x)[0], truth)


@every_dim
@pytest.mark.parametrize("couplings", [1, 4])
def test_ladj_is_that_of_autograds_jacobian(dim, couplings):
    flow, x = random_flow(dim, couplings=couplings), 2 * torch.randn(4, dim)
    ladj = flow(x)[1].detach()
    jacobians = [torch.autograd.functional.jacobian(lambda v: flow(v[None])[0][0], v) for v in x]
    truth = torch.stack([torch.linalg.slogdet(jacobian).logabsdet for jacobian in jacobians])
    assert (ladj.abs() > 1e-3).all()
    torch.testing.assert_close(ladj, truth, rtol=1e-9, atol=1e-10)


@every_dim
def test_inverse_undoes_forward_and_forward_inverse(dim):
    flow, x = random_flow(dim), 3 * torch.randn(50, dim)
    with torch.no_grad():
        torch.testing.assert_close(flow.inverse(flow(x)[0]), x)
        torch.testing.assert_close(flow(flow.inverse(x))[0], x)


@pytest.mark.parametrize("bound", [1.0, 3.0])
def test_log_scale_is_bounded_however_large_the_weights(bound):
    layer, x = Coupling(2, width=8, log_scale_bound=bound), torch.randn(20, 2)
    torch.nn.init.normal_(layer.network[-1].weight, std=1e6)
    assert (layer(x)[1].abs() <= bound).all()
    assert layer.inverse(x).isfinite().all()


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


def test_a_gradient_reaches_every_parameter():
    flow, (x, k) = random_flow(3, MEANS["bimodal"]), ToyData(3).sample(30, generator())
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


def test_density_grid_holds_the_densities_of_its_points():
    flow = random_flow(means=MEANS["bimodal"])
    grid = density_grid(flow, ToyData(2), half_width=4.0, n=9)
    x, z = (torch.tensor(grid[[f"{name}_1", f"{name}_2"]].to_numpy()) for name in "xz")
    with torch.no_grad():
        torch.testing.assert_close(flow(x)[0], z)
        np.testing.assert_allclose(grid["log_prob"], flow.log_prob(x))
    np.testing.assert_allclose(grid["log_prob_true"], scipy_mixture(2)(x), rtol=1e-10)
    np.testing.assert_allclose(grid["prior_log_prob"], flow.prior.log_prob(z))
    assert sorted(set(grid["x_1"])) == list(range(-4, 5))
    assert len(grid[["x_1", "x_2"]].drop_duplicates()) == 81


def test_latent_grid_is_the_density_grid_seen_from_the_other_side():
    flow, data = random_flow(means=MEANS["bimodal"]), ToyData(2)
    grid = latent_grid(flow, data, half_width=6.0, n=7)
    x, z = (torch.tensor(grid[[f"{name}_1", f"{name}_2"]].to_numpy()) for name in "xz")
    with torch.no_grad():
        torch.testing.assert_close(flow(x)[0], z)
        np.testing.assert_allclose(grid["log_prob"], flow.log_prob(x))
    np.testing.assert_allclose(grid["prior_log_prob"], flow.prior.log_prob(z))
    np.testing.assert_allclose(grid["log_prob_true"], data.log_prob(x))
    assert sorted(set(grid["z_2"])) == list(range(-6, 7, 2))
    assert latent_grid(flow, data, n=3)["z_1"].max() == 5 + 4


def test_contours_of_the_true_density():
    summary = contour_summary(density_grid(TrueModel(), ToyData(2)))
    between = scipy_mixture(2)(np.array([[0.0, 0.0], [1.0, 0.0]]))
    assert summary["regions"] == 2
    assert summary["at_origin"] == pytest.approx(between[0], rel=1e-12)
    assert summary["largest_between"] == pytest.approx(between[1], rel=1e-12)
    assert summary["mass_on_grid"] == pytest.approx(1, abs=1e-5)
    assert summary["mass_outside"] == pytest.approx(0.01, abs=3e-4)


def test_contours_of_one_gaussian_between_the_modes():
    model = TrueModel()
    model.prior = build_prior("gaussian", 2, means=[[0.0]])
    summary = contour_summary(density_grid(model, ToyData(2)))
    assert summary["regions"] == 1
    assert summary["largest_between"] == pytest.approx(-math.log(2 * math.pi))
    # the smallest area of 99 % is two ellipses, whose components hardly overlap
    x = np.random.default_rng(0).standard_normal((100_000, 2))
    distance = (np.abs(x[:, 0]) - 3.5) ** 2 / 0.5 + x[:, 1] ** 2
    outside = distance > stats.chi2(2).ppf(0.99)
    assert summary["mass_outside"] == pytest.approx(outside.mean(), abs=0.01)


def test_speckles_are_no_regions_and_a_bridge_joins_two():
    grid = density_grid(TrueModel(), ToyData(2))
    far = (grid["x_1"].abs() < 0.15) & (grid["x_2"] > 5)
    assert contour_summary(grid.assign(log_prob=grid["log_prob"].mask(far, -9)))["regions"] == 2
    bridge = (grid["x_2"] == 0) & (grid["x_1"].abs() < 2)
    assert contour_summary(grid.assign(log_prob=grid["log_prob"].mask(bridge, -9)))["regions"] == 1


@every_dim
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_entropy_of_gaussian_priors_is_that_of_scipy(dim, scale):
    one, far = (
        entropy(build_prior("gaussian", dim, means=means, scale=scale))
        for means in ([[1.5]], [[40.0], [-40.0]])
    )
    truth = dim * stats.norm(0, scale).entropy()
    assert one == pytest.approx(truth, rel=1e-10)
    assert far == pytest.approx(truth + math.log(2), rel=1e-10)


def test_entropy_of_other_priors_is_that_of_their_samples():
    shapes = ({"means": [[0.0]]}, {"means": [[0.0, 1.0], [0.0, -1.0], [0.0, 0.5]], "scale": 0.7})
    for shape in shapes:
        prior = build_prior("generalized_gaussian", 3, **shape)
        surprise = -prior.log_prob(prior.sample(40_000))
        error = float(surprise.std()) / 200
        assert entropy(prior) == pytest.approx(float(surprise.mean()), abs=4 * error)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ToyData(1), "at least 2 dimensions, got 1"),
        (lambda: ToyFlow(1, build_prior("gaussian", 1, means=[[0.0]])), "at least 2 dimensions"),
        (lambda: ToyFlow(3, build_prior("gaussian", 2, means=[[0.0]])), "has 2 coordinates, a po"),
        (lambda: density_grid(random_flow(), ToyData(2), n=10), "10 points a side lacks the ori"),
        (
            lambda: entropy(build_prior("gaussian", 2, means=[[0.0, 1.0], [1.0, 0.0]])),
            "components differ in 2 coordinates",
        ),
        (
            lambda: fit_toy(toy_spec(prior="trimodal"), "unused"),
            "toy data have 2 components, the prior 3",
        ),
    ],
)
def test_impossible_toys_are_refused_with_the_reason(call, message, monkeypatch):
    monkeypatch.setitem(MEANS, "trimodal", [[5.0], [0.0], [-5.0]])
    with pytest.raises(ValueError, match=message):
        call()
