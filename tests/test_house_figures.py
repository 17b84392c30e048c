"""The figures of the house count what they say."""

from __future__ import annotations

from pathlib import Path

import house_figures


def source_root(folder: Path, **modules: str) -> Path:
    package = folder / "toy"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return folder


def test_two_modules_that_import_each_other_are_a_circle(tmp_path: Path) -> None:
    root = source_root(tmp_path, a="from toy.b import x", b="import toy.a", c="from toy import a")

    graph = house_figures.graph_of(house_figures.modules_of(root))

    assert house_figures.circles(graph) == [["toy.a", "toy.b"]]
    assert house_figures.floors(graph) == 2


def test_a_chain_of_imports_has_a_floor_for_each(tmp_path: Path) -> None:
    root = source_root(tmp_path, a="from toy import b", b="from toy.c import x", c="")

    graph = house_figures.graph_of(house_figures.modules_of(root))

    assert house_figures.circles(graph) == []
    assert house_figures.floors(graph) == 3


def test_the_figures_of_this_project_can_be_counted() -> None:
    figures = house_figures.figures(house_figures.ROOT)

    assert int(figures["lines of source"]) > 10_000
    assert int(figures["device: modules"]) > 20
