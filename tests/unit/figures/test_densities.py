"""Densities of the two kinds of components."""

import numpy as np
from tests.unit.figures.conftest import densities


def test_densities_are_drawn_as_given(figure_of):
    (axes,) = figure_of("fig03").axes
    for line, column in zip(axes.lines, ("gaussian", "generalized_gaussian"), strict=True):
        np.testing.assert_allclose(line.get_ydata(), densities()[column])
