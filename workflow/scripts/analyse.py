"""An analysis of the configuration."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.kinds.analyses import ANALYSES
    from oodpriors.kinds.rows import load
    from oodpriors.statistics.quantities import save_stored

    params = snakemake.params
    analyse = load(ANALYSES[snakemake.wildcards.analysis].place)
    about = (params.runs, params.entry, params.bootstrap, params.seed)
    save_stored(snakemake.output[0], analyse(snakemake.input, *about))
