"""Which data, which code, which machine: everything the numbers stand on."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import datetime
    import platform

    from oodpriors.io.files import load_json, save_json
    from oodpriors.io.machine import code_version, software_versions

    params = snakemake.params
    trained = [load_json(path) for path in snakemake.input.diagnostics]
    record = {
        "run": params.run,
        "scale": params.scale,
        "experiments": params.experiments,
        "whole": params.whole,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "code": code_version(),
        "platform": platform.platform(),
        "software": software_versions() | trained[0]["software"],
        "budget": params.budget,
        "datasets": params.datasets,
        "data": [load_json(path) for path in snakemake.input.provenance],
        "further": [load_json(path) for path in snakemake.input.further],
        "models": [
            {"model": model, "seed": seed, "weights": "trained", **entry}
            for (model, seed), entry in zip(params.runs, trained, strict=True)
        ],
        "flows": params.flows,
    }
    save_json(snakemake.output[0], record)
