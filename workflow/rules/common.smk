"""Configuration, wildcards and input functions."""

import json
import os
import shutil
import threading
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import ExecMode

from oodpriors.config import choices, means, record, restrict, schema, specs
from oodpriors.config.checks import check_names, check_own_files, check_references
from oodpriors.config.other_run import check_other_run, other_files
from oodpriors.config.repeats import check_repeats
from oodpriors.config.specs import ModelId
from oodpriors.config.texts import check_claims, check_texts
from oodpriors.document import rst
from oodpriors.io.errors import UserError
from oodpriors.io import watch
from oodpriors.io.files import expanded, inside, load_json, load_yaml, regular, save_json
from oodpriors.kinds.analyses import ANALYSES
from oodpriors.kinds.architectures import ARCHITECTURES
from oodpriors.kinds.figures import FIGURES
from oodpriors.kinds.tables import TABLES
from oodpriors.training.taken import check, check_archive
from used_code import planned_code


def read_yaml(path):
    return load_yaml(PROJECT / path)


def inspect_files(datasets):
    """Shapes and labels of the users' own files."""
    own = {name: entry for name, entry in datasets.items() if entry["kind"] in specs.OWN}
    if not own:
        return {}
    from oodpriors.data.own import inspect_own  # needs NumPy, which Snakemake alone does not

    found, mistakes = {}, []
    for name, entry in own.items():
        try:
            found |= {name: inspect_own(entry)} if entry["path"] else {}
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
        if not os.path.isdir(expanded(mirror)):
            mistake = f"mirror: {mirror!r} is no folder here, and no http:// or https:// address"
            raise schema.ConfigError([mistake])


def check_files():
    """Snakemake keeps the last of two keys of the same name without a word."""
    if workflow.exec_mode == ExecMode.DEFAULT:
        files = [Path(file) for file in workflow.configfiles]
        check_repeats({str(f): f.read_text("utf-8") for f in files if f.is_file()})


def load_claims():
    """The claims of config/claims.yaml, checked."""
    claims = read_yaml("config/claims.yaml")
    try:
        check_claims(claims)
    except schema.ConfigError as error:
        raise WorkflowError(str(error)) from None
    return claims


def load_config():
    """Merge the scale and the paper's experiments below the user's values, then check everything."""
    scales = ["smoke", "quick", "short", "paper"]
    given = schema.merge(read_yaml("config/config.yaml"), config)
    scale = given["scale"]
    if scale not in scales:
        raise WorkflowError(f"config: scale: {scale!r} is not one of {', '.join(scales)}")
    merged = schema.merge(read_yaml(f"config/scales/{scale}.yaml"), given)
    try:
        allowed = choices.with_kinds(read_yaml("workflow/schemas/config.schema.yaml"))
        check_files()
        checked = specs.with_further(schema.validate(merged, allowed))
        check_names(checked)
        checked = restrict.with_only(checked)
        check_texts(checked)
        check_own_files(checked, lambda path: inside(path, "results"))
        check_mirror(checked["mirror"])
        checked = means.with_means(checked, lambda path: regular(path).read_text("utf-8"))
        if checked["data"] == "embedded":
            checked = specs.with_stand_ins(checked)
        inspected = inspect_files(checked["datasets"])
        check_references(checked, inspected)
        checked = restrict.with_estimates(checked)
    except UserError as error:
        raise WorkflowError(str(error)) from None
    return checked, inspected


def check_place(path):
    """Refuse what Snakemake stumbles over where a folder is to be; a loop of links as well."""
    if os.path.lexists(path) and not os.path.isdir(path):
        what = "a link to no folder" if os.path.islink(path) else "a file"
        raise WorkflowError(f"{path} is {what}: the results go into a folder of this name; move it")


if workflow.exec_mode == ExecMode.DEFAULT:
    check_place("results")

config, INSPECTED = load_config()

WHOLE = config["only"] is None and config["toy"] is not None
N_DECODED = 16
N_SAMPLES = config["images"]["ood"] or 10_000  # of each model, as a further set
FRAGMENTS = (
    "macros glyphs abstract board numbers firstfigure topics limitations conclusion kinds cards "
    "figures tables comparison settings assumptions budget training data software inputs"
).split()
RUN = specs.run_name(config)
RECORD = f"results/{RUN}/configuration.json"
SETTINGS = record.settings(config, INSPECTED)
MODELS = specs.model_ids(config)
TOYS = specs.toy_ids(config)
PLANES = [toy for toy in TOYS if toy.subset == "mixture_2"]
FURTHER = specs.further_sets(config)
SEEDS = specs.model_seeds(config)
TAKEN = specs.taken(config)
TAKEN_PATHS = "|".join(f"{model}/seed{seed}/" for model, seed in TAKEN) or "(?!)"
ANALYSED = [*config["analyses"], *(["toy"] if TOYS else [])]
CLAIMS = restrict.with_models(load_claims(), config, ANALYSED)
PUBLISHED = restrict.with_models(read_yaml("config/published.yaml"), config, ANALYSED)
HAS_TEX = bool(
    "conda" in {str(m) for m in workflow.deployment_settings.deployment_method}
    or shutil.which("latexmk")
    or shutil.which("tectonic")
)


def check_run():
    """Say where the results go; refuse to replace another run."""
    check_place(f"results/{RUN}")
    if os.path.isdir(RECORD):
        raise WorkflowError(f"{RECORD} is a folder: the run writes a file of this name; move it")
    part = "-".join(["", *specs.run_part(config)])
    if not config["run"] and part:
        logger.info(f"The results go into results/{RUN}; run: NAME gives another folder.")
        whole = Path("results", RUN.removesuffix(part))
        if whole.joinpath("models").exists():
            logger.info(f"{whole} has models that experiments.NAME.weights can take from there.")
    made = any(Path("results", RUN, "data").glob("*.npz"))
    if not (made and Path(RECORD).exists()):
        return
    try:
        change = record.compare(f"results/{RUN}", RECORD, load_json(RECORD), SETTINGS)
    except schema.ConfigError as error:
        raise WorkflowError(str(error)) from None
    except (ValueError, LookupError, TypeError) as error:
        raise WorkflowError(
            f"{RECORD}: damaged ({error}); delete the file, then run again"
        ) from None
    if change:
        logger.warning(change)


if workflow.exec_mode == ExecMode.DEFAULT:
    check_run()

if not HAS_TEX and workflow.exec_mode == ExecMode.DEFAULT:
    logger.warning(
        "No TeX here (neither latexmk nor tectonic): everything but the PDF is built. For the PDF: "
        "apt-get install $(cat paper/debian-packages.txt), or run with --use-conda."
    )


wildcard_constraints:
    subset="[a-z0-9_]+",
    prior="[a-z0-9_]+",
    dataset="[a-z0-9_]+",
    split="train|test",
    assignment="[a-z]+",
    seed="[0-9]+",
    further="[a-z0-9_]+",
    figure="[a-z0-9_]+",
    table="|".join(config["tables"]) or "(?!)",
    analysis="|".join(name for name, kind in ANALYSES.items() if kind.place),
    network="grey|colour",
    dim="[0-9]+",


# Checksums of the plan's code; jobs on other machines are given them in the environment.
CODES = {} if workflow.exec_mode == ExecMode.DEFAULT else json.loads(os.getenv("OOD_CODES", "{}"))


def get_planned_code(script, choices):
    key = json.dumps([script, choices])
    path = PROJECT / f"workflow/scripts/{script}.py"
    code = planned_code(path, choices, CODES.get(key))
    CODES[key] = str(code)
    return code


def plan_code():
    """Note the code of all jobs before any begins: what is edited later must not count as used."""
    for job in workflow.dag.needrun_jobs():
        job.params  # Snakemake computes and keeps them when they are first asked for
    os.environ.update(OOD_CODES=json.dumps(CODES))


def get_code(script):
    """Input function of the checksum of the library's code that a job uses.

    It is a parameter, so that an edit of this code, and of no other, runs the job again.
    """

    def get(wildcards):
        subset = config["subsets"].get(wildcards.get("subset"))
        chosen = {
            "architectures.ARCHITECTURES": wildcards.get("architecture"),
            "analyses.ANALYSES": wildcards.get("analysis"),
            "priors.PRIORS": get_kind("priors", wildcards.get("prior")),
            "datasets.OFFICIAL": get_kind("datasets", wildcards.get("dataset")),
            "made.MADE": subset and (subset["made"] or ""),
            "figures.FIGURES": get_kind("figures", wildcards.get("figure")),
            "tables.TABLES": get_kind("tables", wildcards.get("table")),
        }
        return get_planned_code(
            script, {f"oodpriors.kinds.{table}": kind for table, kind in chosen.items()}
        )

    return get


def get_kind(table, name):
    """Kind of an entry of the configuration, if there is one; a stand-in has that of its original."""
    entry = config[table].get(name, {})
    return entry.get("stands_for") or entry.get("kind")


def source_file(path):
    """A file of the project, relative to its root; a prefix of a module does not move it."""
    return local(os.path.relpath(PROJECT / path))


def get_source(wildcards):
    """What a data set is, of the user's own file its content; not where it lies or since when."""
    entry = config["datasets"][wildcards.dataset]
    content = INSPECTED.get(wildcards.dataset, {}).get("content")
    return {"kind": entry["kind"], "stands_for": entry["stands_for"], "content": content}


def get_required(wildcards):
    """Whether a run needs a data set; one that only further sets need can be left out."""
    return wildcards.dataset not in specs.further_datasets(config)


def get_subset(wildcards):
    return config["subsets"][wildcards.subset]


def get_original(suffix):
    """Input function of a file of what a subset is cut out of, or made of."""

    def get(wildcards):
        subset = get_subset(wildcards)
        place = f"{subset['of']}/test" if subset["of"] else subset["dataset"]
        return f"<results>/data/{place}.{suffix}"

    return get


def get_clusters(wildcards):
    return "<results>/data/{subset}/clusters.npz" if get_subset(wildcards)["kmeans"] else []


def get_setting(key):
    """Input function of a key of the subset."""

    def get(wildcards):
        return get_subset(wildcards)[key]

    return get


def get_selection(wildcards):
    return specs.selection(config, wildcards.subset, wildcards.split)


def get_assignment(wildcards):
    kind = config["priors"][wildcards.prior]["assignment"]
    return f"<results>/data/{{subset}}/assignment.{kind}.csv"


def get_ood_images(wildcards):
    return f"<results>/data/{get_subset(wildcards)['out_of_distribution']}/test.npz"


def get_further_images(wildcards):
    """Images of a further set; none if they are drawn from the model."""
    drawn = specs.is_drawn(config["subsets"][wildcards.further])
    return [] if drawn else "<results>/data/{further}/test.npz"


def collect_further(name):
    """A file of each further set of each training of each model, in the order of get_runs."""
    return [
        f"<results>/models/{model}/seed{seed}/further/{other}.{name}"
        for model in MODELS
        for seed in SEEDS[model]
        for other in FURTHER.get(model, [])
    ]


def get_further_subsets():
    """Subsets with images that are further sets of models, each once."""
    names = dict.fromkeys(name for own in FURTHER.values() for name in own)
    return [name for name in names if not specs.is_drawn(config["subsets"][name])]


def get_set_names(wildcards):
    """What each set of a score file was cut from: models that share it are compared in pairs."""
    ood = get_subset(wildcards)["out_of_distribution"]
    own = {split: f"{wildcards.subset}.{split}" for split in ("train", "test")}
    return own | {"ood": f"{ood}.test"}


def get_spec(wildcards):
    model = ModelId(wildcards.architecture, wildcards.subset, wildcards.prior)
    return specs.model_spec(config, model, int(wildcards.seed), INSPECTED)


def get_budget(key, growing=False):
    """Input function of a model's budget; a limit may grow with each attempt."""

    def get(wildcards, attempt=1):
        value = config["models"][wildcards.architecture].get(key)
        return value * attempt if growing else value

    return get


def get_toy_spec(wildcards):
    return specs.toy_spec(config, int(wildcards.dim), wildcards.prior, int(wildcards.seed))


def get_model_folder(ahead):
    """Pattern of the folders of models whose paths, from the architecture on, match a look-ahead."""
    name = f"{{architecture,{ahead}({'|'.join(ARCHITECTURES)})}}"
    return f"<results>/models/{name}/{{subset}}/{{prior}}/seed{{seed}}"


def find_weights(model, seed):
    """Folder of a model that is taken, what the job needs first, and where the user has it from."""
    _, weights = TAKEN[model, seed]
    place = Path(str(model), f"seed{seed}")
    if isinstance(weights, dict):
        unpacked, source = f"resources/weights/{weights['sha256']}", weights["archive"]
        return {"folder": f"{unpacked}/models/{place}", "files": local(unpacked), "source": source}
    # no input: once taken, a model does not need this folder any more
    folder = expanded(weights) / place
    return {"folder": str(folder), "files": [], "source": weights}


def get_weights(key):
    """Input function of what find_weights finds."""

    def get(wildcards):
        model = ModelId(wildcards.architecture, wildcards.subset, wildcards.prior)
        return find_weights(model, int(wildcards.seed))[key]

    return get


def get_archive(wildcards):
    """Path or address of an archive of trained models."""
    archives = [weights for _, weights in TAKEN.values() if isinstance(weights, dict)]
    return next(entry["archive"] for entry in archives if entry["sha256"] == wildcards.sha256)


def collect_files(models, name):
    """A file of each of the given models, all seeds of one model after the other."""
    return fill_in(f"models/{{model}}/seed{{seed}}/{name}", models)


def get_runs(models):
    """(model, seed) for each file that collect_files gives."""
    return [(str(model), seed) for model in models for seed in SEEDS[model]]


def analysed(analysis):
    """Models that an analysis is about."""
    names = specs.models_of(config["analyses"].get(analysis, {}))
    return [ModelId.of(name) for name in names]


def get_curves():
    """Distance and name of each model of each curve, with its title."""
    return {
        name: {
            "title": curve["title"],
            "component": curve["component"] or curve["title"],
            "models": [
                (means.component_distance(config, ModelId.of(model).prior), model)
                for model in curve["models"]
            ],
        }
        for name, curve in config["curves"].items()
    }


def get_pairs():
    """Pairs of a unimodal and a multimodal model, of all tables that take them apart."""
    apart = [entry for entry in config["tables"].values() if entry["kind"] == "decomposition"]
    return [tuple(pair) for entry in apart for pair in entry["pairs"]]


def get_data_kinds():
    """Kind of the data set of each subset that has one; published numbers mean nothing for stand-ins."""
    sources = {name: subset["dataset"] for name, subset in config["subsets"].items()}
    return {name: config["datasets"][source]["kind"] for name, source in sources.items() if source}


def get_backgrounds():
    """The background model of each model that has one."""
    pairs = ((model, specs.background(config, model)) for model in MODELS)
    return {str(model): str(other) for model, other in pairs if other}


def get_scored_subsets():
    """Subsets whose test images the models score, each once."""
    own = (model.subset for model in MODELS)
    pairs = ((name, config["subsets"][name]["out_of_distribution"]) for name in own)
    return list(dict.fromkeys(name for pair in pairs for name in pair))


def get_settings():
    """Our value of each setting that the paper prints."""
    return {
        entry["setting"]: specs.lookup(config, entry["setting"])
        for entry in PUBLISHED
        if "setting" in entry
    }


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


def files_of(kind, models):
    """Files by name that a kind of figure or analysis is made from (see FigureKind)."""
    return {name: fill_in(path, models) for name, path in kind.files.items()}


def fill_in(path, models):
    if "{" not in path:
        return f"<results>/{path}"
    if "{seed}" in path:
        return [f"<results>/{path}".format(seed=s, **parts_of(m)) for m in models for s in SEEDS[m]]
    return [f"<results>/{path}".format(**parts_of(model)) for model in models]


def parts_of(model):
    """What the path of one of a model's files may hold."""
    return {
        "model": model,
        "subset": model.subset,
        "other": config["subsets"].get(model.subset, {}).get("out_of_distribution"),
        "assignment": config["priors"][model.prior]["assignment"],
        "first_seed": SEEDS[model][0],
    }


def get_analysis(wildcards):
    return config["analyses"][wildcards.analysis]


def get_analysis_runs(wildcards):
    return get_runs(analysed(wildcards.analysis))


def get_analysis_files(wildcards):
    return files_of(ANALYSES[wildcards.analysis], analysed(wildcards.analysis))


def get_table_source(wildcards):
    entry = get_table(wildcards)
    return f"<results>/{TABLES[entry['kind']].source.format(**entry)}"


def get_table(wildcards):
    return config["tables"][wildcards.table]


def get_description(wildcards):
    """What the report says of a figure or table."""
    get = get_table if wildcards.get("table") else get_figure
    return rst.description(get(wildcards))


def get_figure(wildcards):
    return config["figures"][wildcards.figure]


def get_figure_models(wildcards):
    return figure_models(get_figure(wildcards))


def figure_models(entry):
    """Models that a figure shows, each once."""
    entries = [entry, *(config["curves"][name] for name in entry.get("curves", []))]
    names = [name for part in entries for name in specs.models_of(part)]
    return list(map(ModelId.of, dict.fromkeys(names)))


def get_shown_figures():
    """Entry, note of its kind and names of the models of each figure."""
    return {
        name: (entry, FIGURES[entry["kind"]].note, list(map(str, figure_models(entry))))
        for name, entry in config["figures"].items()
    }


def has_curves():
    return any(entry["kind"] == "curves" for entry in config["figures"].values())


def get_other_run():
    """Files of the run that the page shows beside this one."""
    return other_files(config["compare_with"]) if config["compare_with"] else []


def get_figure_files(wildcards):
    return files_of(FIGURES[get_figure(wildcards)["kind"]], get_figure_models(wildcards))


def get_figure_subsets(wildcards):
    """Subsets of images that a figure is about."""
    entry = get_figure(wildcards)
    models = [model.subset for model in get_figure_models(wildcards) if model not in TOYS]
    return [entry["subset"]] if "subset" in entry else models


def get_figure_provenance(wildcards):
    return provenance_of(get_figure_subsets(wildcards))


def get_figure_facts(wildcards):
    """What a figure says of its models and images (see oodpriors/figures/sheet.py)."""
    models = get_figure_models(wildcards)
    component_means = {str(m): config["priors"][m.prior]["means"] for m in models}
    subset = next((config["subsets"][name] for name in get_figure_subsets(wildcards)), None)
    return {
        "entry": get_figure(wildcards),
        "models": list(map(str, models)),
        "runs": get_runs(models),
        "means": {model: [mean[0] for mean in each] for model, each in component_means.items()},
        "distances": {
            str(model): means.component_distance(config, model.prior)
            for model in models
            if len(component_means[str(model)]) < 3
        },
        "titles": get_titles(),
        "sets": subset and get_set_titles(subset),
        "keep": subset and subset["kmeans"] and subset["kmeans"]["keep"],
        "classes": subset and specs.class_names(config, subset["dataset"]),
        "infers": [name for name, kind in ARCHITECTURES.items() if kind.infers],
        # beside stand-ins the paper's numbers mean nothing
        "published": specs.published_means(PUBLISHED if config["data"] == "real" else []),
    }


def get_set_titles(subset):
    """Names of the sets in and out of distribution of models that learn a subset."""
    other = config["subsets"].get(subset["out_of_distribution"], subset)
    return {"test": subset["title"], "ood": other["title"]}


def provenance_of(subsets):
    """Provenance of the images that models on these subsets learn and are tested on."""
    parts = {}
    for name in subsets:
        other = config["subsets"][name]["out_of_distribution"] or name
        parts |= dict.fromkeys((f"{name}/train", f"{name}/test", f"{other}/test"))
    return [f"<results>/data/{part}.provenance.json" for part in parts]


def get_titles():
    """Names of architectures, subsets and priors in figures and tables."""
    titles = {
        table: {name: entry["title"] for name, entry in config[table].items()}
        for table in ("models", "subsets", "priors")
    }
    titles["models"]["toy"] = "flow"
    mixtures = {toy.subset: "mixture" for toy in TOYS}
    return titles | {"subsets": titles["subsets"] | mixtures}


def get_companions():
    """Companion scores, also if no figure or table shows those of further sets or of gradients."""
    asked = FURTHER or config["gradients"]
    return "<results>/statistics/companions.csv" if asked else []


def get_pdf():
    return "<results>/paper.pdf" if HAS_TEX else []


def get_missing(wildcards):
    """Files that a run which has begun does not have (yet).

    Without this, Snakemake would not miss a file once all that is made of it is there.
    """
    if not Path("results", RUN).exists():
        return []
    files = [
        output.format(**values)
        for rule, jobs in get_jobs().items()
        for values in jobs
        for output in getattr(rules, rule).output
    ]
    return [file for file in dict.fromkeys(files) if not Path(file).exists()]


def get_jobs():
    """Wildcards of each job of a complete run, by rule."""
    subsets, analyses = config["subsets"], config["analyses"]
    clustered = [name for name in specs.used_subsets(config) if subsets[name]["kmeans"]]
    splits = [Path(path).parts[-2:] for path in provenance_of(model.subset for model in MODELS)]
    splits += [(name, "test") for name in specs.further_subsets(config)]
    datasets = [*specs.used_datasets(config), *specs.further_datasets(config)]
    networks = [entry["network"] for entry in config["tables"].values() if "network" in entry]
    alone = ["summarise", "judge", "record", "explain", "build_page"]
    alone += [f"analyse_{name}" for name in analyses if not ANALYSES[name].place]
    alone += ["analyse_toy"] if TOYS else []
    shown = [entry["kind"] for table in ("figures", "tables") for entry in config[table].values()]
    scored = get_companions() or {"companions", "best_scores", "remedy"} & set(shown)
    alone += ["score_companions"] if scored else []
    alone += ["typeset", "build_pdf"] if HAS_TEX else []
    return {
        "download": [{"dataset": name} for name in datasets],
        "cluster": [{"subset": name} for name in clustered],
        "prepare": [{"subset": name, "split": part.split(".")[0]} for name, part in splits],
        "assign": [parts_of(model) for model in MODELS],
        "train": get_trainings(MODELS),
        "score": get_trainings(MODELS),
        "score_further": [
            {**training, "further": name}
            for model, names in FURTHER.items()
            for training in get_trainings([model])
            for name in names
        ],
        "score_gradients": get_trainings(MODELS if config["gradients"] else []),
        "train_toy": get_trainings(TOYS),
        "map_plane": get_trainings(PLANES),
        "analyse": [{"analysis": name} for name in analyses if ANALYSES[name].place],
        "describe_architecture": [{"network": name} for name in networks],
        "tabulate": [{"table": name} for name in config["tables"]],
        "plot": [{"figure": name} for name in config["figures"]],
        **{rule: [{}] for rule in alone},
    }


def get_trainings(models):
    """Wildcards of the trainings of models, or of toy flows."""
    return [
        {**model._asdict(), "dim": model.subset.split("_")[-1], "seed": seed}
        for model in models
        for seed in SEEDS[model]
    ]


def check_weights():
    """Refuse trained models that would not be trained; those of an archive, when it is unpacked."""
    mistakes = []
    for (model, seed), (experiment, weights) in TAKEN.items():
        folder = find_weights(model, seed)["folder"]
        if Path("results", RUN, "models", str(model), f"seed{seed}", "weights.pt").exists():
            continue
        try:
            if isinstance(weights, dict):
                check_archive(weights["archive"])
            elif inside(folder, f"results/{RUN}"):
                raise UserError(f"{weights} is the folder of this run: name another run, run: NAME")
            elif not os.path.isdir(expanded(weights)):
                raise UserError(f"{weights} is no folder here")
            else:
                check(Path(folder), specs.model_spec(config, model, seed, INSPECTED))
        except UserError as error:
            mistakes.append(f"experiments.{experiment}.weights: {error}")
    if mistakes:
        raise WorkflowError(str(schema.ConfigError(mistakes)))


if workflow.exec_mode == ExecMode.DEFAULT:
    check_weights()


def check_device():
    """Refuse a GPU that is not there; only when a run starts is it known where jobs will be."""
    here = workflow.exec_mode == ExecMode.DEFAULT and workflow.local_exec
    if here and config["device"] == "cuda" and not shutil.which("nvidia-smi"):
        raise WorkflowError(
            "config: device: cuda was asked for, but this machine shows no NVIDIA GPU (no nvidia-smi); "
            "set device: auto or device: cpu"
        )


def check_compared():
    """End a run that would be shown beside no other run before it starts."""
    try:
        if config["compare_with"]:
            check_other_run(config["compare_with"], f"results/{RUN}")
    except schema.ConfigError as error:
        raise WorkflowError(str(error)) from None


if workflow.exec_mode == ExecMode.DEFAULT:
    check_compared()


def check_results():
    """End a run that could write nothing before it starts."""
    place = Path("results", RUN)
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise WorkflowError(
            f"{there} cannot be written to: change its permissions, or take a copy of the project "
            "where you may write"
        )


def record_settings():
    save_json(RECORD, SETTINGS)


def relieve_scheduler():
    """Take the default limit of 100 submissions a second away, which a run never meets.

    Because of it Snakemake (seen in 9.27) looks at all waiting jobs once a second, and once
    more for each job that has ended: after a few hundred it is busy with nothing else.
    """
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def watch_models(every=60):
    """Say once a minute how far the models are; the thread ends with Snakemake."""
    planned = [
        watch.Job(job.rule.name, Path(job.output[0]).parent)
        for job in workflow.dag.needrun_jobs()
        if job.rule.name in watch.OUTPUTS
    ]
    if not planned:
        return
    before = watch.changes(planned)

    def say(last=""):
        while True:
            time.sleep(every)
            line = watch.status(planned, before)
            if line != last:
                logger.info(line)
            last = line

    threading.Thread(target=say, daemon=True).start()


def print_left_out():
    """Further sets without images, and how they are asked for again."""
    for name in get_further_subsets():
        path = Path(f"results/{RUN}/data/{name}/test.provenance.json")
        if not path.exists():  # not asked for in this call
            continue
        source = load_json(path)["source"]
        dataset = config["subsets"][source.get("of", name)]["dataset"]
        if "missing" in source:
            logger.warning(
                f"{config['subsets'][name]['title']} is left out: {source['missing']}. "
                f"To try again, delete results/{RUN}/data/{dataset}.npz and run again."
            )


def print_places():
    """Where a reader goes on."""
    for name in ("index.html", "verdicts.txt", "paper.pdf", "README.md"):
        if Path("results", RUN, name).exists():
            print(f"results/{RUN}/{name}")
