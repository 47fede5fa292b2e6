"""Subsets select the right images, clusters are the nearest, components keep the order."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances_argmin

from oodpriors.data.made import shuffled
from oodpriors.data.subsets import (
    assign,
    drawn,
    fit_clusters,
    nearest_cluster,
    prepare,
    select,
    to_nchw,
)

LABELS = np.array([7, 1, 3, 1, 7, 7, 1, 3, 7, 1])


def images_of(n, seed=0, shape=(4, 4)):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


IMAGES = images_of(len(LABELS))


# to_nchw


@pytest.mark.parametrize(("shape", "channels"), [((5, 6), 1), ((5, 6, 1), 1), ((5, 6, 3), 3)])
def test_channels_come_first(shape, channels):
    images = images_of(2, shape=shape)
    moved = to_nchw(images)
    assert moved.shape == (2, channels, 5, 6)
    assert moved.flags.c_contiguous
    for channel in range(channels):
        expected = images if images.ndim == 3 else images[..., channel]
        np.testing.assert_array_equal(moved[:, channel], expected)


# select


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, range(10)),
        ([1], [1, 3, 6, 9]),
        ([7], [0, 4, 5, 8]),
        ([1, 7], [0, 1, 3, 4, 5, 6, 8, 9]),
        ([7, 1], [0, 1, 3, 4, 5, 6, 8, 9]),
    ],
)
def test_a_subset_has_the_images_of_its_labels(wanted, index):
    chosen = select(IMAGES, LABELS, wanted)
    assert chosen["index"].tolist() == list(index)
    np.testing.assert_array_equal(chosen["images"], IMAGES[list(index)])
    np.testing.assert_array_equal(chosen["labels"], LABELS[list(index)])
    assert chosen["cluster"].tolist() == [0] * len(index)


# drawn


@pytest.mark.parametrize(("limit", "size"), [(None, 8), (20, 8), (8, 8), (3, 3), (1, 1)])
def test_a_limit_is_the_most_that_is_drawn(limit, size):
    assert len(drawn(8, limit, 0)) == size


@pytest.mark.parametrize("seed", range(3))
def test_a_draw_keeps_the_order_and_follows_its_seed_alone(seed):
    first, again, other = drawn(100, 20, seed), drawn(100, 20, seed), drawn(100, 20, seed + 1)
    assert np.all(np.diff(first) > 0)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_draw_takes_every_image_alike():
    counts = np.zeros(10)
    for seed in range(2000):
        counts[drawn(10, 3, seed)] += 1
    # each count is binomial with mean 600 and standard deviation 20.5
    np.testing.assert_allclose(counts, 600, atol=90)


def test_a_missing_label_is_named_with_those_that_are_there():
    with pytest.raises(ValueError, match=r"labels \[4, 9\] are missing; there are \[1, 3, 7\]"):
        select(IMAGES, LABELS, [9, 1, 4])


def test_a_subset_of_nothing_is_refused():
    centres = np.zeros((1, 2, 16))
    centres[0, 1] = 1e3  # far from all images
    with pytest.raises(ValueError, match="no image is left"):
        select(IMAGES, LABELS, [1], centres=centres, cluster=1)


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError, match="no image is left"):
        select(IMAGES[:0], LABELS[:0])


# prepare

SELECTION = {"subset": "f", "split": "test", "labels": None, "limit": 5, "each_training": None}
SELECTION |= {"seed": 3, "cluster": None}
SOURCE = {"kind": "npz", "stand_in": False, "files": []}
SPLIT = np.where(np.arange(20) < 8, "train", "test")
DATA = {"images": images_of(20), "labels": np.arange(20) % 4, "split": SPLIT}


@pytest.mark.parametrize(("split", "places"), [("train", range(8)), ("test", range(8, 20))])
def test_a_subset_is_cut_out_of_a_split(split, places):
    change = {"subset": "few", "split": split, "labels": [1, 2], "limit": 3}
    chosen, about = prepare(DATA, SOURCE, SELECTION | change)
    assert set(chosen["labels"]) <= {1, 2}
    assert len(chosen["images"]) == 3
    np.testing.assert_array_equal(chosen["images"], DATA["images"][places][chosen["index"]])
    assert (about["subset"], about["split"], about["images"]) == ("few", split, 3)
    assert about["of_images"] == sum(label in (1, 2) for label in DATA["labels"][places])
    assert about["source"] == SOURCE


def test_a_made_set_says_what_it_is_made_of_and_keeps_index_and_label():
    source, of = prepare(DATA, SOURCE, SELECTION | {"limit": 8})
    made, about = prepare(source, of, SELECTION | {"subset": "noisy"}, made="shuffled")
    assert about["source"] == SOURCE | {"made": "shuffled", "of": "f"}
    assert (about["images"], about["of_images"]) == (5, 8)
    originals = DATA["images"][8:][made["index"]]
    assert (made["images"] != originals).any()
    np.testing.assert_array_equal(
        np.sort(made["images"].reshape(5, -1)), np.sort(originals.reshape(5, -1))
    )
    np.testing.assert_array_equal(made["labels"], DATA["labels"][8:][made["index"]])


def test_a_made_set_depends_on_the_seed_of_the_data_and_on_its_name():
    source, of = prepare(DATA, SOURCE, SELECTION)
    settings = [("a", 3), ("a", 3), ("b", 3), ("a", 4)]
    first, again, named, seeded = (
        prepare(source, of, SELECTION | {"subset": name, "seed": seed}, made="noise")[0]["images"]
        for name, seed in settings
    )
    np.testing.assert_array_equal(first, again)
    assert (first != named).any()
    assert (first != seeded).any()


def test_the_function_of_the_row_makes_the_images():
    source, of = prepare(DATA, SOURCE, SELECTION)
    made, _ = prepare(source, of, SELECTION | {"subset": "s"}, made="shuffled")
    rng = np.random.default_rng([3, *b"s"])
    np.testing.assert_array_equal(made["images"], shuffled(source["images"], rng))


def test_what_is_cut_or_made_of_a_missing_set_is_missing_too():
    empty = {"images": np.empty((0, 1, 1), np.uint8), "labels": LABELS[:0], "split": SPLIT[:0]}
    missing = SOURCE | {"missing": "could not get a.gz"}
    chosen, about = prepare(empty, missing, SELECTION | {"labels": [1]})
    made, of = prepare(chosen, about, SELECTION | {"subset": "blended"}, made="blends")
    for images, part in ((chosen, about), (made, of)):
        assert len(images["images"]) == part["images"] == part["of_images"] == 0
        assert part["source"]["missing"] == "could not get a.gz"


# k-means

# Each label has groups of these sizes around these distant grey values.
BLOBS = {7: {30: 20, 50: 120, 20: 220}, 1: {25: 200, 15: 100, 60: 10}}


def blobs():
    """Shuffled images, their labels, and the rank by size of each image's group."""
    rng = np.random.default_rng(0)
    images, labels, ranks = [], [], []
    for label, sizes in BLOBS.items():
        for size, grey in sizes.items():
            images.append(grey + rng.integers(-9, 10, (size, 4, 4)))
            labels += [label] * size
            ranks += [sorted(sizes, reverse=True).index(size)] * size
    order = rng.permutation(len(labels))
    images = np.concatenate(images).astype(np.uint8)
    return images[order], np.asarray(labels)[order], np.asarray(ranks)[order]


@pytest.mark.parametrize("wanted", [[7, 1], [1, 7], [1]])
def test_centres_are_means_of_the_blobs_by_size(wanted):
    images, labels, ranks = blobs()
    centres = fit_clusters(images, labels, wanted, 3, seed=0)
    assert centres.shape == (len(wanted), 3, 16)
    for row, label in enumerate(wanted):
        for rank in range(3):
            own = images[(labels == label) & (ranks == rank)].reshape(-1, 16) / 255
            np.testing.assert_allclose(centres[row, rank], own.mean(0), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_seed_does_not_change_well_separated_clusters(seed):
    images, labels, _ = blobs()
    centres = fit_clusters(images, labels, [7, 1], 3, seed)
    np.testing.assert_allclose(centres, fit_clusters(images, labels, [7, 1], 3, 99), atol=1e-12)


def test_too_few_images_for_the_clusters_are_named():
    with pytest.raises(ValueError, match="label 3 has 2 images, too few for 3 clusters"):
        fit_clusters(IMAGES, LABELS, [1, 3], 3, seed=0)


@pytest.mark.parametrize("wanted", [[7, 1], [1, 7]])
def test_every_image_belongs_to_its_blob(wanted):
    images, labels, ranks = blobs()
    centres = fit_clusters(images, labels, wanted, 3, seed=0)
    np.testing.assert_array_equal(nearest_cluster(images, labels, wanted, centres), ranks)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_centre_is_that_of_brute_force(shape, seed):
    images = images_of(60, seed, shape)
    labels = np.random.default_rng(seed).integers(0, 3, 60)
    centres = np.random.default_rng(seed + 1).uniform(0, 1, (3, 5, images[0].size))
    found = nearest_cluster(images, labels, [2, 0, 1], centres)
    for row, label in enumerate([2, 0, 1]):
        flat = images[labels == label].reshape(-1, images[0].size) / 255
        np.testing.assert_array_equal(
            found[labels == label], pairwise_distances_argmin(flat, centres[row])
        )


def test_images_of_other_labels_belong_to_no_cluster_but_the_first():
    images, labels, _ = blobs()
    centres = fit_clusters(images, labels, [1], 3, seed=0)
    assert not nearest_cluster(images, labels, [1], centres)[labels == 7].any()


@pytest.mark.parametrize("wanted", [[7, 1], [1, 7], [7]])
@pytest.mark.parametrize("cluster", [0, 1, 2, None])
def test_one_cluster_of_each_label_can_be_kept(wanted, cluster):
    images, labels, ranks = blobs()
    centres = fit_clusters(images, labels, wanted, 3, seed=0)
    chosen = select(images, labels, wanted, centres=centres, cluster=cluster)
    right = np.isin(labels, wanted) & ((ranks == cluster) | (cluster is None))
    np.testing.assert_array_equal(chosen["index"], np.flatnonzero(right))
    np.testing.assert_array_equal(chosen["cluster"], ranks[right])
    np.testing.assert_array_equal(chosen["images"], images[right])


# assignment


@pytest.mark.parametrize(
    ("kind", "order", "components"),
    [
        ("single", None, [0, 0, 0, 0, 0, 0]),
        ("mixture", None, [0, 0, 0, 0, 0, 0]),
        ("label", None, [2, 0, 1, 0, 2, 1]),
        ("label", [7, 1, 3], [0, 1, 2, 1, 0, 2]),
        ("label", [3, 7, 1], [1, 2, 0, 2, 1, 0]),
        # pairs (label, cluster) in order: (1, 0) (1, 1) (3, 1) (7, 0) (7, 2)
        ("cluster", None, [4, 0, 2, 1, 3, 2]),
        # (7, 0) (7, 2) (3, 1) (1, 0) (1, 1)
        ("cluster", [7, 3, 1], [1, 3, 2, 4, 0, 2]),
    ],
)
def test_components_follow_the_order_of_the_labels(kind, order, components):
    labels, cluster = np.array([7, 1, 3, 1, 7, 3]), np.array([2, 0, 1, 1, 0, 1])
    found = assign(kind, labels, cluster, order)
    assert (found.tolist(), found.dtype) == (components, np.int64)


def test_clusters_of_kmeans_become_the_components_in_order():
    images, labels, ranks = blobs()
    centres = fit_clusters(images, labels, [7, 1], 3, seed=0)
    chosen = select(images, labels, [7, 1], centres=centres)
    found = assign("cluster", chosen["labels"], chosen["cluster"], [7, 1])
    np.testing.assert_array_equal(found, ranks + 3 * (labels == 1))


def test_one_kept_cluster_is_one_component_of_its_label():
    labels, cluster = np.array([1, 7, 7, 1]), np.full(4, 2)
    assert assign("cluster", labels, cluster, [1, 7]).tolist() == [0, 1, 1, 0]


def many_labels():
    return np.repeat([7, 1, 3], [300, 100, 200])


@pytest.mark.parametrize("order", [None, [7, 1, 3], [3, 7, 1]])
@pytest.mark.parametrize("seed", range(3))
def test_a_random_assignment_keeps_the_sizes_of_the_labels(order, seed):
    labels = many_labels()
    nothing = np.zeros_like(labels)
    by_label, found = (assign(kind, labels, nothing, order, seed) for kind in ("label", "random"))
    assert found.dtype == np.int64
    np.testing.assert_array_equal(np.bincount(found), np.bincount(by_label))


def test_a_random_assignment_does_not_follow_the_labels():
    labels = many_labels()
    found = assign("random", labels, np.zeros_like(labels), [7, 1, 3])
    shares = np.array([np.bincount(found[labels == label], minlength=3) for label in (7, 1, 3)])
    sizes = np.array([300, 100, 200])
    # hypergeometric with standard deviations up to 10
    np.testing.assert_allclose(shares, np.outer(sizes, sizes) / 600, atol=40)


def test_a_random_assignment_follows_its_seed_alone():
    labels = many_labels()
    nothing = np.zeros_like(labels)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (assign("random", labels, nothing, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("kind", ["single", "label", "cluster", "mixture"])
def test_other_assignments_have_no_seed(kind):
    cluster = np.arange(10) % 2
    np.testing.assert_array_equal(
        assign(kind, LABELS, cluster, seed=0), assign(kind, LABELS, cluster, seed=1)
    )


def test_an_unknown_assignment_is_refused():
    with pytest.raises(ValueError, match="'labels' is unknown; choose single, label, clus"):
        assign("labels", LABELS, np.zeros(10, int))
