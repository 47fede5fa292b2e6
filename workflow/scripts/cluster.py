"""Fit k-means within each label of a subset, on its training split."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import numpy as np

    from oodpriors.datasets import load_arrays, save_arrays
    from oodpriors.subsets import fit_clusters

    data, subset = load_arrays(snakemake.input.arrays), snakemake.params.subset
    train = data["split"] == "train"
    images, labels = data["images"][train], data["labels"][train]
    wanted = subset["labels"] or np.unique(labels).tolist()
    kmeans = subset["kmeans"]
    centres = fit_clusters(images, labels, wanted, kmeans["k"], kmeans["seed"])
    save_arrays(snakemake.output[0], labels=np.asarray(wanted), centres=centres)
