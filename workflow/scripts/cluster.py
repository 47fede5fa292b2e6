"""Fit k-means within each label of a subset, on its training split."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import numpy as np

    from oodpriors.data.datasets import load_arrays, save_arrays
    from oodpriors.data.subsets import fit_clusters

    data, kmeans = load_arrays(snakemake.input.arrays), snakemake.params.kmeans
    train = data["split"] == "train"
    images, labels = data["images"][train], data["labels"][train]
    wanted = snakemake.params.labels or np.unique(labels).tolist()
    centres = fit_clusters(images, labels, wanted, kmeans["k"], kmeans["seed"])
    save_arrays(snakemake.output[0], labels=np.asarray(wanted), centres=centres)
