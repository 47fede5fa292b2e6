"""Train one model, or go on where its checkpoint stopped."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from pathlib import Path

    import pandas as pd
    import torch

    from oodpriors.datasets import load_arrays
    from oodpriors.files import atomic, save_json, save_yaml, sha256
    from oodpriors.fitting import digest, fit
    from oodpriors.models import save_weights
    from oodpriors.subsets import to_nchw
    from oodpriors.training import find_device

    torch.set_num_threads(snakemake.threads)
    # The device is no parameter: finished models stay, wherever the next ones are trained.
    device = find_device(snakemake.config["device"])
    data = {name: sha256(snakemake.input[name]) for name in ("arrays", "components")}
    spec = snakemake.params.spec | {"data_sha256": data}
    code = [sha256(module) for module in snakemake.input.code]
    checkpoint = Path(snakemake.params.checkpoints, digest(spec, code) + ".pt")
    images = to_nchw(load_arrays(snakemake.input.arrays)["images"])
    components = pd.read_csv(snakemake.input.components)["component"].to_numpy(copy=True)

    result = fit(spec, images, components, checkpoint, device)

    save_yaml(snakemake.output.spec, spec)
    save_weights(result.model, snakemake.output.weights)
    with atomic(snakemake.output.history) as path:
        result.history.to_csv(path, index=False)
    save_json(snakemake.output.diagnostics, result.diagnostics)
    checkpoint.unlink(missing_ok=True)
