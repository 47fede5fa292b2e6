"""The topology mismatch, from flows in two dimensions."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.figures.toy import Plane, plot_topology
    from oodpriors.io.files import load_json

    params, source = snakemake.params, snakemake.input
    facts = [load_json(path) for path in source.facts]
    files = zip(params.models, source.densities, source.latents, facts, strict=True)
    planes = {
        params.titles["priors"][model.split("/")[2]]: Plane(
            pd.read_parquet(density), pd.read_parquet(latent), fact["prior_entropy"]
        )
        for model, density, latent, fact in files
    }
    paths = [snakemake.output.pdf, snakemake.output.png]
    plot_topology(planes, -facts[0]["exact_test"], f"scale {params.scale}", paths)
