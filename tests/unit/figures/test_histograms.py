"""Histograms show all of their data."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from tests.unit.figures.conftest import (
    ABOUT,
    CURVES,
    FIGURES,
    LABELS,
    NOTE,
    SCORES,
    TOY,
    draw,
    histograms,
    legend_labels,
    of_both,
    panels_for,
    panels_of,
    scores,
    steps,
)

from oodpriors.figures.histograms import bins_of, limits_of, plot_histograms
from oodpriors.figures.sheet import COLOURS
from oodpriors.statistics.estimates import ScoreTable, auroc

LATENT = "latent_farthest"

# Histograms


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("fig04", [4, 4]),
        ("fig05", [2, 2]),
        ("fig10", [4, 2, 2]),
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
    others = [f"{label.partition(', ')[0]}, {out}" for label in labels]
    marks = ["mean in the paper", "means of the components"]
    assert [label for label in legend_labels(legend) if label not in marks] == [*labels, *others]


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
def test_limits_leave_out_half_a_per_cent_at_most_and_cut_no_bar(figure_of, name):
    panels = {"fig04": of_both("unimodal", "bimodal"), "fig16": LABELS, "fig10": TOY}
    series = panels_for(panels.get(name, CURVES), SCORES, ABOUT)
    for axes, shown in zip(panels_of(figure_of(name)), series.values(), strict=True):
        low, high = axes.get_xlim()
        for one in shown:
            assert one.finite.max() < high
            assert (one.finite < low).mean() <= 0.005
        for patch in steps(axes):
            edges = patch.get_data()[1]
            assert low < edges.min()
            assert edges.max() < high


def test_each_series_is_as_high_as_the_others(figure_of):
    for name in ("fig04", "fig05", "fig10"):
        for axes in panels_of(figure_of(name)):
            assert [patch.get_data()[0].max() for patch in steps(axes)] == [1] * len(steps(axes))


def of_values(test, ood):
    """Panels of one model with these log-likelihoods, and its name."""
    parts = [pd.DataFrame({"set": w, "log_prob": v}) for w, v in (("test", test), ("ood", ood))]
    table = ScoreTable([pd.concat(parts).assign(images="m.test")], [0])
    about = ABOUT | {"means": {"toy/a/unimodal": [0.0]}}
    return panels_for({"panel": ["toy/a/unimodal"]}, {"toy/a/unimodal": table}, about)


@pytest.mark.parametrize("wide", [300, 3000])
@pytest.mark.parametrize("both", [False, True], ids=["one mode", "two modes"])
def test_separate_distributions_share_no_bin_whatever_else_is_in_the_panel(wide, both):
    rng = np.random.default_rng(0)
    low, high = rng.normal(-2000, 1, 600), rng.normal(-1990, 1, 600)
    series = of_values(np.r_[low, high] if both else low, rng.normal(-4000, wide, 600))["panel"]
    edges = bins_of(series[0].finite, series[0], limits_of(series, False), False)
    width = np.diff(edges)[0]
    assert 0.15 < width < (0.6 if both else 0.5)
    if both:
        counts, _ = np.histogram(series[0].finite, edges)
        assert counts[(edges[1:] < -1994) & (edges[:-1] > -1996)].sum() == 0


def test_bins_are_of_equal_width_in_decades_on_a_logarithmic_axis():
    series = of_values(np.full(9, -2.0), -(10 ** np.linspace(1, 4, 900)))["panel"]
    edges = bins_of(series[1].finite, series[1], limits_of(series, True), True)
    assert np.ptp(np.diff(np.log10(-edges))) < 1e-9


def test_orders_of_magnitude_make_the_axes_logarithmic(figure_of):
    for name, scale in (("fig04", "linear"), ("fig10", "symlog"), ("fig14", "symlog")):
        for axes in panels_of(figure_of(name)):
            assert axes.get_xscale() == scale
            assert ("log scale" in axes.get_xlabel()) == (scale == "symlog")


def test_latents_beside_likelihoods_of_orders_of_magnitude_stay_linear():
    rng = np.random.default_rng(0)
    sets = {"test": -rng.gamma(9, 10, 99), "ood": -rng.gamma(9, 1000, 99)}
    parts = [pd.DataFrame({"set": w, "log_prob": v, "images": "m.test"}) for w, v in sets.items()]
    table = pd.concat(parts).assign(latent_first=-5.0)
    model = "glow/fashion_1_7/bimodal"
    panels = panels_for(
        {"(a)": [model], "(b)": [model]},
        {model: ScoreTable([table], [0])},
        columns={"(b)": "latent_first"},
    )
    figure = draw(lambda paths: plot_histograms(panels, NOTE, paths), [])
    assert [axes.get_xscale() for axes in panels_of(figure)] == ["symlog", "linear"]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_images_can_be_drawn(n):
    panels = of_values(np.linspace(-5, -4, n), np.linspace(-9, -8, n))
    figure = draw(lambda paths: plot_histograms(panels, NOTE, paths), [])
    (axes,) = panels_of(figure)
    assert all(len(patch.get_data()[0]) <= n for patch in steps(axes))


def test_panels_with_both_sets_say_the_auroc_of_each_prior(figure_of):
    first, second = panels_of(figure_of("fig04"))
    for axes, kind in ((first, "vae"), (second, "glow")):
        found = [
            auroc(*(SCORES[f"{kind}/fashion_1_7/{prior}"].values(0, w) for w in ("test", "ood")))
            for prior in ("unimodal", "bimodal")
        ]
        line = axes.get_title().split("\n")[1]
        assert line == f"AUROC of uni: {found[0]:.2f}; multi: {found[1]:.2f}"
    assert not any("AUROC" in axes.get_title() for axes in panels_of(figure_of("fig05")))
    figure = draw(histograms(of_both("unimodal"), sets=("ood",)), [])
    assert not any("AUROC" in axes.get_title() for axes in panels_of(figure))


def test_the_auroc_is_the_mean_over_trainings():
    model = "toy/mixture_2/unimodal"
    (one, _) = panels_for({"panel": [model]})["panel"]
    table = SCORES[model]
    each = [auroc(table.values(run, "test"), table.values(run, "ood")) for run in range(3)]
    assert one.auroc == pytest.approx(np.mean(each))


def markers(axes):
    return [line.get_xdata()[0] for line in axes.lines if line.get_marker() == 10]


def test_the_means_that_the_paper_prints_are_marked_beside_their_estimate(figure_of):
    first, second = panels_of(figure_of("fig04"))
    assert markers(first) == [-1647.76]
    assert markers(second) == []
    low, high = first.get_xlim()
    assert low < -1647.76 < high
    assert "mean in the paper" in legend_labels(figure_of("fig04").legends[0])
    assert "mean in the paper" not in legend_labels(figure_of("fig10").legends[0])


def test_the_means_of_components_are_marked_along_the_coordinate_that_they_differ_in(figure_of):
    first, second = panels_of(figure_of("fig05"))
    assert sorted(line.get_xdata()[0] for line in first.lines) == [-50, 50]
    assert not second.lines
    assert "means of the components" in legend_labels(figure_of("fig05").legends[0])


def test_latents_of_trainings_are_not_pooled():
    rng = np.random.default_rng(0)
    tables = []
    for sign, index in ((-1, 437), (1, 207), (-1, 498)):
        sets = {"test": rng.normal(0, 1, 200), "ood": sign * rng.normal(2, 1, 200)}
        parts = [pd.DataFrame({"set": w, "latent_farthest": v}) for w, v in sets.items()]
        tables.append(pd.concat(parts).assign(images="m.test", latent_farthest_index=index))
    model = "glow/fashion_7/unimodal"
    panels = panels_for({"p": [model]}, {model: ScoreTable(tables, [3, 4, 5])}, column=LATENT)
    figure = draw(lambda paths: plot_histograms(panels, NOTE, paths), [])
    (axes,) = panels_of(figure)
    assert axes.get_xlabel() == "minus latent coordinate 438 (seed 3)"
    thin = [patch for patch in steps(axes) if patch.get_linewidth() < 1]
    assert len(steps(axes)) == 6
    assert len(thin) == 4
    assert not any(patch.get_facecolor()[3] for patch in thin)
    outside = panels["p"][1].samples
    assert len(outside) == 3
    assert all(values.mean() > 1.5 for values in outside)
    np.testing.assert_array_equal(outside[1], tables[1].query("set == 'ood'")["latent_farthest"])
    assert "of the first" in figure.get_suptitle()


def titled(*priors):
    """A panel of a model for each (title, number of components), and what is known of them."""
    models = [f"vae/fashion_1_7/p{i}" for i in range(len(priors))]
    titles = {"priors": {f"p{i}": title for i, (title, _) in enumerate(priors)}, "subsets": {}}
    means = {model: [0.0] * n for model, (_, n) in zip(models, priors, strict=True)}
    about = ABOUT | {"titles": titles, "means": means}
    tables = dict.fromkeys(models, SCORES["vae/fashion_1_7/unimodal"])
    return panels_for({"panel": models}, tables, about)["panel"]


def test_the_number_of_components_and_no_title_makes_a_prior_unimodal():
    series = titled(("unit-distance mixture", 2), ("standard Gaussian", 1))
    assert [one.tone for one in series] == [1, 1, 0, 0]


def test_priors_in_a_panel_look_different():
    series = titled(("uni", 1), ("uni, heavy", 1), *((f"multi {i}", 4) for i in range(9)))
    looks = {(one.look["color"], one.look["linestyle"]) for one in series}
    assert len(looks) == len(series) == 22


def test_axes_name_the_quantity(figure_of):
    named = {name: [a.get_xlabel() for a in panels_of(figure_of(name))] for name in FIGURES}
    assert named["fig04"] == ["log-likelihood (nats per image)"] * 2
    assert named["fig10"] == ["log-likelihood\n(nats per point, log scale)"] * 3
    assert named["fig05"] == [
        "first latent coordinate",
        "latent coordinate 613 (seed 0)",
    ]
    inferred = "minus latent coordinate 13\n(seed 0, posterior mean)"
    exact = "latent coordinate 613 (seed 0)"
    assert named["fig19"] == [inferred, inferred, exact, exact]


def test_latents_show_both_ends(figure_of):
    first, _ = panels_of(figure_of("fig05"))
    low, high = first.get_xlim()
    assert low < -50 < 50 < high


def test_the_note_counts_trainings_and_lost_values(figure_of):
    assert figure_of("fig04").get_suptitle().endswith("; 1 training")
    assert figure_of("fig10").get_suptitle().endswith("; 3 trainings")
    table = scores(-1000, -1000)
    table.tables[0].loc[3, "log_prob"] = -np.inf
    about = ABOUT | {"means": {"vae/a/unimodal": [0.0]}}
    panels = panels_for({"panel": ["vae/a/unimodal"]}, {"vae/a/unimodal": table}, about)
    figure = draw(lambda paths: plot_histograms(panels, NOTE, paths), [])
    assert "1 values are not finite" in figure._suptitle.get_text().replace("\n", " ")
    assert len(panels["panel"][0].finite) == 399


def test_values_that_are_all_equal_can_be_drawn(tmp_path):
    panels = of_values(np.full(10, -5.0), np.full(10, -5.0))
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
