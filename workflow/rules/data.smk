"""From sources to the arrays that models learn and are tested on."""


rule download:
    """Fetch a data set, check it and store it; if only further sets need it, it may be missing."""
    output:
        arrays="<results>/data/{dataset}.npz",
        provenance="<results>/data/{dataset}.provenance.json",
    log:
        "<results>/logs/download/{dataset}.log",
    benchmark:
        "<results>/benchmarks/download/{dataset}.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=get_code("download"),
        source=get_source,
        required=get_required,
        cache="resources/{dataset}",
    script:
        "../scripts/download.py"


rule cluster:
    """Fit k-means within each label of a subset (Section 5.4, Appendix E)."""
    input:
        arrays=get_original("npz"),
    output:
        "<results>/data/{subset}/clusters.npz",
    log:
        "<results>/logs/cluster/{subset}.log",
    benchmark:
        "<results>/benchmarks/cluster/{subset}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=get_code("cluster"),
        labels=get_setting("labels"),
        kmeans=get_setting("kmeans"),
    script:
        "../scripts/cluster.py"


rule prepare:
    """Cut a split of a subset out of its data set, or make a set of other test images."""
    input:
        arrays=get_original("npz"),
        provenance=get_original("provenance.json"),
        clusters=get_clusters,
    output:
        arrays="<results>/data/{subset}/{split}.npz",
        provenance="<results>/data/{subset}/{split}.provenance.json",
    log:
        "<results>/logs/prepare/{subset}.{split}.log",
    benchmark:
        "<results>/benchmarks/prepare/{subset}.{split}.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=get_code("prepare"),
        made=get_setting("made"),
        selection=get_selection,
    script:
        "../scripts/prepare.py"


rule assign:
    """Assign each training image to a component of the prior (Section 4)."""
    input:
        arrays="<results>/data/{subset}/train.npz",
    output:
        "<results>/data/{subset}/assignment.{assignment}.csv",
    log:
        "<results>/logs/assign/{subset}.{assignment}.log",
    benchmark:
        "<results>/benchmarks/assign/{subset}.{assignment}.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    params:
        code=get_code("assign"),
        labels=get_setting("labels"),
        seed=config["data_seed"],
    script:
        "../scripts/assign.py"
