"""Histograms of log-likelihoods, one panel per group of models."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from oodpriors.figures import histogram_panels, plot_histograms
    from oodpriors.files import load_json
    from oodpriors.provenance import describe
    from oodpriors.statistics import read_scores

    params = snakemake.params
    scores = read_scores(params.models, snakemake.input.scores)
    provenances = [load_json(path) for path in snakemake.input.provenance]
    note = describe(provenances, params.scale, params.titles["subsets"])
    panels = histogram_panels(params.panels, scores, params.titles)
    paths = [snakemake.output.pdf, snakemake.output.png]
    plot_histograms(panels, note, paths, "log-likelihood (nats per image)")
