"""Print how the house stands: `python scripts/house_figures.py [REVISION ...]`, a column each; none is the working tree.

Per part its modules, the fullest folder, floors (the longest chain of imports inside the part), arrows (imports between its
modules) and circles; over all parts the modules that hold SQL, literal lists of road users, refused names and lines.
"""

from __future__ import annotations

import ast
import collections
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("contract", "store", "device", "ingest", "analytics", "api", "firmware-sim", "cli")
REFUSED = {"one", "found", "told", "said", "made", "shown", "wanted", "asked", "kept"}
SQL = re.compile(
    r"\b(select\s.+?\sfrom\s+\w|insert\s+into\s+\w|delete\s+from\s+\w|update\s+\w+\s+set\s|(from|join)\s+(segment|installation|report|sensor)\b)",
    re.DOTALL | re.IGNORECASE,
)
ROAD_USERS = {"pedestrian", "bike", "car", "heavy"}

Graph = dict[str, set[str]]


def modules_of(folder: Path) -> dict[str, ast.Module]:
    """Return the modules of a source root by their dotted names."""
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in sorted(folder.rglob("*.py"))
    }


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
    """Return who imports whom inside a part."""
    return {name: set(imports(tree, modules)) - {name} for name, tree in modules.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that import each other (strongly connected, two or more)."""
    reach = {name: _reachable(graph, name) for name in graph}
    groups = {frozenset(o for o in reach[n] if n in reach[o]) for n in graph if n in reach[n]}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _reachable(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(graph[name])
    return seen


def floors(graph: Graph) -> int:
    """Return the length of the longest chain of imports, circles counted once."""
    in_circle = {name: group[0] for group in circles(graph) for name in group}
    depth: dict[str, int] = {}

    def of(name: str, path: frozenset[str]) -> int:
        home = in_circle.get(name, name)
        if home not in depth:
            members = [n for n in graph if in_circle.get(n, n) == home]
            below = {in_circle.get(o, o) for n in members for o in graph[n]} - {home} - path
            depth[home] = 1 + max((of(o, path | {home}) for o in below), default=0)
        return depth[home]

    return max((of(name, frozenset()) for name in graph), default=0)


def _bound_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _has_sql(tree: ast.Module) -> bool:
    texts = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    docstrings = {
        ast.get_docstring(n, clean=False)
        for n in ast.walk(tree)
        if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef)
    }
    return any(SQL.search(text) for text in texts if text not in docstrings)


def _class_lists(tree: ast.Module) -> int:
    lists = (n for n in ast.walk(tree) if isinstance(n, ast.Tuple | ast.List | ast.Set))
    return sum(len({e.value for e in n.elts if isinstance(e, ast.Constant)} & ROAD_USERS) >= 3 for n in lists)


def figures(root: Path) -> dict[str, int | str]:
    """Return every figure of a checkout, by what it counts."""
    rows: dict[str, int | str] = {}
    trees: dict[str, ast.Module] = {}
    for part in PARTS:
        folder = root / part
        if not folder.is_dir():
            continue
        modules = modules_of(folder)
        graph = graph_of(modules)
        fullest = collections.Counter(path.parent.name for path in folder.rglob("*.py")).most_common(1)[0]
        rows[f"{part}: modules"] = len(modules)
        rows[f"{part}: fullest folder"] = f"{fullest[1]} ({fullest[0]})"
        rows[f"{part}: floors, arrows"] = f"{floors(graph)}, {sum(len(targets) for targets in graph.values())}"
        rows[f"{part}: circles"] = len(circles(graph))
        trees |= modules
    rows["modules with SQL, outside store"] = sum(
        _has_sql(tree) for name, tree in trees.items() if not name.startswith("telstraat_store")
    )
    rows["literal lists of road users"] = sum(_class_lists(tree) for tree in trees.values())
    rows["refused names bound"] = sum(name in REFUSED for tree in trees.values() for name in _bound_names(tree))
    rows["bench: modules in the fullest folder"] = max(
        collections.Counter(path.parent for path in (root / "bench").rglob("*.py")).values()
    )
    for label, folders in (("source", PARTS), ("tests", ("tests",)), ("bench", ("bench",))):
        files = [path for folder in folders for path in (root / folder).rglob("*.py")]
        rows[f"lines of {label}"] = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    return rows


def at_revision(revision: str) -> dict[str, int | str]:
    """Return the figures of a commit, from an archive of it."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        return figures(Path(folder))


def main(revisions: list[str]) -> None:
    """Print a Markdown table, a column for every revision."""
    columns = {revision: at_revision(revision) for revision in revisions} or {"now": figures(ROOT)}
    labels = dict.fromkeys(label for column in columns.values() for label in column)
    print("| | " + " | ".join(columns) + " |\n" + "| --- " * (len(columns) + 1) + "|")
    for label in labels:
        print(f"| {label} | " + " | ".join(str(column.get(label, "")) for column in columns.values()) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
