"""Curves over the distance between components."""

import numpy as np
import pytest
from tests.unit.figures.conftest import DISTANCES, NOTE, curves, tick_texts
from tests.unit.figures.conftest import draw as drawn

from oodpriors.figures.curves import draw, plot_curves

# Curves


def of_label(axes, look):
    """Lines with a marker of this look, other than the diamonds."""
    return [line for line in axes.lines if line.get_marker() in "osP^v*" and look(line)]


def test_curves_show_medians_quartiles_and_the_charge_of_the_prior(figure_of):
    table = curves()
    for axes, architecture in zip(figure_of("fig06").axes[:2], ("VAE", "Glow"), strict=True):
        assert architecture in axes.get_title()
        own = table[table["architecture"] == architecture]
        guide = [line for line in axes.lines if line.get_linestyle() == ":"]
        assert len(guide) == 1
        np.testing.assert_allclose(guide[0].get_ydata(orig=False), -1400 - np.square(DISTANCES) / 8)
        low, high = axes.get_ylim()
        assert low < own["lower_quartile_ood"].min()
        assert own["upper_quartile_test"].max() < high
        lines = of_label(axes, lambda line: line.get_linestyle() != "None")
        names = [(n, w) for n in ("Gaussian", "generalised Gaussian") for w in ("test", "ood")]
        for (name, which), line, band in zip(names, lines, axes.collections, strict=True):
            drawn = own[own["component"] == name]
            np.testing.assert_allclose(line.get_ydata(orig=False), drawn[f"median_{which}"])
            ends = {float(y) for y in band.get_paths()[0].vertices[:, 1].round(6)}
            for end in ("lower", "upper"):
                assert set(drawn[f"{end}_quartile_{which}"].round(6)) <= ends


def test_models_of_few_trainings_are_hollow(figure_of):
    figure = figure_of("fig06")
    for axes in figure.axes:
        hollow = of_label(axes, lambda line: line.get_markerfacecolor() == "white")
        assert hollow
        assert all(line.get_xdata(orig=False).tolist() == [100, 200] for line in hollow)
    assert "hollow: fewer than 3 trainings" in [t.get_text() for t in figure.legends[0].texts]
    figure = drawn(lambda paths: plot_curves(curves().assign(trainings=3), NOTE, paths), [])
    assert not any("hollow" in text.get_text() for text in figure.legends[0].texts)


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
        lines = of_label(axes, lambda line: line.get_linestyle() != "None")
        assert sum(len(line.get_xdata()) > 0 for line in lines) == 4


def test_no_diamond_where_the_auroc_starts_above_one_half():
    table = curves()
    table["auroc"] = table["auroc"].clip(lower=0.7)
    table["turning_distance"] = 0.0
    figure = drawn(lambda paths: plot_curves(table, NOTE, paths), [])
    assert not any(line.get_marker() == "D" for axes in figure.axes for line in axes.lines)
    assert not any("0.5" in text.get_text() for text in figure.legends[0].texts)


def test_refined_likelihoods_are_drawn_where_there_are_any(tmp_path):
    table = curves()
    vae = table["architecture"] == "VAE"
    for name, value in (("median_ood", -1250.0), ("auroc", 0.2)):
        table[f"{name}_refined"] = np.where(vae, value, np.nan)
    figure = drawn(lambda paths: plot_curves(table, NOTE, paths), [tmp_path / "figure.png"])
    crosses = [[x for x in axes.lines if x.get_marker() == "x"] for axes in figure.axes]
    assert [len(lines) for lines in crosses] == [2, 0, 2, 0]
    for lines, value in ((crosses[0], -1250.0), (crosses[2], 0.2)):
        assert all((line.get_ydata(orig=False) == value).all() for line in lines)
    labels = [text.get_text() for text in figure.legends[0].texts]
    assert [label for label in labels if "refined" in label] == [
        "Gaussian, refined posterior, out of distribution",
        "generalised Gaussian, refined posterior, out of distribution",
    ]


def test_a_quartile_above_zero_does_not_stretch_the_axis(tmp_path):
    table = curves()
    table.loc[table.index[-1], "upper_quartile_test"] = 5000.0
    figure = drawn(lambda paths: plot_curves(table, NOTE, paths), [tmp_path / "figure.png"])
    assert -1300 < figure.axes[0].get_ylim()[1] < -500


def test_axes_say_that_they_are_no_linear_ones(figure_of):
    first, _, third, _ = figure_of("fig06").axes
    assert "log scale" in first.get_ylabel()
    assert "square-root scale" in third.get_xlabel()
