"""Distances to mean images for each pixel."""

import numpy as np
import pandas as pd
from tests.unit.figures.conftest import PIXEL_SETS, draw, legend_labels, pixels, steps, tick_texts

from oodpriors.figures.pixels import plot_pixel_distances

# Pixels


def test_pixel_histograms_share_axes_and_show_every_count(figure_of):
    inside, outside, variance = figure_of("fig07").axes
    assert inside.get_xlim() == outside.get_xlim()
    assert inside.get_ylim() == outside.get_ylim()
    assert [len(steps(axes)) for axes in (inside, outside, variance)] == [2, 2, 2]
    labels = [
        text for axes in (inside, outside, variance) for text in legend_labels(axes.get_legend())
    ]
    assert labels == [*("component 1", "component 2") * 2, *PIXEL_SETS.values()]
    for axes in (inside, outside, variance):
        low, top = axes.get_ylim()
        assert axes.get_yscale() == "log"
        assert [text.get_text() for text in tick_texts(axes.yaxis)][:3] == ["1", "10", "100"]
        assert 0 < low < 1
        assert all(patch.get_data()[0].max() < top for patch in steps(axes))
        assert all(patch.get_data()[0].sum() == 784 for patch in steps(axes))
        assert axes.get_xlim()[1] > max(patch.get_data()[1].max() for patch in steps(axes))


def test_a_component_without_images_is_said():
    table = pd.DataFrame({name: np.linspace(0, 1, 784) for name in pixels()})
    table["distance_ood_1"] = np.nan
    figure = draw(lambda paths: plot_pixel_distances(table, PIXEL_SETS, "", paths), [])
    inside, outside, _ = (legend_labels(axes.get_legend()) for axes in figure.axes)
    assert inside == ["component 1", "component 2"]
    assert outside == ["component 1", "component 2: no image"]
