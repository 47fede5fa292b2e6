"""Variances over pixels against loops over images and over resamples."""

import numpy as np
import pytest

from oodpriors.analyses.pixels import (
    cluster_pictures,
    cluster_variances,
    compare_pixels,
    equation_2_estimates,
    mean_squared_distance,
    pixel_estimates,
    variance_estimates,
)
from oodpriors.statistics.bootstrap import multiplicities

SHAPE = (1, 3, 4)
PIXELS = 12


def images_of(n, seed=0, shape=SHAPE):
    """Images in [0, 1]; some pixels vary little."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (n, *shape)) * rng.uniform(0.1, 1, shape)


CENTRES = images_of(3, 9)
SETS = {"test": images_of(11, 1), "ood": images_of(8, 2)}
NEAREST = {"test": np.arange(11) % 3, "ood": np.arange(8) % 2}  # no ood in the third component


def resampled(images, counts):
    return np.repeat(images, counts, axis=0)


# distances to mean images


@pytest.mark.parametrize("which", SETS)
def test_distances_are_means_over_the_images_of_a_component(which):
    found = mean_squared_distance(SETS[which], CENTRES, NEAREST[which])
    assert found.shape == (3, PIXELS)
    pairs = list(zip(SETS[which], NEAREST[which], strict=True))
    for k in range(3):
        squares = [(image - CENTRES[k]).ravel() ** 2 for image, nearest in pairs if nearest == k]
        truth = np.mean(squares, axis=0) if squares else np.full(PIXELS, np.nan)
        np.testing.assert_allclose(found[k], truth, rtol=1e-12)


def test_a_component_without_images_has_no_distance():
    found = mean_squared_distance(SETS["ood"], CENTRES, NEAREST["ood"])
    assert np.isnan(found[2]).all()
    assert np.isfinite(found[:2]).all()


def test_the_sum_of_equation_2_is_the_mean_of_the_squared_distances():
    images, nearest = SETS["test"], NEAREST["test"]
    share = np.bincount(nearest, minlength=3) / len(nearest)
    total = (share[:, None] * mean_squared_distance(images, CENTRES, nearest)).sum()
    truth = np.mean([((x - CENTRES[k]) ** 2).sum() for x, k in zip(images, nearest, strict=True)])
    assert total == pytest.approx(truth, rel=1e-12)


def test_the_sum_of_equation_2_weighs_the_components_of_both_sets():
    found = equation_2_estimates(SETS, CENTRES, NEAREST, "vae/a/b", 200, 1)["equation_2_sum"]
    sums = {}
    for which, images in SETS.items():
        share = np.bincount(NEAREST[which], minlength=3) / len(images)
        distances = mean_squared_distance(images, CENTRES, NEAREST[which])
        sums[which] = (share[:, None] * np.nan_to_num(distances)).sum()
    assert found.value == pytest.approx(sums["ood"] - sums["test"], rel=1e-12)
    assert len(found.replicates) == 200
    assert found.std_error > 0
    assert found.trainings == {"vae/a/b": 1}
    assert found.images == {name: len(images) for name, images in SETS.items()}


def test_the_table_of_pixels_has_distances_and_variances_of_both_sets():
    table = compare_pixels(SETS, CENTRES, NEAREST)
    assert table["pixel"].tolist() == list(range(PIXELS))
    for which, images in SETS.items():
        distances = mean_squared_distance(images, CENTRES, NEAREST[which])
        for k in range(3):
            np.testing.assert_array_equal(table[f"distance_{which}_{k}"], distances[k])
        truth = [np.var([image.ravel()[pixel] for image in images]) for pixel in range(PIXELS)]
        np.testing.assert_allclose(table[f"variance_{which}"], truth, rtol=1e-12)
    assert len(table.columns) == 1 + 2 * (3 + 1)


# variances of both sets


@pytest.mark.parametrize("seed", [0, 5])
def test_estimates_are_those_of_resampled_images(seed):
    n = 100
    found = pixel_estimates(SETS, n, seed)
    counts = {name: multiplicities(name, len(x), n, seed) for name, x in SETS.items()}
    rows = []
    for r in range(1 + n):
        test, ood = (resampled(SETS[s], counts[s][r]).var(0).ravel() for s in ("test", "ood"))
        rows.append((np.mean(ood < test), np.median(ood) - np.median(test), np.sum(ood - test)))
    for name, truth in zip(found, np.transpose(rows), strict=True):
        np.testing.assert_allclose(found[name].row, truth, rtol=1e-9, atol=1e-12)
    assert list(found) == ["lower_fraction", "median_difference", "sum_difference"]


def test_a_wider_set_out_of_distribution_is_told():
    images = images_of(200, 3)
    found = pixel_estimates({"test": images / 2, "ood": images}, 100, 0)
    assert found["lower_fraction"].value == 0
    assert found["median_difference"].interval[0] > 0
    truth = 0.75 * images.var(0).sum()
    assert found["sum_difference"].value == pytest.approx(truth, rel=1e-9)


# clusters

LABELS = np.repeat([0, 4], [14, 16])
CLUSTERS = np.concatenate([np.arange(14) % 2, np.arange(16) % 3])
IMAGES = images_of(30, 7)
PARTS = {(0, 0), (0, 1), (4, 0), (4, 1), (4, 2)}


def chosen(label, cluster):
    return IMAGES[(label == LABELS) & ((cluster == CLUSTERS) | (cluster == "all"))]


def test_variances_are_those_of_the_images_of_each_cluster_and_label():
    table = cluster_variances(IMAGES, LABELS, CLUSTERS)
    groups = table.groupby(["label", "cluster"])
    assert set(groups.groups) == {(a, str(c)) for a, c in PARTS} | {(0, "all"), (4, "all")}
    for (label, cluster), rows in groups:
        own = chosen(label, cluster if cluster == "all" else int(cluster))
        assert rows["dimension"].tolist() == list(range(PIXELS))
        np.testing.assert_allclose(rows["variance"], own.var(0).ravel(), rtol=1e-12)


def spread(images, weights):
    """Mean variance about the fixed mean image, in each resample."""
    squares = (images - images.mean(0)) ** 2
    return [resampled(squares, counts).mean() for counts in weights]


@pytest.mark.parametrize(("label", "cluster"), sorted(PARTS))
def test_ratios_are_those_of_resampled_images(label, cluster):
    n, seed = 100, 2
    found = variance_estimates(IMAGES, LABELS, CLUSTERS, n, seed)
    part, whole = chosen(label, cluster), chosen(label, "all")
    ratio = found[f"ratio_{label}_{cluster}"]
    assert ratio.value == pytest.approx(part.var(0).mean() / whole.var(0).mean(), rel=1e-12)
    weights = multiplicities(f"label {label}", len(whole), n, seed)
    members = CLUSTERS[label == LABELS] == cluster
    of_part = spread(part, weights[:, members])
    truth = np.divide(of_part, spread(whole, weights))
    np.testing.assert_allclose(ratio.row, truth, rtol=1e-12)
    lowered = found[f"lowered_{label}_{cluster}"]
    assert lowered.value == np.mean(part.var(0) < whole.var(0))
    shares = [
        np.mean(resampled(part, few).var(0) < resampled(whole, counts).var(0))
        if few.any()
        else np.nan
        for few, counts in zip(weights[:, members], weights, strict=True)
    ]
    np.testing.assert_allclose(lowered.row, shares, rtol=1e-12)


def test_every_cluster_has_its_estimates():
    found = variance_estimates(IMAGES, LABELS, CLUSTERS, 100, 0)
    names = {f"{what}_{label}_{c}" for label, c in PARTS for what in ("ratio", "lowered")}
    assert set(found) == names


def test_clusters_of_which_each_is_one_image_have_no_variance():
    images, labels, clusters = IMAGES[:4], np.array([1, 1, 1, 1]), np.array([0, 0, 1, 1])
    images = np.stack([images[0], images[0], images[1], images[1]])
    found = variance_estimates(images, labels, clusters, 100, 0)
    for c in (0, 1):
        assert found[f"ratio_1_{c}"].value == 0
        assert found[f"lowered_1_{c}"].value == 1


def marked():
    """Images whose grey value encodes label and cluster."""
    grey = (10 * LABELS + CLUSTERS) / 100
    return np.broadcast_to(grey[:, None, None, None], (len(grey), *SHAPE))


@pytest.mark.parametrize("n", [1, 4, 20])
def test_pictures_are_of_their_cluster_alone(n):
    pictures = cluster_pictures(marked(), LABELS, CLUSTERS, n)
    assert pictures.keys() == {"label_0", "label_4"}
    for label, size in ((0, 2), (4, 3)):
        rows = pictures[f"label_{label}"]
        smallest = np.bincount(CLUSTERS[label == LABELS]).min()
        assert (rows.shape, rows.dtype) == ((size, min(n, smallest), *SHAPE), np.float32)
        for cluster, row in enumerate(rows):
            np.testing.assert_allclose(row, (10 * label + cluster) / 100, rtol=1e-6)


def test_pictures_are_images_of_the_set_and_follow_the_seed():
    first, again, other = (
        cluster_pictures(IMAGES, LABELS, CLUSTERS, 5, seed)["label_4"] for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    known = {image.astype(np.float32).tobytes() for image in IMAGES}
    assert {picture.tobytes() for picture in first.reshape(-1, *SHAPE)} <= known
