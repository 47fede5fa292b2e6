"""Distances to mean images for each pixel."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from tests.unit.figures.conftest import PIXEL_SETS, draw, legend_labels, pixels, steps

from oodpriors.figures.pixels import plot_pixel_distances

# Pixels


def test_pixel_histograms_share_axes_and_say_what_is_cut_off(figure_of):
    inside, outside, variance = figure_of("fig07").axes
    assert inside.get_xlim() == outside.get_xlim()
    assert inside.get_ylim() == outside.get_ylim()
    assert [len(steps(axes)) for axes in (inside, outside, variance)] == [2, 2, 2]
    labels = [
        text for axes in (inside, outside, variance) for text in legend_labels(axes.get_legend())
    ]
    expected = [*("component 1", "component 2") * 2, *PIXEL_SETS.values()]
    assert [label.replace("\n", " ") for label in labels] == expected
    for axes in (inside, outside, variance):
        top = axes.get_ylim()[1]
        firsts = [int(patch.get_data()[0][0]) for patch in steps(axes)]
        counts = ", ".join(f"{count:,}" for count in firsts)
        heading = f"cut off; first bins: {counts}" if max(firsts) > top else ""
        assert axes.get_legend().get_title().get_text() == heading
        assert all(patch.get_data()[0][1:].max() < top for patch in steps(axes))
    assert inside.get_legend().get_title().get_text()


def test_nothing_is_cut_off_that_does_not_dwarf_the_rest():
    table = pd.DataFrame({name: np.linspace(0, 1, 784) for name in pixels()})
    table["distance_ood_1"] = np.nan  # a component without images
    figure = draw(lambda paths: plot_pixel_distances(table, PIXEL_SETS, "", paths), [])
    for axes in figure.axes:
        assert not axes.get_legend().get_title().get_text()
        assert all(patch.get_data()[0].max() < axes.get_ylim()[1] for patch in steps(axes))
    plt.close(figure)
