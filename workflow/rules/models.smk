"""One training and one score file per configuration and seed."""


rule unpack:
    """Fetch an archive of trained models, check it, and unpack it."""
    output:
        directory(local("resources/weights/{sha256}")),
    log:
        "<results>/logs/unpack/{sha256}.log",
    benchmark:
        "<results>/benchmarks/unpack/{sha256}.tsv"
    priority: 1  # what is wrong with it is told before long trainings
    localrule: True
    conda:
        "../../envs/latex.yaml"
    params:
        code=get_code("unpack"),
        address=get_archive,
    script:
        "../scripts/unpack.py"


rule take:
    """Take a trained model instead of training it, if it is the one that would be trained."""
    input:
        arrays="<results>/data/{subset}/train.npz",
        components=get_assignment,
        weights=get_weights("files"),
    output:
        spec="<taken>/spec.yaml",
        weights="<taken>/weights.pt",
        history="<taken>/history.csv",
        diagnostics="<taken>/diagnostics.json",
    log:
        "<taken>/take.log",
    benchmark:
        "<taken>/take.benchmark.tsv"
    priority: 1
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        code=get_code("take"),
        spec=get_spec,
        folder=get_weights("folder"),
        source=get_weights("source"),
    script:
        "../scripts/take.py"


rule train:
    """Train one model, or go on where its checkpoint stopped (Appendix B)."""
    input:
        arrays="<results>/data/{subset}/train.npz",
        components=get_assignment,
    output:
        spec="<trained>/spec.yaml",
        weights="<trained>/weights.pt",
        history="<trained>/history.csv",
        diagnostics="<trained>/diagnostics.json",
    log:
        "<trained>/train.log",
    benchmark:
        "<trained>/train.benchmark.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: get_budget("threads")
    resources:
        mem_mb=get_budget("mem_mb", growing=True),
        runtime=get_budget("runtime", growing=True),
        gpu=int(config["device"] == "cuda"),
    params:
        code=get_code("train"),
        spec=get_spec,
    script:
        "../scripts/train.py"


rule score:
    """Score training, test and out-of-distribution images, part by part."""
    input:
        spec="<model>/spec.yaml",
        weights="<model>/weights.pt",
        components=get_assignment,
        train="<results>/data/{subset}/train.npz",
        test="<results>/data/{subset}/test.npz",
        ood=get_ood_images,
    output:
        scores="<model>/scores.parquet",
        latents="<model>/latents.npz",
        decoded="<model>/decoded.npz",
        likeness="<model>/decoded.csv",
    log:
        "<model>/score.log",
    benchmark:
        "<model>/score.benchmark.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: get_budget("threads")
    resources:
        mem_mb=get_budget("mem_mb", growing=True),
        runtime=get_budget("runtime", growing=True),
        gpu=int(config["device"] == "cuda"),
    params:
        code=get_code("score"),
        draws=get_budget("draws"),
        adaptive=get_budget("adaptive"),
        refined=get_budget("refined"),
        train_limit=config["images"]["score_train"],
        names=get_set_names,
        n_decoded=N_DECODED,
    script:
        "../scripts/score.py"


rule score_further:
    """Score a further set out of distribution, part by part."""
    input:
        spec="<model>/spec.yaml",
        weights="<model>/weights.pt",
        train="<results>/data/{subset}/train.npz",
        images=get_further_images,
    output:
        scores="<model>/further/{further}.parquet",
        latents="<model>/further/{further}.npz",
    log:
        "<model>/further/{further}.log",
    benchmark:
        "<model>/further/{further}.benchmark.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: get_budget("threads")
    resources:
        mem_mb=get_budget("mem_mb", growing=True),
        runtime=get_budget("runtime", growing=True),
        gpu=int(config["device"] == "cuda"),
    params:
        code=get_code("score_further"),
        draws=get_budget("draws"),
        adaptive=get_budget("adaptive"),
        n_samples=N_SAMPLES,
    script:
        "../scripts/score_further.py"


rule score_gradients:
    """Gradient norms of some images of each set, layer by layer."""
    input:
        spec="<model>/spec.yaml",
        weights="<model>/weights.pt",
        scores="<model>/scores.parquet",
        train="<results>/data/{subset}/train.npz",
        test="<results>/data/{subset}/test.npz",
        ood=get_ood_images,
    output:
        "<model>/gradients.parquet",
    log:
        "<model>/gradients.log",
    benchmark:
        "<model>/gradients.benchmark.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: get_budget("threads")
    resources:
        mem_mb=get_budget("mem_mb", growing=True),
        runtime=get_budget("runtime", growing=True),
        gpu=int(config["device"] == "cuda"),
    params:
        code=get_code("score_gradients"),
        images=config["gradients"] and config["gradients"]["images"],
    script:
        "../scripts/score_gradients.py"


rule train_toy:
    """Train and score a flow on a mixture of two Gaussians (Section 3.1, Appendix C)."""
    output:
        spec="<toy>/spec.yaml",
        weights="<toy>/weights.pt",
        history="<toy>/history.csv",
        scores="<toy>/scores.parquet",
        facts="<toy>/facts.json",
    log:
        "<toy>/train.log",
    benchmark:
        "<toy>/train.benchmark.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=get_code("train_toy"),
        spec=get_toy_spec,
        n_test=config["toy"] and config["toy"]["points"]["test"],
        data_seed=config["data_seed"],
    script:
        "../scripts/train_toy.py"


rule map_plane:
    """Densities of a flow on a grid of either space, in two dimensions (Figures 1 and 2)."""
    input:
        spec="<toy>/spec.yaml",
        weights="<toy>/weights.pt",
    output:
        density="<toy>/density.parquet",
        latent="<toy>/latent.parquet",
        contours="<toy>/contours.json",
    log:
        "<toy>/map.log",
    benchmark:
        "<toy>/map.benchmark.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        code=get_code("map_plane"),
    script:
        "../scripts/map_plane.py"
