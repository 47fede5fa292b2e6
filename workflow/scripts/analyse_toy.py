"""Exact likelihoods of the mixtures, and where a flow places its density."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.io.files import load_json
    from oodpriors.statistics.estimates import over_trainings
    from oodpriors.statistics.quantities import save_stored

    params, source = snakemake.params, snakemake.input
    files = [*zip(params.runs, source.facts, strict=True)]
    files += zip(params.planes, source.contours, strict=True)
    facts = {}
    for (model, _), path in files:
        for name, value in load_json(path).items():
            facts.setdefault(f"{model}/{name}", []).append([value])
    save_stored(
        snakemake.output[0],
        {name: over_trainings(rows, name.rpartition("/")[0]) for name, rows in facts.items()},
    )
