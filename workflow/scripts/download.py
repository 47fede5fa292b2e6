"""Fetch a data set, check it, and store it as arrays with its provenance."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    from oodpriors.data.datasets import load_dataset, save_arrays
    from oodpriors.io.files import save_json

    # Where the files come from is no parameter: it changes no byte of what is stored,
    # and must not make anything run again.
    entry, params = snakemake.config["datasets"][snakemake.wildcards.dataset], snakemake.params
    sources = [place for place in (snakemake.config["mirror"], entry["system_folder"]) if place]
    source = params.source | {"path": entry["path"]}
    data = load_dataset(source, sources, Path(params.cache))
    save_arrays(snakemake.output.arrays, images=data.images, labels=data.labels, split=data.split)
    save_json(snakemake.output.provenance, data.provenance)
