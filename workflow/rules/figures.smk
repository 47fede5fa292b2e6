"""Figures, drawn from stored scores."""


rule plot_histograms:
    """Histograms of log-likelihoods, one panel per group of models (Figure 4)."""
    input:
        scores=get_figure_scores,
        provenance=get_figure_provenance,
        code=library("figures", "provenance"),
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_histograms/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_histograms/{figure}.tsv"
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        models=get_figure_models,
        panels=get_panels,
        titles=get_titles(),
        scale=config["scale"],
    script:
        "../scripts/plot_histograms.py"
