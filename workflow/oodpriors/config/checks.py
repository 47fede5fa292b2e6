"""What names and numbers of a configuration say about one another."""

import math
import re
from collections.abc import Callable, Iterator, Mapping

from oodpriors.config.schema import ConfigError, suggestion
from oodpriors.config.specs import (
    TOY,
    ModelId,
    dataset_facts,
    further_sets,
    further_subsets,
    image_source,
    is_drawn,
    model_ids,
    models_of,
    network_kind,
    network_of,
    own_files,
    own_weights,
    refined_panels,
    run_name,
    selection,
    subset_facts,
    taken,
    toy_ids,
    used_subsets,
)
from oodpriors.kinds.analyses import ANALYSES
from oodpriors.kinds.architectures import ARCHITECTURES
from oodpriors.kinds.figures import FIGURES
from oodpriors.kinds.priors import PRIORS
from oodpriors.kinds.rows import IMAGES, PLANE
from oodpriors.kinds.tables import TABLES

# Names by section that would be those of files or sets of the pipeline.
TAKEN = {
    "experiments": "toy",
    "subsets": r"(mixture|gaussian)_\d+",
    "figures": "main",
    "tables": "models|claims|comparison|verdicts",
}
# Keys that say where images are from, and those of images that are cut out of a data set.
SOURCES = {"dataset": "data set", "of": "subset"}
CUT = ("labels", "kmeans", "out_of_distribution")
LONGEST = 255  # letters in the name of a folder
FARTHEST = 1_000_000  # coordinate of a mean; the square of a distance is finite in single precision


def check_names(config: Mapping) -> None:
    """Check that what is run, and what is shown, names what exists.

    Args:
        config: validated, before what is not run is left out.

    Raises:
        ConfigError: a line for each mistake.
    """
    _refuse_first(_check_taken(config), _check_run(config), _check_shown(config))


def check_references(config: Mapping, inspected: Mapping) -> None:
    """Check what names and numbers of the configuration say about one another.

    Args:
        config: its names are checked, and what is not run is left out.
        inspected: what :func:`oodpriors.data.datasets.inspect_npz` says of each npz data set.

    Raises:
        ConfigError: a line for each mistake.
    """
    _refuse_first(  # each relies on those before
        _check_datasets(config),
        _check_subsets(config, inspected),
        _check_priors(config),
        _check_models(config, inspected),
        _check_weights(config),
        _check_budgets(config),
        _check_toy(config),
        _check_figures(config),
        _check_curves(config),
        _check_folder(config),
    )


def _refuse_first(*checks: Iterator[str]) -> None:
    for mistakes in checks:
        if found := list(mistakes):
            raise ConfigError(found)


def check_own_files(config: Mapping, inside: Callable[[str], bool]) -> None:
    """Refuse files of the user that Snakemake misreads, or that are among the results.

    Args:
        config: validated.
        inside: whether a path leads into the results folder.

    Raises:
        ConfigError: a line for each such file.
    """
    mistakes = []
    for key, path in [*own_files(config), *own_weights(config)]:
        if path and re.search(r"[{}<>\x00-\x1f]", path):
            mistakes.append(
                f"{key}: {path!r} has a character that Snakemake reads as a part of its own "
                "(one of {}<>) or that cannot be printed: rename it"
            )
        elif path and inside(path) and not key.endswith(".weights"):
            mistakes.append(
                f"{key}: {path} is in the results folder, where runs delete files: "
                "move it elsewhere"
            )
    if mistakes:
        raise ConfigError(mistakes)


def _unknown(where: str, what: str, name: str, known) -> str:
    return f"{where}: there is no {what} {name!r}{suggestion(name, known)}"


def _check_taken(config: Mapping) -> Iterator[str]:
    for table, pattern in TAKEN.items():
        for name in config[table]:
            if re.fullmatch(pattern, name):
                yield f"{table}.{name}: the pipeline uses this name itself: choose another"


def _check_run(config: Mapping) -> Iterator[str]:
    """Names in the experiments that are run, in their subsets, and of the priors of toy flows."""
    learnt = set()
    for experiment, entry in config["experiments"].items():
        for name in entry["models"] if experiment in (config["only"] or [experiment]) else []:
            model = ModelId.of(name)
            learnt.add(model.subset)
            for what, key, table in (
                ("model", model.architecture, "models"),
                ("subset", model.subset, "subsets"),
                ("prior", model.prior, "priors"),
            ):
                if key not in config[table]:
                    yield _unknown(f"experiments.{experiment}: {name}", what, key, config[table])
    subsets = config["subsets"]
    tested = {other for name in learnt & set(subsets) for other in _sets_out(subsets[name])}
    tested |= {subsets[name]["of"] for name in tested & set(subsets)}
    for name, subset in subsets.items():
        if config["only"] is None or name in learnt | tested:
            yield from _check_sources(config, name, subset)
            for other in _sets_out(subset):
                if other not in subsets:
                    yield _unknown(f"subsets.{name}.out_of_distribution", "subset", other, subsets)
    first = {subsets[name]["out_of_distribution"] for name in learnt & set(subsets)}
    for name in sorted(name for name in (learnt | first) & set(subsets) if subsets[name]["made"]):
        yield (
            f"subsets.{name}.made: a made subset can only be a further set out of distribution: "
            "learn another one, and name another one first"
        )
    toy = config["toy"] if TOY in (config["only"] or [TOY]) else None
    for prior in toy["priors"] if toy else []:
        if prior not in config["priors"]:
            yield _unknown("toy.priors", "prior", prior, config["priors"])


def _sets_out(subset: Mapping) -> list[str]:
    """Names of the sets out of distribution of a subset, the paper's first."""
    first = subset["out_of_distribution"]
    return [*([] if first is None else [first]), *subset.get("further", [])]


def _check_sources(config: Mapping, name: str, subset: Mapping) -> Iterator[str]:
    """A subset is cut out of a data set, made of another subset, or drawn from the models."""
    where, made, subsets = f"subsets.{name}", subset["made"], config["subsets"]
    what = f"made: {made}" if made else "a subset that is not made"
    key = "dataset" if not made else "" if is_drawn(subset) else "of"
    known = config["datasets"] if key == "dataset" else subsets
    if key and subset[key] is None:
        yield f"{where}: {what} needs the key {key}"
    elif key and subset[key] not in known:
        yield _unknown(f"{where}.{key}", SOURCES[key], subset[key], known)
    elif key == "of" and subsets[subset[key]]["made"]:
        yield f"{where}.of: {subset[key]} is made itself: name a subset of a data set"
    for other in (*SOURCES, *(CUT if made else ())):
        if other != key and subset[other] is not None:
            yield f"{where}.{other}: {what} has none"


def _check_shown(config: Mapping) -> Iterator[str]:
    """Names in figures, tables, curves and analyses, also in those that are not made."""
    known = [str(model) for model in (*model_ids(config), *toy_ids(config))]
    for table in ("figures", "tables", "curves", "analyses"):
        for name, entry in config[table].items():
            where = f"{table}.{name}"
            for model in models_of(entry):
                left_out = config["toy"] is None and model.startswith(f"{TOY}/")
                if model not in known and not left_out:
                    yield _unknown(where, "model of an experiment named", model, known)
            for curve in entry.get("curves", []):
                if curve not in config["curves"]:
                    yield _unknown(f"{where}.curves", "curve", curve, config["curves"])
            if entry.get("subset", None) not in (None, *config["subsets"]):
                yield _unknown(f"{where}.subset", "subset", entry["subset"], config["subsets"])


def _check_datasets(config: Mapping) -> Iterator[str]:
    needs = {"npz": "path", "folder": "path", "embedded": "stands_for"}
    for name, entry in config["datasets"].items():
        kind, key = entry["kind"], needs.get(entry["kind"])
        if key and not entry.get(key):
            yield f"datasets.{name}: kind {kind} needs the key {key}"
        if key != "path" and entry.get("path"):
            yield f"datasets.{name}.path: only kinds npz and folder have a path; kind is {kind}"
        if kind != "folder" and entry.get("shape"):
            yield f"datasets.{name}.shape: only kind folder has a shape; kind is {kind}"
        if kind == "folder" and entry["shape"] and entry["shape"][0] not in (1, 3):
            yield f"datasets.{name}.shape: write the channels first, 1 or 3: {entry['shape']}"


def _check_subsets(config: Mapping, inspected: Mapping) -> Iterator[str]:
    for name in filter(None, dict.fromkeys([*used_subsets(config), *further_subsets(config)])):
        subset, where = config["subsets"][name], f"subsets.{name}"
        if subset["made"]:
            continue
        _, labels = dataset_facts(config, subset["dataset"], inspected)
        for split in ("test",) if subset["out_of_distribution"] is None else ("train", "test"):
            have = labels.get(split, [])
            missing = sorted(set(subset["labels"] or []) - set(have))
            if missing:
                source = f"the {split} split of {subset['dataset']}"
                yield f"{where}.labels: {source} lacks {missing}; it has {have}"
        kmeans = subset["kmeans"]
        if kmeans and "train" not in labels:
            yield f"{where}.kmeans: {subset['dataset']} has no train split to find clusters in"
        if kmeans and kmeans["keep"] is not None and kmeans["keep"] >= kmeans["k"]:
            yield (
                f"{where}.kmeans.keep: there is no cluster {kmeans['keep']}; they are numbered "
                f"0 to {kmeans['k'] - 1}"
            )


def _check_models(config: Mapping, inspected: Mapping) -> Iterator[str]:
    for experiment, entry in config["experiments"].items():
        for name in entry["models"]:
            where = f"experiments.{experiment}: {name}"
            yield from _check_model(config, ModelId.of(name), where, inspected)


def _check_model(config: Mapping, model: ModelId, where: str, inspected: Mapping) -> Iterator[str]:
    subset, prior = config["subsets"][model.subset], config["priors"][model.prior]
    shape, labels = dataset_facts(config, subset["dataset"], inspected)
    for split in ("train", "test"):
        if split not in labels:
            yield f"{where}: {subset['dataset']} has no {split} split to learn or test on"
    yield from _check_exposure(config, model, shape, where, inspected)
    network = network_of(config, model.architecture, shape)
    yield from _check_shape(model.architecture, network, shape, where)
    yield from _check_squeezes(model.architecture, network, shape)
    yield from _check_batch(config, model, inspected)
    latent = network.get("latent_dim", math.prod(shape))
    longest = max(map(len, prior["means"]))
    if longest > latent:
        yield (
            f"priors.{model.prior}.means: {longest} coordinates, but the latent of "
            f"{model.architecture} on {model.subset} has {latent}"
        )
    groups = _groups(subset, labels, prior["assignment"])
    if groups != len(prior["means"]) and prior["assignment"] != "mixture":
        yield (
            f"{where}: assignment {prior['assignment']!r} makes {groups} groups of images, "
            f"priors.{model.prior} has {len(prior['means'])} means"
        )


def _check_exposure(
    config: Mapping, model: ModelId, shape: tuple, where: str, inspected: Mapping
) -> Iterator[str]:
    subsets, subset = config["subsets"], model.subset
    first, key = subsets[subset]["out_of_distribution"], f"subsets.{subset}.out_of_distribution"
    if first is None:
        yield f"{where}: subsets.{subset} names no out_of_distribution subset"
        return
    sets = [first, *further_sets(config).get(model, [])]
    yield from _check_names_of_sets(subset, sets, subsets, key)
    for other in (name for name in sets if not is_drawn(subsets[name])):
        if not subsets[other]["made"] and _share_images(config, subset, other, inspected):
            yield (
                f"{key}: {other} has test images of {subset} itself: "
                "take other labels, or another data set"
            )
        other_shape, labels = subset_facts(config, other, inspected)
        if other_shape != shape:
            yield f"{where}: images are {shape}, those of {other} are {other_shape}"
        if "test" not in labels:
            source = subsets[subsets[other]["of"] or other]["dataset"]
            yield f"{where}: {source} has no test split for {other}"


def _check_names_of_sets(learnt: str, sets: list[str], subsets: Mapping, key: str) -> Iterator[str]:
    """Sets of a model have names and titles of their own."""
    for name in dict.fromkeys(name for name in sets if sets.count(name) > 1):
        yield f"{key}: {name} is there {sets.count(name)} times: keep one"
    for name in {"train", "test", "ood"} & set(sets[1:]):
        yield f"{key}: the score files have a set {name}: give this subset another name"
    titles: dict[str, str] = {}
    for name in (learnt, *sets):
        other = titles.setdefault(subsets[name]["title"], name)
        if other != name:
            yield f"subsets.{name}.title: {other} has the same title: tables could not tell them"


def _share_images(config: Mapping, one: str, other: str, inspected: Mapping) -> bool:
    pair = [config["subsets"][name] for name in (one, other)]
    sources = [image_source(config, s["dataset"], inspected) for s in pair]
    labels = [s["labels"] for s in pair]
    clusters = [dict(s["kmeans"] or {}) for s in pair]
    keep = [kmeans.pop("keep", None) for kmeans in clusters]
    return not (
        sources[0] != sources[1]
        or (None not in labels and set(labels[0]).isdisjoint(labels[1]))
        or (None not in keep and keep[0] != keep[1] and clusters[0] == clusters[1])
    )


def _check_shape(architecture: str, network: Mapping, shape: tuple, where: str) -> Iterator[str]:
    shapes = ARCHITECTURES[architecture].shapes
    if shapes and shape not in shapes:
        taken = " or ".join(map(str, shapes))
        yield f"{where}: {architecture} takes images {taken}, not {shape}"
    squeezes = 1 + len(network.get("squeeze_after", []))
    if "couplings" in network and any(side % 2**squeezes for side in shape[1:]):
        yield f"{where}: {squeezes} squeezes do not divide images {shape}: shorten squeeze_after"


def _check_squeezes(architecture: str, network: Mapping, shape: tuple) -> Iterator[str]:
    late = [n for n in network.get("squeeze_after", []) if n > network["couplings"]]
    if late:
        yield (
            f"models.{architecture}.network.{network_kind(shape)}.squeeze_after: there are "
            f"{network['couplings']} couplings, so no squeeze comes after {late}"
        )


def _check_batch(config: Mapping, model: ModelId, inspected: Mapping) -> Iterator[str]:
    chosen = selection(config, model.subset, "train")
    batch = config["models"][model.architecture]["training"]["batch_size"]
    dataset, limit = config["subsets"][model.subset]["dataset"], chosen["each_training"]
    numbers = inspected.get(dataset, {}).get("training_images", {})  # of own images, by label
    there = sum(numbers.get(label, 0) for label in chosen["labels"] or numbers)
    where = f"models.{model.architecture}.training.batch_size: {batch} is more than the"
    if limit is not None and limit < batch:
        yield (
            f"{where} {limit} training images of {model.subset}: lower it, or raise images.train "
            f"and subsets.{model.subset}.limit.train"
        )
    elif numbers and there < batch:
        yield (
            f"{where} {there} training images of {model.subset} in datasets.{dataset}: lower it, "
            "or add images"
        )


def _groups(subset: Mapping, labels: Mapping, assignment: str) -> int:
    n_labels = len(subset["labels"] or labels.get("train", []))
    all_clusters = subset["kmeans"] and subset["kmeans"]["keep"] is None
    per_label = subset["kmeans"]["k"] if all_clusters else 1
    groups = {"single": 1, "cluster": n_labels * per_label}
    return groups.get(assignment, n_labels)


def _check_priors(config: Mapping) -> Iterator[str]:
    for name, prior in config["priors"].items():
        yield from _check_parameters(name, prior)
        lengths = list(map(len, prior["means"]))
        if len(set(lengths)) > 1:
            yield (
                f"priors.{name}.means: {lengths} coordinates: write as many of each mean, "
                "with zeros where need be"
            )
        far = [v for mean in prior["means"] for v in mean if not abs(v) <= FARTHEST]  # or nan
        if far:
            yield f"priors.{name}.means: {far[0]} is no coordinate of at most {FARTHEST:,}"


def _check_parameters(name: str, prior: Mapping) -> Iterator[str]:
    own = PRIORS[prior["kind"]].parameters
    for parameter in dict.fromkeys(key for kind in PRIORS.values() for key in kind.parameters):
        where, given = f"priors.{name}.{parameter}", prior[parameter] is not None
        if given and parameter not in own:
            having = [known for known, kind in PRIORS.items() if parameter in kind.parameters]
            yield f"{where}: only kind {' or '.join(having)} has it"
        if not given and parameter in own:
            yield f"{where}: kind {prior['kind']} needs it: {own[parameter]['description']}"


def _check_weights(config: Mapping) -> Iterator[str]:
    """A model is taken from one place alone, also if several experiments have it."""
    places: dict[tuple, tuple] = {}
    for name, entry in config["experiments"].items():
        for key, (_, weights) in taken({**config, "experiments": {name: entry}}).items():
            other, known = places.setdefault(key, (name, weights))
            if weights != known:
                yield (
                    f"experiments.{name}.weights: {weights} is not that of experiments.{other}, "
                    f"{known}, which has {key[0]} as well: give both the same"
                )


def _check_budgets(config: Mapping) -> Iterator[str]:
    for name, model in config["models"].items():
        least = ARCHITECTURES[name].least_draws
        if model["draws"] < least:
            yield f"models.{name}.draws: a standard error needs at least {least} importance samples"


def _check_figures(config: Mapping) -> Iterator[str]:
    kinds: dict[str, Mapping] = {"figures": FIGURES, "tables": TABLES}
    for table in ("figures", "analyses"):
        for name, entry in config[table].items():
            yield from _check_parts(config, entry, f"{table}.{name}")
    for table in kinds:
        for name, entry in config[table].items():
            kind, where = kinds[table][entry["kind"]], f"{table}.{name}"
            if kind.needs and kind.needs not in entry:
                yield f"{where}: kind {entry['kind']} needs the key {kind.needs}"
            for key in sorted(set(entry) - set(kind.keys)):
                if having := [n for n, other in kinds[table].items() if key in other.keys]:
                    yield f"{where}.{key}: only kind {' or '.join(having)} has it"
            yield from _check_pairs(config, entry, where)
            yield from _check_architectures(entry, kind.architectures, where, entry["kind"])
            yield from _check_refined(entry, where)
    for name, entry in config["analyses"].items():
        drawn = ANALYSES[name].architectures
        yield from _check_architectures(entry, drawn, f"analyses.{name}", name)
    yield from _check_analysed(config)
    yield from _check_assigned(config)


def _check_pairs(config: Mapping, entry: Mapping, where: str) -> Iterator[str]:
    """Pairs are of models that differ in their priors alone, which have one mean and several."""
    for pair in entry.get("pairs", []):
        uni, multi = map(ModelId.of, pair)
        means = [config["priors"][model.prior]["means"] for model in (uni, multi)]
        several = [len(set(map(tuple, each))) > 1 for each in means]
        if uni[:2] != multi[:2] or several != [False, True]:
            yield (
                f"{where}.pairs: [{', '.join(pair)}]: write two models of one architecture and "
                "subset, first that with a unimodal prior, then that with a multimodal one"
            )


def _check_assigned(config: Mapping) -> Iterator[str]:
    """Figures with the images of each component are of models that have such images."""
    for name, entry in config["figures"].items():
        drawn = FIGURES[entry["kind"]].files.values()
        for model in models_of(entry) if any("{assignment}" in path for path in drawn) else ():
            if config["priors"][ModelId.of(model).prior]["assignment"] == "mixture":
                yield (
                    f"figures.{name}: {model} assigns no images to components (assignment "
                    f"mixture), which {entry['kind']} shows"
                )


def _check_architectures(
    entry: Mapping, drawn: tuple[str, ...] | None, where: str, kind: str
) -> Iterator[str]:
    allowed = tuple(ARCHITECTURES) if drawn == IMAGES else drawn or ()
    for model in models_of(entry) if allowed else ():
        architecture, _, rest = model.partition("/")
        if architecture not in allowed:
            yield f"{where}: {model} is no {' or '.join(allowed)}, which {kind} needs"
        elif drawn == PLANE and not rest.startswith("mixture_2/"):
            yield f"{where}: {model} is not in two dimensions, which {kind} needs: take mixture_2"


def _check_refined(figure: Mapping, where: str) -> Iterator[str]:
    allowed = [name for name, kind in ARCHITECTURES.items() if "refined" in kind.keys]
    for title, architectures in refined_panels(figure).items():
        for wrong in sorted(set(architectures) - set(allowed)):
            yield (
                f"{where}: panel {title!r}: {wrong} has no posterior to refine; take models of "
                f"{' or '.join(allowed)}, or another column"
            )


def _check_analysed(config: Mapping) -> Iterator[str]:
    """Figures that draw what an analysis stored are about the same models or images."""
    for name, entry in config["figures"].items():
        kind = FIGURES[entry["kind"]]
        if kind.analysis and kind.needs in entry:
            analysis = config["analyses"].get(kind.analysis, {})
            about = [analysis.get("model")] if kind.needs == "models" else analysis.get(kind.needs)
            if entry[kind.needs] != about:
                yield (
                    f"figures.{name}.{kind.needs}: {entry[kind.needs]} was not analysed; "
                    f"analyses.{kind.analysis} has {about if analysis else 'nothing that is run'}"
                )


def _check_parts(config: Mapping, entry: Mapping, where: str) -> Iterator[str]:
    subset = entry.get("subset")
    if subset is not None and not config["subsets"][subset]["kmeans"]:
        yield f"{where}.subset: {subset!r} is no subset with kmeans"
    for title in entry.get("columns", {}):
        if title not in entry.get("panels", {}):
            yield _unknown(f"{where}.columns", "panel", title, entry.get("panels", {}))
    levels = entry.get("levels", [])
    if levels != sorted(levels):
        yield f"{where}.levels: {levels}: write the lowest contour first"


def _check_curves(config: Mapping) -> Iterator[str]:
    for name, curve in config["curves"].items():
        for model in map(ModelId.of, curve["models"]):
            means = config["priors"][model.prior]["means"]
            if len(means) > 2:
                yield f"curves.{name}: {model} has {len(means)} components; a distance needs two"


def _check_folder(config: Mapping) -> Iterator[str]:
    length = len(run_name(config))
    if length > LONGEST:
        yield (
            f"run: the experiments in only make the name of a folder of {length} letters, at most "
            f"{LONGEST} can be: give it a name, run: NAME"
        )


def _check_toy(config: Mapping) -> Iterator[str]:
    toy = config["toy"]
    if toy is None:
        return
    for prior in toy["priors"]:
        entry = config["priors"][prior]
        if len(entry["means"]) > 2:
            yield f"toy.priors: {prior} has {len(entry['means'])} components, the mixtures have 2"
        if entry["trainable_means"]:
            yield f"toy.priors: {prior} has trainable_means, which only models of images have"
        longest = max(map(len, entry["means"]))
        if longest > min(toy["dims"]):
            yield f"toy.dims: priors.{prior}.means has {longest} coordinates, more than a mixture"
    if toy["training"]["batch_size"] > toy["points"]["train"]:
        yield (
            f"toy.training.batch_size: {toy['training']['batch_size']} is more than "
            f"toy.points.train, {toy['points']['train']}"
        )
