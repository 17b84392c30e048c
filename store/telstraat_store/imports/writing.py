"""Brings a file of others' counts into the database: idempotent, resumable, and with a list of what was refused and why."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from psycopg import Connection, Cursor

from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.errors import CountsFileError, NoSuchRecordError
from telstraat_store.imports import CountsFile, Format, Reading, Refusal, Row
from telstraat_store.imports.numbers import whole_number
from telstraat_store.imports.rows import clean_text, shortened
from telstraat_store.summaries.summary_table import forget_summaries

CHUNK = 5000
HALF_HOUR_S, DAY_S = 1800, 86_400
_COLUMNS = (
    "segment_id, period_start, period_s, uptime, is_corrected, " + ", ".join(COUNT_COLUMNS) + ", v85_kmh, car_speed"
)
_VALUES = "uptime, is_corrected, " + ", ".join(COUNT_COLUMNS) + ", v85_kmh, car_speed"


STAGE = (
    f"create temp table import_stage on commit drop as select 0::bigint as row_number, {_COLUMNS} from imported limit 0"  # noqa: S608
)
COPY = f"copy import_stage (row_number, {_COLUMNS}) from stdin"
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


@dataclass(frozen=True)
class Known:
    """What is known of a file that does not say it itself: see `telstraat_store.imports.Reading`."""

    times: Literal["local", "utc"] | None = None
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal["point", "comma"] | None = None
    counts: Literal["corrected", "raw"] | None = None


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
    examples: dict[str, Refusal] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def refuse(self, bad: Refusal) -> None:
        """Count a refusal under its kind of reason, and keep the first as an example."""
        kind = re.sub(r"'[^']*'|\"[^\"]*\"", "...", bad.reason).split(";")[0]
        self.refused[kind] += 1
        self.examples.setdefault(kind, bad)


def once(rows: Iterable[Row | Refusal], segment_of: Callable[[str], int | None]) -> Iterator[Row | Refusal]:
    """Yield each period of a segment once, however far apart its lines are; the second is refused."""
    lines: dict[tuple[object, datetime, int], int] = {}
    for row in rows:
        if isinstance(row, Row):
            key = (segment_of(row.street) or row.street, row.period_start, row.period_s)
            first = lines.setdefault(key, row.number)
            if first != row.number:
                yield _bad(
                    row, f"the same period stands in the file twice; line {first} has it: leave one of the two out"
                )
                continue
        yield row


def storable(rows: Iterable[Row | Refusal], zone_of: Callable[[str], ZoneInfo | None]) -> Iterator[Row | Refusal]:
    """Yield the rows as the table of imported counts takes them: quarters and hours, counts by direction.

    Two halves make an hour; a half without its other one is an hour that was observed half the time.
    """
    halves: dict[tuple[str, datetime], Row] = {}
    for row in rows:
        if isinstance(row, Refusal):
            yield row
        elif row.period_s == DAY_S:
            yield _bad(row, "period is a whole day; days are made here from hours or quarters: import those")
        elif all(count is None for count in row.counts) and any(count is not None for count in row.totals):
            yield _bad(
                row,
                "counts are not given by direction; name the columns car_lft and car_rgt, for one direction one of them",
            )
        elif row.period_s == HALF_HOUR_S:
            minute = row.period_start.astimezone(zone_of(row.street) or UTC).minute
            key = (row.street, row.period_start - timedelta(minutes=minute))
            other = halves.pop(key, None)
            if other is None:
                halves[key] = _corrected(row)
            else:
                yield _hour_of(key[1], [other, _corrected(row)])
        else:
            yield _corrected(row)
    for (_, hour), row in halves.items():
        yield _hour_of(hour, [row])


def _corrected(row: Row) -> Row:
    """Return a row with counts divided by uptime; it still says that they came undivided."""
    if row.is_corrected or not row.uptime:
        return row
    return replace(row, counts=tuple(None if count is None else count / row.uptime for count in row.counts))


def _hour_of(hour: datetime, halves: list[Row]) -> Row:
    """Return an hour from its halves: seen where both are known, doubled where one is."""
    counts = tuple(
        None if not seen else 2 / len(seen) * sum(seen)
        for seen in (
            [n for n in column if n is not None] for column in zip(*(row.counts for row in halves), strict=True)
        )
    )
    uptime = sum(row.uptime for row in halves) / 2
    return replace(
        halves[0], period_start=hour, period_s=3600, uptime=uptime, counts=counts, v85_kmh=None, car_speed=None
    )


Progress = Callable[[int], None]
"""Called with the number of lines that are done."""


def import_file(
    connection: Connection,
    path: Path,
    source: Source,
    streets: Mapping[str, int] | None = None,
    kind: Format | None = None,
    progress: Progress | None = None,
    known: Known | None = None,
    *,
    is_rehearsal: bool = False,
) -> Result:
    """Import a file and return what became of it. `streets` maps names in the file to segments; equal numbers map by themselves.

    A rehearsal runs within the caller's transaction, which is then rolled back: it says exactly what would become of the file.

    A file that was stopped goes on where it was; one that is done is not read again, unless lines of it were refused or it is
    read otherwise than before (`streets`, `kind`, `known`). `known` answers what the file does not say of itself.
    """
    known = known or Known()
    sha256 = _identity(path, streets or {}, kind, known)
    segments = SegmentsOfFile(connection, streets or {})
    are_corrected = known.counts != "raw"
    reading = Reading(segments.zone_of, known.times, known.dates, known.decimal, kind, are_corrected)
    content = CountsFile(path, reading)
    kind = content.kind
    if kind == "table" and content.layout.uptime >= 0 and content.layout.corrected < 0 and known.counts is None:
        raise CountsFileError(
            f"{path}: has an uptime, and does not say whether the counts were divided by it; say --counts corrected or --counts raw"
        )
    source_id, done, is_done = _begin(connection, source, kind, sha256, path)
    if not is_rehearsal:
        connection.commit()  # from here on each chunk is a transaction of its own
    result = Result(kind, rows=done, skipped=done, notes=content.notes)
    if is_done:
        return result
    rows = islice(once(storable(once(content.rows(), segments.of), segments.zone_of), segments.of), done, None)
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
    forget_summaries(connection, source_id)
    if not is_rehearsal:
        connection.commit()
    return result


def refusals(connection: Connection, source: str) -> list[tuple[str, int, str, str]]:
    """Return what was refused of a source: file, line, reason, text."""
    return connection.execute(
        "select p.file, r.row_number, r.reason, r.line from import_refusal r join import_progress p using (source_id, sha256)"
        " join import_source s using (source_id) where s.name = %s order by p.at, r.row_number",
        (source,),
    ).fetchall()


def _identity(path: Path, streets: Mapping[str, int], kind: Format | None, known: Known) -> bytes:
    """Return the hash of a file, and of how it is read where that was said: read otherwise, it is another file."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except (OSError, ValueError) as error:
        raise CountsFileError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if streets or kind or known != Known():
        digest.update(repr((sorted(streets.items()), kind, known)).encode())
    return digest.digest()


class SegmentsOfFile:
    """Finds the segment of a street's name in the file."""

    def __init__(self, connection: Connection, streets: Mapping[str, int]) -> None:
        rows = connection.execute("select segment_id, timezone from segment").fetchall()
        self._zones = {segment_id: ZoneInfo(zone) for segment_id, zone in rows}
        unknown = [f"{name}={segment_id}" for name, segment_id in streets.items() if segment_id not in self._zones]
        if unknown:
            raise NoSuchRecordError(
                f"there is no such segment here: {', '.join(unknown)}; add it with telstraat sensor segment"
            )
        self._streets = dict(streets)

    def of(self, street: str) -> int | None:
        """Return the segment's number, or nothing when it is not one of ours."""
        number = whole_number(street)
        return self._streets.get(street, number if number in self._zones else None)

    def zone_of(self, street: str) -> ZoneInfo | None:
        """Return the time zone of a street."""
        segment = self.of(street)
        return None if segment is None else self._zones[segment]


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
            (row[0], sha256, clean_text(path.name)),
        ).fetchone()
        assert progress is not None
        # What was refused may be welcome now (its street was added, the other source is gone): from the beginning, then.
        if connection.execute(
            "delete from import_refusal where source_id = %s and sha256 = %s", (row[0], sha256)
        ).rowcount:
            connection.execute(
                "update import_progress set rows_done = 0, is_done = false where source_id = %s and sha256 = %s",
                (row[0], sha256),
            )
            return row[0], 0, False
    return row[0], progress[0], progress[1]


def _store(
    cursor: Cursor,
    source_id: int,
    sha256: bytes,
    chunk: Iterable[Row | Refusal],
    segments: SegmentsOfFile,
    result: Result,
) -> None:
    refusals: list[Refusal] = []
    of_number: dict[int, Row] = {}
    cursor.execute(STAGE)
    with cursor.copy(COPY) as copy:
        for values in _values(chunk, segments, refusals, of_number):
            copy.write_row(values)
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
        [(source_id, sha256, bad.number, bad.reason, bad.line) for bad in refusals],
    )
    cursor.execute("drop table import_stage")


def _values(
    chunk: Iterable[Row | Refusal], segments: SegmentsOfFile, refusals: list[Refusal], of_number: dict[int, Row]
) -> Iterator[tuple[object, ...]]:
    for row in chunk:
        if isinstance(row, Refusal):
            refusals.append(row)
            continue
        segment_id = segments.of(row.street)
        if segment_id is None:
            name = shortened(row.street)
            refusals.append(_bad(row, f"segment {name!r} is not one of ours; map it with --street {name}=ID"))
            continue
        of_number[row.number] = row
        start: datetime = row.period_start
        yield (row.number, segment_id, start, row.period_s, row.uptime, row.is_corrected, *row.counts, row.v85_kmh,
               None if row.car_speed is None else list(row.car_speed))  # fmt: skip


def _bad(row: Row, reason: str) -> Refusal:
    return Refusal(row.number, reason, f"{shortened(row.street)} {row.period_start.isoformat()}")
