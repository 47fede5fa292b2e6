"""Distances to mean images and variances, pixel by pixel."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.data.provenance import read_note
    from oodpriors.figures.pixels import pixel_titles, plot_pixel_distances

    params, source = snakemake.params, snakemake.input
    table = pd.read_csv(source.table)
    note = read_note(source.provenance, params.scale, params.titles["subsets"])
    titles = pixel_titles(table, params.names)
    plot_pixel_distances(table, titles, note, [snakemake.output.pdf, snakemake.output.png])
