"""Brings a file of others' counts into the database: idempotent, resumable, and with a list of what was refused and why."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg import Connection, Cursor

from telstraat_ingest import import_formats as formats
from telstraat_ingest.errors import ImportFileError
from telstraat_ingest.import_formats import COUNTS, Bad, Format, Row

CHUNK = 5000
_COLUMNS = "segment_id, period_start, period_s, uptime, is_corrected, " + ", ".join(COUNTS) + ", v85_kmh, car_speed"
_VALUES = "uptime, is_corrected, " + ", ".join(COUNTS) + ", v85_kmh, car_speed"


STAGE = (
    f"create temp table import_stage on commit drop as select 0::bigint as row_number, {_COLUMNS} from imported limit 0"  # noqa: S608
)
COPY = f"copy import_stage (row_number, {_COLUMNS}) from stdin"
DOUBLES = """
delete from import_stage a using import_stage b
where a.segment_id = b.segment_id and a.period_s = b.period_s and a.period_start = b.period_start
    and a.row_number > b.row_number
returning a.row_number
"""
OTHERS = """
delete from import_stage t using imported i join import_source s using (source_id)
where i.segment_id = t.segment_id and i.period_s = t.period_s and i.period_start = t.period_start and i.source_id <> %s
returning t.row_number, s.name
"""
UPSERT = f"""
insert into imported as i ({_COLUMNS}, source_id)
select {_COLUMNS}, %s from import_stage
on conflict (segment_id, period_s, period_start) do update
    set ({_VALUES}, imported_at) = ({", ".join("excluded." + name.strip() for name in _VALUES.split(","))}, now())
    where ({", ".join("i." + name.strip() for name in _VALUES.split(","))})
        is distinct from ({", ".join("excluded." + name.strip() for name in _VALUES.split(","))})
returning xmax = 0
"""  # noqa: S608  (constants of this module)

ADD_UP = """
select add_imported_hours(array_agg(segment_id), array_agg(period_start), array_agg(period_s)),
    add_imported_days(array_agg(segment_id), array_agg(period_start))
from import_stage having count(*) > 0
"""


@dataclass(frozen=True)
class Source:
    """Where the counts come from; shown beside them."""

    name: str
    licence: str = ""
    credit: str = ""


@dataclass
class Result:
    """What became of a file."""

    kind: Format
    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    skipped: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Bad] = field(default_factory=dict)

    def refuse(self, bad: Bad) -> None:
        """Count a refusal under its kind of reason, and keep the first as an example."""
        kind = re.sub(r"'[^']*'", "...", bad.reason).split(";")[0]
        self.refused[kind] += 1
        self.examples.setdefault(kind, bad)


Progress = Callable[[int], None]
"""Called with the number of lines that are done."""


def import_file(
    connection: Connection,
    path: Path,
    source: Source,
    streets: Mapping[str, int] | None = None,
    kind: Format | None = None,
    progress: Progress | None = None,
) -> Result:
    """Import a file and return what became of it. `streets` maps names in the file to segments; equal numbers map by themselves.

    A file that was stopped goes on where it was; a file that is done is not read again.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").digest()
        kind = kind or formats.detect(path)
    except OSError as error:
        raise ImportFileError(f"{path}: {error.strerror}") from error
    segments = _Segments(connection, streets or {})
    source_id, done, is_done = _begin(connection, source, kind, sha256, path)
    connection.commit()  # from here on each chunk is a transaction of its own
    result = Result(kind, rows=done, skipped=done)
    if is_done:
        return result
    rows = islice(formats.read(path, kind, segments.zone_of), done, None)
    while chunk := list(islice(rows, CHUNK)):
        with connection.transaction(), connection.cursor() as cursor:
            _store(cursor, source_id, sha256, chunk, segments, result)
            result.rows += len(chunk)
            cursor.execute(
                "update import_progress set rows_done = %s, at = now() where source_id = %s and sha256 = %s",
                (result.rows, source_id, sha256),
            )
        if progress:
            progress(result.rows)
    connection.execute(
        "update import_progress set is_done = true where source_id = %s and sha256 = %s", (source_id, sha256)
    )
    connection.commit()
    return result


def refusals(connection: Connection, source: str) -> list[tuple[str, int, str, str]]:
    """Return what was refused of a source: file, line, reason, text."""
    return connection.execute(
        "select p.file, r.row_number, r.reason, r.line from import_refusal r join import_progress p using (source_id, sha256)"
        " join import_source s using (source_id) where s.name = %s order by p.at, r.row_number",
        (source,),
    ).fetchall()


class _Segments:
    """Finds the segment of a street's name in the file."""

    def __init__(self, connection: Connection, streets: Mapping[str, int]) -> None:
        rows = connection.execute("select segment_id, timezone from segment").fetchall()
        self._zones = {segment_id: ZoneInfo(zone) for segment_id, zone in rows}
        unknown = [f"{name}={segment_id}" for name, segment_id in streets.items() if segment_id not in self._zones]
        if unknown:
            raise ImportFileError(
                f"there is no such segment here: {', '.join(unknown)}; add it with telstraat sensor segment"
            )
        self._streets = dict(streets)

    def of(self, street: str) -> int | None:
        """Return the segment's number, or nothing when it is not one of ours."""
        found = self._streets.get(street)
        if found is None and street.isdigit() and int(street) in self._zones:
            return int(street)
        return found

    def zone_of(self, street: str) -> ZoneInfo | None:
        """Return the time zone of a street."""
        found = self.of(street)
        return None if found is None else self._zones[found]


def _begin(connection: Connection, source: Source, kind: Format, sha256: bytes, path: Path) -> tuple[int, int, bool]:
    with connection.transaction():
        row = connection.execute(
            "insert into import_source (name, format, licence, credit) values (%s, %s, %s, %s)"
            " on conflict (name) do update set licence = coalesce(nullif(excluded.licence, ''), import_source.licence),"
            " credit = coalesce(nullif(excluded.credit, ''), import_source.credit) returning source_id",
            (source.name, kind, source.licence, source.credit),
        ).fetchone()
        assert row is not None
        progress = connection.execute(
            "insert into import_progress (source_id, sha256, file, rows_done) values (%s, %s, %s, 0)"
            " on conflict (source_id, sha256) do update set at = now() returning rows_done, is_done",
            (row[0], sha256, path.name),
        ).fetchone()
        assert progress is not None
    return row[0], progress[0], progress[1]


def _store(
    cursor: Cursor, source_id: int, sha256: bytes, chunk: Iterable[Row | Bad], segments: _Segments, result: Result
) -> None:
    refusals: list[Bad] = []
    of_number: dict[int, Row] = {}
    cursor.execute(STAGE)
    with cursor.copy(COPY) as copy:
        for values in _values(chunk, segments, refusals, of_number):
            copy.write_row(values)
    for (number,) in cursor.execute(DOUBLES).fetchall():
        refusals.append(_bad(of_number[number], "the same period stands in the file twice"))
    for number, name in cursor.execute(OTHERS, (source_id,)).fetchall():
        refusals.append(_bad(of_number[number], f"another source has this period already: {name!r}"))
    left = cursor.execute("select count(*) from import_stage").fetchone()
    written = [row[0] for row in cursor.execute(UPSERT, (source_id,))]
    result.new += sum(written)
    result.changed += len(written) - sum(written)
    result.same += (left[0] if left else 0) - len(written)
    cursor.execute(ADD_UP)
    for bad in refusals:
        result.refuse(bad)
    cursor.executemany(
        "insert into import_refusal (source_id, sha256, row_number, reason, line) values (%s, %s, %s, %s, %s)"
        " on conflict do nothing",
        [(source_id, sha256, bad.number, bad.reason, bad.line.replace("\0", "")) for bad in refusals],
    )
    cursor.execute("drop table import_stage")


def _values(
    chunk: Iterable[Row | Bad], segments: _Segments, refusals: list[Bad], of_number: dict[int, Row]
) -> Iterator[tuple[object, ...]]:
    for row in chunk:
        if isinstance(row, Bad):
            refusals.append(row)
            continue
        segment_id = segments.of(row.street)
        if segment_id is None:
            refusals.append(
                _bad(row, f"segment {row.street!r} is not one of ours; map it with --street {row.street}=ID")
            )
            continue
        of_number[row.number] = row
        start: datetime = row.period_start
        yield (row.number, segment_id, start, row.period_s, row.uptime, row.is_corrected, *row.counts, row.v85_kmh,
               None if row.car_speed is None else list(row.car_speed))  # fmt: skip


def _bad(row: Row, reason: str) -> Bad:
    return Bad(row.number, reason, f"{row.street} {row.period_start.isoformat()}")
