"""Likelihoods of every model in and out of distribution, and how they rank."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from oodpriors.io.files import atomic
    from oodpriors.statistics.estimates import read_scores
    from oodpriors.statistics.quantities import Measure, load_stored
    from oodpriors.tables.curves import curve_table
    from oodpriors.tables.decomposition import decomposition_table
    from oodpriors.tables.likelihoods import model_table
    from oodpriors.tables.ranking import ranking_table
    from oodpriors.tables.toy import toy_table

    params, output, titles = snakemake.params, snakemake.output, snakemake.params.titles
    scores = read_scores(params.runs, snakemake.input.scores)
    stored = load_stored(snakemake.input.toy)
    curves = {name: curve["models"] for name, curve in params.curves.items()}
    measure = Measure(scores, params.bootstrap, params.seed, stored, curves)
    models = {name: scores[name] for name in params.models}
    toys = {name: scores[name] for name in params.toys}
    for path, table in (
        (output.models, model_table(models, titles, measure)),
        (output.ranking, ranking_table(models, titles, measure)),
        (output.decomposition, decomposition_table(params.pairs, models, titles, measure)),
        (output.curves, curve_table(params.curves, titles, measure)),
        (output.toy, toy_table(toys, titles, measure)),
    ):
        with atomic(path) as temporary:
            table.to_csv(temporary, index=False)
