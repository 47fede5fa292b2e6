"""One training and one score file per configuration and seed."""


rule train:
    """Train one model, or go on where its checkpoint stopped (Appendix B)."""
    input:
        arrays="<results>/data/{subset}/train.npz",
        components=get_assignment,
        code=get_network_code,
    output:
        spec="<model>/spec.yaml",
        weights="<model>/weights.pt",
        history="<model>/history.csv",
        diagnostics="<model>/diagnostics.json",
    log:
        "<model>/train.log",
    benchmark:
        "<model>/train.benchmark.tsv"
    retries: 1
    conda:
        "../../envs/torch.yaml"
    threads: get_budget("threads")
    resources:
        mem_mb=get_growing("mem_mb"),
        runtime=get_growing("runtime"),
        gpu=int(config["device"] == "cuda"),
    params:
        spec=get_spec,
        checkpoints=f"results/{RUN}/checkpoints",
    script:
        "../scripts/train.py"


rule score:
    """Score training, test and out-of-distribution images, part by part."""
    input:
        spec="<model>/spec.yaml",
        weights="<model>/weights.pt",
        train="<results>/data/{subset}/train.npz",
        test="<results>/data/{subset}/test.npz",
        ood=get_ood_images,
        code=library("likelihood", "scoring"),
    output:
        scores="<model>/scores.parquet",
        latents="<model>/latents.npz",
    log:
        "<model>/score.log",
    benchmark:
        "<model>/score.benchmark.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: get_budget("threads")
    resources:
        mem_mb=get_growing("mem_mb"),
        runtime=get_growing("runtime"),
        gpu=int(config["device"] == "cuda"),
    params:
        draws=get_budget("draws"),
        train_limit=config["images"]["score_train"],
        ood=get_ood,
    script:
        "../scripts/score.py"
