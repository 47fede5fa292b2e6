"""Cut a split of a subset out of its data set."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.data.datasets import load_arrays, save_arrays
    from oodpriors.data.provenance import subset_provenance
    from oodpriors.data.subsets import drawn, select
    from oodpriors.io.files import load_json, save_json

    data, selection = load_arrays(snakemake.input.arrays), snakemake.params.selection
    split = snakemake.wildcards.split
    clusters = snakemake.input.clusters
    eligible = select(
        *(data[name][data["split"] == split] for name in ("images", "labels")),
        wanted=selection["labels"],
        centres=load_arrays(clusters)["centres"] if clusters else None,
        cluster=selection["cluster"],
    )
    number = len(eligible["index"])
    kept = drawn(number, selection["limit"], selection["seed"])
    chosen = {name: values[kept] for name, values in eligible.items()}
    save_arrays(snakemake.output.arrays, **chosen)
    source = load_json(snakemake.input.provenance)
    names = {"subset": snakemake.wildcards.subset, "split": split, **selection}
    save_json(snakemake.output.provenance, subset_provenance(source, names, number, chosen))
