"""The page of a run: verdicts, figures, tables and images, in one file."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    import numpy as np

    from oodpriors.io.files import atomic, load_json
    from oodpriors.page.build import Drawn, Run, build_page, read_model_scores
    from oodpriors.page.charts import library
    from oodpriors.page.other import read_other
    from oodpriors.tables.cells import read_table

    source, params = snakemake.input, snakemake.params
    tables = zip(params.tables.items(), source.tables, strict=True)
    figures = zip(params.figures.items(), source.figures, strict=True)
    drawn = {
        name: Drawn(entry, note, path, models) for (name, (entry, note, models)), path in figures
    }
    run = Run(
        record=load_json(source.provenance),
        claims=read_table(source.claims),
        comparison=read_table(source.comparison),
        models=read_table(source.models),
        tables={name: (entry, read_table(path)) for (name, entry), path in tables},
        figures=drawn,
        scores=dict(zip(params.models, map(read_model_scores, source.scores), strict=True)),
        images=dict(zip(params.sets, map(np.load, source.images), strict=True)),
        curves=read_table(source.curves) if source.curves else None,
        titles=params.titles,
        other=read_other(*source.other) if source.other else None,
    )
    files = {Path(path).name: Path(path).read_text(encoding="utf-8") for path in source.page}
    with atomic(snakemake.output[0]) as path:
        path.write_text(build_page(run, files, library()), encoding="utf-8")
