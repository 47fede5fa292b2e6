"""Score training, test and out-of-distribution images of one model."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import torch

    from oodpriors.datasets import load_arrays, save_arrays
    from oodpriors.files import atomic, load_yaml
    from oodpriors.models import load_model
    from oodpriors.scoring import score_sets
    from oodpriors.training import find_device

    torch.set_num_threads(snakemake.threads)
    spec = load_yaml(snakemake.input.spec)
    model = load_model(spec, snakemake.input.weights).to(find_device(snakemake.config["device"]))
    arrays = {name: load_arrays(snakemake.input[name]) for name in ("train", "test", "ood")}
    subset = snakemake.wildcards.subset
    names = {
        "train": f"{subset}.train",
        "test": f"{subset}.test",
        "ood": f"{snakemake.params.ood}.test",
    }
    scores, latents = score_sets(
        model, arrays, names, snakemake.params.draws, spec["seed"], snakemake.params.train_limit
    )
    with atomic(snakemake.output.scores) as path:
        scores.to_parquet(path, index=False)
    save_arrays(snakemake.output.latents, **latents)
