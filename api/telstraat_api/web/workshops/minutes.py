"""What is left of a workshop: the question, what was looked at, notes by group, votes, what was agreed, who was there in numbers.

One list of sections is the page, the PDF and the CSV: they cannot disagree.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from telstraat_api.http.answers import stamp
from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.workshops.expectations import expectation
from telstraat_api.web.workshops.room_words import NOTE_KINDS
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Row

ALONE = gettext_noop("Not in a group")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("note_id", "kind", "body", "group", "votes", "street", "from", "until", "latitude", "longitude", "expected", "expected_change_percent", "written_at")  # fmt: skip


@dataclass(frozen=True)
class MinutesNote:
    """A note as it stands in the minutes: number, kind and words; where it is pinned, what it expects, its votes."""

    number: int
    note_id: int
    key: str
    kind: str
    body: str
    where: str
    expects: str
    votes: int


@dataclass
class MinutesGroup:
    """Notes that belong together; votes are the group's and its notes'."""

    title: str
    votes: int
    notes: list[MinutesNote] = field(default_factory=list)


@dataclass(frozen=True)
class Minutes:
    """What a workshop has come to."""

    groups: list[MinutesGroup]
    agreed: list[str]
    notes: int
    votes: int
    people: int
    voters: int


def minutes_of(
    notes: Sequence[Row],
    groups: Sequence[Row],
    people: tuple[int, int],
    names: Mapping[int, str],
    tz: ZoneInfo,
    _: PageLanguage,
) -> Minutes:
    """Return the minutes of a workshop: groups with most votes first, then what stands alone.

    Parameters
    ----------
    notes, groups
        As the store gives them: hidden ones are not among them.
    people
        How many took part, and how many voted.
    names
        Of the streets.
    tz
        The clock of the streets.
    """
    by_number = {row["group_id"]: MinutesGroup(row["title"], row["votes"]) for row in groups}
    alone = MinutesGroup(_(ALONE), 0)
    said_there = [row for row in notes if row["kind"] != "agreement"]
    for number, row in enumerate(said_there, 1):
        group = by_number.get(row["group_id"], alone)
        group.votes += row["votes"]
        group.notes.append(written(number, row, names, tz, _))
    sorted_groups = sorted(by_number.values(), key=lambda group: -group.votes)
    for group in (*sorted_groups, alone):
        group.notes.sort(key=lambda note: -note.votes)
    agreed = [row["body"] for row in notes if row["kind"] == "agreement"]
    filled = [group for group in sorted_groups if group.notes or group.votes]
    votes = sum(group.votes for group in (*filled, alone))
    return Minutes([*filled, *([alone] if alone.notes else [])], agreed, len(said_there), votes, *people)


def written(number: int, row: Row, names: Mapping[int, str], tz: ZoneInfo, _: PageLanguage) -> MinutesNote:
    """Return a note as it stands in the minutes."""
    expects = "" if not row["expected"] else expectation(row["expected"], _)
    kind = NOTE_KINDS[row["kind"]]
    where = place_text(row["pin"] or {}, names, tz, _)
    return MinutesNote(number, row["note_id"], row["kind"], _(kind), row["body"], where, expects, row["votes"])


def place_text(pin: Mapping[str, Any], names: Mapping[int, str], tz: ZoneInfo, _: PageLanguage) -> str:
    """Return where a note is pinned: the street, and the hour or the day."""
    parts = [names[pin["segment_id"]]] if pin.get("segment_id") in names else []
    if pin.get("from"):
        start, end = (datetime.fromisoformat(pin[name]) for name in ("from", "until"))
        is_day = (end - start).total_seconds() > 6 * 3600
        parts.append(_.short_day(start.astimezone(tz).date()) if is_day else _.moment(start, tz))
    return ", ".join(parts)


def as_csv(notes: Sequence[Row], groups: Sequence[Row], names: Mapping[int, str]) -> bytes:
    """Return the notes as a table that a spreadsheet opens: UTF-8 with a signature, and no cell that it would compute."""
    titles = {row["group_id"]: row["title"] for row in groups}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in notes:
        pin, expected = row["pin"] or {}, row["expected"] or {}
        street = names.get(pin.get("segment_id", 0), "")
        texts = [row["kind"], safe(row["body"]), safe(titles.get(row["group_id"], ""))]
        place = [safe(street), pin.get("from", ""), pin.get("until", ""), pin.get("lat", ""), pin.get("lon", "")]
        expects = [expected.get("what", ""), expected.get("change", "")]
        writer.writerow([row["note_id"], *texts, row["votes"], *place, *expects, stamp(row["created_at"])])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text
