"""Counts as files of any size, in constant memory: month by month from the database, each piece sent before the next is read.

CSV is written by PostgreSQL itself (COPY); Parquet and Arrow go through column arrays. Every file names its licence, and has a row
for every period: one without counts says why in `state`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.connection import Connections
from telstraat_store.counts.single_sensor import each, storage_state_of
from telstraat_store.counts.windows import Bucket, Window, next_start, start_of, zone
from telstraat_store.errors import ExportsBusyError, TelstraatStoreError
from telstraat_store.export.gap_rows import Absence, gap_values, read_absence
from telstraat_store.export.queries import (
    LENGTHS,
    NAMES,
    ExportRequest,
    Form,
    Piece,
    Separator,
    as_text,
    counts_query,
    csv_query,
    rows_query,
)

# Arrow's own allocator takes a gigabyte of address space at once, which a server held down by a limit does not have.
pa.set_memory_pool(pa.system_memory_pool())

SIGNATURE = b"\xef\xbb\xbf"
"""Tells spreadsheets that a CSV file is UTF-8."""

PIECE_ROWS = 20_000
BLOCK_BYTES = 65_536


SEPARATORS = {Separator.COMMA: ",", Separator.SEMICOLON: ";", Separator.TAB: "\t"}
MEDIA_TYPES = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.PARQUET: "application/vnd.apache.parquet",
    Form.ARROW: "application/vnd.apache.arrow.stream",
}


FIELDS = [
    ("segment_id", pa.int64()), ("street", pa.string()), ("start_local", pa.string()),
    ("start_utc", pa.timestamp("us", tz="UTC")), ("bucket", pa.string()), ("observed_s", pa.int32()),
    ("uptime", pa.float64()), ("sensors", pa.int32()), ("flags", pa.int32()),
    *((name, pa.float64()) for name in COUNT_COLUMNS), *((f"{name}_seen", pa.int32()) for name in COUNT_COLUMNS), ("source", pa.string()),
    ("state", pa.string()),
]  # fmt: skip
SOURCES = """
select distinct p.name, p.licence, p.credit from import_source p
where exists (select from public.imported_day m where m.source_id = p.source_id and m.segment_id = any(%(ids)s))
order by p.name
"""


class Exporter:
    """Writes files, a few at a time."""

    def __init__(self, exports_max: int, licence: str, attribution: str) -> None:
        self.exports_max = exports_max
        self.licence = licence
        self.attribution = attribution
        self.holders: Counter[str] = Counter()  # addresses that download

    def check_room(self, asker: str) -> None:
        """Raise `ExportsBusyError` when no further file can be written now; one address never takes the last place of several."""
        most = self.exports_max
        if self.holders.total() >= most:
            raise ExportsBusyError(f"{most} downloads are under way already; try again in a minute")
        if self.holders[asker] >= max(1, most - 1):
            raise ExportsBusyError(
                "your address has as many downloads under way as one may; try again when one has ended"
            )

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

    def values(self, piece: Piece, export: ExportRequest) -> dict[str, Any]:
        """Return the values of a piece's query."""
        end = piece.window.end if export.shown_until is None else min(piece.window.end, export.shown_until)
        return {
            "ids": [piece.segment_id],
            "bucket": export.bucket.value,
            "start": piece.window.start,
            "end": max(piece.window.start, end),
            "timezone": piece.timezone,
            "street": as_text(piece.street),
            "licence": self.licence,
        }

    async def pieces(self, connections: Connections, export: ExportRequest) -> AsyncIterator[Piece]:
        """Yield the months of each street, or its years where hours or days are read from rollups."""
        span = Bucket.MONTH if export.bucket is Bucket.QUARTER else Bucket.YEAR
        numbers = [segment_id for segment_id, _ in export.segments]
        rows = await connections.rows("select segment_id, name from segment where segment_id = any(%s)", (numbers,))
        names = {row["segment_id"]: row["name"] for row in rows}
        for segment_id, timezone in export.segments:
            tz = zone(timezone)
            start = export.window.start
            while start < export.window.end:
                end = min(next_start(start_of(start, span, tz), span, tz), export.window.end)
                window = Window(start, end)
                storage = await storage_state_of(connections, [segment_id], window)
                yield Piece(
                    segment_id, names.get(segment_id, ""), timezone, window, storage, whole=connections.is_public
                )
                start = end

    async def absence(self, connections: Connections, export: ExportRequest) -> Absence:
        """Return what is known of the periods that have no counts."""
        ids = [segment_id for segment_id, _ in export.segments]
        return await read_absence(connections, ids, export.window)

    async def whole_values(
        self, connection: psycopg.AsyncConnection[Any], export: ExportRequest, piece: Piece, absence: Absence
    ) -> dict[str, Any]:
        """Return the values of a piece's query, its gaps among them."""
        values = self.values(piece, export)
        if not export.has_gaps:
            return {**values, "gap_starts": []}
        span = absence.span(piece.segment_id, piece.timezone, export.bucket, export.window, piece.window)
        counts = counts_query(export.bucket, piece)
        return values | await gap_values(connection, counts, values, span, export.bucket, absence)

    async def csv(self, connections: Connections, export: ExportRequest) -> AsyncIterator[bytes]:
        """Yield a CSV file; when it breaks off, its last line says so."""
        separator = SEPARATORS[export.separator]
        yield SIGNATURE + separator.join(NAMES).encode() + b"\r\n"
        options = sql.SQL("with (format csv, delimiter {})").format(sql.Literal(separator))
        try:
            async with self.snapshot(connections, export.asker) as connection, connection.cursor() as cursor:
                absence = await self.absence(connections, export)
                async for piece in self.pieces(connections, export):
                    values = await self.whole_values(connection, export, piece, absence)
                    query = csv_query(export, piece, has_gaps=bool(values["gap_starts"]))
                    copy_query = sql.SQL("copy ({}) to stdout {}").format(query, options)
                    async with cursor.copy(copy_query, values) as copy:
                        async for block in joined(copy):
                            yield block
        except (psycopg.Error, TelstraatStoreError, OSError) as error:
            yield f"# INCOMPLETE: {type(error).__name__}; ask for a shorter period or try again\r\n".encode()
            raise

    async def schema(self, connections: Connections, export: ExportRequest) -> pa.Schema:
        """Return the columns of Parquet and Arrow files; licence and sources are in their metadata."""
        rows = await connections.rows(SOURCES, {"ids": [segment_id for segment_id, _ in export.segments]})
        sources = {row["name"]: {"licence": row["licence"], "credit": row["credit"]} for row in rows}
        known = {"licence": self.licence, "attribution": self.attribution}
        return pa.schema(FIELDS, metadata={**known, "sources": orjson.dumps(sources)})

    async def batches(
        self, connections: Connections, export: ExportRequest, schema: pa.Schema
    ) -> AsyncIterator[pa.RecordBatch]:
        """Yield the counts as record batches."""
        fields = sql.SQL("c.period_start, c.observed_s, c.sensors, c.flags, {}, {}, c.source, c.state").format(
            each("c.{n}"), each("c.{n}_seen")
        )
        query = sql.SQL("select {} from ({}) c order by c.period_start")
        async with (
            self.snapshot(connections, export.asker) as connection,
            connection.cursor(row_factory=tuple_row, binary=True) as cursor,
        ):
            absence = await self.absence(connections, export)
            async for piece in self.pieces(connections, export):
                values = await self.whole_values(connection, export, piece, absence)
                rows_of_piece = rows_query(export.bucket, piece, has_gaps=bool(values["gap_starts"]))
                await cursor.execute(query.format(fields, rows_of_piece), values)
                while rows := await cursor.fetchmany(PIECE_ROWS):
                    yield batch_of(schema, rows, piece, export.bucket)

    async def arrow(self, connections: Connections, export: ExportRequest) -> AsyncIterator[bytes]:
        """Yield an Arrow stream."""
        sink = Sink()
        schema = await self.schema(connections, export)
        with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema) as writer:
            async for batch in self.batches(connections, export, schema):
                writer.write_batch(batch)
                yield sink.taken()
        yield sink.taken()

    async def parquet(self, connections: Connections, export: ExportRequest) -> AsyncIterator[bytes]:
        """Yield a Parquet file, a row group a piece."""
        sink = Sink()
        schema = await self.schema(connections, export)
        with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
            async for batch in self.batches(connections, export, schema):
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
        written = b"".join(self.parts)
        self.parts.clear()
        return written

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
