"""The part of a configuration that can be run: some experiments, and what they suffice for."""

from collections.abc import Collection, Iterator, Mapping

from oodpriors.config.schema import ConfigError, suggestion
from oodpriors.config.specs import (
    TOY,
    further_sets,
    lookup,
    model_ids,
    models_of,
    refined_panels,
    toy_ids,
)


def with_only(config: Mapping) -> dict:
    """The configuration restricted to the experiments of ``only``, if it names any.

    Data sets, subsets, priors and architectures that these do not use are left out, so that
    nobody checks them. So are figures, tables, curves and analyses that need anything else;
    those of toy flows also if ``toy`` is null.

    Raises:
        ConfigError: there is no experiment of such a name.
    """
    only, experiments = config["only"], config["experiments"]
    kept = dict(config)
    if only is not None:
        names = [*experiments, *([TOY] if config["toy"] else [])]
        unknown = [
            f"only: there is no experiment {name!r}{suggestion(name, names)}"
            for name in only
            if name not in names
        ]
        if unknown:
            raise ConfigError(unknown)
        if set(only) == {TOY}:
            mistake = f"only: {TOY} alone leaves no table; name another experiment as well"
            raise ConfigError([mistake])
        kept["experiments"] = {k: v for k, v in experiments.items() if k in only}
        kept["toy"] = config["toy"] if TOY in only else None
        kept |= _used(kept)
    if only is not None or kept["toy"] is None:
        for table in ("curves", "analyses", "figures", "tables"):
            known = _known(kept)
            kept[table] = {k: v for k, v in config[table].items() if set(_parts(v)) <= known}
    return kept


def _used(config: Mapping) -> dict:
    """Entries that the models of a configuration use."""
    models = [*model_ids(config), *toy_ids(config)]
    learnt = {k: v for k, v in config["subsets"].items() if k in {m.subset for m in models}}
    subsets = {*learnt, *(subset["out_of_distribution"] for subset in learnt.values())}
    subsets |= {name for sets in further_sets(config).values() for name in sets}
    subsets |= {entry.get("of") for name, entry in config["subsets"].items() if name in subsets}
    used = {
        "subsets": subsets,
        "datasets": {v["dataset"] for k, v in config["subsets"].items() if k in subsets},
        "priors": {model.prior for model in models},
        "models": {model.architecture for model in models},
    }
    return {
        table: {name: entry for name, entry in config[table].items() if name in names}
        for table, names in used.items()
    }


def with_estimates(config: Mapping) -> dict:
    """The configuration without figures and tables of refined likelihoods, if no model has one.

    A figure stays if every model in its panels of such a likelihood is refined.
    """
    refined = _refined_architectures(config)
    figures = {k: v for k, v in config["figures"].items() if set(_refined(v)) <= refined}
    tables = config["tables"].items()
    tables = {k: v for k, v in tables if refined or v["kind"] != "refined"}
    return dict(config) | {"figures": figures, "tables": tables}


def _refined_architectures(config: Mapping) -> set[str]:
    """Architectures of this run whose likelihoods have a refined posterior."""
    models = config.get("models", {})
    used = {model.architecture for model in model_ids(config)}
    return {name for name in used if models.get(name, {}).get("refined")}


def _refined(figure: Mapping) -> Iterator[str]:
    for architectures in refined_panels(figure).values():
        yield from architectures


def _known(config: Mapping) -> set[str]:
    models = {str(model) for model in (*model_ids(config), *toy_ids(config))}
    sections = ("curves", "models", "subsets")
    named = {f"{section}.{name}" for section in sections for name in config[section]}
    return models | named | ({TOY} if config["toy"] else set())


def _parts(entry: Mapping) -> Iterator[str]:
    yield from models_of(entry)
    yield from (f"curves.{name}" for name in entry.get("curves", []))
    yield from [f"subsets.{entry['subset']}"] if "subset" in entry else []
    yield from ["models.vae"] if "network" in entry else []
    yield from [TOY] if entry.get("kind") == TOY else []


def with_models(
    entries: list[Mapping], config: Mapping, analyses: Collection[str]
) -> list[Mapping]:
    """Those claims or published numbers for which this configuration has everything.

    ``applies`` is false for a claim that only the paper's images decide, if a model learns
    or scores stand-ins.

    Args:
        entries: with quantities (see :class:`oodpriors.statistics.quantities.Measure`).
        config: the whole configuration.
        analyses: names of those whose stored quantities there will be.
    """
    refined = {f"refined {name}" for name in _refined_architectures(config)}
    stored = {f"analyses.{name}" for name in analyses} | set(_cluster_estimates(config))
    known = _known(config) | stored | refined
    return [
        {**entry, "applies": False} if _on_stand_ins(entry, config) else entry
        for entry in entries
        if set(_needs(entry)) <= known and _has(config, entry.get("setting"))
    ]


def _on_stand_ins(entry: Mapping, config: Mapping) -> bool:
    if entry.get("data") != "paper":
        return False
    subsets, own = config["subsets"], {name.split("/")[1] for name in _needs(entry) if "/" in name}
    used = own | {subsets[name]["out_of_distribution"] for name in own}
    return any(config["datasets"][subsets[name]["dataset"]]["stands_for"] for name in used)


def _has(config: Mapping, key: str | None) -> bool:
    try:
        return key is None or lookup(config, key) is not None
    except (KeyError, IndexError, TypeError):
        return False


def _cluster_estimates(config: Mapping) -> Iterator[str]:
    about = config.get("analyses", {}).get("clusters", {})
    subset = config.get("subsets", {}).get(about.get("subset"), {"labels": None})
    for label in subset["labels"] or []:
        for cluster in range(subset["kmeans"]["k"]):
            yield from (f"clusters/{kind}_{label}_{cluster}" for kind in ("ratio", "lowered"))


def _needs(entry) -> Iterator[str]:
    if isinstance(entry, Mapping):
        for key, value in entry.items():
            if key == "model":
                yield value
            elif key == "curve":
                yield f"curves.{value}"
            elif key == "needs":
                yield from value
            elif key == "column" and "refined" in value:
                yield f"refined {entry['model'].split('/')[0]}"
            elif key == "stored":
                analysis, *name = value.split("/")
                yield f"analyses.{analysis}"
                yield from ["/".join(name[:3])] if len(name) > 3 else []
                yield from [value] if analysis == "clusters" else []
            else:
                yield from _needs(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _needs(value)
