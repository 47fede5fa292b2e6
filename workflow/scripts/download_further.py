"""Fetch a data set beside the paper's; if only further sets need it, note why it cannot be had."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import sys
    from pathlib import Path

    from oodpriors.data.datasets import save_arrays
    from oodpriors.data.further import load_further, load_or_leave_out
    from oodpriors.io.files import save_json

    entry, params = snakemake.config["datasets"][snakemake.wildcards.dataset], snakemake.params
    sources = [place for place in (snakemake.config["mirror"], entry["system_folder"]) if place]
    source = params.source | {key: entry[key] for key in ("path", "shape")}
    get = load_further if params.required else load_or_leave_out
    data = get(source, sources, Path(params.cache))
    if reason := data.provenance.get("missing"):
        print(f"{snakemake.wildcards.dataset} is left out: {reason}", file=sys.stderr)
    save_arrays(snakemake.output.arrays, images=data.images, labels=data.labels, split=data.split)
    save_json(snakemake.output.provenance, data.provenance)
