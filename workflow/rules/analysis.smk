"""Statistics of scores, of decoded images and of pixels; tables and verdicts from them."""


rule analyse_toy:
    """Exact likelihoods of the mixtures, and where a flow places its density."""
    input:
        facts=collect_files(TOYS, "facts.json"),
        contours=collect_files(PLANES, "contours.json"),
    output:
        "<results>/statistics/toy.csv",
    log:
        "<results>/logs/analyse_toy.log",
    benchmark:
        "<results>/benchmarks/analyse_toy.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    params:
        code=get_code("analyse_toy"),
        runs=get_runs(TOYS),
        planes=get_runs(PLANES),
    script:
        "../scripts/analyse_toy.py"


rule analyse_densities:
    """The generalised Gaussian and the Gaussian (Section 4, Figure 3)."""
    output:
        facts="<results>/statistics/densities.csv",
        table="<results>/statistics/fig03.csv",
    log:
        "<results>/logs/analyse_densities.log",
    benchmark:
        "<results>/benchmarks/analyse_densities.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        code=get_code("analyse_densities"),
        beta=config["analyses"].get("densities", {}).get("beta"),
    script:
        "../scripts/analyse_densities.py"


rule analyse_pixels:
    """Distances to the components' mean images, pixel by pixel (Figure 7)."""
    input:
        **files_of(ANALYSES["pixels"], analysed("pixels")),
    output:
        facts="<results>/statistics/pixels.csv",
        table="<results>/statistics/fig07.csv",
    log:
        "<results>/logs/analyse_pixels.log",
    benchmark:
        "<results>/benchmarks/analyse_pixels.tsv"
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=get_code("analyse_pixels"),
        model=config["analyses"].get("pixels", {}).get("model"),
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/analyse_pixels.py"


rule analyse_clusters:
    """Variances and pictures of the k-means clusters of each label (Figure 13)."""
    input:
        unpack(get_cluster_inputs),
    output:
        facts="<results>/statistics/clusters.csv",
        table="<results>/statistics/fig13.csv",
        pictures="<results>/statistics/fig13.npz",
    log:
        "<results>/logs/analyse_clusters.log",
    benchmark:
        "<results>/benchmarks/analyse_clusters.tsv"
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        code=get_code("analyse_clusters"),
        labels=get_cluster_labels,
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/analyse_clusters.py"


rule analyse:
    """Estimates of an analysis that stores nothing else (Section 3.2, Appendices A and D)."""
    input:
        unpack(get_analysis_files),
    output:
        "<results>/statistics/{analysis}.csv",
    log:
        "<results>/logs/analyse/{analysis}.log",
    benchmark:
        "<results>/benchmarks/analyse/{analysis}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=get_code("analyse"),
        runs=get_analysis_runs,
        entry=get_analysis,
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/analyse.py"


rule describe_architecture:
    """Layers of the VAE as built, compared with the paper's rows (Tables 2 and 3)."""
    input:
        published=source_file("config/architectures.yaml"),
    output:
        "<results>/statistics/{network}.csv",
    log:
        "<results>/logs/describe_architecture/{network}.log",
    benchmark:
        "<results>/benchmarks/describe_architecture/{network}.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        code=get_code("describe_architecture"),
        network=get_vae_network,
    script:
        "../scripts/describe_architecture.py"


rule summarise:
    """Likelihoods of every model in and out of distribution, and how they rank."""
    input:
        scores=collect_files([*MODELS, *TOYS], "scores.parquet"),
        toy=collect("<results>/statistics/{analysis}.csv", analysis=["toy"] if TOYS else []),
    output:
        models="<results>/tables/models.csv",
        ranking="<results>/statistics/ranking.csv",
        decomposition="<results>/statistics/decomposition.csv",
        curves="<results>/statistics/curves.csv",
        toy="<results>/statistics/toy_table.csv",
    log:
        "<results>/logs/summarise.log",
    benchmark:
        "<results>/benchmarks/summarise.tsv"
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=get_code("summarise"),
        runs=get_runs([*MODELS, *TOYS]),
        models=[str(model) for model in MODELS],
        toys=[str(model) for model in TOYS],
        pairs=get_pairs(),
        curves=get_curves(),
        titles=get_titles(),
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/summarise.py"


rule score_companions:
    """Other scores than log p, from what is stored of the trained models."""
    input:
        scores=collect_files(MODELS, "scores.parquet"),
        latents=collect_files(MODELS, "latents.npz"),
        gradients=collect_files(MODELS if config["gradients"] else [], "gradients.parquet"),
        images=collect("<results>/data/{subset}/test.npz", subset=get_scored_subsets()),
        further=collect_further("parquet"),
        further_latents=collect_further("npz"),
        further_provenance=collect(
            "<results>/data/{subset}/test.provenance.json", subset=get_further_subsets()
        ),
    output:
        "<results>/statistics/companions.csv",
    log:
        "<results>/logs/score_companions.log",
    benchmark:
        "<results>/benchmarks/score_companions.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        code=get_code("score_companions"),
        runs=get_runs(MODELS),
        priors={str(model): specs.prior_pair(config, model) for model in MODELS},
        backgrounds=get_backgrounds(),
        images=[f"{subset}.test" for subset in get_scored_subsets()],
        further={str(model): names for model, names in FURTHER.items()},
        further_subsets=get_further_subsets(),
        titles=get_titles() | {"datasets": get_data_kinds()},
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/score_companions.py"


rule tabulate:
    """A table of the paper, or one of ours, to read and to print."""
    input:
        source=get_table_source,
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
    params:
        code=get_code("tabulate"),
        entry=get_table,
        description=get_description,
        published=PUBLISHED,
    script:
        "../scripts/tabulate.py"


rule judge:
    """Our numbers compared with the paper's, and the verdict on each of its claims."""
    input:
        scores=collect_files([*MODELS, *TOYS], "scores.parquet"),
        stored=collect("<results>/statistics/{analysis}.csv", analysis=ANALYSED),
        models="<results>/tables/models.csv",
        provenance=provenance_of(model.subset for model in MODELS),
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
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=get_code("judge"),
        runs=get_runs([*MODELS, *TOYS]),
        claims=CLAIMS,
        published=PUBLISHED,
        settings=get_settings(),
        curves=get_curves(),
        scale=config["scale"],
        bootstrap=config["bootstrap"],
        seed=config["data_seed"],
    script:
        "../scripts/judge.py"
