"""A row for each model, by distance."""

import numpy as np
import pytest
from tests.unit.figures.conftest import (
    ABOUT,
    CURVES,
    NOTE,
    SCORES,
    draw,
    panels_for,
    panels_of,
    steps,
    tick_texts,
)

from oodpriors.figures.ridges import plot_ridges


@pytest.mark.parametrize(("name", "which"), [("fig14", "ood"), ("fig15", "test")])
def test_rows_are_models_by_distance_from_the_top_with_their_medians(figure_of, name, which):
    for axes, models in zip(panels_of(figure_of(name)), CURVES.values(), strict=True):
        ordered = sorted(models, key=ABOUT["distances"].__getitem__)
        names = [f"d = {ABOUT['distances'][model]:g}" for model in ordered]
        assert [text.get_text() for text in tick_texts(axes.yaxis)] == names
        medians = [np.median(SCORES[model].values(0, which)) for model in ordered]
        first, *rows = (line.get_xdata()[0] for line in axes.lines)
        assert first == medians[0]
        assert rows == medians
        for place, patch in enumerate(steps(axes)):
            heights, _, baseline = patch.get_data()
            assert baseline == -place
            assert heights.max() == pytest.approx(0.85 - place)


def test_figures_of_either_set_have_equal_axes(figure_of):
    pairs = zip(*(panels_of(figure_of(name)) for name in ("fig14", "fig15")), strict=True)
    for one, other in pairs:
        assert one.get_xlim() == other.get_xlim()
        assert one.get_xscale() == other.get_xscale()


def test_models_without_distances_keep_their_order_and_titles():
    panels = {"panel": ["vae/fashion_1_7/unimodal", *CURVES["(a) VAE, Gaussian"][1:3]]}
    distances = {panels["panel"][2]: 20}
    figure = draw(lambda paths: plot_ridges(panels_for(panels), distances, "ood", NOTE, paths), [])
    (axes,) = panels_of(figure)
    texts = [text.get_text() for text in tick_texts(axes.yaxis)]
    assert texts == ["uni", "Gaussian, d = 10", "d = 20"]
