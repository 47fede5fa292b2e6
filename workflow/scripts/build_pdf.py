"""Build the document with latexmk or tectonic, whichever is there."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    from oodpriors.document.pdf import build_pdf

    build_pdf([Path(file) for file in snakemake.input], "main", Path(snakemake.output[0]))
