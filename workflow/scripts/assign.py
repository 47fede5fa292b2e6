"""Assign each training image to a component of the prior."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    import pandas as pd

    from oodpriors.data.datasets import load_arrays
    from oodpriors.data.subsets import assign
    from oodpriors.io.files import atomic

    data = load_arrays(snakemake.input.arrays)
    component = assign(
        snakemake.wildcards.assignment,
        data["labels"],
        data["cluster"],
        order=snakemake.params.labels,
        seed=snakemake.params.seed,
    )
    table = pd.DataFrame({name: data[name] for name in ("index", "labels", "cluster")})
    with atomic(snakemake.output[0]) as path:
        table.assign(component=component).to_csv(path, index=False)
