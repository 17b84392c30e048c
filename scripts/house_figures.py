"""Print how the house stands: `python scripts/house_figures.py [--wheels] [REVISION ...]`, a column each; `now` is the working tree.

Per part its modules, the fullest folder, floors (the longest chain of imports inside the part), arrows (imports between its
modules) and circles; over all parts the modules that hold SQL, literal lists of road users, what the house rules refuse, and lines;
with `--wheels` what the wheels weigh, which are built for it (`scripts/wheel_sizes.py` tells what they install).
"""

from __future__ import annotations

import ast
import collections
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import house_rules
import wheel_sizes
from house_rules import PARTS, ROOT, Graph, circles, graph_of

SQL = re.compile(
    r"\b(select\s.+?\sfrom\s+\w|insert\s+into\s+\w|delete\s+from\s+\w|update\s+\w+\s+set\s|(from|join)\s+(segment|installation|report|sensor)\b)",
    re.DOTALL | re.IGNORECASE,
)
ROAD_USERS = {"pedestrian", "bike", "car", "heavy"}


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
    sources = house_rules.sources(root)
    modules = {house_rules.module_name(path): tree for path, tree in sources.items()}
    return _parts(root) | {
        "modules with SQL, outside store": sum(
            _has_sql(tree) for name, tree in modules.items() if not name.startswith("telstraat_store")
        ),
        "files with `from installation`, outside store": _files_with(root, "from installation"),
        "literal lists of road users": sum(_class_lists(tree) for tree in modules.values()),
        "refused names bound": sum(map(len, house_rules.refused_names(sources).values())),
        "refused names bound in tests, bench, scripts": sum(
            map(len, house_rules.refused_names(house_rules.sources(root, ("tests", "bench", "scripts"))).values())
        ),
        "class names that stand for two or more": len(house_rules.shared_class_names(sources)),
        "decisions by the text of a message": sum(map(len, house_rules.decisions_by_text(sources).values())),
        "bench: modules in the fullest folder": max(
            collections.Counter(path.parent for path in (root / "bench").rglob("*.py")).values()
        ),
        "lines of source": _lines(root, *PARTS),
        "lines of tests": _lines(root, "tests"),
        "lines of bench": _lines(root, "bench"),
    }


def _parts(root: Path) -> dict[str, int | str]:
    rows: dict[str, int | str] = {}
    for part in (*PARTS, "bench"):
        sources = house_rules.sources(root, (part,))
        if not sources:
            continue
        graph = graph_of({house_rules.module_name(path): tree for path, tree in sources.items()})
        if part != "bench":
            folder, count = collections.Counter(Path(path).parent for path in sources).most_common(1)[0]
            rows[f"{part}: modules"] = len(sources)
            rows[f"{part}: fullest folder"] = f"{count} ({folder.name})"
            rows[f"{part}: floors, arrows"] = f"{floors(graph)}, {sum(len(targets) for targets in graph.values())}"
        rows[f"{part}: circles"] = len(circles(graph))
    return rows


def _files_with(root: Path, text: str) -> int:
    files = (
        path for part in PARTS if part != "store" for path in (root / part).rglob("*") if path.suffix in {".py", ".sql"}
    )
    return sum(text in path.read_text(encoding="utf-8").lower() for path in files)


def _lines(root: Path, *folders: str) -> int:
    files = (path for folder in folders for path in (root / folder).rglob("*.py"))
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)


def with_wheels(root: Path) -> dict[str, int | str]:
    """Return the figures of a checkout and the sizes of its wheels, which are built."""
    with tempfile.TemporaryDirectory() as folder:
        return figures(root) | wheel_sizes.sizes(root, [], Path(folder))


def at_revision(revision: str, count: Callable[[Path], dict[str, int | str]] = figures) -> dict[str, int | str]:
    """Return the figures of a commit, from an archive of it, or of the working tree, which is called `now`."""
    if revision == "now":
        return count(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        return count(Path(folder))


def main(words: list[str]) -> None:
    """Print a Markdown table, a column for every revision."""
    count = with_wheels if "--wheels" in words else figures
    revisions = [word for word in words if word != "--wheels"] or ["now"]
    columns = {revision: at_revision(revision, count) for revision in revisions}
    labels = dict.fromkeys(label for column in columns.values() for label in column)
    print("| | " + " | ".join(columns) + " |\n" + "| --- " * (len(columns) + 1) + "|")
    for label in labels:
        print(f"| {label} | " + " | ".join(str(column.get(label, "")) for column in columns.values()) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
