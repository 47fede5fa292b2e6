"""The document, and what a reader of the results folder needs."""


rule record:
    """Which data, which code, which machine: everything the numbers stand on."""
    input:
        provenance=provenance_of(model.subset for model in MODELS),
        further=collect(
            "<results>/data/{subset}/test.provenance.json", subset=get_further_subsets()
        ),
        diagnostics=collect_files(MODELS, "diagnostics.json"),
        scores=collect_files([*MODELS, *TOYS], "scores.parquet"),  # only to run last: the recorded commit is that of the final scores
    output:
        "<results>/provenance.json",
    log:
        "<results>/logs/record.log",
    benchmark:
        "<results>/benchmarks/record.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    params:
        code=get_code("record"),
        run=RUN,
        scale=config["scale"],
        experiments=[*config["experiments"], *(["toy"] if TOYS else [])],
        whole=WHOLE,
        budget={key: config[key] for key in ("images", "bootstrap", "models", "toy")},
        runs=get_runs(MODELS),
        flows=get_runs(TOYS),
        datasets={name: entry["dataset"] for name, entry in config["subsets"].items()},
    script:
        "../scripts/record.py"


rule typeset:
    """Turn tables, verdicts and assumptions into LaTeX."""
    input:
        provenance="<results>/provenance.json",
        models="<results>/tables/models.csv",
        tables=collect("<results>/tables/{table}.csv", table=config["tables"]),
        claims="<results>/claims.csv",
        comparison="<results>/comparison.csv",
        assumptions=source_file("docs/assumptions.md"),
        outline=source_file("config/topics.yaml"),
    output:
        parts=collect("<results>/paper/{part}.tex", part=FRAGMENTS),
        glyphs="<results>/paper/glyphs.pdf",
    log:
        "<results>/logs/typeset.log",
    benchmark:
        "<results>/benchmarks/typeset.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    params:
        code=get_code("typeset"),
        figures=config["figures"],
        tables=config["tables"],
    script:
        "../scripts/typeset.py"


rule build_pdf:
    """Build the document with latexmk or tectonic, whichever is there."""
    input:
        fragments=rules.typeset.output,
        main=source_file("paper/main.tex"),
        references=source_file("paper/references.bib"),
        figures=collect("<results>/figures/{figure}.pdf", figure=config["figures"]),
    output:
        report(
            "<results>/paper.pdf",
            caption="../report/paper.rst",
            category="Document",
            labels={"document": "paper", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/build_pdf.log",
    benchmark:
        "<results>/benchmarks/build_pdf.tsv"
    localrule: True
    conda:
        "../../envs/latex.yaml"
    params:
        code=get_code("build_pdf"),
    script:
        "../scripts/build_pdf.py"


rule build_page:
    """Put verdicts, figures, tables and images on one page that loads nothing."""
    input:
        provenance="<results>/provenance.json",
        claims="<results>/claims.csv",
        comparison="<results>/comparison.csv",
        models="<results>/tables/models.csv",
        tables=collect("<results>/tables/{table}.csv", table=config["tables"]),
        figures=collect("<results>/figures/{figure}.png", figure=config["figures"]),
        scores=fill_in("models/{model}/seed{first_seed}/scores.parquet", MODELS),
        images=collect("<results>/data/{subset}/test.npz", subset=get_scored_subsets()),
        curves="<results>/statistics/curves.csv" if has_curves() else [],
        other=get_other_run(),
        page=[source_file(f"workflow/page/page.{suffix}") for suffix in ("html", "css", "js")],
    output:
        "<results>/index.html",
    log:
        "<results>/logs/build_page.log",
    benchmark:
        "<results>/benchmarks/build_page.tsv"
    localrule: True
    conda:
        "../../envs/page.yaml"
    params:
        code=get_code("build_page"),
        figures=get_shown_figures(),
        tables=config["tables"],
        models=[str(model) for model in MODELS],
        sets=[f"{subset}.test" for subset in get_scored_subsets()],
        titles=get_titles(),
    script:
        "../scripts/build_page.py"


rule explain:
    """Describe each file of the results, in their folder."""
    input:
        source_file("docs/results-folder.md"),
    output:
        "<results>/README.md",
    log:
        "<results>/logs/explain.log",
    benchmark:
        "<results>/benchmarks/explain.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    shell:
        "cp {input:q} {output:q} 2> {log:q}"
