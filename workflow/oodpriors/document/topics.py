"""Which topics a run has, and what belongs to each.

Everything here works on the entries of ``config/topics.yaml``; see there.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

# What a topic lists, each by names of one kind; more_ is for the appendix.
PARTS = {
    "figures": "figures",
    "tables": "tables",
    "more_figures": "figures",
    "more_tables": "tables",
    "claims": "claims",
}
BESIDE = ("figures", "tables", "claims")
NUMBERED = re.compile(r"(Figure|Table) (\w+)", re.ASCII)
OURS = "S"  # before the number of a figure or table that the paper does not have


def of_this_run(
    topics: Sequence[Mapping],
    figures: Collection[str],
    tables: Collection[str],
    claims: Collection[str],
) -> list[dict]:
    """Topics with what the run has of them; those of which nothing is left fall out.

    What no topic of the run names goes to the last one, tables to its appendix.
    """
    there = {"figures": figures, "tables": tables, "claims": claims}
    *parted, last = (_restricted(topic, there) for topic in topics)
    kept = [topic for topic in parted if _stays(topic)]
    for part, kind in (("figures",) * 2, ("more_tables", "tables"), ("claims",) * 2):
        own = [name for name, of in PARTS.items() if of == kind]
        named = {name for topic in [*kept, last] for name_of in own for name in topic[name_of]}
        last[part] += [name for name in there[kind] if name not in named]
    return [*kept, last] if _stays(last) else kept


def _restricted(topic: Mapping, there: Mapping[str, Collection[str]]) -> dict:
    parts = {part: [n for n in topic.get(part, []) if n in there[of]] for part, of in PARTS.items()}
    return {**topic, **parts}


def _stays(topic: Mapping) -> bool:
    """Whether a run has something of a topic; one about the paper is more than an appendix."""
    parts = BESIDE if "paper" in topic else PARTS
    return any(topic[part] for part in parts)


def numbers_of(entries: Mapping[str, Mapping], kind: str, order: Sequence[str]) -> dict[str, str]:
    """Number of each figure (or table): its counterpart's in the paper, or S1, S2, ... .

    Args:
        entries: of the configuration.
        kind: ``Figure`` or ``Table``.
        order: names in the order in which they are cited.

    >>> numbers_of({"a": {"where": "Figure 4"}, "b": {"where": "ours"}}, "Figure", ["b", "a"])
    {'b': 'S1', 'a': '4'}
    """
    numbers, ours, taken = {}, 0, set()
    for name in order:
        counterpart = NUMBERED.fullmatch(str(entries[name].get("where", "")))
        number = counterpart[2] if counterpart and counterpart[1] == kind else None
        if number is None or number in taken:
            ours += 1
            number = f"{OURS}{ours}"
        taken.add(number)
        numbers[name] = number
    return numbers


def shown_in(where: str, figures: Mapping[str, str], tables: Mapping[str, str]) -> list[str]:
    """Labels of the figures and tables that the place of a claim names.

    Args:
        where: such as ``Section 5.3, Figures 7a and 7b``.
        figures, tables: number of each, by name.

    >>> shown_in("Figures 7a and 7b", {"fig07": "7"}, {})
    ['fig:fig07']
    """
    figure = (f"fig:{name}" for name in _named("Figure", where, figures))
    return [*figure, *(f"tab:{name}" for name in _named("Table", where, tables))]


def _named(kind: str, where: str, numbers: Mapping[str, str]) -> Iterator[str]:
    by_number = {number: name for name, number in numbers.items()}
    found = re.findall(rf"{kind}s?((?:(?:,| and)? ?\d+[a-z]?)+)", where)
    for number in dict.fromkeys(n for text in found for n in re.findall(r"\d+", text)):
        if number in by_number:
            yield by_number[number]
