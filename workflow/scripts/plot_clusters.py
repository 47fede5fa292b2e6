"""Pictures and variances of k-means clusters."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import numpy as np
    import pandas as pd

    from oodpriors.data.provenance import read_note
    from oodpriors.figures.clusters import plot_clusters

    params, source = snakemake.params, snakemake.input
    note = read_note(source.provenance, params.scale, params.titles["subsets"])
    with np.load(source.pictures) as pictures:
        samples = {name.removeprefix("label_"): [*pictures[name]] for name in pictures.files}
    paths = [snakemake.output.pdf, snakemake.output.png]
    plot_clusters(samples, pd.read_csv(source.table), params.keep, note, paths)
