"""Train one model, or go on where its checkpoint stopped."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    import torch

    from oodpriors.data.datasets import load_arrays
    from oodpriors.data.subsets import to_nchw
    from oodpriors.io.devices import find_device
    from oodpriors.io.files import atomic, save_json, save_yaml, sha256
    from oodpriors.io.tables import read_csv
    from oodpriors.models.build import save_weights
    from oodpriors.training.fit import attempt, fit

    output, folder = snakemake.output, Path(snakemake.output.weights).parent
    # These are no parameters: finished models stay, wherever the next ones are trained.
    device, save_every = find_device(snakemake.config["device"]), snakemake.config["save_every"]
    torch.set_num_threads(snakemake.config["models"][snakemake.wildcards.architecture]["threads"])
    data = {name: sha256(snakemake.input[name]) for name in ("arrays", "components")}
    spec = snakemake.params.spec | {"data_sha256": data}
    images = to_nchw(load_arrays(snakemake.input.arrays)["images"])
    components = read_csv(snakemake.input.components)["component"].to_numpy(copy=True)

    with attempt(folder, spec, snakemake.params.code, output) as checkpoint:
        if checkpoint:
            result = fit(spec, images, components, checkpoint, device, save_every)
            save_yaml(output.spec, spec)
            save_weights(result.model, output.weights)
            with atomic(output.history) as path:
                result.history.to_csv(path, index=False)
            save_json(output.diagnostics, result.diagnostics)
