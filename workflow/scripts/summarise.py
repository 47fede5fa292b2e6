"""Likelihoods of every model in and out of distribution, with their errors."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from oodpriors.files import atomic
    from oodpriors.statistics import Measure, read_scores
    from oodpriors.tables import model_table

    params = snakemake.params
    scores = read_scores(params.models, snakemake.input.scores)
    table = model_table(scores, params.titles, Measure(scores, params.bootstrap, params.seed))
    with atomic(snakemake.output[0]) as path:
        table.to_csv(path, index=False)
