"""Score a further set out of distribution with a trained model."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import torch

    from oodpriors.data.datasets import load_arrays, save_arrays
    from oodpriors.io.devices import find_device
    from oodpriors.io.files import atomic, load_yaml
    from oodpriors.models.build import load_model
    from oodpriors.scoring.further import score_further

    torch.set_num_threads(snakemake.config["models"][snakemake.wildcards.architecture]["threads"])
    source, params, output = snakemake.input, snakemake.params, snakemake.output
    spec, name = load_yaml(source.spec), snakemake.wildcards.further
    model = load_model(spec, source.weights).to(find_device(snakemake.config["device"]))
    scores, latents = score_further(
        model,
        name,
        load_arrays(source.images) if source.images else None,
        load_arrays(source.train)["images"],
        params.draws,
        spec["seed"],
        params.n_samples,
        params.adaptive,
        snakemake.config["gpu"],
    )
    with atomic(output.scores) as path:
        scores.to_parquet(path, index=False)
    save_arrays(output.latents, **latents)
