"""The part of a configuration that can be run: some experiments, and what they suffice for."""

from collections.abc import Collection, Iterator, Mapping

from oodpriors.config.schema import ConfigError, suggestion
from oodpriors.config.specs import TOY, lookup, model_ids, models_of, refined_panels, toy_ids


def with_only(config: Mapping) -> dict:
    """The configuration restricted to the experiments of ``only``, if it names any.

    Figures, tables, curves and analyses that need anything else are left out.

    Raises:
        ConfigError: there is no experiment of such a name.
    """
    if config["only"] is None:
        return dict(config)
    experiments = config["experiments"]
    unknown = [
        f"only: there is no experiment {name!r}{suggestion(name, [*experiments, TOY])}"
        for name in config["only"]
        if name not in (*experiments, TOY)
    ]
    if unknown:
        raise ConfigError(unknown)
    if set(config["only"]) == {TOY}:
        raise ConfigError([f"only: {TOY} alone leaves no table; name another experiment as well"])
    kept = dict(config) | {
        "experiments": {k: v for k, v in experiments.items() if k in config["only"]},
        "toy": config["toy"] if TOY in config["only"] else None,
    }
    for table in ("curves", "analyses", "figures", "tables"):
        known = _known(kept)
        kept[table] = {k: v for k, v in config[table].items() if set(_parts(v)) <= known}
    return kept


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
    models = [*model_ids(config), *toy_ids(config)]
    toy = {TOY} if config["toy"] else set()
    return {str(m) for m in models} | {m.subset for m in models} | set(config["curves"]) | toy


def _parts(entry: Mapping) -> Iterator[str]:
    yield from models_of(entry)
    yield from entry.get("curves", [])
    yield from [entry["subset"]] if "subset" in entry else []
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
    known = _known(config) | set(analyses) | set(_cluster_estimates(config)) | refined
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
            if key in ("model", "curve"):
                yield value
            elif key == "column" and "refined" in value:
                yield f"refined {entry['model'].split('/')[0]}"
            elif key == "stored":
                analysis, *name = value.split("/")
                yield analysis
                yield from ["/".join(name[:3])] if len(name) > 3 else []
                yield from [value] if analysis == "clusters" else []
            else:
                yield from _needs(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _needs(value)
