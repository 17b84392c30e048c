"""What would become of a file of counts: the import itself, rolled back, and the streets that the file speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from psycopg import Connection

from telstraat_store.errors import CountsFileError
from telstraat_store.imports.counts_file import CountsFile, Reading
from telstraat_store.imports.rows import Row
from telstraat_store.imports.writing import Known, Progress, Result, SegmentsOfFile, Source, import_file

STREETS_MAX = 2000
"""Streets of a file that are listed; a file with more has something else in the column of streets."""


@dataclass
class StreetInFile:
    """A street as the file names it: how many periods from when to when (UTC), and the segment it would land at (None: at none yet)."""

    name: str
    segment_id: int | None
    rows: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass
class Rehearsal:
    """What would become of a file, and its streets in the file's order."""

    result: Result
    streets: list[StreetInFile] = field(default_factory=list)


def rehearse(
    connection: Connection,
    path: Path,
    source: Source,
    streets: Mapping[str, int],
    known: Known,
    progress: Progress | None = None,
) -> Rehearsal:
    """Return what importing a file would do, and change nothing.

    Raises
    ------
    CountsFileError
        The file cannot be read, or does not say something that must be known; the text asks for it.
    """
    places = streets_in(connection, path, streets, known)
    with connection.transaction(force_rollback=True):
        result = import_file(connection, path, source, streets, None, progress, known, is_rehearsal=True)
    return Rehearsal(result, places)


def streets_in(connection: Connection, path: Path, streets: Mapping[str, int], known: Known) -> list[StreetInFile]:
    """Return the streets that a file speaks of."""
    segments = SegmentsOfFile(connection, streets)
    content = CountsFile(
        path, Reading(segments.zone_of, known.times, known.dates, known.decimal, None, known.counts != "raw")
    )
    places: dict[str, StreetInFile] = {}
    for row in content.rows():
        if not isinstance(row, Row):
            continue
        place = places.get(row.street)
        if place is None:
            if len(places) == STREETS_MAX:
                raise CountsFileError(
                    f"{path.name}: names more than {STREETS_MAX} streets; is the right column called segment_id or street?"
                )
            place = places[row.street] = StreetInFile(row.street, segments.of(row.street))
        place.rows += 1
        place.first_at = min(place.first_at or row.period_start, row.period_start)
        place.last_at = max(place.last_at or row.period_start, row.period_start)
    return list(places.values())
