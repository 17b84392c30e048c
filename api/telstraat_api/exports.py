"""Counts as files of any size, in constant memory: month by month from the database, each piece sent before the next is read.

CSV is written by PostgreSQL itself (COPY); Parquet and Arrow go through column arrays. Every file names its licence, and has a row
for every period: one without counts says why in `state`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_api.alone import Standing, each, standing_of
from telstraat_api.counts import COLUMNS
from telstraat_api.errors import ApiError, BusyError
from telstraat_api.gap_rows import Absence, gap_values, read_absence
from telstraat_api.imported import imported_query
from telstraat_api.periods import Bucket, Window, next_start, start_of, zone
from telstraat_api.reading import Key, street_query
from telstraat_api.settings import ApiSettings
from telstraat_store.connection import Connections
from telstraat_store.errors import TelstraatStoreError

# Arrow's own allocator takes a gigabyte of address space at once, which a server held down by a limit does not have.
pa.set_memory_pool(pa.system_memory_pool())

SIGNATURE = b"\xef\xbb\xbf"
"""Tells spreadsheets that a CSV file is UTF-8."""

PIECE_ROWS = 20_000
BLOCK_BYTES = 65_536


class Form(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


class Separator(StrEnum):
    """What stands between the fields of a CSV file."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"


class Decimal(StrEnum):
    """How a CSV file writes fractions."""

    POINT = "point"
    COMMA = "comma"


SEPARATORS = {Separator.COMMA: ",", Separator.SEMICOLON: ";", Separator.TAB: "\t"}
MEDIA_TYPES = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.PARQUET: "application/vnd.apache.parquet",
    Form.ARROW: "application/vnd.apache.arrow.stream",
}


@dataclass(frozen=True)
class Wish:
    """What shall be in a file."""

    segments: tuple[tuple[int, str], ...]  # number and time zone
    window: Window
    bucket: Bucket
    separator: Separator = Separator.COMMA
    decimal: Decimal = Decimal.POINT
    asker: str = "?"  # address of whoever downloads
    shown_until: datetime | None = None  # counts that are later are not for whoever asks
    has_gaps: bool = True  # a row for every period, also for those without counts


NAMES = (
    "segment_id", "street", "start_local", "start_utc", "bucket", "observed_s", "uptime", "sensors", "flags",
    *COLUMNS, *(f"{name}_seen" for name in COLUMNS), "licence", "source", "state",
)  # fmt: skip

LOCAL = sql.SQL("left((c.period_start at time zone %(timezone)s)::text, 16)")
STAMP = sql.SQL("replace((c.period_start at time zone 'UTC')::text, ' ', 'T') || 'Z'")
SOURCE = sql.SQL(r"""case when c.source ~ '^[-=+@\s]' then '''' || c.source else c.source end""")
LENGTHS = {Bucket.QUARTER: sql.SQL("900"), Bucket.HOUR: sql.SQL("3600")}
DAY_LENGTH = sql.SQL(
    "extract(epoch from (date_trunc('day', c.period_start at time zone %(timezone)s) + interval '1 day')"
    " at time zone %(timezone)s - c.period_start)"
)


def number(expression: sql.Composable, decimal: Decimal) -> sql.Composable:
    """Return an expression as a CSV file writes it: up to four decimals, and the comma where it is wanted."""
    # Through float8, which is many times quicker than numeric.
    rounded = sql.SQL("round(({}) * 1e4) / 1e4").format(expression)
    return sql.SQL("replace(({})::text, '.', ',')").format(rounded) if decimal is Decimal.COMMA else rounded


# What was imported stands in where the street has no counts of its own, with its source and that source's licence.
WITH_IMPORTED = sql.SQL("""
with own as ({own}), other as ({other})
select segment_id, period_start, observed_s, sensors, flags, {n}, {seen}, null::text as source, null::text as licence from own
where observed_s > 0 or not exists (select from other o where o.period_start = own.period_start)
union all
select o.segment_id, o.period_start, o.observed_s, 0, 0, {n}, {nothing}, p.name, p.licence
from other o join import_source p using (source_id)
where not exists (select from own w where w.period_start = {first} and w.observed_s > 0)
  and not exists (select from own w where w.period_start = {last} and w.observed_s > 0)""")
# An hour of others may begin at half past: it gives way to each of the two of the street's own that it overlaps.
OVERLAPPED = {
    Bucket.HOUR: {
        "first": sql.SQL("date_trunc('hour', o.period_start, 'UTC')"),
        "last": sql.SQL("date_trunc('hour', o.period_start + interval '59 minutes', 'UTC')"),
    }
}
AT_ONCE = {"first": sql.SQL("o.period_start"), "last": sql.SQL("o.period_start")}
OWN_ONLY = sql.SQL("select q.*, null::text as source, null::text as licence from ({own}) q")
WITH_STATE = sql.SQL("""
select segment_id, period_start, observed_s, sensors, flags, {n}, {seen}, source, licence,
       case when {counted} then 'counted' else 'missing' end as state from ({counts}) q""")
WITH_GAPS = sql.SQL("""{rows}
union all
select {segment}, start, null, null, null, {nothing}, {nothing}, null, null, state
from unnest(%(gap_starts)s::timestamptz[], %(gap_states)s::text[]) gap (start, state)""")


def counts_query(bucket: Bucket, piece: Piece) -> sql.Composed:
    """Return the query of a piece's counts, by period; none of periods without a row."""
    rolled_up, alone = bucket is not Bucket.QUARTER and piece.standing.added_up, piece.standing.alone
    own = street_query(bucket, Key.SEGMENT, rolled_up=rolled_up, alone=alone, whole=piece.whole)
    if not piece.standing.has_imported:
        return OWN_ONLY.format(own=own)
    parts: dict[str, sql.Composable] = {
        "n": each("{n}"), "seen": each("{n}_seen"), "nothing": each("null::int"), **OVERLAPPED.get(bucket, AT_ONCE)
    }  # fmt: skip
    return WITH_IMPORTED.format(own=own, other=imported_query(bucket), **parts)


def rows_query(bucket: Bucket, piece: Piece, *, has_gaps: bool) -> sql.Composed:
    """Return the query of a piece's rows, each with its state, those of its gaps among them."""
    counted: sql.Composable = sql.SQL("observed_s > 0")
    if piece.standing.has_imported:
        counted = sql.SQL("observed_s > 0 and num_nonnulls({}) > 0").format(each("{n}"))
    parts = {"n": each("{n}"), "seen": each("{n}_seen"), "counted": counted}
    rows = WITH_STATE.format(counts=counts_query(bucket, piece), **parts)
    if not has_gaps:
        return rows
    return WITH_GAPS.format(rows=rows, segment=sql.Literal(piece.segment_id), nothing=each("null"))


def csv_query(wish: Wish, piece: Piece, *, has_gaps: bool) -> sql.Composed:
    """Return the query whose rows are the lines of a CSV file."""
    length = LENGTHS.get(wish.bucket, DAY_LENGTH)
    uptime = sql.SQL("c.observed_s::float8 / {}").format(length)
    corrected = (sql.SQL("c.{}").format(sql.Identifier(name)) for name in COLUMNS)
    fields = [
        sql.SQL("c.segment_id"), sql.SQL("%(street)s"), LOCAL, STAMP, sql.Literal(wish.bucket.value), sql.SQL("c.observed_s"),
        number(uptime, wish.decimal), sql.SQL("c.sensors"), sql.SQL("c.flags"),
        *(number(column, wish.decimal) for column in corrected), each("c.{n}_seen"), sql.SQL("coalesce(c.licence, %(licence)s)"), SOURCE,
        sql.SQL("c.state"),
    ]  # fmt: skip
    counts = rows_query(wish.bucket, piece, has_gaps=has_gaps)
    # Sorted before it is written out: what is written is several times as long.
    query = sql.SQL("select {fields} from (select * from ({counts}) q order by period_start offset 0) c")
    return query.format(fields=sql.SQL(", ").join(fields), counts=counts)


@dataclass(frozen=True)
class Piece:
    """A month or a year of a street."""

    segment_id: int
    street: str
    timezone: str
    window: Window
    standing: Standing
    whole: bool  # only whole hours are for whoever asks


def as_text(name: str) -> str:
    """Return a street's name so that a spreadsheet reads it as text: one may be called =HYPERLINK(...)."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


FIELDS = [
    ("segment_id", pa.int64()), ("street", pa.string()), ("start_local", pa.string()),
    ("start_utc", pa.timestamp("us", tz="UTC")), ("bucket", pa.string()), ("observed_s", pa.int32()),
    ("uptime", pa.float64()), ("sensors", pa.int32()), ("flags", pa.int32()),
    *((name, pa.float64()) for name in COLUMNS), *((f"{name}_seen", pa.int32()) for name in COLUMNS), ("source", pa.string()),
    ("state", pa.string()),
]  # fmt: skip
SOURCES = """
select distinct p.name, p.licence, p.credit from import_source p
where exists (select from public.imported_day m where m.source_id = p.source_id and m.segment_id = any(%(ids)s))
order by p.name
"""


class Exporter:
    """Writes files, a few at a time."""

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.holders: Counter[str] = Counter()  # addresses that download

    def check_room(self, asker: str) -> None:
        """Raise `BusyError` when no further file can be written now; one address never takes the last place of several."""
        most = self.settings.exports_max
        if self.holders.total() >= most:
            raise BusyError(f"{most} downloads are under way already; try again in a minute")
        if self.holders[asker] >= max(1, most - 1):
            raise BusyError("your address has as many downloads under way as one may; try again when one has ended")

    @asynccontextmanager
    async def place(self, asker: str) -> AsyncIterator[None]:
        """Hold a place for the time of a download."""
        self.check_room(asker)
        self.holders[asker] += 1
        try:
            yield
        finally:
            self.holders[asker] -= 1
            self.holders += Counter()  # forget who holds none

    @asynccontextmanager
    async def snapshot(self, connections: Connections, asker: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection that sees one moment of the database from the first to the last row."""
        async with self.place(asker), connections.connection() as connection, connection.transaction():
            await connection.execute("set transaction isolation level repeatable read, read only")
            yield connection

    def values(self, piece: Piece, wish: Wish) -> dict[str, Any]:
        """Return the values of a piece's query."""
        end = piece.window.end if wish.shown_until is None else min(piece.window.end, wish.shown_until)
        return {
            "ids": [piece.segment_id],
            "bucket": wish.bucket.value,
            "start": piece.window.start,
            "end": max(piece.window.start, end),
            "timezone": piece.timezone,
            "street": as_text(piece.street),
            "licence": self.settings.licence,
        }

    async def pieces(self, connections: Connections, wish: Wish) -> AsyncIterator[Piece]:
        """Yield the months of each street, or its years where hours or days are read from rollups."""
        span = Bucket.MONTH if wish.bucket is Bucket.QUARTER else Bucket.YEAR
        numbers = [segment_id for segment_id, _ in wish.segments]
        rows = await connections.rows("select segment_id, name from segment where segment_id = any(%s)", (numbers,))
        names = {row["segment_id"]: row["name"] for row in rows}
        for segment_id, timezone in wish.segments:
            tz = zone(timezone)
            start = wish.window.start
            while start < wish.window.end:
                end = min(next_start(start_of(start, span, tz), span, tz), wish.window.end)
                window = Window(start, end)
                standing = await standing_of(connections, [segment_id], window)
                yield Piece(
                    segment_id, names.get(segment_id, ""), timezone, window, standing, whole=connections.is_public
                )
                start = end

    async def absence(self, connections: Connections, wish: Wish) -> Absence:
        """Return what is known of the periods that have no counts."""
        ids = [segment_id for segment_id, _ in wish.segments]
        return await read_absence(connections, ids, wish.window)

    async def whole_values(
        self, connection: psycopg.AsyncConnection[Any], wish: Wish, piece: Piece, absence: Absence
    ) -> dict[str, Any]:
        """Return the values of a piece's query, its gaps among them."""
        values = self.values(piece, wish)
        if not wish.has_gaps:
            return {**values, "gap_starts": []}
        span = absence.span(piece.segment_id, piece.timezone, wish.bucket, wish.window, piece.window)
        counts = counts_query(wish.bucket, piece)
        return values | await gap_values(connection, counts, values, span, wish.bucket, absence)

    async def csv(self, connections: Connections, wish: Wish) -> AsyncIterator[bytes]:
        """Yield a CSV file; when it breaks off, its last line says so."""
        separator = SEPARATORS[wish.separator]
        yield SIGNATURE + separator.join(NAMES).encode() + b"\r\n"
        options = sql.SQL("with (format csv, delimiter {})").format(sql.Literal(separator))
        try:
            async with self.snapshot(connections, wish.asker) as connection, connection.cursor() as cursor:
                absence = await self.absence(connections, wish)
                async for piece in self.pieces(connections, wish):
                    values = await self.whole_values(connection, wish, piece, absence)
                    query = csv_query(wish, piece, has_gaps=bool(values["gap_starts"]))
                    copy_query = sql.SQL("copy ({}) to stdout {}").format(query, options)
                    async with cursor.copy(copy_query, values) as copy:
                        async for block in joined(copy):
                            yield block
        except (psycopg.Error, TelstraatStoreError, ApiError, OSError) as error:
            yield f"# INCOMPLETE: {type(error).__name__}; ask for a shorter period or try again\r\n".encode()
            raise

    async def schema(self, connections: Connections, wish: Wish) -> pa.Schema:
        """Return the columns of Parquet and Arrow files; licence and sources are in their metadata."""
        rows = await connections.rows(SOURCES, {"ids": [segment_id for segment_id, _ in wish.segments]})
        sources = {row["name"]: {"licence": row["licence"], "credit": row["credit"]} for row in rows}
        known = {"licence": self.settings.licence, "attribution": self.settings.attribution}
        return pa.schema(FIELDS, metadata={**known, "sources": orjson.dumps(sources)})

    async def batches(self, connections: Connections, wish: Wish, schema: pa.Schema) -> AsyncIterator[pa.RecordBatch]:
        """Yield the counts as record batches."""
        fields = sql.SQL("c.period_start, c.observed_s, c.sensors, c.flags, {}, {}, c.source, c.state").format(
            each("c.{n}"), each("c.{n}_seen")
        )
        query = sql.SQL("select {} from ({}) c order by c.period_start")
        async with (
            self.snapshot(connections, wish.asker) as connection,
            connection.cursor(row_factory=tuple_row, binary=True) as cursor,
        ):
            absence = await self.absence(connections, wish)
            async for piece in self.pieces(connections, wish):
                values = await self.whole_values(connection, wish, piece, absence)
                rows_of_piece = rows_query(wish.bucket, piece, has_gaps=bool(values["gap_starts"]))
                await cursor.execute(query.format(fields, rows_of_piece), values)
                while rows := await cursor.fetchmany(PIECE_ROWS):
                    yield batch_of(schema, rows, piece, wish.bucket)

    async def arrow(self, connections: Connections, wish: Wish) -> AsyncIterator[bytes]:
        """Yield an Arrow stream."""
        sink = Sink()
        schema = await self.schema(connections, wish)
        with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema) as writer:
            async for batch in self.batches(connections, wish, schema):
                writer.write_batch(batch)
                yield sink.taken()
        yield sink.taken()

    async def parquet(self, connections: Connections, wish: Wish) -> AsyncIterator[bytes]:
        """Yield a Parquet file, a row group a piece."""
        sink = Sink()
        schema = await self.schema(connections, wish)
        with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
            async for batch in self.batches(connections, wish, schema):
                writer.write_batch(batch)
                yield sink.taken()
        yield sink.taken()


async def joined(copy: psycopg.AsyncCopy) -> AsyncIterator[bytes]:
    """Yield the lines of a COPY in blocks worth sending.

    Waits once for what comes and then takes every line that has come: to wait for each costs more than the line.
    """
    arrived = copy.connection.pgconn.get_copy_data
    block = bytearray()
    length = 0
    while length >= 0 and (line := await copy.read()):
        block += line
        while len(block) < BLOCK_BYTES:
            length, more = arrived(1)
            if length <= 0:
                break
            block += more
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if length < 0:
        check_ended(copy.connection.pgconn)
    if block:
        yield bytes(block)


def check_ended(pgconn: psycopg.pq.abc.PGconn) -> None:
    """Take how a COPY ended from the connection; raise what the database says when it broke off."""
    failed = None
    while (result := pgconn.get_result()) is not None:
        if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
            failed = psycopg.errors.error_from_result(result)
    if failed is not None:
        raise failed


class Sink:
    """A file that is read while it is written."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.closed = False

    def write(self, part: bytes) -> int:
        """Take what was written."""
        self.parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        found = b"".join(self.parts)
        self.parts.clear()
        return found

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Written to the end."""
        self.closed = True


def batch_of(schema: pa.Schema, rows: Sequence[tuple[Any, ...]], piece: Piece, bucket: Bucket) -> pa.RecordBatch:
    """Return rows of one street as a record batch."""
    tz = zone(piece.timezone)
    starts, observed, *columns = zip(*rows, strict=True)
    if bucket in LENGTHS:
        lengths: list[float] = [900.0 if bucket is Bucket.QUARTER else 3600.0] * len(rows)
    else:
        lengths = [(next_start(start, bucket, tz) - start) / timedelta(seconds=1) for start in starts]
    local = [start.astimezone(tz).isoformat(" ", "minutes")[:16] for start in starts]
    uptimes = [None if seconds is None else seconds / length for seconds, length in zip(observed, lengths, strict=True)]
    names = [piece.street] * len(rows)
    numbers = [piece.segment_id] * len(rows)
    values = [numbers, names, local, starts, [bucket.value] * len(rows), observed, uptimes, *columns]
    arrays = [pa.array(column, type=field.type) for column, field in zip(values, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)
