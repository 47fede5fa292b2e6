"""Build the document with latexmk or tectonic, whichever is there."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from pathlib import Path

    from oodpriors.document.pdf import build_pdf

    source = snakemake.input
    files = [source.main, source.references, *source.figures]
    files += sorted(Path(source.fragments).glob("[!.]*"))
    build_pdf([Path(file) for file in files], "main", Path(snakemake.output[0]))
