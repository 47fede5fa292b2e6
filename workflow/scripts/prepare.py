"""Cut a split of a subset out of its data set, or make a set of other test images."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.data.datasets import load_arrays, save_arrays
    from oodpriors.data.subsets import prepare
    from oodpriors.io.files import load_json, save_json

    source, params = snakemake.input, snakemake.params
    names = {key: snakemake.wildcards[key] for key in ("subset", "split")}
    clusters = load_arrays(source.clusters)["centres"] if source.clusters else None
    arrays, provenance = prepare(
        load_arrays(source.arrays),
        load_json(source.provenance),
        names | params.selection,
        params.made,
        clusters,
    )
    save_arrays(snakemake.output.arrays, **arrays)
    save_json(snakemake.output.provenance, provenance)
