"""Counts of others that a city brought along: shown where the street has no counts of its own, with their source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import LiteralString

from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_api.counts import COLUMNS, Period
from telstraat_api.database import Database
from telstraat_api.periods import Bucket, Window

SUMS = sql.SQL(", ").join(sql.SQL("sum(coalesce({n}, 0)) as {n}").format(n=sql.SQL(name)) for name in COLUMNS)
READ = sql.SQL("""
select m.segment_id, {period} as period_start, sum({quarters})::int as quarters, sum({observed})::int as observed_s,
       max(m.source_id) as source_id, {sums}
from {table} m join segment s using (segment_id)
where m.segment_id = any(%(ids)s) and m.{start} >= %(start)s and m.{start} < %(end)s and {wanted} m.uptime > 0
group by 1, 2""")


@lru_cache
def imported_query(bucket: Bucket) -> sql.Composed:
    """Return the query that reads imported periods of that length."""
    table: LiteralString = "imported_day"
    start: LiteralString = "day_start"
    period: LiteralString = "date_trunc(%(bucket)s, m.day_start, s.timezone)"
    quarters: LiteralString = "m.hours * 4"
    observed: LiteralString = (
        "m.uptime * extract(epoch from (m.day + 1)::timestamp at time zone s.timezone - m.day_start)"
    )
    wanted: LiteralString = ""
    if bucket is Bucket.QUARTER:
        table, start, period, quarters, observed = "imported", "period_start", "m.period_start", "1", "m.uptime * 900"
        wanted = "m.period_s = 900 and"
    elif bucket is Bucket.HOUR:
        table, start, period, quarters = "imported_hour", "hour_start", "m.hour_start", "m.quarters"
        observed = "m.uptime * 3600"
    texts = {"table": table, "start": start, "period": period, "quarters": quarters, "observed": observed}
    parts = {name: sql.SQL(text) for name, text in texts.items()}
    return READ.format(sums=SUMS, wanted=sql.SQL(wanted), **parts)


async def add_imported(
    database: Database,
    own: list[Period],
    segments: Sequence[int],
    window: Window,
    bucket: Bucket,
    limit: int,
) -> list[Period]:
    """Return the periods with imported ones where the street has none of its own, by street and time."""
    values = {
        "ids": list(segments),
        "start": window.start,
        "end": window.end,
        "bucket": bucket.value,
        "limit": limit,
    }
    known = {(period.segment_id, period.start) for period in own if period.observed_s}
    async with database.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(imported_query(bucket) + sql.SQL(" order by 1, 2 limit %(limit)s"), values)
        found = [
            Period(segment_id, start, quarters, observed_s, observed_s, 0, 0, tuple(counts), None, source_id=source_id)
            for segment_id, start, quarters, observed_s, source_id, *counts in await cursor.fetchall()
            if (segment_id, start) not in known
        ]
    taken = {(period.segment_id, period.start) for period in found}
    kept = [period for period in own if (period.segment_id, period.start) not in taken]
    return sorted([*kept, *found], key=lambda period: (period.segment_id, period.start))
