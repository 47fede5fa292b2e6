"""Figures, drawn from what is stored."""


rule plot:
    """Draw a figure of the configuration, of any kind (Figures 1 to 20)."""
    input:
        unpack(get_figure_files),
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
        "<results>/logs/plot/{figure}.log",
    benchmark:
        "<results>/benchmarks/plot/{figure}.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    params:
        code=get_code("plot"),
        about=get_figure_facts,
        description=get_description,
        scale=config["scale"],
    script:
        "../scripts/plot.py"
