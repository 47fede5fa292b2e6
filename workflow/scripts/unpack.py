"""Fetch an archive of trained models, check it, and unpack it."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    from oodpriors.training.taken import unpack

    unpack(snakemake.params.address, snakemake.wildcards.sha256, Path(snakemake.output[0]))
