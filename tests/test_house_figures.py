"""The figures of the house count what they say, and the house rules see what they refuse."""

from __future__ import annotations

import ast
from pathlib import Path

import house_figures
import house_rules
import pytest


def graph_of(folder: Path, **modules: str) -> house_rules.Graph:
    package = folder / "root" / "toy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    trees = house_rules.sources(folder, ("root",))
    return house_rules.graph_of({house_rules.module_name(path): tree for path, tree in trees.items()})


def test_two_modules_that_import_each_other_are_a_circle(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, a="from toy.b import x", b="import toy.a", c="from toy import a")

    assert house_rules.circles(graph) == [["toy.a", "toy.b"]]
    assert house_figures.floors(graph) == 2


def test_a_chain_of_imports_has_a_floor_for_each(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, a="from toy import b", b="from toy.c import x", c="")

    assert house_rules.circles(graph) == []
    assert house_figures.floors(graph) == 3


def test_the_figures_of_this_project_can_be_counted() -> None:
    figures = house_figures.figures(house_rules.ROOT)

    assert int(figures["lines of source"]) > 10_000
    assert int(figures["device: modules"]) > 20


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("for one in rows: pass", ["1: one"]),
        ("def f(kept, *, asked=1): pass", ["1: asked", "1: kept"]),
        ("self.told = 1", ["1: told"]),
        ("def made(): pass\nimport os as found", ["1: made", "2: found"]),
        ("try:\n    f()\nexcept OSError as said:\n    pass", ["3: said"]),
        ("print(one, rows.found, f(kept=1))", []),
    ],
)
def test_a_refused_name_is_seen_wherever_it_is_bound(text: str, places: list[str]) -> None:
    assert house_rules.refused_names({"a.py": ast.parse(text)}).get("a.py", []) == places


def test_a_class_name_is_shared_when_it_is_defined_twice() -> None:
    trees = {"a.py": ast.parse("class Line: ...\nclass Box: ..."), "b.py": ast.parse("class Line: ...")}

    assert house_rules.shared_class_names(trees) == {"Line": ["a.py:1", "b.py:1"]}


@pytest.mark.parametrize(
    "text",
    [
        "try: f()\nexcept OSError as e: retry = 'busy' in str(e)",
        "if str(error).endswith('v'): pass",
        "if 'gone' in message: pass",
        "if error.diag.message_primary == 'x': pass",
        "if re.search('busy', str(exc).lower()): pass",
    ],
)
def test_a_decision_by_the_text_of_an_error_is_seen(text: str) -> None:
    assert house_rules.decisions_by_text({"a.py": ast.parse(text)})


def test_printing_an_error_is_no_decision_by_its_text() -> None:
    text = "try: f()\nexcept OSError as e: raise Refused(f'not read: {str(e).strip()}') from e"

    assert not house_rules.decisions_by_text({"a.py": ast.parse(text)})


def test_a_folder_is_crowded_beyond_fifteen_modules() -> None:
    trees = {f"a/b/m{number}.py": ast.parse("") for number in range(16)}

    assert house_rules.crowded_folders(trees | {"a/b/__init__.py": ast.parse("")}) == {"a/b": 16}
    assert house_rules.crowded_folders(dict(list(trees.items())[:15])) == {}
