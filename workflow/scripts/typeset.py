"""Turn tables, verdicts and assumptions into LaTeX."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0]):
    from pathlib import Path

    import pandas as pd

    from oodpriors.document.fragments import fragments
    from oodpriors.io.files import load_json

    source, params = snakemake.input, snakemake.params
    written = fragments(
        record=load_json(source.provenance),
        models=pd.read_csv(source.models),
        tables={
            name: (entry, pd.read_csv(path))
            for (name, entry), path in zip(params.tables.items(), source.tables, strict=True)
        },
        figures=params.figures,
        claims=pd.read_csv(source.claims),
        comparison=pd.read_csv(source.comparison),
        assumptions=Path(source.assumptions).read_text(encoding="utf-8"),
    )
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True)
    for name, text in written.items():
        (folder / f"{name}.tex").write_text(text)
