"""Turn tables, verdicts and assumptions into LaTeX."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from pathlib import Path

    from oodpriors.document.fragments import fragments
    from oodpriors.document.glyphs import draw_glyphs
    from oodpriors.document.tex import glyphs_of
    from oodpriors.io.files import load_json, load_yaml
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
        claims=read_table(source.claims),
        comparison=read_table(source.comparison),
        assumptions=Path(source.assumptions).read_text(encoding="utf-8"),
        outline=load_yaml(source.outline),
    )
    for output in map(Path, snakemake.output.parts):
        output.write_text(written[output.stem])
    draw_glyphs(glyphs_of(written.values()), Path(snakemake.output.glyphs))
