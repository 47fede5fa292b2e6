"""Distances to the components' mean images, pixel by pixel."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import numpy as np

    from oodpriors.analyses.pixels import compare_pixels, equation_2_estimates, pixel_estimates
    from oodpriors.data.datasets import load_arrays
    from oodpriors.data.subsets import to_nchw
    from oodpriors.io.files import atomic
    from oodpriors.io.tables import read_parquet
    from oodpriors.statistics.quantities import save_stored

    source, params = snakemake.input, snakemake.params
    scores = read_parquet(source.scores[0])
    sets = {name: source[name][0] for name in ("test", "ood")}
    images = {name: to_nchw(load_arrays(path)["images"]) / 255 for name, path in sets.items()}
    nearest = {
        name: scores.loc[scores["set"] == name, "nearest_component"].to_numpy() for name in sets
    }
    means = np.load(source.decoded[0])["means"]
    facts = pixel_estimates(images, params.bootstrap, params.seed)
    about = (params.model, params.bootstrap, params.seed)
    facts |= equation_2_estimates(images, means, nearest, *about)
    save_stored(snakemake.output.facts, facts)
    with atomic(snakemake.output.table) as path:
        compare_pixels(images, means, nearest).to_csv(path, index=False)
