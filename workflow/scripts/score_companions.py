"""Other scores than log p, from what is stored of the trained models."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.companions.compare import companion_table
    from oodpriors.companions.scores import png_sizes
    from oodpriors.companions.training import stored_trainings
    from oodpriors.data.datasets import load_arrays
    from oodpriors.io.files import atomic, load_json

    source, params = snakemake.input, snakemake.params
    images = zip(params.images, source.images, strict=True)
    sizes = {name: png_sizes(load_arrays(path)) for name, path in images}
    found = zip(params.further_subsets, map(load_json, source.further_provenance), strict=True)
    missing = {name: part["source"].get("missing") for name, part in found}
    missing = {name: reason for name, reason in missing.items() if reason}
    about = (params.priors, params.further, params.backgrounds)
    trainings = stored_trainings(params.runs, source, *about)
    shown = (params.titles, params.bootstrap, params.seed)
    table = companion_table(trainings, sizes, missing, *shown)
    with atomic(snakemake.output[0]) as path:
        table.to_csv(path, index=False)
