"""Flows in two dimensions."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from tests.unit.figures.conftest import GRIDS, NOTE, draw, legend_labels, points, tick_texts

from oodpriors.figures.sheet import COLOURS
from oodpriors.figures.toy import draw_contours
from oodpriors.io.files import save_json

# Planes


def test_topology_shows_every_area_whole(figure_of):
    figure = figure_of("fig01")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == ["(a) unimodal prior: latent space", "(b) unimodal prior: data space"]
    (legend,) = figure.legends
    kinds = ("typical set", "high-likelihood area")
    expected = [f"{whose}: {kind}" for whose in ("prior", "data") for kind in kinds]
    mapped = ["typical set, mapped by the flow", "high-likelihood area, mapped"]
    assert legend_labels(legend) == expected + mapped
    hatches = [patch.get_hatch() for patch in legend.get_patches()]
    assert hatches[-2:] == list(figure.axes[0].collections[1].hatches)
    assert figure.axes[1].get_xlim() == figure.axes[3].get_xlim()
    for axes, reach in zip(figure.axes, (3.5 / 1.2, 3.5, 5, 6), strict=True):
        low, high = axes.get_xlim()
        assert low < -reach - 1
        assert reach + 1 < high
        assert len(axes.collections) == 3  # surfaces, hatched areas and their outlines


def test_topology_splits_at_the_entropy(figure_of):
    """A standard Gaussian's typical set is the ring of |r^2 / 2 - 1| < 1 / 2."""
    surfaces = figure_of("fig01").axes[0].collections[0]
    ring, disc = surfaces.get_paths()
    radii = np.linalg.norm(disc.vertices, axis=1)
    assert np.quantile(radii, 0.99) == pytest.approx(1, abs=0.03)
    assert np.linalg.norm(ring.vertices, axis=1).max() == pytest.approx(3**0.5, abs=0.03)


def test_contours_are_the_ten_of_the_paper(figure_of):
    first, second, scatter, bar = figure_of("fig02").axes
    for axes, grid in ((first, GRIDS["uni"]), (second, GRIDS["multi"])):
        lines, true = axes.collections
        assert list(true.levels) == [-6.7]
        assert list(lines.levels) == list(range(-10, 0))
        reached = grid["log_prob"].max()
        drawn = [len(path.vertices) > 0 for path in lines.get_paths()]
        assert drawn == [level < reached for level in range(-10, 0)]
    assert [text.get_text() for text in tick_texts(bar.xaxis)] == [
        f"−{n}" for n in range(10, 0, -1)
    ]
    sets = ["in distribution", "out of distribution"]
    assert legend_labels(scatter.get_legend()) == [*sets, "99 % of the true probability"]
    for cloud, which in zip(scatter.collections[:2], ("test", "ood"), strict=True):
        expected = points().query("set == @which")[["x_1", "x_2"]]
        np.testing.assert_allclose(cloud.get_offsets(), expected)
        assert same_color(cloud.get_facecolor()[0], COLOURS[which, 0])


@pytest.mark.parametrize("levels", [[-6, -4], [-3, -3]])
def test_contours_lie_at_the_configured_levels(levels, tmp_path):
    GRIDS["uni"].to_parquet(tmp_path / "grid.parquet")
    points().to_parquet(tmp_path / "points.parquet")
    save_json(tmp_path / "contours.json", {"lowest_true": -6.7})
    names = {"densities": "grid.parquet", "scores": "points.parquet", "contours": "contours.json"}
    files = {name: [tmp_path / file] for name, file in names.items()}
    model = "toy/mixture_2/uni"
    about = {"models": [model], "titles": {"priors": {"uni": "uni"}}, "entry": {"levels": levels}}
    paths = [tmp_path / "figure.png"]
    axes, _, bar = draw(lambda paths: draw_contours(files, about, NOTE, paths), paths).axes
    lines, _ = axes.collections
    expected = list(range(levels[0], levels[1] + 1))
    assert list(lines.levels) == expected
    assert [text.get_text() for text in tick_texts(bar.xaxis)] == [f"−{-n}" for n in expected]
