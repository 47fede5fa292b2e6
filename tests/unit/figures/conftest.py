"""Data and helpers of the tests of figures."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import StepPatch

from oodpriors.figures import densities as fig03
from oodpriors.figures.clusters import plot_clusters
from oodpriors.figures.curves import plot_curves
from oodpriors.figures.histograms import histogram_panels, plot_histograms
from oodpriors.figures.images import plot_decoded
from oodpriors.figures.pixels import plot_pixel_distances
from oodpriors.figures.toy import Plane, plot_contours, plot_topology
from oodpriors.statistics.estimates import ScoreTable

NOTE = (
    "scale quick; STAND-IN DATA, not comparable with the paper; part of the data: 2,000 of "
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
    """A score table with log-normal values below test and ood; columns are (test, ood)."""
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
    """Scores as large as in the paper, and latents of both kinds."""
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


def components_of(model):
    return 1 if model.endswith(("unimodal", "_d0")) else 2


def distance_of(model):
    tail = model.rpartition("_d")[2]
    return 0.0 if components_of(model) == 1 else float(tail) if tail.isdigit() else 150.0


ABOUT = {
    "titles": TITLES,
    "components": {model: components_of(model) for model in SCORES},
    "distances": {model: distance_of(model) for model in SCORES},
    "infers": ["vae"],
}


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


def panels_for(panels, scores=SCORES, about=ABOUT, **options):
    entry = {"panels": panels, "column": "log_prob", "columns": {}, "sets": ["test", "ood"]}
    return histogram_panels(about | {"entry": entry | options}, scores)


def histograms(panels, note=NOTE, **options):
    def plot(paths):
        plot_histograms(panels_for(panels, **options), note, paths)

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
        tables[space] = table.sample(frac=1, random_state=0)  # the order is arbitrary
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
                auroc, turning = d / (d + late), late
                if architecture == "Glow" and power == 4:
                    auroc, turning = 0.3, np.nan
                row = {"mean_ood": ood, "mean_test": -1300 - d / 2, "auroc": auroc}
                row |= {f"{k}_low": v - 0.03 * abs(v) for k, v in row.items()} | {
                    f"{k}_high": v + 0.03 * abs(v) for k, v in row.items()
                }
                about = {"curve": f"{architecture}_{component}", "architecture": architecture}
                about |= {"component": component, "distance": d, "midpoint_charge": d * d / 8}
                rows.append(about | row | {"turning_distance": turning})
    return pd.DataFrame(rows)


def pixels(n=784):
    """Per-pixel tables in which most pixels hardly vary."""
    rng = np.random.default_rng(0)

    def part(dark, scale):
        return np.r_[np.zeros(dark), rng.gamma(2, scale, n - dark)]

    table = {f"distance_test_{k}": part(500, 0.02) for k in (0, 1)}
    table |= {f"distance_ood_{k}": part(450, 0.06) for k in (0, 1)}
    return pd.DataFrame(table | {"variance_test": part(0, 0.03), "variance_ood": part(400, 0.03)})


PIXEL_SETS = {"test": "Fashion-MNIST (1, 7)", "ood": "MNIST"}


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


def plot_densities(paths):
    table = io.StringIO(densities().to_csv(index=False))
    fig03.draw({"table": table}, {}, NOTE, paths)


FIGURES = {
    "fig01": lambda paths: plot_topology(PLANES, DATA_ENTROPY, NOTE, paths),
    "fig02": lambda paths: plot_contours(GRIDS, points(), range(-10, 0), NOTE, paths),
    "fig03": plot_densities,
    "fig04": histograms(of_both("unimodal", "bimodal")),
    "fig05": histograms(FIG05, columns=FIRST_AND_FARTHEST),
    "fig06": lambda paths: plot_curves(curves(), NOTE, paths),
    "fig07": lambda paths: plot_pixel_distances(pixels(), PIXEL_SETS, NOTE, paths),
    "fig10": histograms(TOY),
    "fig11": lambda paths: plot_decoded(BIMODAL_ROWS, ("mean", "training images"), NOTE, paths),
    "fig12": lambda paths: plot_decoded(UNIMODAL_ROWS, ("mean", "random samples"), NOTE, paths),
    "fig13": lambda paths: plot_clusters(SAMPLES, variances(), 1, NOTE, paths),
    "fig14": histograms(CURVES, sets=("ood",)),
    "fig15": histograms(CURVES, sets=("test",)),
    "fig16": histograms(LABELS),
    "fig19": histograms(LABELS, column="latent_farthest"),
    "control": histograms(of_both("unimodal", "bimodal", "random")),
}


# Drawing and measuring


def draw(plot, paths):
    """The figure that a function writes, before it is closed."""
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
    """Each figure, drawn once, and its folder."""
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


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def steps(axes):
    """Histograms of one panel."""
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def legend_labels(legend):
    return [text.get_text() for text in legend.get_texts()]


def drawn_images(axes):
    return axes.get_images()[0].get_array()
