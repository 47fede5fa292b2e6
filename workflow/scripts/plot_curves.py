"""Likelihoods over the distance of two components."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.data.provenance import read_note
    from oodpriors.figures.curves import plot_curves

    params, source = snakemake.params, snakemake.input
    curves = pd.read_csv(source.curves)
    note = read_note(source.provenance, params.scale, params.titles["subsets"])
    chosen = curves[curves["curve"].isin(params.entry["curves"])]
    plot_curves(chosen, note, [snakemake.output.pdf, snakemake.output.png])
