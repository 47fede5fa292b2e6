"""Configuration, wildcards and input functions."""

import os
import shutil
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import ExecMode

from oodpriors import config as configuration
from oodpriors.checks import check_references


def read_yaml(path):
    with open(workflow.source_path(path)) as file:
        return yaml.safe_load(file)


def inspect_files(datasets):
    """Shapes and labels of the users' own files."""
    own = {name: entry["path"] for name, entry in datasets.items() if entry["kind"] == "npz"}
    if not own:
        return {}
    from oodpriors.datasets import inspect_npz  # needs NumPy, which Snakemake alone does not

    return {name: inspect_npz(path) for name, path in own.items() if path}


def load_config():
    """Merge the scale below the user's values, then check everything."""
    scales = ["smoke", "quick", "paper"]
    scale = config.get("scale", "quick")
    if scale not in scales:
        raise WorkflowError(f"config: scale: {scale!r} is not one of {', '.join(scales)}")
    merged = configuration.merge(read_yaml(f"../../config/scales/{scale}.yaml"), config)
    try:
        checked = configuration.validate(merged, read_yaml("../schemas/config.schema.yaml"))
        checked = configuration.with_means(checked, lambda path: Path(path).read_text())
        if checked["data"] == "embedded":
            checked = configuration.with_stand_ins(checked)
        inspected = inspect_files(checked["datasets"])
        check_references(checked, inspected)
        checked = configuration.with_only(checked)
    except ValueError as error:
        raise WorkflowError(str(error)) from None
    return checked, inspected


checked, INSPECTED = load_config()
config.update(checked)

LIBRARY = os.path.relpath(Path(workflow.basedir, "oodpriors"))
RUN = configuration.run_name(config)
SEEDS = configuration.model_seeds(config)
MODELS = list(SEEDS)
ANALYSES = []
CLAIMS = configuration.with_models(read_yaml("../../config/claims.yaml"), config, ANALYSES)
PUBLISHED = configuration.with_models(read_yaml("../../config/published.yaml"), config, ANALYSES)
HAS_TEX = bool(
    "conda" in {str(m) for m in workflow.deployment_settings.deployment_method}
    or shutil.which("latexmk")
    or shutil.which("tectonic")
)

if not HAS_TEX and workflow.exec_mode == ExecMode.DEFAULT:
    logger.warning(
        "No TeX here (neither latexmk nor tectonic): everything but the PDF is built. For the PDF: "
        "apt-get install $(cat paper/debian-packages.txt), or run with --use-conda."
    )
if config["device"] == "cuda" and workflow.local_exec and not shutil.which("nvidia-smi"):
    raise WorkflowError(
        "config: device: cuda was asked for, but this machine shows no NVIDIA GPU (no nvidia-smi); "
        "set device: auto or device: cpu"
    )


wildcard_constraints:
    architecture="vae|glow|cv_glow",
    subset="[a-z0-9_]+",
    prior="[a-z0-9_]+",
    dataset="[a-z0-9_]+",
    split="train|test",
    assignment="[a-z]+",
    seed="[0-9]+",
    figure="[a-z0-9_]+",
    table="[a-z0-9_]+",


def library(*modules):
    """Modules of the library that a job stands on: an edit of them runs it again."""
    return [f"{LIBRARY}/{module}.py" for module in modules]


def source_file(path):
    """A file of the project, relative to its root."""
    return os.path.relpath(Path(workflow.basedir).parent / path)


def get_dataset(wildcards):
    return config["datasets"][wildcards.dataset]


def get_dataset_file(wildcards):
    """The user's own file, for data sets of kind npz."""
    return get_dataset(wildcards)["path"] or []


def get_source(wildcards):
    """What a data set is; not where its files may lie, which changes no byte of it."""
    return {key: get_dataset(wildcards)[key] for key in ("kind", "path", "stands_for")}


def get_subset(wildcards):
    return config["subsets"][wildcards.subset]


def get_subset_arrays(wildcards):
    return f"<results>/data/{get_subset(wildcards)['dataset']}.npz"


def get_subset_provenance(wildcards):
    return f"<results>/data/{get_subset(wildcards)['dataset']}.provenance.json"


def get_clusters(wildcards):
    return "<results>/data/{subset}/clusters.npz" if get_subset(wildcards)["kmeans"] else []


def get_labels(wildcards):
    return get_subset(wildcards)["labels"]


def get_kmeans(wildcards):
    return get_subset(wildcards)["kmeans"]


def get_selection(wildcards):
    return configuration.selection(config, wildcards.subset, wildcards.split)


def get_assignment(wildcards):
    kind = config["priors"][wildcards.prior]["assignment"]
    return f"<results>/data/{{subset}}/assignment.{kind}.csv"


def get_ood_images(wildcards):
    return f"<results>/data/{get_subset(wildcards)['out_of_distribution']}/test.npz"


def get_ood(wildcards):
    return get_subset(wildcards)["out_of_distribution"]


def get_spec(wildcards):
    model = configuration.ModelId(wildcards.architecture, wildcards.subset, wildcards.prior)
    return configuration.model_spec(config, model, int(wildcards.seed), INSPECTED)


def get_budget(key):
    """Input function of a model's budget: draws, threads, mem_mb or runtime."""

    def get(wildcards, attempt=1):
        return config["models"][wildcards.architecture][key]

    return get


def get_growing(key):
    """The same for a limit that grows with each attempt."""

    def get(wildcards, attempt):
        return config["models"][wildcards.architecture][key] * attempt

    return get


def get_network_code(wildcards):
    """Modules that decide a trained model's numbers."""
    return library("priors", "training", "fitting", "models", *CODE[wildcards.architecture])


CODE = {"vae": ["vae"], "glow": ["glow", "flows"], "cv_glow": ["glow", "flows"]}


def collect_files(models, pattern):
    """Files of the given models, all seeds of one model after the other."""
    return [
        pattern.format(**model._asdict(), seed=seed) for model in models for seed in SEEDS[model]
    ]


SCORES = "<results>/models/{architecture}/{subset}/{prior}/seed{seed}/scores.parquet"


def get_all_scores(wildcards):
    return collect_files(MODELS, SCORES)


def get_all_diagnostics(wildcards):
    return collect_files(MODELS, SCORES.replace("scores.parquet", "diagnostics.json"))


def get_table_models(wildcards):
    return config["tables"][wildcards.table]["models"]


def get_panels(wildcards):
    return config["figures"][wildcards.figure]["panels"]


def get_figure_models(wildcards):
    panels = config["figures"][wildcards.figure]["panels"].values()
    return list(dict.fromkeys(name for panel in panels for name in panel))


def get_figure_scores(wildcards):
    names = get_figure_models(wildcards)
    return collect_files([configuration.ModelId(*name.split("/")) for name in names], SCORES)


def get_figure_provenance(wildcards):
    return provenance_of([name.split("/")[1] for name in get_figure_models(wildcards)])


def get_all_provenance(wildcards):
    return provenance_of([model.subset for model in MODELS])


def provenance_of(subsets):
    """Provenance of the images that models on these subsets learn and are tested on."""
    parts = [
        part
        for name in dict.fromkeys(subsets)
        for part in (
            f"{name}/train",
            f"{name}/test",
            f"{config['subsets'][name]['out_of_distribution']}/test",
        )
    ]
    return [f"<results>/data/{part}.provenance.json" for part in dict.fromkeys(parts)]


def get_titles():
    """Names of architectures, subsets and priors in figures and tables."""
    return {
        table: {name: entry["title"] for name, entry in config[table].items()}
        for table in ("models", "subsets", "priors")
    }


def get_pdf():
    return "<results>/paper.pdf" if HAS_TEX else []


def print_places():
    """Where a reader goes on."""
    for name in ("verdicts.txt", "paper.pdf", "README.md"):
        if Path("results", RUN, name).exists():
            print(f"results/{RUN}/{name}")
