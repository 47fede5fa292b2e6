"""Equation 7 from a constant-volume Glow's own weights."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import pandas as pd

    from oodpriors.analyses.second_order import difference_estimates, predict
    from oodpriors.data.datasets import load_arrays
    from oodpriors.data.subsets import to_nchw
    from oodpriors.io.files import load_yaml
    from oodpriors.models.build import load_model
    from oodpriors.statistics.estimates import ScoreTable
    from oodpriors.statistics.quantities import save_stored

    source, params = snakemake.input, snakemake.params
    tables = {}
    files = zip(
        *(params.runs, source.specs, source.weights, source.scores, source.test, source.ood),
        strict=True,
    )
    for (name, seed), spec, weights, scores, *arrays in files:
        model = load_model(load_yaml(spec), weights)
        test, ood = (to_nchw(load_arrays(path)["images"]) for path in arrays)
        sets = {"test": test, "ood": ood}
        tables.setdefault(name, {})[seed] = predict(model, pd.read_parquet(scores), sets)
    scores = {name: ScoreTable([*own.values()], [*own]) for name, own in tables.items()}
    save_stored(snakemake.output[0], difference_estimates(scores, params.bootstrap, params.seed))
