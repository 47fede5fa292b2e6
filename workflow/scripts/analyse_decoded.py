"""How like the data the images of component means and of samples are."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.analyses.decoded import likeness_estimates
    from oodpriors.statistics.quantities import save_stored

    params, tables = snakemake.params, {}
    for (model, _), path in zip(params.runs, snakemake.input.tables, strict=True):
        tables.setdefault(model, []).append(pd.read_csv(path))
    save_stored(snakemake.output[0], likeness_estimates(tables, params.bootstrap, params.seed))
