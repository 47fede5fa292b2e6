"""Fetch a data set that only further sets need; if it cannot be had, note why."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import sys
    from pathlib import Path

    from oodpriors.data.datasets import save_arrays
    from oodpriors.data.further import load_or_leave_out
    from oodpriors.io.files import save_json

    entry, params = snakemake.config["datasets"][snakemake.wildcards.dataset], snakemake.params
    sources = [place for place in (snakemake.config["mirror"], entry["system_folder"]) if place]
    source = params.source | {"path": entry["path"]}
    data = load_or_leave_out(source, sources, Path(params.cache))
    if reason := data.provenance.get("missing"):
        print(f"{snakemake.wildcards.dataset} is left out: {reason}", file=sys.stderr)
    save_arrays(snakemake.output.arrays, images=data.images, labels=data.labels, split=data.split)
    save_json(snakemake.output.provenance, data.provenance)
