"""Take a trained model instead of training it."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    from oodpriors.io.files import sha256
    from oodpriors.training.taken import take

    params = snakemake.params
    data = {name: sha256(snakemake.input[name]) for name in ("arrays", "components")}
    target = Path(snakemake.output.weights).parent
    take(Path(params.folder), params.spec | {"data_sha256": data}, params.source, target)
