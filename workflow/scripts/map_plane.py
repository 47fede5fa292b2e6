"""Densities of a flow on a grid of either space, in two dimensions."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.io.files import atomic, load_yaml, save_json
    from oodpriors.models.build import load_weights
    from oodpriors.toy.flow import build_toy
    from oodpriors.toy.grids import contour_summary, density_grid, latent_grid
    from oodpriors.toy.mixture import build_data

    output, spec = snakemake.output, load_yaml(snakemake.input.spec)
    model, data = load_weights(build_toy(spec), snakemake.input.weights), build_data(spec)
    density = density_grid(model, data)
    for name, table in ((output.density, density), (output.latent, latent_grid(model, data))):
        with atomic(name) as path:
            table.to_parquet(path, index=False)
    save_json(output.contours, contour_summary(density))
