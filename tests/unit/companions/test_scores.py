"""Companion scores against independent computations, and which way they point."""

import dataclasses
import io
import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import chi2, entropy, gaussian_kde, gennorm, kstest, norm
from tests.unit.companions.conftest import DIM, SIZES, gaussian, table

from oodpriors.companions import scores
from oodpriors.companions.training import NotApplicable, Training
from oodpriors.priors import GeneralizedGaussianPrior

N = sum(SIZES.values())


def changed(training, **columns):
    return dataclasses.replace(training, scores=training.scores.assign(**columns))


def test_typicality_is_the_distance_to_the_mean_of_the_training_images(flow):
    log_p = flow.scores["log_prob"]
    mean = log_p[flow.scores["set"] == "train"].mean()
    np.testing.assert_allclose(scores.typicality(flow), -(log_p - mean).abs())


def test_a_shift_of_log_p_changes_no_typicality(flow):
    shifted = changed(flow, log_prob=flow.scores["log_prob"] + 1000)
    np.testing.assert_allclose(scores.typicality(shifted), scores.typicality(flow), atol=1e-9)


def test_the_typicality_of_a_batch_is_that_of_its_mean(flow):
    batches = flow.in_batches(5)
    mean = flow.scores.loc[flow.scores["set"] == "train", "log_prob"].mean()
    expected = -(batches.scores["log_prob"] - mean).abs()
    np.testing.assert_allclose(scores.typicality(batches), expected)


def test_an_image_without_likelihood_is_the_least_typical(flow):
    flow.scores.loc[N - 1, "log_prob"] = -np.inf
    found = scores.typicality(flow)
    assert np.isneginf(found[-1])
    assert np.isfinite(found[:-1]).all()


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3), (1, 9, 1)])
def test_png_sizes_are_those_of_the_files_and_are_found_by_index(tmp_path, shape):
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    images = np.stack([noise, np.zeros(shape, np.uint8)])
    sizes = scores.png_sizes({"images": images, "index": np.array([40, 30])})
    for image, index in zip(images, (40, 30), strict=True):
        file = io.BytesIO()
        Image.fromarray(image.reshape(shape[:2]) if shape[-1] == 1 else image).save(
            file, "PNG", optimize=True
        )
        assert sizes[index] == pytest.approx(len(file.getvalue()) * math.log(256))
    assert sizes[40] > sizes[30]


def test_log_p_is_corrected_by_the_size_of_the_same_image(flow):
    sizes = {
        name: pd.Series(np.arange(50) + start) for name, start in (("f.test", 0), ("m.test", 100))
    }
    given = dataclasses.replace(flow, sizes=sizes)
    rows = flow.scores["set"] != "train"
    expected = flow.scores["index"] + 100.0 * (flow.scores["set"] == "ood")
    np.testing.assert_allclose(scores.complexity(given)[rows], expected[rows])
    total = (flow.scores["log_prob"] + expected)[rows]
    np.testing.assert_allclose(scores.corrected(given)[rows], total)
    assert np.isnan(scores.complexity(given)[~rows]).all()


def test_without_images_there_is_no_complexity(flow):
    with pytest.raises(NotApplicable, match="no images"):
        scores.corrected(flow)


def test_a_likelihood_ratio_is_of_the_same_image_under_both_models(flow):
    # the other model has its images in another order, and more of them
    keys = pd.MultiIndex.from_frame(flow.scores[["set", "index"]])
    background = pd.Series(np.arange(N) * 1.0, keys).iloc[::-1]
    more = pd.Series(1e9, pd.MultiIndex.from_tuples([("test", 10_000)]))
    given = dataclasses.replace(flow, background=pd.concat([more, background]))
    exact = flow.scores["log_prob"] - np.arange(N)
    np.testing.assert_allclose(scores.likelihood_ratio(given), exact)
    assert np.isnan(scores.likelihood_ratio(dataclasses.replace(flow, background=more))).all()


def test_an_impossible_image_has_the_lowest_ratio_whatever_the_background_says(flow):
    keys = pd.MultiIndex.from_frame(flow.scores[["set", "index"]])
    background = pd.Series(-5.0, keys)
    background.iloc[[0, 1]] = -np.inf
    given = dataclasses.replace(changed(flow, log_prob=0.0), background=background)
    given.scores.loc[[0, 2], "log_prob"] = -np.inf
    assert scores.likelihood_ratio(given)[:4].tolist() == [-np.inf, np.inf, -np.inf, 5]


def test_without_a_background_model_there_is_no_ratio(flow):
    with pytest.raises(NotApplicable, match="mutations"):
        scores.likelihood_ratio(flow)


def with_norms(flow, n=60, **layers):
    """Log norms of some images of each set, in another order than that of the scores."""
    kept = flow.scores[flow.scores["index"] < n]
    keys = pd.MultiIndex.from_frame(kept[["set", "index"]])
    given = np.random.default_rng(7).normal([3, -2], [0.5, 2], (len(keys), 2))
    norms = pd.DataFrame(given, keys, ["gradient_a", "gradient_b"]).assign(**layers)
    return dataclasses.replace(flow, gradients=norms.sample(frac=1, random_state=0))


def test_gradient_norms_are_scored_by_a_gaussian_for_each_layer(flow):
    given = with_norms(flow)
    found = scores.gradient_norms(given)
    fits = [
        norm(column.loc["train"].mean(), column.loc["train"].std(ddof=0))
        for _, column in given.gradients.items()
    ]
    for place in (0, 30, 90, 140):
        row = flow.scores.loc[place]
        if row["index"] >= 60:
            assert np.isnan(found[place])
            continue
        values = given.gradients.loc[(row["set"], row["index"])]
        exact = sum(fit.logpdf(value) for fit, value in zip(fits, values, strict=True))
        assert found[place] == pytest.approx(exact)
    assert np.isnan(found).sum() == (flow.scores["index"] >= 60).sum() > 0


def test_the_scale_of_a_layer_and_layers_without_a_fit_change_nothing(flow):
    # the norm of a layer in other units, one that never varies, one that is 0 for a training image
    given = with_norms(flow)
    norms = given.gradients.assign(gradient_c=5.0, gradient_d=given.gradients["gradient_a"])
    norms.loc[("train", 3), "gradient_d"] = -np.inf
    norms["gradient_b"] += 1000
    changed_ = dataclasses.replace(given, gradients=norms)
    np.testing.assert_allclose(scores.gradient_norms(changed_), scores.gradient_norms(given))


def test_an_image_without_a_gradient_where_training_images_have_one_is_the_least(flow):
    given = with_norms(flow)
    given.gradients.loc[("ood", 4), "gradient_a"] = -np.inf
    found = scores.gradient_norms(given)
    place = flow.scores.index[(flow.scores["set"] == "ood") & (flow.scores["index"] == 4)][0]
    assert np.isneginf(found[place])
    assert np.isneginf(found).sum() == 1


def test_without_gradients_or_with_few_there_is_no_score(flow):
    with pytest.raises(NotApplicable, match=r"gradients\.images"):
        scores.gradient_norms(flow)
    with pytest.raises(NotApplicable, match="9 training images"):
        scores.gradient_norms(with_norms(flow, 9))
    given = with_norms(flow)
    given.gradients.loc[:] = 1.0
    with pytest.raises(NotApplicable, match="no layer"):
        scores.gradient_norms(given)


def test_waic_is_the_mean_less_the_variance():
    log_p = np.array([[-10.0, -5.0, -np.inf], [-12.0, -5.0, -3.0], [-14.0, -5.0, -3.0]])
    np.testing.assert_allclose(scores.waic(log_p), [-12 - 4, -5, -np.inf])


def test_one_training_gives_no_waic():
    with pytest.raises(NotApplicable, match="one training"):
        scores.waic(np.zeros((1, 3)))


def parts_of(flow):
    rng = np.random.default_rng(3)
    return changed(flow, prior_rest=rng.normal(5, 9, N), prior_separating=0.0)


def test_the_density_of_the_parts_is_the_product_of_their_densities(flow):
    flow = parts_of(flow)
    names = ["log_prob", "prior_rest", "latent_norm_squared"]  # the others do not vary
    train = flow.scores[flow.scores["set"] == "train"]
    exact = sum(gaussian_kde(train[name]).logpdf(flow.scores[name]) for name in names)
    found = scores.parts_kernels(flow)
    constant = sum(np.log(train[name].std(ddof=0)) for name in names)
    np.testing.assert_allclose(found - constant, exact)


@pytest.mark.parametrize("score", [scores.parts_kernels, scores.parts_machine])
def test_the_units_of_the_parts_change_no_order(flow, score):
    flow = parts_of(flow)
    scaled = changed(flow, prior_rest=flow.scores["prior_rest"] * 1000 - 7)
    np.testing.assert_allclose(score(scaled), score(flow), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("score", [scores.parts_kernels, scores.parts_machine])
def test_parts_that_no_training_image_has_are_the_least(flow, score):
    flow = parts_of(flow)
    flow.scores.loc[N - 1, "log_prob"] = -np.inf
    flow.scores.loc[N - 2, "prior_rest"] = 1e4
    found = score(flow)
    assert np.isneginf(found[-1])
    assert found[-2] <= found[:-2].min()


def test_the_one_class_machine_leaves_out_a_tenth_of_the_training_images(flow):
    inside = scores.parts_machine(parts_of(flow))[flow.train] > 0
    assert inside.mean() == pytest.approx(0.9, abs=0.06)


def test_log_odds_of_two_gaussians_are_linear_in_the_first_coordinate(flow):
    np.testing.assert_allclose(scores.log_odds(flow), 6 * np.abs(flow.means[:, 0]))


def test_certainty_is_minus_the_entropy_of_the_component(flow):
    odds = np.exp(6 * flow.means[:, 0])
    exact = entropy(np.stack([odds / (1 + odds), 1 / (1 + odds)]))
    np.testing.assert_allclose(scores.certainty(flow), -exact, atol=1e-9)


def test_odds_of_three_components():
    values = np.log([[0.5, 0.2, 0.3], [1 / 3, 1 / 3, 1 / 3]])
    columns = {f"log_prob_component_{k}": values[:, k] - 900 for k in range(3)}
    training = Training(pd.DataFrame(columns), None)
    np.testing.assert_allclose(scores.log_odds(training), [0, -math.log(2)], atol=1e-9)
    np.testing.assert_allclose(scores.certainty(training), -entropy(np.exp(values), axis=1))


def test_components_without_likelihood():
    columns = {"log_prob_component_0": [-np.inf, -np.inf], "log_prob_component_1": [-5.0, -np.inf]}
    training = Training(pd.DataFrame(columns), None)
    np.testing.assert_array_equal(scores.log_odds(training), [np.inf, 0])
    np.testing.assert_allclose(scores.certainty(training), [0, -math.log(2)])


@pytest.mark.parametrize("score", [scores.log_odds, scores.certainty])
def test_one_component_has_no_odds(score):
    with pytest.raises(NotApplicable, match="one component"):
        score(Training(table(log_prob_component_0=0.0), None))


def norms(prior, values, stds=None):
    values = np.asarray(values, float)
    rows = pd.DataFrame({"latent_norm_squared": values})
    return Training(rows, prior, means=np.zeros((len(values), DIM)), stds=stds)


def test_the_norm_has_the_two_sided_p_value_of_chi_square():
    dim = 200
    values = chi2(dim).ppf(np.linspace(0.001, 0.999, 60))
    training = norms(gaussian(dim=dim), values)
    training = dataclasses.replace(training, means=np.zeros((60, dim)))
    p_values = 2 * np.minimum(chi2(dim).cdf(values), chi2(dim).sf(values))
    found = scores.norm_typicality(training)
    np.testing.assert_allclose(chi2(1).sf(found**2), p_values, atol=0.01)


def test_norms_far_away_have_no_ties():
    found = scores.norm_typicality(norms(gaussian(), [1e4, 1e5, 1e6, np.inf]))
    assert (np.diff(found) < 0).all()


def test_the_norm_of_components_of_another_shape_and_scale():
    prior = GeneralizedGaussianPrior([[9.0]], DIM, 2.0, beta=4).double()
    squares = gennorm(4).rvs((20_000, DIM), random_state=0) ** 2 / gennorm(4).var()
    found = scores.norm_typicality(norms(prior, squares.sum(1)))
    assert found.std() == pytest.approx(math.sqrt(1 - 2 / math.pi), rel=0.05)  # of a |normal|
    assert found.mean() == pytest.approx(-math.sqrt(2 / math.pi), rel=0.05)


def test_the_norm_under_a_posterior_is_that_of_a_draw(vae):
    nearest = vae.prior.means.numpy()[vae.scores["nearest_component"].to_numpy()]
    flow = norms(vae.prior, ((vae.latents - nearest) ** 2).sum(1))
    np.testing.assert_allclose(scores.norm_typicality(vae), scores.norm_typicality(flow))


def test_draws_from_the_prior_by_a_matched_posterior_are_typical():
    # means and variances of a model in which 10 of 50 coordinates are active
    rng, dim = np.random.default_rng(0), 50
    stds = np.where(np.arange(dim) < 10, 0.1, 1.0) * np.ones((5000, 1))
    means = rng.normal(size=(5000, dim)) * np.sqrt(1 - stds**2)
    table = pd.DataFrame({"nearest_component": np.zeros(5000, int), "latent_norm_squared": 0.0})
    found = scores.norm_typicality(Training(table, gaussian(dim=dim), means=means, stds=stds))
    assert found.mean() == pytest.approx(-math.sqrt(2 / math.pi), rel=0.05)  # of -|normal|


@pytest.mark.parametrize("means", [[[0.0]], [[4.0], [-4.0]]])
def test_the_fit_of_the_coordinates_is_that_of_scipy(means):
    prior = gaussian(means, dim=60, scale=2.0)
    rng = np.random.default_rng(0)
    z, nearest = rng.normal(0, 3, (20, 60)), rng.integers(0, len(means), 20)
    training = Training(pd.DataFrame({"nearest_component": nearest}), prior, means=z)
    centred = (z - prior.means.numpy()[nearest]) / 2
    exact = [-kstest(row, "norm").statistic for row in centred]
    np.testing.assert_allclose(scores.coordinate_fit(training), exact, atol=0.006)


def test_reference_draws_leave_the_generator_as_it_was(flow):
    import torch

    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    first = scores.coordinate_fit(flow)
    assert torch.rand(1) == before
    np.testing.assert_array_equal(scores.coordinate_fit(flow), first)


def test_regret_is_minus_the_gain_and_only_of_refined_models(flow):
    gain = np.arange(N, dtype=float)
    refined = changed(flow, refinement_gain=gain, log_prob_refined=2 * gain)
    np.testing.assert_array_equal(scores.regret(refined), -gain)
    np.testing.assert_array_equal(scores.refined(refined), 2 * gain)
    for score in (scores.regret, scores.refined):
        with pytest.raises(NotApplicable, match="no refined"):
            score(flow)
