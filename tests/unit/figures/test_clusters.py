"""Clusters of each label and their variances."""

from tests.unit.figures.conftest import (
    NOTE,
    SAMPLES,
    draw,
    drawn_images,
    legend_labels,
    steps,
    tick_texts,
    variances,
)

from oodpriors.figures.clusters import plot_clusters


def test_clusters_are_rows_of_which_the_used_one_is_marked(figure_of):
    figure = figure_of("fig13")
    titles = [axes.get_title() for axes in figure.axes[::2]]
    assert titles == ["(a) label 0: images", "(c) deer: images"]
    names = ["cluster 1", "cluster 2 (used)", "cluster 3", "cluster 4"]
    for axes in figure.axes[::2]:
        assert [text.get_text() for text in tick_texts(axes.yaxis)] == names
        (frame,) = axes.patches
        used = axes.get_yticks()[1]
        assert frame.get_y() < used < frame.get_y() + frame.get_height()
        assert drawn_images(axes).shape == (4 * 34 - 2, 8 * 34 - 2, 3)
    assert (drawn_images(figure.axes[2])[3 * 34 :, 5 * 34 :] == 1).all()  # three are missing


def test_without_a_used_cluster_none_is_marked(tmp_path):
    def plot(paths):
        plot_clusters(SAMPLES, variances(), None, {"4": "deer"}, NOTE, paths)

    figure = draw(plot, [tmp_path / "fig13.pdf"])
    for axes in figure.axes[::2]:
        assert [text.get_text() for text in tick_texts(axes.yaxis)] == [
            f"cluster {k}" for k in (1, 2, 3, 4)
        ]
        assert not axes.patches
    assert not any(patch.get_facecolor()[3] for patch in steps(figure.axes[1]))


def test_variances_of_clusters_stand_beside_those_of_the_label(figure_of):
    figure = figure_of("fig13")
    (legend,) = figure.legends
    expected = [f"cluster {k}" for k in (1, 2, 3, 4)] + ["whole label"]
    assert legend_labels(legend) == expected
    for axes in figure.axes[1::2]:
        patches = {patch.get_label(): patch for patch in steps(axes)}
        assert list(patches) == expected
        assert all(patch.get_data()[0].sum() == 500 for patch in patches.values())
        assert [name for name, patch in patches.items() if patch.get_facecolor()[3]] == [
            "cluster 2"
        ]
