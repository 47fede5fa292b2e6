"""Histograms show all of their data."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color, to_rgb
from tests.unit.figures.conftest import (
    ABOUT,
    CURVES,
    DISTANCES,
    FIGURES,
    LABELS,
    NOTE,
    SCORES,
    TITLES,
    TOY,
    draw,
    legend_labels,
    of_both,
    panels_for,
    panels_of,
    scores,
    steps,
)

from oodpriors.figures.histograms import plot_histograms
from oodpriors.figures.sheet import COLOURS
from oodpriors.statistics.estimates import ScoreTable

# Histograms


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("fig04", [4, 4]),
        ("fig05", [2, 2]),
        ("fig10", [4, 2, 2]),
        ("fig14", [6, 7]),
        ("fig16", [2] * 4),
        ("control", [6, 6]),
    ],
)
def test_each_panel_has_its_series(figure_of, name, series):
    assert [len(steps(axes)) for axes in panels_of(figure_of(name))] == series


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("fig04", ["uni, Fashion-MNIST (1, 7)", "multi, Fashion-MNIST (1, 7)"]),
        ("fig05", ["uni, Fashion-MNIST (7)", "multi, Fashion-MNIST (1, 7)"]),
        ("fig10", ["uni, in distribution", "multi, in distribution"]),
    ],
)
def test_one_legend_names_the_series_of_all_panels(figure_of, name, labels):
    (legend,) = figure_of(name).legends
    out = "out of distribution" if name == "fig10" else "MNIST"
    assert legend_labels(legend) == [*labels, f"uni, {out}", f"multi, {out}"]


def test_a_label_that_would_mean_two_looks_stays_in_its_panel(figure_of):
    figure = figure_of("fig16")
    assert not figure.legends
    for axes, label in zip(panels_of(figure), (1, 7, 1, 7), strict=True):
        expected = [f"uni, Fashion-MNIST ({label})", "uni, MNIST"]
        assert legend_labels(axes.get_legend()) == expected


@pytest.mark.parametrize("name", ["fig04", "control", "fig16"])
def test_sets_keep_their_colours_and_uni_alone_is_solid(figure_of, name):
    for axes in panels_of(figure_of(name)):
        for patch in steps(axes):
            which = "ood" if patch.get_label().endswith(", MNIST") else "test"
            tones = [c for (w, _), c in COLOURS.items() if w == which]
            assert any(same_color(patch.get_edgecolor(), tone) for tone in tones)
            solid = patch.get_linestyle() in ("-", "solid")
            assert solid == patch.get_label().startswith("uni")


@pytest.mark.parametrize("name", ["fig04", "fig16", "fig10", "fig14"])
def test_limits_leave_out_half_a_per_cent_at_most(figure_of, name):
    options = {"sets": ("ood",)} if name == "fig14" else {}
    panels = {"fig04": of_both("unimodal", "bimodal"), "fig16": LABELS, "fig10": TOY}
    series = panels_for(panels.get(name, CURVES), SCORES, ABOUT, **options)
    for axes, shown in zip(panels_of(figure_of(name)), series.values(), strict=True):
        low, high = axes.get_xlim()
        for one in shown:
            assert one.finite.max() <= high
            assert (one.finite < low).mean() <= 0.005


def test_heights_are_densities(figure_of):
    for axes in panels_of(figure_of("fig04")):
        for patch in steps(axes):
            heights, edges, _ = patch.get_data()
            assert 0.994 <= (heights * np.diff(edges)).sum() <= 1 + 1e-9


def test_orders_of_magnitude_make_the_axes_logarithmic(figure_of):
    for name, scale in (("fig04", "linear"), ("fig15", "linear"), ("fig14", "symlog")):
        assert {axes.get_xscale() for axes in panels_of(figure_of(name))} == {scale}
    first, second = panels_of(figure_of("fig14"))
    assert first.get_ylabel() == "density per decade"
    for patch in steps(second):
        heights, edges, _ = patch.get_data()
        assert 0.994 <= (heights * -np.diff(np.log10(-edges))).sum() <= 1 + 1e-9


@pytest.mark.parametrize("name", ["fig14", "fig15"])
def test_a_sequence_is_shaded_and_named_by_distance(figure_of, name):
    figure = figure_of(name)
    (legend,) = figure.legends
    assert legend_labels(legend) == [f"d = {d}" for d in DISTANCES]
    for axes in panels_of(figure):
        patches = sorted(steps(axes), key=lambda patch: float(patch.get_label()[4:]))
        light = [sum(to_rgb(patch.get_edgecolor())) for patch in patches]
        assert light == sorted(light, reverse=True)
        assert len(set(light)) == len(light)


def test_a_sequence_without_distances_goes_by_its_order():
    panels = {"panel": ["vae/fashion_1_7/unimodal", *CURVES["(a) VAE, Gaussian"][1:3]]}
    about = ABOUT | {"distances": {panels["panel"][2]: 20}}
    (series,) = panels_for(panels, SCORES, about, sets=("ood",)).values()
    assert [one.label for one in series] == ["uni", "Gaussian, d = 10", "d = 20"]
    assert [one.place for one in series] == [0, 0.5, 1]


def titled(*priors):
    """A panel of a model for each (title, number of components), and what is known of them."""
    models = [f"vae/fashion_1_7/p{i}" for i in range(len(priors))]
    titles = {"priors": {f"p{i}": title for i, (title, _) in enumerate(priors)}, "subsets": {}}
    components = {model: n for model, (_, n) in zip(models, priors, strict=True)}
    about = ABOUT | {"titles": titles, "components": components}
    tables = dict.fromkeys(models, SCORES["vae/fashion_1_7/unimodal"])
    return panels_for({"panel": models}, tables, about)["panel"]


def test_the_number_of_components_and_no_title_makes_a_prior_unimodal():
    series = titled(("unit-distance mixture", 2), ("standard Gaussian", 1))
    assert [one.tone for one in series] == [1, 1, 0, 0]


def test_priors_in_a_panel_look_different():
    series = titled(("uni", 1), ("uni, heavy", 1), *((f"multi {i}", 4) for i in range(9)))
    looks = {(one.look["color"], one.look["linestyle"]) for one in series}
    assert len(looks) == len(series) == 22


def test_a_title_that_seems_to_hold_a_distance_names_no_place():
    models = [f"vae/fashion_1_7/gaussian_d{d}" for d in (10, 20, 50)]
    titles = {"priors": {"gaussian_d10": "d = 1000, they say"} | TITLES["priors"]}
    about = ABOUT | {"titles": titles | {"subsets": {}}}
    series = panels_for({"panel": models[::-1]}, SCORES, about, sets=("ood",))["panel"]
    assert {one.label: one.place for one in series} == {"d = 50": 1, "d = 20": 0.5, "d = 10": 0}


def test_axes_name_the_quantity(figure_of):
    named = {name: [a.get_xlabel() for a in panels_of(figure_of(name))] for name in FIGURES}
    assert named["fig04"] == ["log-likelihood (nats per image)"] * 2
    assert named["fig10"] == ["log-likelihood\n(nats per point)"] * 3
    assert named["fig05"] == ["first latent coordinate", "latent coordinate 613"]
    inferred, exact = "latent coordinate 13 (posterior mean)", "latent coordinate 613"
    assert named["fig19"] == [inferred, inferred, exact, exact]


def test_latents_show_both_ends(figure_of):
    first, _ = panels_of(figure_of("fig05"))
    low, high = first.get_xlim()
    assert low < -50 < 50 < high


def test_the_note_counts_seeds_and_lost_values(figure_of):
    assert "seeds" not in figure_of("fig04")._suptitle.get_text()
    assert "3 seeds pooled" in figure_of("fig10")._suptitle.get_text().replace("\n", " ")
    table = scores(-1000, -1000)
    table.tables[0].loc[3, "log_prob"] = -np.inf
    about = ABOUT | {"components": {"vae/a/unimodal": 1}}
    panels = panels_for({"panel": ["vae/a/unimodal"]}, {"vae/a/unimodal": table}, about)
    figure = draw(lambda paths: plot_histograms(panels, NOTE, paths), [])
    assert "1 values are not finite" in figure._suptitle.get_text().replace("\n", " ")
    assert len(panels["panel"][0].finite) == 399
    plt.close(figure)


def test_values_that_are_all_equal_can_be_drawn(tmp_path):
    part = pd.DataFrame({"log_prob": [-5.0] * 10, "images": "mnist.test"})
    table = ScoreTable([pd.concat([part.assign(set="test"), part.assign(set="ood")])])
    about = ABOUT | {"components": {"toy/a/unimodal": 1}}
    panels = panels_for({"panel": ["toy/a/unimodal"]}, {"toy/a/unimodal": table}, about)
    plot_histograms(panels, NOTE, [tmp_path / "figure.png"])
    assert (tmp_path / "figure.png").exists()


def test_two_estimates_of_the_same_models_have_one_axis():
    table = SCORES["vae/fashion_1_7/bimodal"].tables[0]
    refined = table.assign(refined=table.index % 2 == 0)
    shifted = np.where(refined["refined"], table["log_prob"] + 500, np.nan)
    model = "vae/fashion_1_7/bimodal"
    both = {model: ScoreTable([refined.assign(log_prob_refined=shifted)])}
    columns = {"(a)": "log_prob", "(b)": "log_prob_refined", "(c)": "latent_first"}
    panels = panels_for({key: [model] for key in columns}, both, columns=columns)
    figure = draw(lambda paths: plot_histograms(panels, NOTE, paths), [])
    first, second, latents = (axes.get_xlim() for axes in panels_of(figure))
    assert first == second
    assert latents[0] > first[1]
    assert "not finite" not in figure.get_suptitle()
    assert "refined posterior" in panels_of(figure)[1].get_xlabel()
