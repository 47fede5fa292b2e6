"""Which code of the library a script uses, and its checksum.

A job must run again when code that it uses has changed, and only then. So the names in
a script are followed to the functions, classes and values of the library that they
mean, and from there on. Nothing is imported: the sources are only parsed, so that a dry
run stays fast. A method counts as used if anything that is used names it, or if Python
or PyTorch calls it by itself. Docstrings and lines of comments do not count, and neither
does ``oodpriors.io``, which only reads, writes and reports. A text "module:name" means this
name; what else a row of ``oodpriors.kinds`` says, by keywords, does not count.

A name that is computed, as in ``getattr(model, name)``, is not followed.
"""

import ast
import hashlib
import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path

from oodpriors.io.errors import UserError

CALLED_BY_PYTORCH = ("forward", "backward", "get_extra_state", "set_extra_state")
LEFT_OUT = "oodpriors.io."
PLACE = re.compile(r"([\w.]+):(\w+)")


def checksum(script: Path, choices: Mapping[str, str] | None = None) -> str:
    """Checksum of the library's code that a script uses, 20 hexadecimal digits."""
    text = "\n".join(f"{name}\n{code}" for name, code in sorted(used_code(script, choices).items()))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


class Code(str):
    """Checksum of the code that a planned job uses, with what it was computed from."""

    script: Path
    choices: Mapping[str, str]

    def load(self) -> None:
        """Import all modules of this code, then check that they are still as planned.

        Later edits do not reach a process that has them all, even one that imports late.

        Raises:
            UserError: the code was edited after the plan.
        """
        for name in _modules(self.script.parents[1], used_code(self.script, self.choices)):
            importlib.import_module(name)
        _read.cache_clear()
        if checksum(self.script, self.choices) != self:
            raise UserError("code that this job uses was edited after the run started: run again")


def planned_code(script: Path, choices: Mapping[str, str], known: str | None = None) -> Code:
    """The code of a planned job; its checksum is computed unless it is known."""
    code = Code(known or checksum(script, choices))
    code.script, code.choices = script, choices
    return code


def _modules(folder: Path, names: Mapping[str, str]) -> set[str]:
    """Modules in which the definitions with these full names are."""
    paths = {part for name in names for part in accumulate(name.split("."), "{}/{}".format)}
    found = {path for path in paths if folder.joinpath(f"{path}.py").is_file()}
    return {path.replace("/", ".") for path in found}


def used_code(script: Path, choices: Mapping[str, str] | None = None) -> dict[str, str]:
    """Source of each definition of the library that a script uses, by its full name.

    Args:
        script: the file, in a folder next to the library.
        choices: by the full name of a dictionary, the only key that the job looks up; "" if it
            looks up none.
    """
    choices, found, named, waiting = choices or {}, {}, set(), {}
    folder = Path(script).parents[1]
    todo = [(_Module(Path(script).read_text(encoding="utf-8"), "script"), "")]
    while todo:
        module, name = todo.pop()
        full = f"{module.name}.{name}"
        chosen = f"{name}[{choices.get(full)}]"
        if full in found:
            continue
        rows = [] if choices.get(full) == "" else module.definitions[name]
        parts = module.definitions.get(chosen) or rows
        found[full] = "\n".join(part.text for part in parts)
        for part in parts:
            todo += [known for used in part.names for known in _meaning(folder, module, used)]
            todo += [known for pair in part.dotted for known in _member(folder, module, *pair)]
            todo += [known for place in part.places for known in _look_up(folder, *place)]
            named |= {attribute for _, attribute in part.dotted}
        for method in module.methods.get(name, []):
            waiting.setdefault(method, []).append((module, f"{name}.{method}"))
        todo += [m for key in list(waiting) if _called(key, named) for m in waiting.pop(key)]
        todo += [(module, "")] if "" in module.definitions else []
    return {name: code for name, code in found.items() if not name.startswith("script.")}


def _called(method: str, named: set[str]) -> bool:
    return method in named or method.startswith("__") or method in CALLED_BY_PYTORCH


def _meaning(folder: Path, module: "_Module", name: str) -> list[tuple["_Module", str]]:
    """The definition that a name in a module means, if it is the library's."""
    if name not in module.imports:
        return [(module, name)] if name in module.definitions else []
    source, name = module.imports[name]
    return _look_up(folder, source, name)


def _member(folder: Path, module: "_Module", owner: str, name: str) -> list:
    """The same for ``owner.name``, if the owner is a module."""
    return _look_up(folder, ".".join(module.imports.get(owner, ())), name)


def _look_up(folder: Path, source: str, name: str) -> list:
    module = _read(folder, source)
    return _meaning(folder, module, name) if module else []


@cache
def _read(folder: Path, source: str) -> "_Module | None":
    """A module by its dotted name, if it is one of the library's that count."""
    path = folder.joinpath(*source.split(".")).with_suffix(".py") if source else folder
    counts = path.is_file() and not source.startswith(LEFT_OUT)
    return _Module(path.read_text(encoding="utf-8"), source) if counts else None


class _Module:
    """Definitions of a file by name, with the entries of dictionaries, and its imports.

    Methods are named ``Class.method``, entries ``NAME[key]``, and what merely runs at
    the import has no name.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name, lines = name, text.splitlines()
        self.definitions: dict[str, list[_Definition]] = {}
        self.methods: dict[str, list[str]] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for statement in ast.parse(text).body:
            methods = []
            if isinstance(statement, ast.ClassDef):
                methods = [node for node in statement.body if isinstance(node, ast.FunctionDef)]
                self.methods[statement.name] = [method.name for method in methods]
            self._add(_names(statement), statement, methods, lines)
            for method in methods:
                self._add([f"{statement.name}.{method.name}"], method, [], lines)
            for key, node in _entries(statement):
                for defined in _names(statement):
                    entry = self._add([f"{defined}[{key}]"], node, [], lines)
                    entry.text = ast.unparse(node)  # of its line no other entry

    def _add(self, names: list[str], node: ast.AST, skip: list, lines: list) -> "_Definition":
        definition = _Definition(node, skip, lines)
        self.imports |= definition.imports
        for name in names:
            self.definitions.setdefault(name, []).append(definition)
        return definition


class _Definition:
    """Lines of a node without docstrings, comments and the nodes to skip; names in them."""

    def __init__(self, node: ast.AST, skip: list, lines: list[str]) -> None:
        self.names, self.dotted, self.places, self.imports = set(), set(), set(), {}
        left_out, todo = {n for part in skip for n in _lines(part)}, [node]
        while todo:
            part = todo.pop()
            if isinstance(part, ast.Name):
                self.names |= {part.id} if isinstance(part.ctx, ast.Load) else set()
                continue
            if isinstance(part, ast.Attribute):
                self.dotted.add((getattr(part.value, "id", ""), part.attr))
            elif isinstance(part, ast.ImportFrom):
                both = {alias.asname or alias.name: alias.name for alias in part.names}
                self.imports |= {name: (part.module, known) for name, known in both.items()}
            elif place := _place(part):
                self.places.add(place)
            elif _is_text(part):
                left_out.update(_lines(part))
            todo += [child for child in ast.iter_child_nodes(part) if child not in skip]
        kept = [lines[n - 1].rstrip() for n in _lines(node) if n not in left_out]
        self.text = "\n".join(line for line in kept if line.strip() and line.strip()[0] != "#")


def _lines(node: ast.AST) -> range:
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
    return range(first, node.end_lineno + 1)


def _place(node: ast.AST) -> tuple[str, str] | None:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    found = PLACE.fullmatch(text)
    return found and found.groups()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _names(statement: ast.stmt) -> list[str]:
    """Names that a statement at the top of a module defines; [""] if it merely runs."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement):
        return []
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return [""]
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    parts = [part for target in targets for part in ast.walk(target)]
    names = [n.id for n in parts if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return [name for name in names if name != "__all__"] if names else [""]


def _entries(statement: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Dict):
        for key, node in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(node, ast.Name | ast.Call):
                yield str(key.value), _without_keywords(node)


def _without_keywords(node: ast.AST) -> ast.AST:
    """A row that names code, without what else it says."""
    if not isinstance(node, ast.Call) or not any(map(_place, node.args)):
        return node
    return ast.copy_location(ast.Call(node.func, node.args, []), node)
