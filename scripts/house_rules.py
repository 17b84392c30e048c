"""What the house rules look for: refused names, shared class names, circles, crowded folders, control flow by text.

`tests/test_house_rules.py` refuses what these functions give, `scripts/house_figures.py` counts it.
`python scripts/house_rules.py` prints every place.
"""

from __future__ import annotations

import ast
import collections
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("contract", "store", "device", "ingest", "analytics", "api", "cli", "firmware-sim", "demo")
REFUSED = {"one", "found", "told", "said", "made", "shown", "wanted", "asked", "kept"}
CROWDED = 15
MAY_BE_CROWDED = {
    "analytics/telstraat_analytics/checks": "a check of an evaluation each, found by its place",
    "api/telstraat_api/v1": "a resource of the API each, as its documentation lists them",
}
MAY_BE_SHARED = {
    "Directed": "a pair of directions on the wire and in the API, whose schema promises the name since v1",
}
NAMES_OF_ERRORS = {"error", "exc", "exception", "problem", "failure", "err"}
READS_OF_TEXT = {"startswith", "endswith", "find", "index", "count", "search", "match", "fullmatch", "findall"}

Graph = dict[str, set[str]]
Places = dict[str, list[str]]


def sources(root: Path = ROOT, folders: Iterable[str] = PARTS) -> dict[str, ast.Module]:
    """Return the syntax tree of every module below some folders, by its path from the root."""
    paths = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return {path.relative_to(root).as_posix(): tree_of(path) for path in paths}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file, read once; `tree_of.cache_clear()` gives back the memory of them all."""
    return ast.parse(path.read_text(encoding="utf-8"))


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every name that a module binds, with its line: variables, arguments, attributes, functions, classes, aliases."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Name(id=name, ctx=ast.Store(), lineno=line)
                | ast.Attribute(attr=name, ctx=ast.Store(), lineno=line)
                | ast.arg(arg=name, lineno=line)
                | ast.FunctionDef(name=name, lineno=line)
                | ast.AsyncFunctionDef(name=name, lineno=line)
                | ast.ClassDef(name=name, lineno=line)
                | ast.ExceptHandler(name=str(name), lineno=line)
                | ast.MatchAs(name=str(name), lineno=line)
                | ast.alias(asname=str(name), lineno=line)
            ):
                yield name, line


def refused_names(trees: Mapping[str, ast.Module]) -> Places:
    """Return where a name is bound (or a module called) that says only that something is a participle."""
    places: Places = {}
    for path, tree in trees.items():
        lines = [(line, name) for name, line in bound_names(tree) if name in REFUSED]
        lines += [(1, Path(path).stem)] if Path(path).stem in REFUSED else []
        if lines:
            places[path] = [f"{line}: {name}" for line, name in sorted(lines)]
    return places


def shared_class_names(trees: Mapping[str, ast.Module]) -> Places:
    """Return the class names that stand for two classes or more, with where they are defined."""
    places = collections.defaultdict(list)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path}:{node.lineno}")
    return {name: lines for name, lines in sorted(places.items()) if len(lines) > 1 and name not in MAY_BE_SHARED}


def crowded_folders(trees: Mapping[str, ast.Module]) -> dict[str, int]:
    """Return the folders with more modules beside each other than one takes in, `__init__.py` not counted."""
    counts = collections.Counter(
        Path(path).parent.as_posix() for path in trees if Path(path).name not in {"__init__.py", "__main__.py"}
    )
    return {folder: count for folder, count in sorted(counts.items()) if count > CROWDED}


def decisions_by_text(trees: Mapping[str, ast.Module]) -> Places:
    """Return where a module goes one way or the other by the text of an error or a message."""
    places: Places = {}
    for path, tree in trees.items():
        handled = {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.name}
        nodes = (n for n in ast.walk(tree) if isinstance(n, ast.Compare | ast.Call))
        lines = [n.lineno for n in nodes if _decides_by_text(n, handled | NAMES_OF_ERRORS)]
        if lines:
            places[path] = [str(line) for line in sorted(lines)]
    return places


def _decides_by_text(node: ast.AST, errors: set[str]) -> bool:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            is_literal = any(isinstance(o, ast.Constant) and isinstance(o.value, str) for o in (left, *others))
            is_looked_into = any(isinstance(o, ast.Name) and o.id in NAMES_OF_ERRORS for o in others) and any(
                isinstance(op, ast.In | ast.NotIn) for op in ops
            )
            return (
                is_looked_into
                or any(_is_text_of_error(o, errors) for o in (left, *others))
                or (
                    is_literal and any(isinstance(o, ast.Name) and o.id in {"message", "reason", "why"} for o in others)
                )
            )
        case ast.Call(func=ast.Attribute(value=value, attr=attr), args=args) if attr in READS_OF_TEXT:
            return any(_is_text_of_error(o, errors) for o in (value, *args)) or (
                isinstance(value, ast.Name) and value.id in {"message", "reason", "why"}
            )
    return False


def _is_text_of_error(node: ast.expr, errors: set[str]) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=name)]):
            return name in errors
        case ast.Attribute(value=ast.Name(id=name), attr="msg" | "message" | "args" | "strerror" | "reason"):
            return name in errors
        case ast.Attribute(attr="message_primary" | "message_detail"):
            return True
        case ast.Call(func=ast.Attribute(value=value, attr="lower" | "casefold" | "strip")):
            return _is_text_of_error(value, errors)
    return False


def module_name(path: str) -> str:
    """Return the dotted name of a module from its path: the first folder is a source root, except that of `bench`."""
    parts = Path(path).with_suffix("").parts
    return ".".join(parts if parts[0] == "bench" else parts[1:]).removesuffix(".__init__")


def imports(module: ast.Module, names: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield which of `names` a module imports, wherever in it."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in names or node.module in names:
                    yield whole if whole in names else node.module


def graph_of(modules: Mapping[str, ast.Module]) -> Graph:
    """Return who imports whom among modules given by their dotted names."""
    return {name: set(imports(tree, modules)) - {name} for name, tree in modules.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that import each other (strongly connected, two or more)."""
    reach = {name: _reachable(graph, name) for name in graph}
    groups = {frozenset(o for o in reach[n] if n in reach[o]) for n in graph if n in reach[n]}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _reachable(graph: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(graph[name])
    return reached


def _crowds() -> Places:
    crowds = crowded_folders(sources(folders=(*PARTS, "bench")))
    return {folder: ["beyond"] * (count - CROWDED) for folder, count in crowds.items() if folder not in MAY_BE_CROWDED}


def _circles() -> Places:
    modules = {module_name(path): tree for path, tree in sources(folders=(*PARTS, "bench")).items()}
    return {group[0]: group for group in circles(graph_of(modules))}


RULES: dict[str, Callable[[], Places]] = {
    "refused names": lambda: refused_names(sources()),
    "refused names in tests, benches and scripts": lambda: refused_names(
        sources(folders=("tests", "bench", "scripts"))
    ),
    "shared class names": lambda: shared_class_names(sources()),
    "decisions by text": lambda: decisions_by_text(sources(folders=(*PARTS, "bench", "scripts"))),
    "modules beyond fifteen in a folder": _crowds,
    "circles": _circles,
}
"""What gives the places that a rule refuses in the working tree, by the rule's name."""


def main() -> None:
    """Print every place that a house rule refuses."""
    trees = sources()
    everything = sources(folders=(*PARTS, "bench", "tests", "scripts"))
    for title, places in (
        ("Refused names", refused_names(everything)),
        ("Class names that mean several things", shared_class_names(trees)),
        ("Control flow by the text of a message", decisions_by_text(trees)),
    ):
        print(f"## {title}: {sum(map(len, places.values()))}")
        print("".join(f"{where}: {', '.join(lines)}\n" for where, lines in places.items()))
    modules = {module_name(path): tree for path, tree in sources(folders=(*PARTS, "bench")).items()}
    print("## Circles\n" + "\n".join(" <-> ".join(group) for group in circles(graph_of(modules))))
    print("\n## Crowded folders\n" + "\n".join(f"{k}: {v}" for k, v in crowded_folders(trees).items()))


if __name__ == "__main__":
    main()
