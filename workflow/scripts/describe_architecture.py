"""Layers of the VAE as built, compared with the paper's rows."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.analyses.architectures import architecture_table
    from oodpriors.io.files import atomic, load_yaml
    from oodpriors.models.build import build_model

    network = snakemake.wildcards.network
    shape = {"grey": (1, 28, 28), "colour": (3, 32, 32)}[network]
    prior = {"kind": "gaussian", "means": [[0.0]]}
    model = build_model("vae", shape, prior, snakemake.params.network)
    table = architecture_table(model, load_yaml(snakemake.input.published)[network])
    with atomic(snakemake.output[0]) as path:
        table.to_csv(path, index=False)
