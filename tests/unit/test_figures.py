"""Figures show what they are given, all of it, and nothing in them overlaps or is cut."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color, to_rgb
from matplotlib.patches import StepPatch

from oodpriors.curves import plot_curves
from oodpriors.figures import COLOURS, histogram_panels, plot_histograms
from oodpriors.panels import WIDTH
from oodpriors.pictures import decoded_rows, plot_clusters, plot_decoded, plot_pixel_distances
from oodpriors.planes import Plane, plot_contours, plot_densities, plot_topology
from oodpriors.statistics import ScoreTable

NOTE = (
    "scale quick; STAND-IN DATA, no number compares with the paper; part of the data: 2,000 of "
    "12,000 Fashion-MNIST (1, 7) train images, 1,000 of 2,000 Fashion-MNIST (1, 7) test images"
)
DISTANCES = (0, 5, 10, 20, 50, 100, 200)
TITLES = {
    "priors": {"unimodal": "uni", "bimodal": "multi", "random": "multi, random assignment"}
    | {f"gaussian_d{d}": f"Gaussian, d = {d}" for d in DISTANCES[2:]}
    | {f"generalized_d{d}": f"generalised Gaussian, d = {d}" for d in DISTANCES},
    "subsets": {
        "fashion_1_7": "Fashion-MNIST (1, 7)",
        "fashion_1": "Fashion-MNIST (1)",
        "fashion_7": "Fashion-MNIST (7)",
        "mnist": "MNIST",
    },
}
ENTROPIES = {"unimodal prior": 2.838, "bimodal prior": 3.531}
DATA_ENTROPY = 3.185


# Data


def scores(test, ood, images=("fashion_1_7", "mnist"), seeds=1, n=400, **columns):
    """A score table whose values are log-normal below test and ood; columns are (test, ood)."""
    tables = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        for which, name, top in zip(("test", "ood"), images, (test, ood), strict=True):
            values = top * (1 + 0.3 * rng.lognormal(-1, 0.5, n))
            part = pd.DataFrame({"set": which, "images": f"{name}.test", "log_prob": values})
            for column, both in columns.items():
                part[column] = both[which == "ood"](rng, n) if isinstance(both, tuple) else both
            tables.append(part.assign(seed=seed))
    whole = pd.concat(tables, ignore_index=True)
    return ScoreTable([part.drop(columns="seed") for _, part in whole.groupby("seed")])


def around(*means, std=1.0):
    return lambda rng, n: rng.choice(means, n) + rng.normal(0, std, n)


def model_scores():
    """Scores as large as those of the paper, and latents of both kinds."""
    tables = {}
    for kind, m in (("vae", 75), ("glow", 50)):
        one = {
            "latent_farthest": (around(0), around(1.3)),
            "latent_farthest_index": 612 if kind == "glow" else 12,
        }
        two = {"latent_first": (around(-m, m), around(0, std=15))}
        tables[f"{kind}/fashion_1_7/unimodal"] = scores(-1200, -1100)
        tables[f"{kind}/fashion_1_7/bimodal"] = scores(-1200, -1900, **two)
        tables[f"{kind}/fashion_1_7/random"] = scores(-1250, -1300)
        for label in (1, 7):
            images = (f"fashion_{label}", "mnist")
            tables[f"{kind}/fashion_{label}/unimodal"] = scores(-1000, -1300, images, **one)
        for d in DISTANCES:
            tables[f"{kind}/fashion_1_7/gaussian_d{d}"] = scores(-1200, -1100 - d * d / 10)
            tables[f"{kind}/fashion_1_7/generalized_d{d}"] = scores(-1200, -1300 - d**4 / 2000)
    for dim in (2, 10):
        images = (f"mixture_{dim}", f"gaussian_{dim}")
        tables[f"toy/mixture_{dim}/unimodal"] = scores(-2.3 * dim / 2, -4.2, images, seeds=3)
        tables[f"toy/mixture_{dim}/bimodal"] = scores(-2.3 * dim / 2, -35, images, seeds=3)
    return tables


SCORES = model_scores()
CURVES = {
    "(a) VAE, Gaussian": ["vae/fashion_1_7/unimodal"]
    + [f"vae/fashion_1_7/gaussian_d{d}" for d in DISTANCES[2:]],
    "(b) VAE, generalised Gaussian": [f"vae/fashion_1_7/generalized_d{d}" for d in DISTANCES],
}
STARTS = {"vae/fashion_1_7/unimodal": 0.0}
LABELS = {
    f"({letter}) {title}, label {label}": [f"{kind}/fashion_{label}/unimodal"]
    for letter, (kind, title, label) in zip(
        "abcd",
        [(k, t, n) for k, t in (("vae", "VAE"), ("glow", "Glow")) for n in (1, 7)],
        strict=True,
    )
}


def of_both(*priors):
    return {
        title: [f"{kind}/fashion_1_7/{prior}" for prior in priors]
        for title, kind in (("(a) VAE", "vae"), ("(b) Glow", "glow"))
    }


TOY = {
    "(a) 2 dimensions": ["toy/mixture_2/unimodal", "toy/mixture_2/bimodal"],
    "(b) 10 dimensions, uni": ["toy/mixture_10/unimodal"],
    "(c) 10 dimensions, multi": ["toy/mixture_10/bimodal"],
}
FIG05 = {
    "(a) bimodal, labels 1 and 7": ["glow/fashion_1_7/bimodal"],
    "(b) unimodal, label 7": ["glow/fashion_7/unimodal"],
}
FIRST_AND_FARTHEST = dict(zip(FIG05, ("latent_first", "latent_farthest"), strict=True))


def histograms(panels, note=NOTE, **options):
    def plot(paths):
        plot_histograms(histogram_panels(panels, SCORES, TITLES, **options), note, paths)

    return plot


def gaussians(table, space, means, std=(1.0, 1.0)):
    """Log density of an even mixture of Gaussians on a grid."""
    first, second = table[f"{space}_1"], table[f"{space}_2"]
    parts = [-0.5 * (((first - m) / std[0]) ** 2 + (second / std[1]) ** 2) for m in means]
    return np.logaddexp.reduce(parts, axis=0) - np.log(2 * np.pi * std[0] * std[1] * len(means))


def plane(means, entropy):
    """A "flow" that stretches the plane by 1.2, on grids of both spaces."""
    side = np.linspace(-7, 7, 71)
    tables = {}
    for space, other, factor in (("x", "z", 1 / 1.2), ("z", "x", 1.2)):
        table = pd.DataFrame(np.stack(np.meshgrid(side, side), -1).reshape(-1, 2))
        table.columns = [f"{space}_1", f"{space}_2"]
        table[[f"{other}_1", f"{other}_2"]] = factor * table
        table["prior_log_prob"] = gaussians(table, "z", means)
        table["log_prob_true"] = gaussians(table, "x", (-3.5, 3.5), (0.5**0.5, 1.0))
        table["log_prob"] = table["prior_log_prob"] - 2 * np.log(1.2)
        tables[space] = table.sample(frac=1, random_state=0)  # no order is promised
    return Plane(tables["x"], tables["z"], entropy)


PLANES = {
    title: plane(means, entropy)
    for (title, entropy), means in zip(ENTROPIES.items(), ([0], [-5, 5]), strict=True)
}
GRIDS = {title: one.data for title, one in zip(("uni", "multi"), PLANES.values(), strict=True)}


def points(n=300):
    rng = np.random.default_rng(0)
    inside = rng.choice([-3.5, 3.5], n) + rng.normal(0, 0.7, n)
    first, second = np.r_[inside, rng.normal(0, 0.1, n)], np.r_[rng.normal(0, 1, n), [0.0] * n]
    return pd.DataFrame({"set": np.repeat(["test", "ood"], n), "x_1": first, "x_2": second})


def densities():
    x = np.linspace(-4, 4, 101)
    gaussian = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return pd.DataFrame({"x": x, "gaussian": gaussian, "generalized_gaussian": 0.8 * gaussian})


def curves():
    """Both kinds of components; the generalised ones of Glow never reach an AUROC of 0.5."""
    rows = []
    for architecture in ("VAE", "Glow"):
        for component, power, late in (("Gaussian", 2, 30), ("generalised Gaussian", 4, 8)):
            for d in DISTANCES:
                ood = -1400 - (d**power) / (8 if power == 2 else 2000)
                auroc = d / (d + late)
                if architecture == "Glow" and power == 4:
                    auroc = 0.3
                row = {"mean_ood": ood, "mean_test": -1300 - d / 2, "auroc": auroc}
                row |= {f"{k}_low": v - 0.03 * abs(v) for k, v in row.items()} | {
                    f"{k}_high": v + 0.03 * abs(v) for k, v in row.items()
                }
                about = {"curve": f"{architecture}_{component}", "architecture": architecture}
                about |= {"component": component, "distance": d, "midpoint_charge": d * d / 8}
                rows.append(about | row | {"turning_distance": late})
    return pd.DataFrame(rows)


def pixels(n=784):
    """Per-pixel tables in which most pixels hardly vary."""
    rng = np.random.default_rng(0)

    def part(dark, scale):
        return np.r_[np.zeros(dark), rng.gamma(2, scale, n - dark)]

    table = {f"distance_test_{k}": part(500, 0.02) for k in (0, 1)}
    table |= {f"distance_ood_{k}": part(450, 0.06) for k in (0, 1)}
    return pd.DataFrame(table | {"variance_test": part(0, 0.03), "variance_ood": part(400, 0.03)})


PIXEL_TITLES = {
    "distance_test_0": "Fashion-MNIST (1, 7) 1",
    "distance_test_1": "Fashion-MNIST (1, 7) 2",
    "distance_ood_0": "MNIST 1",
    "distance_ood_1": "MNIST 2",
    "variance_test": "Fashion-MNIST (1, 7)",
    "variance_ood": "MNIST",
}


def images(n, side=28, channels=None):
    rng = np.random.default_rng(n)
    return rng.random((n, side, side) if channels is None else (n, side, side, channels))


BIMODAL_ROWS = [
    (f"{kind}, component {k}", images(1), images(9)) for kind in ("VAE", "Glow") for k in (1, 2)
]
UNIMODAL_ROWS = [(kind, images(1), images(64)) for kind in ("VAE", "Glow")]
SAMPLES = {"0": [images(8, 32, 3)] * 4, "4": [images(8, 32, 3)] * 3 + [images(5, 32, 3)]}


def variances():
    rng = np.random.default_rng(0)
    names = {"0": 0.002, "1": 0.0024, "2": 0.003, "3": 0.0034, "all": 0.006}
    parts = [
        pd.DataFrame({"label": label, "cluster": name, "variance": rng.gamma(20, scale, 500)})
        for label in (0, 4)
        for name, scale in names.items()
    ]
    return pd.concat(parts).assign(dimension=0)


FIGURES = {
    "fig01": lambda paths: plot_topology(PLANES, DATA_ENTROPY, NOTE, paths),
    "fig02": lambda paths: plot_contours(GRIDS, points(), NOTE, paths),
    "fig03": lambda paths: plot_densities(densities(), "", paths),
    "fig04": histograms(of_both("unimodal", "bimodal")),
    "fig05": histograms(FIG05, column=FIRST_AND_FARTHEST),
    "fig06": lambda paths: plot_curves(curves(), NOTE, paths),
    "fig07": lambda paths: plot_pixel_distances(pixels(), PIXEL_TITLES, NOTE, paths),
    "fig10": histograms(TOY),
    "fig11": lambda paths: plot_decoded(BIMODAL_ROWS, ("mean", "training images"), NOTE, paths),
    "fig12": lambda paths: plot_decoded(UNIMODAL_ROWS, ("mean", "random samples"), NOTE, paths),
    "fig13": lambda paths: plot_clusters(SAMPLES, variances(), 1, NOTE, paths),
    "fig14": histograms(CURVES, sets=("ood",), distances=STARTS),
    "fig15": histograms(CURVES, sets=("test",), distances=STARTS),
    "fig16": histograms(LABELS),
    "fig19": histograms(LABELS, column="latent_farthest"),
    "control": histograms(of_both("unimodal", "bimodal", "random")),
}
EACH_FUNCTION = ["fig01", "fig02", "fig03", "fig06", "fig07", "fig11", "fig13", "fig14", "fig16"]


# Drawing and measuring


def draw(plot, paths):
    """The figure that a function writes, still open."""
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "close", kept.append)
        plot(paths)
    (figure,) = kept
    figure.dpi = 200
    figure.canvas.draw()
    return figure


@pytest.fixture(scope="module")
def figure_of(tmp_path_factory):
    """Each figure, drawn once, and the folder that it was written to."""
    folder, drawn = tmp_path_factory.mktemp("figures"), {}

    def get(name):
        if name not in drawn:
            paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
            drawn[name] = draw(FIGURES[name], paths)
        return drawn[name]

    get.folder = folder
    yield get
    for figure in drawn.values():
        plt.close(figure)


def tick_texts(axis):
    labels = [tick.label1 for tick in axis._update_ticks()]
    return [label for label in labels if label.get_visible() and label.get_text()]


def texts(figure):
    """Everything that is written in a figure: title, labels, ticks, legends."""
    found = [figure._suptitle, *figure.legends]
    for axes in figure.axes:
        found += [axes.title, axes.xaxis.label, axes.yaxis.label]
        found += [axes.xaxis.offsetText, axes.yaxis.offsetText]
        found += tick_texts(axes.xaxis) + tick_texts(axes.yaxis)
        found += [axes.get_legend()] if axes.get_legend() else []
    return [text for text in found if not hasattr(text, "get_text") or text.get_text().strip()]


def boxes(figure):
    return {text: text.get_window_extent().padded(-0.5) for text in texts(figure)}


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def steps(axes):
    """Histograms of one panel."""
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def legend_labels(legend):
    return [text.get_text() for text in legend.get_texts()]


# All figures


@pytest.mark.parametrize("name", FIGURES)
def test_both_files_are_written_as_wide_as_the_text(figure_of, name):
    figure_of(name)
    pdf, png = ((figure_of.folder / f"{name}.{kind}").read_bytes() for kind in ("pdf", "png"))
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == round(WIDTH * 200)


@pytest.mark.parametrize("name", EACH_FUNCTION)
def test_same_input_gives_the_same_bytes(figure_of, name, tmp_path):
    figure_of(name)
    FIGURES[name]([tmp_path / "again.pdf"])
    assert (tmp_path / "again.pdf").read_bytes() == (figure_of.folder / f"{name}.pdf").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_page(figure_of, name):
    figure = figure_of(name)
    for text, box in boxes(figure).items():
        assert figure.bbox.padded(1).count_contains(box.corners()) == 4, text


@pytest.mark.parametrize("name", FIGURES)
def test_no_texts_overlap(figure_of, name):
    for (one, box), (other, other_box) in combinations(boxes(figure_of(name)).items(), 2):
        assert not box.overlaps(other_box), (one, other)


@pytest.mark.parametrize("name", FIGURES)
def test_no_legend_covers_a_histogram(figure_of, name):
    for axes in filter(lambda axes: axes.get_legend(), panels_of(figure_of(name))):
        box = axes.get_legend().get_window_extent()
        for patch in steps(axes):
            heights, edges, _ = patch.get_data()
            left, right = axes.transData.inverted().transform([box.min, box.max])[:, 0]
            under = heights[(edges[1:] > left) & (edges[:-1] < right)]
            top = axes.transData.transform((0, under.max(initial=0)))[1]
            assert top < box.y0 + 1, axes.get_title()


def test_the_checks_see_what_overlaps_and_what_is_cut():
    figure, axes = plt.subplots(figsize=(2, 1))
    figure.suptitle("over the edge of a page as narrow as this one")
    axes.set_xticks([0, 0.01], ["first", "second"])
    figure.canvas.draw()
    assert any(box.x0 < 0 for box in boxes(figure).values())
    assert any(a.overlaps(b) for a, b in combinations(boxes(figure).values(), 2))
    plt.close(figure)


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
    options = {"sets": ("ood",), "distances": STARTS} if name == "fig14" else {}
    panels = {"fig04": of_both("unimodal", "bimodal"), "fig16": LABELS, "fig10": TOY}
    series = histogram_panels(panels.get(name, CURVES), SCORES, TITLES, **options)
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
    (series,) = histogram_panels(panels, SCORES, TITLES, sets=("ood",)).values()
    assert [one.label for one in series] == ["uni", "d = 10", "d = 20"]
    assert [one.place for one in series] == [0, 0.5, 1]


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
    panels = histogram_panels({"panel": ["vae/a/unimodal"]}, {"vae/a/unimodal": table}, TITLES)
    figure = draw(lambda paths: plot_histograms(panels, NOTE, paths), [])
    assert "1 values are not finite" in figure._suptitle.get_text().replace("\n", " ")
    assert len(panels["panel"][0].finite) == 399
    plt.close(figure)


def test_values_that_are_all_equal_can_be_drawn(tmp_path):
    part = pd.DataFrame({"log_prob": [-5.0] * 10, "images": "mnist.test"})
    table = ScoreTable([pd.concat([part.assign(set="test"), part.assign(set="ood")])])
    panels = histogram_panels({"panel": ["toy/a/unimodal"]}, {"toy/a/unimodal": table}, TITLES)
    plot_histograms(panels, NOTE, [tmp_path / "figure.png"], label="log p")
    assert (tmp_path / "figure.png").exists()


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


# Planes


def test_topology_shows_every_area_whole(figure_of):
    figure = figure_of("fig01")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == ["(a) unimodal prior: latent space", "(b) unimodal prior: data space"]
    (legend,) = figure.legends
    kinds = ("typical set", "high-likelihood area")
    expected = [f"{whose}: {kind}" for whose in ("prior", "data") for kind in kinds]
    assert legend_labels(legend) == [*expected, "hatched: mapped by the flow"]
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
        (lines,) = axes.collections
        assert list(lines.levels) == list(range(-10, 0))
        reached = grid["log_prob"].max()
        drawn = [len(path.vertices) > 0 for path in lines.get_paths()]
        assert drawn == [level < reached for level in range(-10, 0)]
    assert [text.get_text() for text in tick_texts(bar.xaxis)] == [
        f"−{n}" for n in range(10, 0, -1)
    ]
    assert legend_labels(scatter.get_legend()) == ["in distribution", "out of distribution"]
    for cloud, which in zip(scatter.collections, ("test", "ood"), strict=True):
        expected = points().query("set == @which")[["x_1", "x_2"]]
        np.testing.assert_allclose(cloud.get_offsets(), expected)
        assert same_color(cloud.get_facecolor()[0], COLOURS[which, 0])


def test_densities_are_drawn_as_given(figure_of):
    (axes,) = figure_of("fig03").axes
    for line, column in zip(axes.lines, ("gaussian", "generalized_gaussian"), strict=True):
        np.testing.assert_allclose(line.get_ydata(), densities()[column])


# Pixels


def test_pixel_histograms_share_axes_and_say_what_is_cut_off(figure_of):
    inside, outside, variance = figure_of("fig07").axes
    assert inside.get_xlim() == outside.get_xlim()
    assert inside.get_ylim() == outside.get_ylim()
    assert [len(steps(axes)) for axes in (inside, outside, variance)] == [2, 2, 2]
    labels = [
        text for axes in (inside, outside, variance) for text in legend_labels(axes.get_legend())
    ]
    assert [label.replace("\n", " ") for label in labels] == list(PIXEL_TITLES.values())
    for axes in (inside, outside, variance):
        top = axes.get_ylim()[1]
        firsts = [int(patch.get_data()[0][0]) for patch in steps(axes)]
        counts = ", ".join(f"{count:,}" for count in firsts)
        heading = f"cut off; first bins: {counts}" if max(firsts) > top else ""
        assert axes.get_legend().get_title().get_text() == heading
        assert all(patch.get_data()[0][1:].max() < top for patch in steps(axes))
    assert inside.get_legend().get_title().get_text()


def test_nothing_is_cut_off_that_does_not_dwarf_the_rest():
    table = pd.DataFrame({name: np.linspace(0, 1, 784) for name in PIXEL_TITLES})
    table["distance_ood_1"] = np.nan  # a component without images
    figure = draw(lambda paths: plot_pixel_distances(table, PIXEL_TITLES, "", paths), [])
    for axes in figure.axes:
        assert not axes.get_legend().get_title().get_text()
        assert all(patch.get_data()[0].max() < axes.get_ylim()[1] for patch in steps(axes))
    plt.close(figure)


def drawn_images(axes):
    return axes.get_images()[0].get_array()


@pytest.mark.parametrize(
    ("name", "lines", "right"), [("fig11", 1, 9), ("fig12", 2, 9)], ids=["bimodal", "unimodal"]
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
    plt.close(figure)


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


def test_clusters_are_rows_of_which_the_used_one_is_marked(figure_of):
    figure = figure_of("fig13")
    names = ["cluster 1", "cluster 2 (used)", "cluster 3", "cluster 4"]
    for axes in figure.axes[::2]:
        assert [text.get_text() for text in tick_texts(axes.yaxis)] == names
        (frame,) = axes.patches
        used = axes.get_yticks()[1]
        assert frame.get_y() < used < frame.get_y() + frame.get_height()
        assert drawn_images(axes).shape == (4 * 34 - 2, 8 * 34 - 2, 3)
    assert (drawn_images(figure.axes[2])[3 * 34 :, 5 * 34 :] == 1).all()  # three are lacking


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
