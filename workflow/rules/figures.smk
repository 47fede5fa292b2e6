"""Figures, drawn from what is stored."""


rule plot_histograms:
    """Histograms of log-likelihoods or latents, a panel per group of models (Figure 4)."""
    input:
        scores=figure_files("scores.parquet"),
        provenance=get_figure_provenance,
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
    wildcard_constraints:
        figure=figures_of("histograms"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_histograms"),
        entry=get_figure,
        runs=get_figure_runs,
        titles=get_titles(),
        distances=get_figure_distances,
        scale=config["scale"],
    script:
        "../scripts/plot_histograms.py"


rule plot_curves:
    """Likelihoods over the distance of two components (Figure 6)."""
    input:
        curves="<results>/statistics/curves.csv",
        provenance=get_figure_provenance,
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_curves/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_curves/{figure}.tsv"
    wildcard_constraints:
        figure=figures_of("curves"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_curves"),
        entry=get_figure,
        titles=get_titles(),
        scale=config["scale"],
    script:
        "../scripts/plot_curves.py"


rule plot_topology:
    """The topology mismatch, from flows in two dimensions (Figure 1)."""
    input:
        densities=first_figure_files("density.parquet"),
        latents=first_figure_files("latent.parquet"),
        facts=first_figure_files("facts.json"),
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_topology/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_topology/{figure}.tsv"
    wildcard_constraints:
        figure=figures_of("topology"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_topology"),
        entry=get_figure,
        models=get_figure_model_names,
        titles=get_titles(),
        scale=config["scale"],
    script:
        "../scripts/plot_topology.py"


rule plot_contours:
    """Densities of flows in two dimensions (Figure 2)."""
    input:
        densities=first_figure_files("density.parquet"),
        scores=first_figure_files("scores.parquet"),
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_contours/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_contours/{figure}.tsv"
    wildcard_constraints:
        figure=figures_of("contours"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_contours"),
        entry=get_figure,
        models=get_figure_model_names,
        titles=get_titles(),
        scale=config["scale"],
    script:
        "../scripts/plot_contours.py"


rule plot_densities:
    """The densities of the two kinds of components (Figure 3)."""
    input:
        table="<results>/statistics/fig03.csv",
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_densities/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_densities/{figure}.tsv"
    wildcard_constraints:
        figure=figures_of("densities"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_densities"),
        entry=get_figure,
        scale=config["scale"],
    script:
        "../scripts/plot_densities.py"


rule plot_pixels:
    """Distances to mean images and variances, pixel by pixel (Figure 7)."""
    input:
        table="<results>/statistics/fig07.csv",
        provenance=get_figure_provenance,
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_pixels/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_pixels/{figure}.tsv"
    wildcard_constraints:
        figure=figures_of("pixels"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_pixels"),
        entry=get_figure,
        names=get_set_titles,
        titles=get_titles(),
        scale=config["scale"],
    script:
        "../scripts/plot_pixels.py"


rule plot_decoded:
    """Images of component means beside data or samples (Figures 11 and 12)."""
    input:
        decoded=first_figure_files("decoded.npz"),
        arrays=get_decoded_arrays,
        components=get_decoded_components,
        provenance=get_figure_provenance,
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_decoded/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_decoded/{figure}.tsv"
    wildcard_constraints:
        figure=figures_of("decoded"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_decoded"),
        entry=get_figure,
        models=get_figure_model_names,
        titles=get_titles(),
        scale=config["scale"],
    script:
        "../scripts/plot_decoded.py"


rule plot_clusters:
    """Pictures and variances of k-means clusters (Figure 13)."""
    input:
        table="<results>/statistics/fig13.csv",
        pictures="<results>/statistics/fig13.npz",
        provenance=get_cluster_provenance,
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}", "scale": config["scale"]},
        ),
    log:
        "<results>/logs/plot_clusters/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot_clusters/{figure}.tsv"
    wildcard_constraints:
        figure=figures_of("clusters"),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("plot_clusters"),
        entry=get_figure,
        keep=get_kept_cluster,
        titles=get_titles(),
        scale=config["scale"],
    script:
        "../scripts/plot_clusters.py"
