"""What stands in a file of counts, and the queries of its pieces: a month or a year of one street each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg import sql

from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.counts.imported import imported_query
from telstraat_store.counts.reading import Key, street_query
from telstraat_store.counts.single_sensor import StorageState, each
from telstraat_store.counts.windows import Bucket, Window


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


@dataclass(frozen=True)
class ExportRequest:
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
    *COUNT_COLUMNS, *(f"{name}_seen" for name in COUNT_COLUMNS), "licence", "source", "state",
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
    rolled_up, single_sensor = (
        bucket is not Bucket.QUARTER and piece.storage.is_rolled_up,
        piece.storage.is_single_sensor,
    )
    own = street_query(bucket, Key.SEGMENT, rolled_up=rolled_up, single_sensor=single_sensor, whole=piece.whole)
    if not piece.storage.has_imported:
        return OWN_ONLY.format(own=own)
    parts: dict[str, sql.Composable] = {
        "n": each("{n}"), "seen": each("{n}_seen"), "nothing": each("null::int"), **OVERLAPPED.get(bucket, AT_ONCE)
    }  # fmt: skip
    return WITH_IMPORTED.format(own=own, other=imported_query(bucket), **parts)


def rows_query(bucket: Bucket, piece: Piece, *, has_gaps: bool) -> sql.Composed:
    """Return the query of a piece's rows, each with its state, those of its gaps among them."""
    counted: sql.Composable = sql.SQL("observed_s > 0")
    if piece.storage.has_imported:
        counted = sql.SQL("observed_s > 0 and num_nonnulls({}) > 0").format(each("{n}"))
    parts = {"n": each("{n}"), "seen": each("{n}_seen"), "counted": counted}
    rows = WITH_STATE.format(counts=counts_query(bucket, piece), **parts)
    if not has_gaps:
        return rows
    return WITH_GAPS.format(rows=rows, segment=sql.Literal(piece.segment_id), nothing=each("null"))


def csv_query(export: ExportRequest, piece: Piece, *, has_gaps: bool) -> sql.Composed:
    """Return the query whose rows are the lines of a CSV file."""
    length = LENGTHS.get(export.bucket, DAY_LENGTH)
    uptime = sql.SQL("c.observed_s::float8 / {}").format(length)
    corrected = (sql.SQL("c.{}").format(sql.Identifier(name)) for name in COUNT_COLUMNS)
    fields = [
        sql.SQL("c.segment_id"), sql.SQL("%(street)s"), LOCAL, STAMP, sql.Literal(export.bucket.value), sql.SQL("c.observed_s"),
        number(uptime, export.decimal), sql.SQL("c.sensors"), sql.SQL("c.flags"),
        *(number(column, export.decimal) for column in corrected), each("c.{n}_seen"), sql.SQL("coalesce(c.licence, %(licence)s)"), SOURCE,
        sql.SQL("c.state"),
    ]  # fmt: skip
    counts = rows_query(export.bucket, piece, has_gaps=has_gaps)
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
    storage: StorageState
    whole: bool  # only whole hours are for whoever asks


def as_text(name: str) -> str:
    """Return a street's name so that a spreadsheet reads it as text: one may be called =HYPERLINK(...)."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
