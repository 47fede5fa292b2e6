"""From sources to the arrays that models learn and are tested on."""


rule download:
    """Fetch a data set, check it, and store it as arrays with its provenance."""
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
        cache="resources/{dataset}",
    script:
        "../scripts/download.py"


rule download_further:
    """Fetch a data set beside the paper's; if only further sets need it, note why it cannot be had."""
    output:
        arrays="<results>/data/{dataset}.npz",
        provenance="<results>/data/{dataset}.provenance.json",
    log:
        "<results>/logs/download_further/{dataset}.log",
    benchmark:
        "<results>/benchmarks/download_further/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(specs.other_datasets(config)),
    localrule: True
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=get_code("download_further"),
        source=get_source,
        required=get_required,
        cache="resources/{dataset}",
    script:
        "../scripts/download_further.py"


rule cluster:
    """Fit k-means within each label of a subset (Section 5.4, Appendix E)."""
    input:
        arrays=get_subset_arrays,
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
    """Cut a split of a subset out of its data set."""
    input:
        arrays=get_subset_arrays,
        provenance=get_subset_provenance,
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
        selection=get_selection,
    script:
        "../scripts/prepare.py"


rule prepare_further:
    """Cut a further set out of its data set, or make it of other test images."""
    input:
        unpack(get_made_source),
        clusters=get_clusters,
    output:
        arrays="<results>/data/{subset}/test.npz",
        provenance="<results>/data/{subset}/test.provenance.json",
    log:
        "<results>/logs/prepare_further/{subset}.log",
    benchmark:
        "<results>/benchmarks/prepare_further/{subset}.tsv"
    wildcard_constraints:
        subset=one_of(specs.further_subsets(config)),
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=get_code("prepare_further"),
        made=get_setting("made"),
        selection=get_selection_of_test,
    script:
        "../scripts/prepare_further.py"


ruleorder: download_further > download
ruleorder: prepare_further > prepare


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
