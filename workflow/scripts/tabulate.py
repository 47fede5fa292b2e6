"""A table of likelihoods beside the paper's numbers."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.files import atomic
    from oodpriors.tables import likelihood_table, show_likelihoods, to_html

    models = pd.read_csv(snakemake.input.models)
    table = likelihood_table(models, snakemake.params.models, snakemake.params.published)
    with atomic(snakemake.output.csv) as path:
        table.to_csv(path, index=False)
    with atomic(snakemake.output.html) as path:
        path.write_text(to_html(show_likelihoods(table)))
