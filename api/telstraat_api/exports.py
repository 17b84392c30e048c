"""Counts as files of any size, in constant memory: month by month from the database, each piece sent before the next is read.

CSV is written by PostgreSQL itself (COPY); Parquet and Arrow go through column arrays. Every file names its licence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_api.counts import COLUMNS
from telstraat_api.database import Database
from telstraat_api.errors import ApiError, BusyError
from telstraat_api.periods import Bucket, Window, next_start, start_of, zone
from telstraat_api.reading import Key, each, street_query
from telstraat_api.settings import ApiSettings

SIGNATURE = b"\xef\xbb\xbf"
"""Tells spreadsheets that a CSV file is UTF-8."""

PIECE_ROWS = 20_000


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


NAMES = (
    "segment_id", "street", "start_local", "start_utc", "bucket", "observed_s", "uptime", "sensors", "flags",
    *COLUMNS, *(f"{name}_seen" for name in COLUMNS), "licence",
)  # fmt: skip

# A street may be called =HYPERLINK(...): a spreadsheet must read it as text.
STREET = sql.SQL("case when s.name ~ '^[=+@\\t\\r-]' then '''' || s.name else s.name end")
LOCAL = sql.SQL("to_char(c.period_start at time zone s.timezone, 'YYYY-MM-DD HH24:MI')")
STAMP = sql.SQL("""to_char(c.period_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""")
LENGTHS = {Bucket.QUARTER: sql.SQL("900"), Bucket.HOUR: sql.SQL("3600")}
DAY_LENGTH = sql.SQL(
    "extract(epoch from (date_trunc('day', c.period_start at time zone s.timezone) + interval '1 day')"
    " at time zone s.timezone - c.period_start)"
)


def number(expression: sql.Composable, decimal: Decimal) -> sql.Composable:
    """Return an expression as a CSV file writes it: four decimals, and the comma where it is wanted."""
    rounded = sql.SQL("round(({})::numeric, 4)").format(expression)
    return sql.SQL("replace({}::text, '.', ',')").format(rounded) if decimal is Decimal.COMMA else rounded


def csv_query(wish: Wish) -> sql.Composed:
    """Return the query whose rows are the lines of a CSV file."""
    length = LENGTHS.get(wish.bucket, DAY_LENGTH)
    uptime = sql.SQL("c.observed_s::float8 / {}").format(length)
    corrected = (sql.SQL("c.{}").format(sql.Identifier(name)) for name in COLUMNS)
    fields = [
        sql.SQL("c.segment_id"), STREET, LOCAL, STAMP, sql.Literal(wish.bucket.value), sql.SQL("c.observed_s"),
        number(uptime, wish.decimal), sql.SQL("c.sensors"), sql.SQL("c.flags"),
        *(number(column, wish.decimal) for column in corrected), each("c.{n}_seen"), sql.SQL("%(licence)s"),
    ]  # fmt: skip
    counts = street_query(wish.bucket, Key.SEGMENT, rolled_up=wish.bucket is not Bucket.QUARTER)
    query = sql.SQL("select {fields} from ({counts}) c join segment s using (segment_id) order by c.period_start")
    return query.format(fields=sql.SQL(", ").join(fields), counts=counts)


def pieces(wish: Wish) -> Iterator[tuple[int, str, Window]]:
    """Yield the months of each street, one after the other."""
    for segment_id, timezone in wish.segments:
        tz = zone(timezone)
        start = wish.window.start
        while start < wish.window.end:
            end = min(next_start(start_of(start, Bucket.MONTH, tz), Bucket.MONTH, tz), wish.window.end)
            yield segment_id, timezone, Window(start, end)
            start = end


class Exporter:
    """Writes files, a few at a time."""

    def __init__(self, database: Database, settings: ApiSettings) -> None:
        self.database = database
        self.settings = settings
        self.places = asyncio.Semaphore(settings.exports_max)

    def check_room(self) -> None:
        """Raise `BusyError` when no further file can be written now."""
        if self.places.locked():
            raise BusyError(f"{self.settings.exports_max} downloads are under way already; try again in a minute")

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection that sees one moment of the database from the first to the last row."""
        async with self.places, self.database.connection() as connection, connection.transaction():
            await connection.execute("set transaction isolation level repeatable read, read only")
            yield connection

    def values(self, segment_id: int, window: Window) -> dict[str, Any]:
        """Return the values of a piece's query."""
        return {"ids": [segment_id], "start": window.start, "end": window.end, "licence": self.settings.licence}

    async def csv(self, wish: Wish) -> AsyncIterator[bytes]:
        """Yield a CSV file; when it breaks off, its last line says so."""
        separator = SEPARATORS[wish.separator]
        yield SIGNATURE + separator.join(NAMES).encode() + b"\r\n"
        options = sql.SQL("with (format csv, delimiter {})").format(sql.Literal(separator))
        copy_query = sql.SQL("copy ({}) to stdout {}").format(csv_query(wish), options)
        try:
            async with self.snapshot() as connection, connection.cursor() as cursor:
                for segment_id, _, window in pieces(wish):
                    async with cursor.copy(copy_query, self.values(segment_id, window)) as copy:
                        async for block in joined(copy):
                            yield block
        except (psycopg.Error, ApiError, OSError) as error:
            yield f"# INCOMPLETE: {type(error).__name__}; ask for a shorter period or try again\r\n".encode()
            raise

    async def batches(self, wish: Wish) -> AsyncIterator[pa.RecordBatch]:
        """Yield the counts as record batches."""
        schema = schema_of(self.settings)
        counts = street_query(wish.bucket, Key.SEGMENT, rolled_up=wish.bucket is not Bucket.QUARTER)
        fields = sql.SQL("c.period_start, c.observed_s, c.sensors, c.flags, {}, {}").format(
            each("c.{n}"), each("c.{n}_seen")
        )
        query = sql.SQL("select s.name, {} from ({}) c join segment s using (segment_id) order by c.period_start")
        async with self.snapshot() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            for segment_id, timezone, window in pieces(wish):
                await cursor.execute(query.format(fields, counts), self.values(segment_id, window))
                while rows := await cursor.fetchmany(PIECE_ROWS):
                    yield batch_of(schema, rows, segment_id, timezone, wish.bucket)

    async def arrow(self, wish: Wish) -> AsyncIterator[bytes]:
        """Yield an Arrow stream."""
        sink = Sink()
        with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema_of(self.settings)) as writer:
            async for batch in self.batches(wish):
                writer.write_batch(batch)
                yield sink.taken()
        yield sink.taken()

    async def parquet(self, wish: Wish) -> AsyncIterator[bytes]:
        """Yield a Parquet file, a row group a piece."""
        sink = Sink()
        with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema_of(self.settings), compression="zstd") as writer:
            async for batch in self.batches(wish):
                writer.write_batch(batch)
                yield sink.taken()
        yield sink.taken()


async def joined(copy: psycopg.AsyncCopy) -> AsyncIterator[bytes]:
    """Yield the lines of a COPY in blocks worth sending."""
    block = bytearray()
    async for line in copy:
        block += line
        if len(block) > 65_536:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


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


def schema_of(settings: ApiSettings) -> pa.Schema:
    """Return the columns of Parquet and Arrow files; the licence is in their metadata."""
    fields = [
        ("segment_id", pa.int64()), ("street", pa.string()), ("start_local", pa.string()),
        ("start_utc", pa.timestamp("us", tz="UTC")), ("bucket", pa.string()), ("observed_s", pa.int32()),
        ("uptime", pa.float64()), ("sensors", pa.int32()), ("flags", pa.int32()),
        *((name, pa.float64()) for name in COLUMNS), *((f"{name}_seen", pa.int32()) for name in COLUMNS),
    ]  # fmt: skip
    return pa.schema(fields, metadata={"licence": settings.licence, "attribution": settings.attribution})


def batch_of(
    schema: pa.Schema, rows: Sequence[tuple[Any, ...]], segment_id: int, timezone: str, bucket: Bucket
) -> pa.RecordBatch:
    """Return rows of one street as a record batch."""
    tz = zone(timezone)
    names, starts, observed, *columns = zip(*rows, strict=True)
    if bucket in LENGTHS:
        lengths: list[float] = [900.0 if bucket is Bucket.QUARTER else 3600.0] * len(rows)
    else:
        lengths = [(next_start(start, bucket, tz) - start) / timedelta(seconds=1) for start in starts]
    local = [start.astimezone(tz).strftime("%Y-%m-%d %H:%M") for start in starts]
    uptimes = [seconds / length for seconds, length in zip(observed, lengths, strict=True)]
    utc: list[datetime] = [start.astimezone(UTC) for start in starts]
    values = [[segment_id] * len(rows), names, local, utc, [bucket.value] * len(rows), observed, uptimes, *columns]
    arrays = [pa.array(column, type=field.type) for column, field in zip(values, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)
