"""Curves over the distance between components."""

import numpy as np
import pytest
from tests.unit.figures.conftest import DISTANCES, NOTE, curves, tick_texts
from tests.unit.figures.conftest import draw as drawn

from oodpriors.figures.curves import draw, plot_curves

# Curves


def test_curves_show_means_intervals_and_the_charge_of_the_prior(figure_of):
    table = curves()
    for axes, architecture in zip(figure_of("fig06").axes[:2], ("VAE", "Glow"), strict=True):
        assert architecture in axes.get_title()
        assert len(axes.containers) == 4  # two kinds of components, two sets
        own = table[table["architecture"] == architecture]
        guide = [line for line in axes.lines if line.get_linestyle() == ":"]
        assert len(guide) == 1
        np.testing.assert_allclose(guide[0].get_ydata(orig=False), -1400 - np.square(DISTANCES) / 8)
        low, high = axes.get_ylim()
        assert low < own["mean_ood_low"].min()
        assert own["mean_test_high"].max() < high
        for container, column in zip(axes.containers, ("mean_ood", "mean_test") * 2, strict=True):
            line, _, (bars,) = container
            name = "Gaussian" if container in axes.containers[:2] else "generalised Gaussian"
            drawn = own[own["component"] == name]
            np.testing.assert_allclose(line.get_ydata(orig=False), drawn[column])
            ends = np.array([segment[:, 1] for segment in bars.get_segments()])
            np.testing.assert_allclose(ends, drawn[[f"{column}_low", f"{column}_high"]])


def test_curves_mark_a_turning_distance_only_where_there_is_one(figure_of):
    for axes, expected in zip(figure_of("fig06").axes[2:], ([30, 8], [30]), strict=True):
        diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
        assert diamonds == expected
        low, high = axes.get_xlim()
        assert low < 0
        assert high > 200


def test_curves_label_the_distances_that_fit(figure_of):
    for axes in figure_of("fig06").axes[2:]:
        assert [text.get_text() for text in tick_texts(axes.xaxis)] == [str(d) for d in DISTANCES]


@pytest.mark.parametrize("component", ["Gaussian", "any"])
def test_two_curves_of_a_panel_stay_two(tmp_path, component):
    table = curves().assign(curve_title=lambda rows: "of " + rows["curve"])
    if component == "any":
        table = table.assign(component="any")
    table.to_csv(tmp_path / "curves.csv", index=False)
    about = {"entry": {"curves": table["curve"].unique().tolist()}}
    figure = drawn(lambda paths: draw({"table": tmp_path / "curves.csv"}, about, NOTE, paths), [])
    for axes in figure.axes[:2]:
        lines = [container[0] for container in axes.containers]
        assert sum(len(line.get_xdata()) > 0 for line in lines) == 4


def test_refined_likelihoods_are_drawn_where_there_are_any(tmp_path):
    table = curves()
    vae = table["architecture"] == "VAE"
    for name, value in (("mean_ood", -1250.0), ("auroc", 0.2)):
        for end in ("", "_low", "_high"):
            table[f"{name}_refined{end}"] = np.where(vae, value, np.nan)
    figure = drawn(lambda paths: plot_curves(table, NOTE, paths), [tmp_path / "figure.png"])
    numbers = [len(axes.containers) for axes in figure.axes]
    assert numbers == [6, 4, 4, 2]  # for the VAE a third mean and a second AUROC of each curve
    for axes, value in ((figure.axes[0], -1250.0), (figure.axes[2], 0.2)):
        hollow = [c[0] for c in axes.containers if c[0].get_markerfacecolor() == "white"]
        assert len(hollow) == 2
        assert all((line.get_ydata(orig=False) == value).all() for line in hollow)
    labels = [text.get_text() for text in figure.legends[0].texts]
    assert [label for label in labels if "refined" in label] == [
        "Gaussian, refined, out of distribution",
        "generalised Gaussian, refined, out of distribution",
    ]


def test_an_interval_that_ends_above_zero_does_not_stretch_the_axis(tmp_path):
    table = curves()
    table.loc[table.index[-1], "mean_test_high"] = 5000.0
    figure = drawn(lambda paths: plot_curves(table, NOTE, paths), [tmp_path / "figure.png"])
    assert -1300 < figure.axes[0].get_ylim()[1] < -500
