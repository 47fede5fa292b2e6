"""Train and score a flow on a mixture of two Gaussians."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    import torch

    from oodpriors.io.files import atomic, save_json, save_yaml
    from oodpriors.models.build import save_weights
    from oodpriors.toy.flow import fit_toy, score_toy
    from oodpriors.toy.mixture import build_data, exact_facts
    from oodpriors.training.fit import attempt, discard_checkpoints

    torch.set_num_threads(snakemake.threads)
    spec, params, output = snakemake.params.spec, snakemake.params, snakemake.output
    folder = Path(output.weights).parent

    with attempt(folder, spec, snakemake.params.code, output) as checkpoint:
        if checkpoint:
            result = fit_toy(spec, checkpoint)
            data = build_data(spec)
            scores = score_toy(result.model, data, params.n_test, params.data_seed)
            save_yaml(output.spec, spec)
            save_weights(result.model, output.weights)
            with atomic(output.history) as path:
                result.history.to_csv(path, index=False)
            with atomic(output.scores) as path:
                scores.to_parquet(path, index=False)
            save_json(output.facts, exact_facts(data, result.model.prior))
    discard_checkpoints(folder)
