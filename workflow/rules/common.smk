"""Configuration, wildcards and input functions."""

import os
import shutil
from functools import cache
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import ExecMode

from oodpriors.config import means, restrict, schema, specs
from oodpriors.config.checks import check_references
from oodpriors.config.specs import ModelId
from oodpriors.io.errors import UserError
from used_code import checksum

# Scripts find this copy of the library before any other one that may be installed.
PLACES = [workflow.basedir, os.environ.get("PYTHONPATH")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, PLACES))

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, if it is there


def read_yaml(path):
    with open(workflow.source_path(path)) as file:
        return yaml.load(file, YAML_LOADER)


def inspect_files(datasets):
    """Shapes and labels of the users' own files."""
    own = {name: entry["path"] for name, entry in datasets.items() if entry["kind"] == "npz"}
    if not own:
        return {}
    from oodpriors.data.datasets import inspect_npz  # needs NumPy, which Snakemake alone does not

    found, mistakes = {}, []
    for name, path in own.items():
        try:
            found |= {name: inspect_npz(path)} if path else {}
        except UserError as error:
            mistakes.append(f"datasets.{name}.path: {error}")
    if mistakes:
        raise schema.ConfigError(mistakes)
    return found


def check_mirror(mirror):
    """A mistyped folder would end in a download, or in none after all models were planned."""
    if workflow.exec_mode != ExecMode.DEFAULT:
        return  # downloads are made where Snakemake was started; a node may not see the folder
    if mirror and not mirror.startswith(("http://", "https://")):
        if not Path(mirror.removeprefix("file://")).expanduser().is_dir():
            mistake = f"mirror: {mirror!r} is no folder here, and no http:// or https:// address"
            raise schema.ConfigError([mistake])


def load_config():
    """Merge the scale below the user's values, then check everything."""
    scales = ["smoke", "quick", "short", "paper"]
    scale = config.get("scale", "quick")
    if scale not in scales:
        raise WorkflowError(f"config: scale: {scale!r} is not one of {', '.join(scales)}")
    merged = schema.merge(read_yaml(f"../../config/scales/{scale}.yaml"), config)
    try:
        checked = schema.validate(merged, read_yaml("../schemas/config.schema.yaml"))
        check_mirror(checked["mirror"])
        checked = means.with_means(checked, lambda path: Path(path).read_text())
        if checked["data"] == "embedded":
            checked = specs.with_stand_ins(checked)
        inspected = inspect_files(checked["datasets"])
        check_references(checked, inspected)
        checked = restrict.with_only(checked)
    except UserError as error:
        raise WorkflowError(str(error)) from None
    return checked, inspected


checked, INSPECTED = load_config()
config.update(checked)

N_DECODED = 16
RUN = specs.run_name(config)
MODELS = specs.model_ids(config)
TOYS = specs.toy_ids(config)
PLANES = [toy for toy in TOYS if toy.subset == "mixture_2"]
SEEDS = specs.model_seeds(config) | dict.fromkeys(TOYS, config["seeds"])
ANALYSES = [*config["analyses"], *(["toy"] if TOYS else [])]
CLAIMS = restrict.with_models(read_yaml("../../config/claims.yaml"), config, ANALYSES)
PUBLISHED = restrict.with_models(read_yaml("../../config/published.yaml"), config, ANALYSES)
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


wildcard_constraints:
    architecture="vae|glow|cv_glow",
    subset="[a-z0-9_]+",
    prior="[a-z0-9_]+",
    dataset="[a-z0-9_]+",
    split="train|test",
    assignment="[a-z]+",
    seed="[0-9]+",
    figure="[a-z0-9_]+",
    table="|".join(config["tables"]) or "(?!)",
    network="grey|colour",
    dim="[0-9]+",


@cache
def get_checksum(script, choices):
    return checksum(Path(workflow.basedir, "scripts", f"{script}.py"), dict(choices))


def get_code(script):
    """Input function of the checksum of the library's code that a job uses.

    It is a parameter, so that an edit of this code, and of no other, runs the job again.
    """

    def get(wildcards):
        prior, table = (wildcards.get(name) for name in ("prior", "table"))
        choices = {
            "oodpriors.models.build.BUILDERS": wildcards.get("architecture"),
            "oodpriors.priors.KINDS": prior and config["priors"][prior]["kind"],
            "oodpriors.tables.kinds.MAKERS": table and config["tables"][table]["kind"],
            "oodpriors.tables.kinds.SHOWS": table and config["tables"][table]["kind"],
        }
        return get_checksum(script, tuple(choices.items()))

    return get


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
    return specs.selection(config, wildcards.subset, wildcards.split)


def get_assignment(wildcards):
    kind = config["priors"][wildcards.prior]["assignment"]
    return f"<results>/data/{{subset}}/assignment.{kind}.csv"


def get_ood_images(wildcards):
    return f"<results>/data/{get_subset(wildcards)['out_of_distribution']}/test.npz"


def get_set_names(wildcards):
    """What each set of a score file was cut from: models that share it are compared in pairs."""
    ood = get_subset(wildcards)["out_of_distribution"]
    own = {split: f"{wildcards.subset}.{split}" for split in ("train", "test")}
    return own | {"ood": f"{ood}.test"}


def get_spec(wildcards):
    model = ModelId(wildcards.architecture, wildcards.subset, wildcards.prior)
    return specs.model_spec(config, model, int(wildcards.seed), INSPECTED)


def get_budget(key):
    """Input function of a model's budget: draws, threads, mem_mb or runtime."""

    def get(wildcards, attempt=1):
        return config["models"][wildcards.architecture][key]

    return get


def get_tolerance(wildcards):
    """Where a VAE's importance samples are enough for an image, if they may be fewer than all."""
    return config["models"][wildcards.architecture].get("adaptive")


def get_growing(key):
    """The same for a limit that grows with each attempt."""

    def get(wildcards, attempt):
        return config["models"][wildcards.architecture][key] * attempt

    return get


def get_toy_spec(wildcards):
    return specs.toy_spec(config, int(wildcards.dim), wildcards.prior, int(wildcards.seed))


def collect_files(models, name):
    """A file of each of the given models, all seeds of one model after the other."""
    folder = "<results>/models/{architecture}/{subset}/{prior}/seed{seed}/"
    return [
        (folder + name).format(**model._asdict(), seed=seed)
        for model in models
        for seed in SEEDS[model]
    ]


def first_seed(models, name):
    """A file of the first seed of each of the given models."""
    return [collect_files([model], name)[0] for model in models]


def get_runs(models):
    """(model, seed) for each file that collect_files gives."""
    return [(str(model), seed) for model in models for seed in SEEDS[model]]


def get_all_scores(wildcards):
    return collect_files([*MODELS, *TOYS], "scores.parquet")


def get_all_diagnostics(wildcards):
    return collect_files(MODELS, "diagnostics.json")


def get_analyses(wildcards):
    return collect("<results>/statistics/{analysis}.csv", analysis=ANALYSES)


def analysed(analysis):
    """Models that an analysis is about."""
    names = specs.models_of(config["analyses"].get(analysis, {}))
    return [ModelId.of(name) for name in names]


def get_curves():
    """Distance and name of each model of each curve, with its title."""
    return {
        name: {
            "title": curve["title"],
            "models": [
                (means.component_distance(config, ModelId.of(model).prior), model)
                for model in curve["models"]
            ],
        }
        for name, curve in config["curves"].items()
    }


def get_pairs():
    """Pairs of a unimodal and a multimodal model, of all tables that take them apart."""
    pairs = [pair for entry in config["tables"].values() for pair in entry.get("pairs", [])]
    return [tuple(pair) for pair in pairs]


def get_settings():
    """Our value of each setting that the paper prints."""
    return {
        entry["setting"]: specs.lookup(config, entry["setting"])
        for entry in PUBLISHED
        if "setting" in entry
    }


def exposed_arrays(analysis, which):
    """Test images in or out of distribution, for each model and seed of an analysis."""
    subsets = [ModelId.of(model).subset for model, _ in get_runs(analysed(analysis))]
    if which == "ood":
        subsets = [config["subsets"][name]["out_of_distribution"] for name in subsets]
    return [f"<results>/data/{name}/test.npz" for name in subsets]


def get_cluster_inputs(wildcards):
    """The whole data set, and the clusters of each label."""
    subset = config["analyses"]["clusters"]["subset"]
    return {
        "arrays": f"<results>/data/{config['subsets'][subset]['dataset']}.npz",
        "clusters": f"<results>/data/{subset}/clusters.npz",
    }


def get_cluster_labels(wildcards):
    return config["subsets"][config["analyses"]["clusters"]["subset"]]["labels"]


def get_vae_network(wildcards):
    return config["models"]["vae"]["network"][wildcards.network]


TABLE_SOURCES = {
    "likelihoods": "tables/models",
    "architecture": "statistics/{network}",
    "toy": "statistics/toy_table",
}


def get_table_source(wildcards):
    entry = config["tables"][wildcards.table]
    path = TABLE_SOURCES.get(entry["kind"], "statistics/{kind}").format(**entry)
    return f"<results>/{path}.csv"


def get_table(wildcards):
    return config["tables"][wildcards.table]


def get_figure(wildcards):
    return config["figures"][wildcards.figure]


def get_figure_models(wildcards):
    entry = get_figure(wildcards)
    entries = [entry, *(config["curves"][name] for name in entry.get("curves", []))]
    names = [name for part in entries for name in specs.models_of(part)]
    return list(map(ModelId.of, dict.fromkeys(names)))


def get_figure_model_names(wildcards):
    return [str(model) for model in get_figure_models(wildcards)]


def get_set_titles(wildcards):
    """Names of the sets in and out of distribution of a figure's model."""
    subset = config["subsets"][get_figure_models(wildcards)[0].subset]
    out = config["subsets"][subset["out_of_distribution"]]
    return {"test": subset["title"], "ood": out["title"]}


def get_kept_cluster(wildcards):
    return config["subsets"][get_figure(wildcards)["subset"]]["kmeans"]["keep"]


def get_cluster_provenance(wildcards):
    return provenance_of([get_figure(wildcards)["subset"]])


def get_figure_runs(wildcards):
    return get_runs(get_figure_models(wildcards))


def figure_files(name):
    """Input function of a file of each model and seed of a figure."""

    def get(wildcards):
        return collect_files(get_figure_models(wildcards), name)

    return get


def first_figure_files(name):
    """The same for the first seed alone."""

    def get(wildcards):
        return first_seed(get_figure_models(wildcards), name)

    return get


def get_figure_provenance(wildcards):
    models = get_figure_models(wildcards)
    return provenance_of([model.subset for model in models if model not in TOYS])


def get_figure_distances(wildcards):
    """Distance of each model's components."""
    models = get_figure_models(wildcards)
    return {
        str(model): means.component_distance(config, model.prior)
        for model in models
        if len(config["priors"][model.prior]["means"]) < 3
    }


def figures_of(kind):
    """Pattern of the names of the figures of a kind."""
    names = [name for name, entry in config["figures"].items() if entry["kind"] == kind]
    return "|".join(names) or "(?!)"


def get_decoded_arrays(wildcards):
    """Training images and their components, of each model of a figure of decoded images."""
    models = get_figure_models(wildcards)
    return [f"<results>/data/{model.subset}/train.npz" for model in models]


def get_decoded_components(wildcards):
    models = get_figure_models(wildcards)
    kinds = [config["priors"][model.prior]["assignment"] for model in models]
    return [
        f"<results>/data/{model.subset}/assignment.{kind}.csv" for model, kind in zip(models, kinds)
    ]


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
    titles = {
        table: {name: entry["title"] for name, entry in config[table].items()}
        for table in ("models", "subsets", "priors")
    }
    titles["models"]["toy"] = "flow"
    mixtures = {toy.subset: "mixture" for toy in TOYS}
    return titles | {"subsets": titles["subsets"] | mixtures}


def get_pdf():
    return "<results>/paper.pdf" if HAS_TEX else []


def check_device():
    """Refuse a GPU that is not there; only when a run starts is it known where jobs will be."""
    here = workflow.exec_mode == ExecMode.DEFAULT and workflow.local_exec
    if here and config["device"] == "cuda" and not shutil.which("nvidia-smi"):
        raise WorkflowError(
            "config: device: cuda was asked for, but this machine shows no NVIDIA GPU (no nvidia-smi); "
            "set device: auto or device: cpu"
        )


def check_results():
    """End a run that could write nothing before it starts."""
    place = Path("results", RUN)
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    if not there.is_dir():
        raise WorkflowError(
            f"{there} is a file: the results go into a folder of this name; move it"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise WorkflowError(
            f"{there} cannot be written to: change its permissions, or take a copy of the project "
            "where you may write"
        )


def relieve_scheduler():
    """Take the default limit of 100 submissions a second away, which a run never meets.

    For its sake Snakemake (seen in 9.27) looks at all waiting jobs once a second, and once
    more for each job that has ended: after a few hundred it is busy with nothing else.
    """
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def print_places():
    """Where a reader goes on."""
    for name in ("verdicts.txt", "paper.pdf", "README.md"):
        if Path("results", RUN, name).exists():
            print(f"results/{RUN}/{name}")
