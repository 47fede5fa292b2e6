"""Densities of flows in two dimensions."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.figures.toy import plot_contours

    params, source = snakemake.params, snakemake.input
    grids = {
        params.titles["priors"][model.split("/")[2]]: pd.read_parquet(path)
        for model, path in zip(params.models, source.densities, strict=True)
    }
    paths = [snakemake.output.pdf, snakemake.output.png]
    plot_contours(grids, pd.read_parquet(source.scores[0]), f"scale {params.scale}", paths)
