"""Subsets of a data set, k-means clusters, and the assignment to components."""

from collections.abc import Mapping

import numpy as np

from oodpriors.data.provenance import subset_provenance
from oodpriors.io.errors import UserError
from oodpriors.kinds.made import MADE
from oodpriors.kinds.rows import load

Arrays = dict[str, np.ndarray]


def to_nchw(images: np.ndarray) -> np.ndarray:
    """(N, H, W) or (N, H, W, C) -> contiguous (N, C, H, W)."""
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images)


def flat(images: np.ndarray) -> np.ndarray:
    """(N, ...) -> (N, D) float64."""
    return images.reshape(len(images), -1).astype(np.float64)


def fit_clusters(
    images: np.ndarray, labels: np.ndarray, wanted: list[int], k: int, seed: int
) -> np.ndarray:
    """Fit k-means (k-means++) within each label (Section 5.4, Appendix E).

    Clusters are numbered by size, the largest first: the paper does not give its
    order. Pixels are scaled to [0, 1].

    Returns:
        Cluster centres (number of labels, k, H*W*C), in the order of ``wanted``.

    Raises:
        UserError: a label has fewer than k images.
    """
    return np.stack([_centres(images[labels == label], label, k, seed) for label in wanted])


def _centres(images: np.ndarray, label: int, k: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    if len(images) < k:
        raise UserError(f"label {label} has {len(images)} images, too few for {k} clusters")
    fit = KMeans(k, init="k-means++", n_init=10, random_state=seed).fit(flat(images) / 255)
    sizes = np.bincount(fit.labels_, minlength=k)
    return fit.cluster_centers_[np.argsort(-sizes, kind="stable")]


def nearest_cluster(
    images: np.ndarray, labels: np.ndarray, wanted: list[int], centres: np.ndarray
) -> np.ndarray:
    """For each image, number of the nearest centre of its label, (N,) int64."""
    cluster = np.zeros(len(images), np.int64)
    for label, own in zip(wanted, centres, strict=True):
        chosen = labels == label
        x = flat(images[chosen]) / 255
        distance = (x**2).sum(1)[:, None] - 2 * x @ own.T + (own**2).sum(1)
        cluster[chosen] = distance.argmin(1)
    return cluster


def select(
    images: np.ndarray,
    labels: np.ndarray,
    wanted: list[int] | None = None,
    centres: np.ndarray | None = None,
    cluster: int | None = None,
) -> Arrays:
    """Select the images of a split that belong to a subset.

    Args:
        images: (N, H, W[, C]) of one split.
        labels: (N,).
        wanted: labels to keep; None keeps all.
        centres: k-means centres of each wanted label; None for no clusters.
        cluster: number of the cluster to keep for each label; None keeps all.

    Returns:
        ``images``, ``labels``, ``cluster`` and ``index`` (position in the split).

    Raises:
        UserError: a label is missing, or no image is left.
    """
    present = np.unique(labels).tolist()
    wanted = present if wanted is None else wanted
    missing = sorted(set(wanted) - set(present))
    if missing:
        raise UserError(f"labels {missing} are missing; there are {present}")
    index = np.flatnonzero(np.isin(labels, wanted))
    clusters = np.zeros(len(index), np.int64)
    if centres is not None:
        clusters = nearest_cluster(images[index], labels[index], wanted, centres)
    if cluster is not None:
        index, clusters = index[clusters == cluster], clusters[clusters == cluster]
    if len(index) == 0:
        raise UserError("no image is left in this subset")
    return {
        "images": images[index],
        "labels": labels[index],
        "cluster": clusters,
        "index": index,
    }


def drawn(size: int, limit: int | None, seed: int) -> np.ndarray:
    """Places of at most ``limit`` of ``size`` images, drawn at random, in increasing order.

    None takes all.
    """
    if limit is None or limit >= size:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, limit, replace=False))


def prepare(
    data: Arrays,
    source: Mapping,
    selection: Mapping,
    made: str | None = None,
    centres: np.ndarray | None = None,
) -> tuple[Arrays, dict]:
    """Images of a split of a subset, and their provenance.

    Args:
        data: arrays of the data set, or with ``made`` those of the subset that it is made of.
        source: provenance of the same; with ``missing`` there are no images.
        selection: ``subset`` and ``split``, and what is kept, see
            :func:`oodpriors.config.specs.selection`.
        made: a name of :data:`oodpriors.kinds.made.MADE`.
        centres: see :func:`select`.

    Raises:
        UserError: no image is left.
    """
    if made:
        source = source["source"] | {"made": made, "of": source["subset"]}
        eligible = {key: data[key] for key in ("images", "labels", "cluster", "index")}
    if "missing" in source:
        empty = {key: np.empty(0, np.int64) for key in ("labels", "cluster", "index")}
        chosen, number = {"images": data["images"][:0], **empty}, 0
    else:
        if not made:
            own = data["split"] == selection["split"]
            cut = (data["images"][own], data["labels"][own], selection["labels"])
            eligible = select(*cut, centres=centres, cluster=selection["cluster"])
        number = len(eligible["index"])
        kept = drawn(number, selection["limit"], selection["seed"])
        chosen = {key: values[kept] for key, values in eligible.items()}
        if made:
            rng = np.random.default_rng([selection["seed"], *selection["subset"].encode()])
            chosen["images"] = load(MADE[made].place)(chosen["images"], rng)
    return chosen, subset_provenance(dict(source), dict(selection), number, chosen)


def assign(
    kind: str,
    labels: np.ndarray,
    cluster: np.ndarray,
    order: list[int] | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Assign each training image to a component: (N,) int64 (Section 4).

    ``single``: all images in one component (a unimodal prior). ``label``: one component
    per label, in the subset's order. ``cluster``: one component per k-means cluster of
    each label. ``random`` shuffles the components of ``label``: group sizes are kept,
    but the images of a group have nothing in common (our control). ``mixture``: none is
    assigned, because the whole mixture is trained; the component is 0 and has no meaning.

    Args:
        kind: single, label, cluster, random or mixture.
        labels: (N,).
        cluster: number of the k-means cluster within the label, (N,).
        order: order of the labels; None sorts them.
        seed: seed of the random assignment.

    Raises:
        UserError: unknown kind.
    """
    order = np.unique(labels).tolist() if order is None else order
    rank = {label: k for k, label in enumerate(order)}
    by_label = np.asarray([rank[label] for label in labels.tolist()], np.int64)
    match kind:
        case "single" | "mixture":
            return np.zeros_like(by_label)
        case "label":
            return by_label
        case "cluster":
            pairs = by_label * (cluster.max() + 1) + cluster
            return np.unique(pairs, return_inverse=True)[1].astype(np.int64)
        case "random":
            return np.random.default_rng(seed).permutation(by_label)
    known = "single, label, cluster, random or mixture"
    raise UserError(f"assignment {kind!r} is unknown; choose {known}")
