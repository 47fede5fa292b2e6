"""Variances and pictures of the k-means clusters of each label."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.analyses.pixels import cluster_pictures, cluster_variances, variance_estimates
    from oodpriors.data.datasets import load_arrays, save_arrays
    from oodpriors.data.subsets import select
    from oodpriors.io.files import atomic
    from oodpriors.statistics.quantities import save_stored

    source, output, params = snakemake.input, snakemake.output, snakemake.params
    data = load_arrays(source.arrays)
    train = data["split"] == "train"
    chosen = select(
        *(data[name][train] for name in ("images", "labels")),
        wanted=params.labels,
        centres=load_arrays(source.clusters)["centres"],
    )
    parts = (chosen["images"] / 255, chosen["labels"], chosen["cluster"])
    save_stored(output.facts, variance_estimates(*parts, params.bootstrap, params.seed))
    with atomic(output.table) as path:
        cluster_variances(*parts).to_csv(path, index=False)
    save_arrays(output.pictures, **cluster_pictures(*parts, seed=params.seed))
