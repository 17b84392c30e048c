"""How long counts are kept, and how small: retention by whole months or chunks, compression where TimescaleDB has it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import Connection
from psycopg.errors import LockNotAvailable

from telstraat_store.reports.statements import LENGTH

_LOCK = 0x7E15_0003
_HAS_TIMESCALE = "select exists (select from pg_extension where extname = 'timescaledb')"
_CAN_COMPRESS = (
    "select exists (select from pg_extension where extname = 'timescaledb')"
    " and current_setting('timescaledb.license', true) = 'timescale'"
)
_PARTITIONS = """
select c.relname, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'report'::regclass order by 2
"""
_HELD_TIMESCALE = "select hypertable_size('report'), approximate_row_count('report')"
_HELD_PARTITIONS = """
select coalesce(sum(pg_total_relation_size(inhrelid)), 0), coalesce(sum(greatest(reltuples, 0)), 0)
from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = 'report'::regclass
"""
COUNTED_MAX = 1_000_000
_LOCK_WAIT = "set local lock_timeout = '3s'"
_CHUNK_DAYS = """
select extract(day from d.time_interval)::integer, (select count(*) from sensor where retired_at is null)
from timescaledb_information.dimensions d where d.hypertable_name = 'report'
"""
FEW_SENSORS = 1000
CHUNK_DAYS_OF_FEW, CHUNK_DAYS_OF_MANY = 28, 7
"""A chunk costs some 200 kB whatever it holds, and late reports for it wait while it is compressed: docs/decisions/015."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Size:
    """How much the database holds."""

    bytes: int
    reports_bytes: int
    reports: int
    segments: int
    sensors: int
    first_at: datetime | None
    last_at: datetime | None
    quarantined: int
    missing: int


def size(connection: Connection) -> Size:
    """Measure the database; the number of reports is an estimate where counting would take long."""
    row = connection.execute(
        f"""
        select pg_database_size(current_database()), (select count(*) from segment), (select count(*) from sensor),
            (select min(r.period_start) from stream s cross join lateral (
                select period_start from report where sensor_id = s.sensor_id and epoch_no = s.epoch_no
                order by period_start limit 1) r),
            (select max(r.period_start) from stream s cross join lateral (
                select period_start from report where sensor_id = s.sensor_id and epoch_no = s.epoch_no
                order by period_start desc limit 1) r),
            (select count(*) from quarantine),
            (select coalesce(sum({LENGTH}), 0)::bigint from stream, unnest(missing) r)
        """  # noqa: S608  (a constant)
    ).fetchone()
    assert row is not None
    held = connection.execute(_HELD_TIMESCALE if _says(connection, _HAS_TIMESCALE) else _HELD_PARTITIONS).fetchone()
    assert held is not None
    reports_bytes, reports = int(held[0]), int(held[1])
    if reports < COUNTED_MAX:
        counted = connection.execute("select count(*) from report").fetchone()
        assert counted is not None
        reports = counted[0]
    return Size(row[0], reports_bytes, reports, *row[1:])


def drop_old(connection: Connection, keep_days: int, now: datetime | None = None) -> list[str]:
    """Drop months (or chunks) of reports that are wholly older than `keep_days`, and return their names.

    Hours and days stay. What they were added up from is noted first, so that no late mark empties them.
    """
    limit = (now or datetime.now(UTC)) - timedelta(days=keep_days)
    if _says(connection, _HAS_TIMESCALE):
        with connection.transaction():
            connection.execute(
                "update retention set reports_from = greatest(reports_from, (select max(range_end) from"
                " timescaledb_information.chunks where hypertable_name = 'report' and range_end <= %s))",
                (limit,),
            )
            return [
                row[0] for row in connection.execute("select drop_chunks('report', older_than => %s)::text", (limit,))
            ]
    dropped = []
    for name, until in connection.execute(_PARTITIONS).fetchall():
        if until > limit:
            continue
        try:
            with connection.transaction():
                connection.execute(_LOCK_WAIT)
                connection.execute("update retention set reports_from = greatest(reports_from, %s)", (until,))
                connection.execute(f'drop table "{name}"')  # the name comes from the catalogue
        except LockNotAvailable:
            logger.info("retention: %s is in use, tried again later", name, extra={"event": "retention_waits"})
            continue
        dropped.append(name)
    return dropped


def drop_old_quarantine(connection: Connection, keep_days: int) -> int:
    """Drop quarantined messages that came for the last time more than `keep_days` ago."""
    return connection.execute(
        "delete from quarantine where last_at < now() - %s * interval '1 day'", (keep_days,)
    ).rowcount


def compress_old(connection: Connection, after_days: int, now: datetime | None = None) -> list[str]:
    """Compress chunks older than `after_days`, also again those that got late rows; nothing to do without TimescaleDB."""
    if not _says(connection, _CAN_COMPRESS):
        return []
    limit = (now or datetime.now(UTC)) - timedelta(days=after_days)
    waiting = connection.execute(
        "select format('%%I.%%I', c.schema_name, c.table_name) from _timescaledb_catalog.chunk c"
        " join show_chunks('report', older_than => %s) s on s = format('%%I.%%I', c.schema_name, c.table_name)::regclass"
        " where c.status & 1 = 0 or c.status & 8 <> 0 order by 1",  # 1: compressed, 8: got rows since
        (limit,),
    ).fetchall()
    for (chunk,) in waiting:
        connection.execute("select compress_chunk(%s::regclass, if_not_compressed => true)", (chunk,))
    return [chunk for (chunk,) in waiting]


def fit_chunks(connection: Connection) -> int | None:
    """Make new chunks as long as suits the number of sensors, and return the days when that has changed."""
    if not _says(connection, _HAS_TIMESCALE):
        return None
    row = connection.execute(_CHUNK_DAYS).fetchone()
    assert row is not None
    days = CHUNK_DAYS_OF_FEW if row[1] <= FEW_SENSORS else CHUNK_DAYS_OF_MANY
    if days == row[0]:
        return None
    connection.execute("select set_chunk_time_interval('report', %s * interval '1 day')", (days,))
    return days


def foreign_policies(connection: Connection) -> list[str]:
    """Return the policies of TimescaleDB on reports that somebody has added: they know nothing of what must be noted first."""
    if not _says(connection, _HAS_TIMESCALE):
        return []
    rows = connection.execute(
        "select proc_name from timescaledb_information.jobs where hypertable_name = 'report' and scheduled order by 1"
    )
    return [row[0] for row in rows]


def partitions_until(connection: Connection) -> datetime | None:
    """Return when the last partition made ends; nothing on a hypertable, which makes its own."""
    rows = connection.execute(_PARTITIONS).fetchall()
    return rows[-1][1] if rows and not _says(connection, _HAS_TIMESCALE) else None


def is_first(connection: Connection) -> bool:
    """Take the upkeep's lock for this session, if no other ingester has it."""
    return _says(connection, f"select pg_try_advisory_lock({_LOCK})")


def _says(connection: Connection, question: str) -> bool:
    row = connection.execute(question.encode()).fetchone()
    return bool(row and row[0])
