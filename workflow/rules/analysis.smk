"""Tables and verdicts from score files."""


rule summarise:
    """Likelihoods of every model in and out of distribution, with their errors."""
    input:
        scores=get_all_scores,
        code=library("statistics", "tables"),
    output:
        "<results>/tables/models.csv",
    log:
        "<results>/logs/summarise.log",
    benchmark:
        "<results>/benchmarks/summarise.tsv"
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        models=[str(model) for model in MODELS],
        titles=get_titles(),
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/summarise.py"


rule tabulate:
    """A table of likelihoods beside the paper's numbers (Table 1)."""
    input:
        models="<results>/tables/models.csv",
        code=library("tables"),
    output:
        csv="<results>/tables/{table}.csv",
        html=report(
            "<results>/tables/{table}.html",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/tabulate/{table}.log",
    benchmark:
        "<results>/benchmarks/tabulate/{table}.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        models=get_table_models,
        published=PUBLISHED,
    script:
        "../scripts/tabulate.py"


rule judge:
    """Our numbers beside the paper's, and the verdict on each of its claims."""
    input:
        scores=get_all_scores,
        models="<results>/tables/models.csv",
        provenance=get_all_provenance,
        code=library("statistics", "claims", "tables", "provenance"),
    output:
        claims="<results>/claims.csv",
        comparison="<results>/comparison.csv",
        text="<results>/verdicts.txt",
        claims_html=report(
            "<results>/tables/claims.html",
            caption="../report/claims.rst",
            category="Verdicts",
            labels={"table": "claims", "scale": config["scale"]},
        ),
        comparison_html=report(
            "<results>/tables/comparison.html",
            caption="../report/comparison.rst",
            category="Verdicts",
            labels={"table": "comparison with the paper", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/judge.log",
    benchmark:
        "<results>/benchmarks/judge.tsv"
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        models=[str(model) for model in MODELS],
        claims=CLAIMS,
        published=PUBLISHED,
        titles=get_titles(),
        scale=config["scale"],
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/judge.py"
