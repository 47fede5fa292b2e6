"""Fetch a data set, check it, and store it as arrays with its provenance."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from pathlib import Path

    from oodpriors.data.datasets import load_dataset, save_arrays
    from oodpriors.io.files import save_json

    # Where the files come from is no parameter: it changes no byte of what is stored,
    # and must not make anything run again.
    folder = snakemake.config["datasets"][snakemake.wildcards.dataset]["system_folder"]
    sources = [source for source in (snakemake.config["mirror"], folder) if source]
    data = load_dataset(snakemake.params.entry, sources, Path(snakemake.params.cache))
    save_arrays(snakemake.output.arrays, images=data.images, labels=data.labels, split=data.split)
    save_json(snakemake.output.provenance, data.provenance)
