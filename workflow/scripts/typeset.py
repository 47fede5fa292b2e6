"""Turn tables, verdicts and assumptions into LaTeX."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from pathlib import Path

    from oodpriors.document.fragments import fragments
    from oodpriors.document.glyphs import draw_glyphs
    from oodpriors.io.files import load_json
    from oodpriors.tables.cells import read_table

    source, params = snakemake.input, snakemake.params
    written = fragments(
        record=load_json(source.provenance),
        models=read_table(source.models),
        tables={
            name: (entry, read_table(path))
            for (name, entry), path in zip(params.tables.items(), source.tables, strict=True)
        },
        figures=params.figures,
        titles=params.titles,
        claims=read_table(source.claims),
        comparison=read_table(source.comparison),
        assumptions=Path(source.assumptions).read_text(encoding="utf-8"),
    )
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True)
    for name, text in written.items():
        (folder / f"{name}.tex").write_text(text)
    draw_glyphs(written.values(), folder)
