"""ARCHITECTURE.md is a map that can be trusted: its folders, layers and tables are those that are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import house_rules
import schema_picture

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PARTS = house_rules.PARTS
AREAS_OF_PAGES = "api/web/"
"""Below it each folder is an area of the site, as its row says."""

WITHIN_ANOTHER_ROW = {"device/counting/foreground", "device/counting/tracking", "device/counting/crossings"}


def folders_on_the_map() -> set[str]:
    cells = re.findall(r"^\| (`.+?`) \|", PAGE, re.MULTILINE)
    return {folder.rstrip("/") for cell in cells for folder in re.findall(r"`([^`]+)`", cell)}


def test_the_map_names_every_folder_that_holds_modules_and_no_other() -> None:
    there = set(PARTS)
    for part in PARTS:
        package = ROOT / part / f"telstraat_{part.replace('-', '_')}"
        there |= {
            f"{part}/{path.parent.relative_to(package).as_posix()}"
            for path in package.rglob("*.py")
            if path.parent != package
        }
    named = folders_on_the_map() - {"tests", "bench", "deploy", "docs"}
    there = {folder for folder in there if not folder.startswith(AREAS_OF_PAGES)}
    assert sorted(there - WITHIN_ANOTHER_ROW - named) == []
    assert sorted(folder for folder in named - there if not folder.startswith(AREAS_OF_PAGES)) == []


def test_the_page_stays_short_enough_to_be_read() -> None:
    assert len(PAGE.encode()) <= 10_000


def test_the_layers_are_drawn_as_they_are_kept() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    drawn = " -> ".join(f"({layer})" if "|" in layer else layer for layer in layers).replace("telstraat_", "")
    assert drawn in PAGE
    assert drawn in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_picture_shows_the_tables_of_the_migrated_database(database: str) -> None:
    assert schema_picture.drawn(PAGE) == schema_picture.picture(database), "python scripts/schema_picture.py draws it"
