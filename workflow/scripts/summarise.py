"""Likelihoods of every model in and out of distribution, and how they rank."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from oodpriors import tables
    from oodpriors.files import atomic
    from oodpriors.quantities import Measure, load_stored
    from oodpriors.statistics import read_scores
    from oodpriors.summaries import curve_table, toy_table

    params, output, titles = snakemake.params, snakemake.output, snakemake.params.titles
    scores = read_scores(params.runs, snakemake.input.scores)
    stored = load_stored(snakemake.input.toy)
    curves = {name: curve["models"] for name, curve in params.curves.items()}
    measure = Measure(scores, params.bootstrap, params.seed, stored, curves)
    models = {name: scores[name] for name in params.models}
    toys = {name: scores[name] for name in params.toys}
    for path, table in (
        (output.models, tables.model_table(models, titles, measure)),
        (output.ranking, tables.ranking_table(models, titles, measure)),
        (output.decomposition, tables.decomposition_table(params.pairs, models, titles, measure)),
        (output.curves, curve_table(params.curves, titles, measure)),
        (output.toy, toy_table(toys, titles, measure)),
    ):
        with atomic(path) as temporary:
            table.to_csv(temporary, index=False)
