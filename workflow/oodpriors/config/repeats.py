"""Keys that a configuration file has twice; what reads it keeps the last without a word."""

from collections.abc import Iterator, Mapping

import yaml

from oodpriors.config.schema import ConfigError
from oodpriors.io.files import YAML_LOADER

MERGE = "tag:yaml.org,2002:merge"


def check_repeats(texts: Mapping[str, str]) -> None:
    """Refuse a key that stands twice in the same mapping.

    Args:
        texts: content of each file, YAML or JSON, by its name.

    Raises:
        ConfigError: a line for each such key, with its file and lines.
    """
    mistakes = [
        f"{file}: {key} is there twice, in lines {first} and {second}: keep one"
        for file, text in texts.items()
        for key, first, second in _repeats(text)
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _repeats(text: str) -> Iterator[tuple[str, int, int]]:
    """Dotted name and lines, from 1, of each key that stands twice."""
    try:
        root = yaml.compose(text.replace("\t", " "), YAML_LOADER)  # JSON may have tabs
    except yaml.YAMLError:
        return  # told by what reads the configuration
    todo, seen = [("", root)], set()
    while todo:
        name, node = todo.pop(0)
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += [(f"{name}{place}.", below) for place, below in enumerate(node.value)]
        lines: dict[tuple, int] = {}
        for key, below in node.value if isinstance(node, yaml.MappingNode) else []:
            line, known = key.start_mark.line + 1, (key.tag, str(key.value))
            if known in lines and key.tag != MERGE:
                yield f"{name}{key.value}", lines[known], line
            lines[known] = line
            todo.append((f"{name}{key.value}.", below))
