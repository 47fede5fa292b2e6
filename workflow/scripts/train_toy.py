"""Train and score a flow on a mixture of two Gaussians."""

from typing import TYPE_CHECKING

from oodpriors.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from pathlib import Path

    import torch

    from oodpriors.files import atomic, save_json, save_yaml
    from oodpriors.fitting import attempt, discard_checkpoints
    from oodpriors.models import save_weights
    from oodpriors.toy import build_data, exact_facts, fit_toy, score_toy

    torch.set_num_threads(snakemake.threads)
    spec, params, output = snakemake.params.spec, snakemake.params, snakemake.output
    folder = Path(output.weights).parent

    with attempt(folder, spec, snakemake.input.code, output) as checkpoint:
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
