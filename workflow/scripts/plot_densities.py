"""The densities of the two kinds of components."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.figures.densities import plot_densities

    paths = [snakemake.output.pdf, snakemake.output.png]
    plot_densities(pd.read_csv(snakemake.input.table), "", paths)
