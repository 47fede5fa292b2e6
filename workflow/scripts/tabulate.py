"""A table of the paper, or one of ours, to read and to print."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.io.files import atomic
    from oodpriors.tables.cells import read_table, to_html
    from oodpriors.tables.make import make_table, show_table

    params = snakemake.params
    table = make_table(params.entry, read_table(snakemake.input.source), params.published)
    with atomic(snakemake.output.csv) as path:
        table.to_csv(path, index=False)
    with atomic(snakemake.output.html) as path:
        path.write_text(to_html(show_table(params.entry["kind"], table)))
