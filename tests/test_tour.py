"""A newcomer's walk can be walked: each of its ways has ten places, and at each stands what the walk says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.harness.code_links import named_links, names_in

TOUR = Path(__file__).resolve().parent.parent / "docs" / "develop" / "a-tour.md"
WAYS = re.findall(r"^## (One .+?)\n(.*?)(?=^## |\Z)", TOUR.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_walk_has_four_ways() -> None:
    assert [title for title, _ in WAYS] == ["One crossing", "One report", "One question", "One evaluation"]


@pytest.mark.parametrize(("title", "text"), WAYS, ids=[title for title, _ in WAYS])
def test_a_way_has_ten_places_and_a_name_at_each(title: str, text: str) -> None:
    places = re.findall(r"^(\d+)\. \[`", text, re.MULTILINE)
    assert places == [str(number) for number in range(1, 11)], title


@pytest.mark.parametrize(("name", "path"), named_links(TOUR), ids=[name for name, _ in named_links(TOUR)])
def test_what_the_walk_names_stands_in_the_file_that_it_links(name: str, path: Path) -> None:
    assert name in names_in(path)


def test_no_function_is_named_that_the_files_of_the_walk_do_not_have() -> None:
    linked = {path for _, path in named_links(TOUR)}
    known = {part for path in linked for name in names_in(path) for part in name.split(".")}
    calls = re.findall(r"`(\w+)\(\)`", TOUR.read_text(encoding="utf-8"))
    assert [call for call in calls if call not in known] == []
