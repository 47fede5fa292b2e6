"""A figure of the configuration, from what is stored."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.data.provenance import read_note
    from oodpriors.kinds.figures import FIGURES
    from oodpriors.kinds.rows import load

    source, about = snakemake.input, snakemake.params.about
    note = read_note(source.provenance, snakemake.params.scale, about["titles"]["subsets"])
    draw = load(FIGURES[about["entry"]["kind"]].place)
    draw(source, about, note, [snakemake.output.pdf, snakemake.output.png])
