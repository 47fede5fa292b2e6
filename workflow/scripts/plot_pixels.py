"""Distances to mean images and variances, pixel by pixel."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.files import load_json
    from oodpriors.pictures import plot_pixel_distances
    from oodpriors.provenance import describe

    params, source = snakemake.params, snakemake.input
    table = pd.read_csv(source.table)
    provenances = [load_json(path) for path in source.provenance]
    note = describe(provenances, params.scale, params.titles["subsets"])
    columns = [column for column in table if column != "pixel"]
    titles = {
        column: " ".join([params.names[column.split("_")[1]], *column.split("_")[2:]])
        for column in columns
    }
    plot_pixel_distances(table, titles, note, [snakemake.output.pdf, snakemake.output.png])
