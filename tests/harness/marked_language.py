"""A language in which every text stands in brackets, dropped in as one catalogue: what stands outside the brackets is no text of a catalogue."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.pofile import read_po
from catalogues import begun, texts, written

import telstraat_contract

ROOT = Path(__file__).resolve().parents[2]
CODE, LOCALE = "it", "it_IT"
OPENS, CLOSES = "⟦", "⟧"
PATTERN = "%-d %b %y"
"""The one text that is no text: how a day is written on an axis."""

SILENT = {"script", "style"}
ATTRIBUTES = {"title", "aria-label", "alt", "placeholder", "content"}
HUMAN_KEYS = {
    "title",
    "text",
    "told",
    "when",
    "names",
    "waiting",
    "away",
    "silent",
    "so_far",
    "said",
    "series",
    "kind",
    "class",
    "seen",
}
"""Of the JSON that pages and charts carry: what is written for people."""

ALLOWED = {"km", "h", "min", "PDF", "JSON", "CSV", "SHA", "Telstraat", "CC0", "A", "B", "C", "D", "E", "V85", "UTC", "Nederlands", "English", "Français",
           "Deutsch", "Italiano", "EN", "NL", "FR", "DE", "IT", "BE", "md", "docs", "evaluation"}  # fmt: skip


def drop_in(folder: Path) -> dict[str, str]:
    """Copy the contract with one catalogue more to a folder, and return the environment in which Python finds it there."""
    package = Path(telstraat_contract.__file__).parent
    shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    catalogue = read_po(BytesIO(begun(Locale.parse(LOCALE), texts())))
    for message in catalogue:
        if isinstance(message.id, tuple):
            message.string = tuple(map(bracketed, (*message.id, message.id[-1])))[: catalogue.num_plurals]
        elif message.id:
            message.string = message.id if message.id == PATTERN else bracketed(str(message.id))
    (folder / package.name / "languages" / f"{CODE}.po").write_bytes(written(catalogue))
    path = os.pathsep.join([str(folder), str(ROOT), str(ROOT / "scripts")])
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "4000"}


def bracketed(text: str) -> str:
    """Return a text in brackets, its spaces at the ends outside."""
    bare = text.strip()
    return text.replace(bare, f"{OPENS}{bare}{CLOSES}")


def outside(text: str, names: set[str]) -> list[str]:
    """Return the words of a text that stand in no brackets and are no names, numbers, days or units."""
    while OPENS in text and (shorter := re.sub(f"{OPENS}[^{OPENS}{CLOSES}]*{CLOSES}", " ", text)) != text:
        text = shorter
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ")
    return [word for word in re.findall(r"[^\W\d_][\w’'-]*", text) if word.strip("'’-") not in ALLOWED | days()]


def days() -> set[str]:
    """Return the names of days and months, which CLDR writes."""
    locale = Locale.parse(LOCALE)
    tables = [kinds[width] for part in (locale.days, locale.months) for kinds in part.values() for width in kinds]
    return {name.strip(".") for table in tables for name in table.values()}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.data: list[Any] = []
        self.inside: list[str] = []
        self.is_data = False
        self.drawings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in SILENT:
            self.inside.append(tag)
            self.is_data = values.get("type") == "application/json"
        self.drawings += tag == "svg"
        # A drawing is one picture to who listens, by the label of its frame: the labels that Vega gives its parts are not read.
        if not self.drawings and (tag != "meta" or values.get("name") == "description"):
            self.pieces += [value for name, value in attrs if name in ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()
        self.drawings -= tag == "svg"

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.pieces.append(data)
        elif self.is_data and data.strip():
            self.data.append(json.loads(data))


def pieces_of(page: str) -> list[str]:
    """Return what a page says to people: its text, its attributes that are read aloud, and the texts of its charts."""
    parser = _Page()
    parser.feed(page)
    return [
        piece for piece in (*parser.pieces, *(text for data in parser.data for text in human(data))) if piece.strip()
    ]


def human(data: Any, key: str = "") -> Iterator[str]:
    """Yield the texts for people in the JSON of a page."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from human(value, name)
    elif isinstance(data, list):
        for value in data:
            yield from human(value, key)
    elif isinstance(data, str) and key in HUMAN_KEYS:
        yield data
