"""Our numbers compared with the paper's, and the verdict on each of its claims."""

from typing import TYPE_CHECKING

from oodpriors.io.job import job

if TYPE_CHECKING:
    from snakemake.script import snakemake

with job(snakemake.log[0], snakemake.params.code.load):
    from oodpriors.data.provenance import read_note
    from oodpriors.io.files import atomic
    from oodpriors.statistics.claims import compare_with_paper
    from oodpriors.statistics.estimates import read_scores
    from oodpriors.statistics.quantities import Measure, load_stored
    from oodpriors.statistics.refined_claims import judge_both
    from oodpriors.tables.cells import read_table, to_html
    from oodpriors.tables.verdicts import show_claims, show_comparison, verdict_text

    params, source, output = snakemake.params, snakemake.input, snakemake.output
    curves = {name: curve["models"] for name, curve in params.curves.items()}
    scores, stored = read_scores(params.runs, source.scores), load_stored(source.stored)
    measure = Measure(scores, params.bootstrap, params.seed, stored, curves)
    claims = judge_both(params.claims, params.published, measure).assign(scale=params.scale)
    comparison = compare_with_paper(params.published, measure, params.settings)
    comparison = comparison.assign(scale=params.scale)
    note = read_note(source.provenance, params.scale, params.titles["subsets"])
    text = verdict_text(claims, read_table(source.models), note)
    for path, content in (
        (output.claims, claims.to_csv(index=False)),
        (output.comparison, comparison.to_csv(index=False)),
        (output.text, text),
        (output.claims_html, to_html(show_claims(claims))),
        (output.comparison_html, to_html(show_comparison(comparison))),
    ):
        with atomic(path) as temporary:
            temporary.write_text(content)
