"""Likelihoods of every model in and out of distribution, and how they rank."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.io.files import atomic
    from oodpriors.statistics.estimates import read_scores
    from oodpriors.statistics.quantities import Measure, load_stored
    from oodpriors.tables import curves, decomposition, likelihoods, ranking, toy

    params, output = snakemake.params, snakemake.output
    titles, pairs = params.titles, params.pairs
    scores = read_scores(params.runs, snakemake.input.scores)
    over = {name: curve["models"] for name, curve in params.curves.items()}
    measure = Measure(scores, params.bootstrap, params.seed, load_stored(snakemake.input.toy), over)
    models = {name: scores[name] for name in params.models}
    toys = {name: scores[name] for name in params.toys}
    for path, table in (
        (output.models, likelihoods.model_table(models, titles, measure)),
        (output.ranking, ranking.ranking_table(models, titles, measure)),
        (output.decomposition, decomposition.decomposition_table(pairs, models, titles, measure)),
        (output.curves, curves.curve_table(params.curves, models, titles, measure)),
        (output.toy, toy.toy_table(toys, titles, measure)),
    ):
        with atomic(path) as temporary:
            table.to_csv(temporary, index=False)
