"""Write the index of the decisions, docs/decisions/README.md, from their titles: `python scripts/decisions_index.py`."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "decisions"
INDEX = FOLDER / "README.md"
HEAD = """# Decisions

A choice of weight has one page: what was asked, what was tried and measured, what was decided, what was rejected and why. A page is not
rewritten when a later one decides otherwise; it gets a line that says so. The next page takes the next number, and
`python scripts/decisions_index.py` writes this list.

| | |
| --- | --- |
"""


def pages() -> list[Path]:
    """Return the pages in the order of their numbers."""
    return sorted(FOLDER.glob("[0-9][0-9][0-9]-*.md"))


def title(page: Path) -> str:
    """Return the title of a page, without its number."""
    first = page.read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("# ").lstrip("0123456789").lstrip(": ")


def index() -> str:
    """Return the index as it should be."""
    return HEAD + "".join(f"| {page.name[:3]} | [{title(page)}]({page.name}) |\n" for page in pages())


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
