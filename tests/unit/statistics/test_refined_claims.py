"""Claims about VAEs are judged by both estimates of their likelihoods."""

import numpy as np
import pandas as pd
import pytest

from oodpriors.statistics.estimates import ScoreTable
from oodpriors.statistics.quantities import Measure
from oodpriors.statistics.refined_claims import judge_both, refined_claims

N, REFINED = 40, 15


def vae(encoder, refined, seed=0):
    """Test images at 0; the set ood at ``encoder`` by one estimate, at ``refined`` by the other."""
    rng = np.random.default_rng(seed)
    tables = []
    for which, images, first, second in (
        ("test", "a.test", 0.0, 0.0),
        ("ood", "b.test", encoder, refined),
    ):
        few = np.arange(N) < REFINED
        noise = rng.normal(0, 1, N)
        columns = {"set": which, "images": images, "refined": few, "log_prob": first + noise}
        columns["log_prob_refined"] = np.where(few, second + noise, np.nan)
        tables.append(pd.DataFrame(columns).assign(latent_first=1.0, squared_distance=noise))
    return pd.concat(tables, ignore_index=True)


def trained(name, *numbers):
    return ScoreTable([vae(*numbers, seed) for seed in range(3)], range(3), name)


def glow():
    return ScoreTable([vae(-10, 0).drop(columns=["refined", "log_prob_refined"])])


SCORES = {
    "vae/f/uni": trained("vae/f/uni", -10, 20),
    "vae/f/two": trained("vae/f/two", -10, -9),
    "glow/f/uni": glow(),
}
CURVES = {
    "vae": [(0, "vae/f/uni"), (9, "vae/f/two")],
    "mixed": [(0, "vae/f/uni"), (9, "glow/f/uni")],
}
MEASURE = Measure(SCORES, 200, 0, curves=CURVES)


def mean(model, which="ood", **more):
    return {"model": model, "statistic": "mean", "set": which, **more}


def claim(left, right=0, relation="<"):
    comparison = {"left": left, "relation": relation, "right": right}
    return {"id": "C", "where": "", "text": "", "comparisons": [comparison]}


def test_a_claim_that_only_the_encoder_supports_fails_with_a_refined_posterior():
    lower = claim(mean("vae/f/uni"), mean("vae/f/uni", "test"))
    found = judge_both([lower], [], MEASURE).set_index("estimator")
    assert found["comparison_verdict"].to_dict() == {"paper": "holds", "refined": "fails"}
    np.testing.assert_allclose(found["left"], [-10, 20], atol=1)
    np.testing.assert_allclose(found["excess"], [10, -20], atol=1)


def test_only_claims_about_a_vaes_likelihood_are_judged_twice():
    claims = [claim(mean("vae/f/uni")), claim(mean("glow/f/uni")), claim({"stored": "pixels/x"})]
    assert refined_claims(claims, SCORES, CURVES) == [
        claim(mean("vae/f/uni", column="log_prob_refined"))
    ]


@pytest.mark.parametrize("column", ["squared_distance", "log_prob_refined", "log_prob_unrefined"])
def test_a_claim_that_needs_another_column_of_a_vae_is_judged_once(column):
    claims = [claim(mean("vae/f/uni"), mean("vae/f/uni", column=column))]
    assert refined_claims(claims, SCORES, CURVES) == []


def test_every_part_of_a_claim_changes_but_flows():
    parts = {"difference": [mean("vae/f/uni"), mean("glow/f/uni")]}
    curve = {"curve": "vae", "function": "range", "statistic": "mean"}
    (found,) = refined_claims([claim(parts, curve)], SCORES, CURVES)
    (comparison,) = found["comparisons"]
    changed = mean("vae/f/uni", column="log_prob_refined")
    assert comparison["left"] == {"difference": [changed, mean("glow/f/uni")]}
    assert comparison["right"] == {**curve, "column": "log_prob_refined"}


def test_a_curve_changes_only_where_all_of_its_models_are_refined():
    mixed = claim({"curve": "mixed", "function": "range", "statistic": "mean"})
    assert refined_claims([mixed], SCORES, CURVES) == []


def test_latents_are_those_of_the_refined_posterior():
    (found,) = refined_claims([claim(mean("vae/f/two", column="latent_first"))], SCORES, CURVES)
    assert found["comparisons"][0]["left"]["column"] == "latent_first_refined"


def test_a_claim_about_two_estimates_is_judged_once():
    two = claim({"ratio": [mean("vae/f/uni", column="refined_change"), mean("vae/f/two")]})
    assert refined_claims([two], SCORES, CURVES) == []
