"""Fetch a data set, check it and store it; if only further sets need it, it may be missing."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import sys
    from pathlib import Path

    from oodpriors.data.datasets import save_arrays
    from oodpriors.data.loading import load_dataset, load_or_leave_out
    from oodpriors.io.files import save_json

    # Where the files come from is no parameter: it changes no byte of what is stored,
    # and must not make anything run again.
    entry, params = snakemake.config["datasets"][snakemake.wildcards.dataset], snakemake.params
    sources = [place for place in (snakemake.config["mirror"], entry["system_folder"]) if place]
    source = params.source | {key: entry[key] for key in ("path", "shape")}
    get = load_dataset if params.required else load_or_leave_out
    data = get(source, sources, Path(params.cache))
    if reason := data.provenance.get("missing"):
        print(f"{snakemake.wildcards.dataset} is left out: {reason}", file=sys.stderr)
    save_arrays(snakemake.output.arrays, images=data.images, labels=data.labels, split=data.split)
    save_json(snakemake.output.provenance, data.provenance)
