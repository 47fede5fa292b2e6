"""Densities of the components against SciPy's."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import trapezoid

from oodpriors.analyses.densities import density_facts, density_table

every_beta = pytest.mark.parametrize("beta", [1.0, 2.0, 4.0, 4, 8.0])


def unit_variance(beta):
    """SciPy's generalised Gaussian, scaled to variance 1."""
    return stats.gennorm(beta, scale=1 / stats.gennorm(beta).std())


@every_beta
@pytest.mark.parametrize(("half_width", "n"), [(4.0, 401), (2.0, 11)])
def test_the_table_has_the_densities_of_scipy_on_its_grid(beta, half_width, n):
    table = density_table(beta, half_width, n)
    np.testing.assert_allclose(table["x"], np.linspace(-half_width, half_width, n), atol=1e-14)
    # float32 constants in the priors would be visible here
    np.testing.assert_allclose(table["gaussian"], stats.norm.pdf(table["x"]), rtol=1e-12)
    truth = unit_variance(beta).pdf(table["x"])
    np.testing.assert_allclose(table["generalized_gaussian"], truth, rtol=1e-11)


@every_beta
def test_the_densities_integrate_to_one_with_variance_one(beta):
    table = density_table(beta, half_width=15.0, n=30_001)
    for name in ("gaussian", "generalized_gaussian"):
        assert trapezoid(table[name], table["x"]) == pytest.approx(1, abs=1e-6)
        assert trapezoid(table["x"] ** 2 * table[name], table["x"]) == pytest.approx(1, abs=1e-5)


@every_beta
def test_facts_are_one_one_and_no_difference(beta):
    facts = density_facts(beta)
    assert facts.keys() == {"integral", "variance", "largest_difference"}
    # for beta = 1 a part of the tail is beyond the limit of the quadrature
    assert facts["integral"] == pytest.approx(1, abs=1e-6)
    assert facts["variance"] == pytest.approx(1, abs=2e-5)
    assert facts["largest_difference"] == pytest.approx(0, abs=1e-12)


def test_a_larger_beta_is_flatter_at_the_middle_and_lighter_in_the_tails():
    table = density_table(4.0)
    middle, end = table.iloc[200], table.iloc[0]
    assert middle["x"] == pytest.approx(0, abs=1e-12)
    for row in (middle, end):
        assert row["generalized_gaussian"] < row["gaussian"]
