"""Gradient norms of some images of each set, layer by layer."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import torch

    from oodpriors.data.datasets import load_arrays
    from oodpriors.io.devices import find_device
    from oodpriors.io.files import atomic, load_yaml
    from oodpriors.io.tables import read_parquet
    from oodpriors.models.build import load_model
    from oodpriors.scoring.gradients import score_gradients

    torch.set_num_threads(snakemake.config["models"][snakemake.wildcards.architecture]["threads"])
    source, spec = snakemake.input, load_yaml(snakemake.input.spec)
    model = load_model(spec, source.weights).to(find_device(snakemake.config["device"]))
    arrays = {name: load_arrays(source[name]) for name in ("train", "test", "ood")}
    scores = read_parquet(source.scores)
    table = score_gradients(model, arrays, scores, snakemake.params.images, spec["seed"])
    with atomic(snakemake.output[0]) as path:
        table.to_parquet(path, index=False)
