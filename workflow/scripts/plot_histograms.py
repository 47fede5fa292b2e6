"""Histograms of log-likelihoods or latents, a panel per group of models."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from oodpriors.data.provenance import read_note
    from oodpriors.figures.histograms import histogram_panels, plot_histograms
    from oodpriors.statistics.estimates import read_scores

    params, entry = snakemake.params, snakemake.params.entry
    scores = read_scores(params.runs, snakemake.input.scores)
    note = read_note(snakemake.input.provenance, params.scale, params.titles["subsets"])
    columns = dict.fromkeys(entry["panels"], entry["column"]) | entry["columns"]
    panels = histogram_panels(
        entry["panels"], scores, params.titles, columns, entry["sets"], params.distances
    )
    plot_histograms(panels, note, [snakemake.output.pdf, snakemake.output.png])
