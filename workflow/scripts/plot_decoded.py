"""Images of component means beside data or samples."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    import numpy as np
    import pandas as pd

    from oodpriors.data.datasets import load_arrays
    from oodpriors.data.provenance import read_note
    from oodpriors.figures.images import decoded_rows, plot_decoded

    params, source = snakemake.params, snakemake.input
    note = read_note(source.provenance, params.scale, params.titles["subsets"])
    rows = []
    files = zip(params.models, source.decoded, source.arrays, source.components, strict=True)
    for model, decoded, arrays, components in files:
        rows += decoded_rows(
            params.titles["models"][model.split("/")[0]],
            dict(np.load(decoded)),
            load_arrays(arrays)["images"] / 255,
            pd.read_csv(components)["component"].to_numpy(),
        )
    several = len(rows) > len(params.models)
    headings = ("mean", "training images of the component" if several else "random samples")
    plot_decoded(rows, headings, note, [snakemake.output.pdf, snakemake.output.png])
