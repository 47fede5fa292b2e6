"""Score training, test and out-of-distribution images of one model."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    import torch

    from oodpriors.data.datasets import load_arrays, save_arrays
    from oodpriors.data.subsets import drawn, to_nchw
    from oodpriors.io.devices import find_device
    from oodpriors.io.files import atomic, load_yaml
    from oodpriors.io.tables import read_csv
    from oodpriors.models.build import load_model
    from oodpriors.scoring.decoding import compare_decoded, decode
    from oodpriors.scoring.score_files import score_sets, with_refined
    from oodpriors.training.fit import discard_checkpoints

    torch.set_num_threads(snakemake.config["models"][snakemake.wildcards.architecture]["threads"])
    params, output = snakemake.params, snakemake.output
    spec = load_yaml(snakemake.input.spec)
    model = load_model(spec, snakemake.input.weights).to(find_device(snakemake.config["device"]))
    arrays = {name: load_arrays(snakemake.input[name]) for name in ("train", "test", "ood")}
    components = read_csv(snakemake.input.components)["component"].to_numpy()
    learnt = drawn(len(components), spec["images"], spec["seed"])
    components = components[learnt]
    arrays["train"] = {name: values[learnt] for name, values in arrays["train"].items()}

    decoded = decode(model, params.n_decoded, spec["seed"])
    scores, latents = score_sets(
        model,
        arrays,
        params.names,
        params.draws,
        spec["seed"],
        params.train_limit,
        decoded["means"],
        params.adaptive,
        snakemake.config["gpu"],
    )
    scores = with_refined(model, arrays, scores, spec["seed"], params.refined)
    train, test = (to_nchw(arrays[name]["images"]) / 255 for name in ("train", "test"))
    likeness = compare_decoded(decoded, train, components, test)
    with atomic(output.scores) as path:
        scores.to_parquet(path, index=False)
    save_arrays(output.latents, **latents)
    save_arrays(output.decoded, **decoded)
    with atomic(output.likeness) as path:
        likeness.to_csv(path, index=False)
    # that this job began means that the training counts as done
    discard_checkpoints(Path(output.scores).parent)
