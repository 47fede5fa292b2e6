"""The generalised Gaussian and the Gaussian."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.analyses.densities import density_facts, density_table
    from oodpriors.io.files import atomic
    from oodpriors.statistics.estimates import Estimate
    from oodpriors.statistics.quantities import save_stored

    beta = snakemake.params.beta
    facts = {name: Estimate.of([value]) for name, value in density_facts(beta).items()}
    save_stored(snakemake.output.facts, facts)
    with atomic(snakemake.output.table) as path:
        density_table(beta).to_csv(path, index=False)
