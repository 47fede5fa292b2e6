"""Images are drawn unchanged."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tests.unit.figures.conftest import (
    BIMODAL_ROWS,
    NOTE,
    UNIMODAL_ROWS,
    draw,
    drawn_images,
    images,
)

from oodpriors.figures.images import decoded_rows, plot_decoded


@pytest.mark.parametrize(
    ("name", "lines", "right"), [("fig11", 1, 8), ("fig12", 2, 8)], ids=["bimodal", "unimodal"]
)
def test_rows_of_images_are_drawn_one_to_one(figure_of, name, lines, right):
    rows = {"fig11": BIMODAL_ROWS, "fig12": UNIMODAL_ROWS}[name]
    figure = figure_of(name)
    assert len(figure.axes) == 2 * len(rows)
    for i, (label, left_images, right_images) in enumerate(rows):
        left_axes, right_axes = figure.axes[2 * i : 2 * i + 2]
        assert left_axes.get_ylabel().replace("\n", " ") == label
        np.testing.assert_allclose(drawn_images(left_axes)[..., 0], left_images[0])
        canvas = drawn_images(right_axes)
        assert canvas.shape == (lines * 30 - 2, right * 30 - 2, 3)
        np.testing.assert_allclose(canvas[:28, 30:58, 1], right_images[1])
        sizes = [
            abs(axes.transData.transform([[0, 0], [28, 0]])[:, 0])
            for axes in (left_axes, right_axes)
        ]
        assert np.ptp(sizes[0]) == pytest.approx(np.ptp(sizes[1]), rel=0.02)


def test_colour_images_keep_their_colours():
    coloured = [("VAE", images(1, 8, 3), images(2, 8, 3))]
    figure = draw(lambda paths: plot_decoded(coloured, ("mean", "samples"), NOTE, paths), [])
    np.testing.assert_allclose(drawn_images(figure.axes[1])[:8, :8], images(2, 8, 3)[0])


def test_images_of_another_shape_are_refused():
    rows = [("VAE", images(1)[None], images(2))]
    with pytest.raises(ValueError, match=r"images must be \(n, H, W\).*got \(1, 1, 28, 28\)"):
        plot_decoded(rows, ("mean", "samples"), NOTE, [])
    plt.close("all")


def test_decoded_rows_are_components_with_data_or_samples():
    components = np.array([0, 1, 1, 0, 1])
    train = images(5)
    decoded = {"means": images(2)[:, None], "samples": images(2)[:, None]}
    rows = decoded_rows("Glow", decoded, train, components)
    assert [label for label, _, _ in rows] == ["Glow, component 1", "Glow, component 2"]
    np.testing.assert_array_equal(rows[1][1], decoded["means"][1:, 0])
    np.testing.assert_array_equal(rows[1][2], train[[1, 2]])
    ((label, mean, samples),) = decoded_rows(
        "VAE", decoded | {"means": images(1)[:, None]}, train, components
    )
    assert label == "VAE"
    assert mean.shape == (1, 28, 28)
    np.testing.assert_array_equal(samples, decoded["samples"][:, 0])
