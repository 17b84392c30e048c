"""The usual question about the usual street, without a join: the rows of one sensor, by their key.

The public reads only hours this way: `rollup_hour` is the view of whole ones then (decision 021).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from functools import lru_cache
from typing import Any

from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_contract.road_users import CLASSES
from telstraat_store.connection import Connections
from telstraat_store.counts.single_sensor import SensorSpan, StorageState, each, has_whole_hours
from telstraat_store.counts.windows import Bucket, Window, zone

QUARTERS = sql.SQL("""
select %(segment)s::bigint, r.period_start, (r.observed_s > 0)::int, r.observed_s::int, r.observed_s::int, 1, r.flags,
       {corrected}, {raw}, {confidence}, r.received_at, r.light::text
from public.report r
where r.sensor_id = %(sensor)s and r.epoch_no = %(epoch)s and r.period_start >= %(start)s and r.period_start < %(end)s
order by r.period_start limit %(limit)s""").format(
    corrected=each("r.{n} * 900::float8 / nullif(r.observed_s, 0)"),
    raw=each("case when r.observed_s > 0 then r.{n}::int end"),
    confidence=each("case when r.{n}_lft + r.{n}_rgt > 0 then r.{n}_conf::float8 end", CLASSES),
)
ADDED_UP = sql.SQL("""
select %(segment)s::bigint, u.{start}, u.quarters::int, u.observed_s::int, u.observed_s::int, 1, u.flags, {corrected}, {raw}
from {table} u
where u.installation_id = %(installation)s and {within} order by u.{start} limit %(limit)s""")
WITHIN_HOURS = sql.SQL("u.hour_start >= %(start)s and u.hour_start < %(end)s")
WITHIN_DAYS = sql.SQL(
    "u.day >= %(first)s::date and u.day <= %(last)s::date and u.day_start >= %(start)s and u.day_start < %(end)s"
)
SPEEDS = """
select u.hour_start, u.car_speed from rollup_hour u
where u.installation_id = %(installation)s and u.hour_start >= %(start)s and u.hour_start < %(end)s
  and u.car_speed is not null"""


def directly_read_span(
    connections: Connections, storage: StorageState | None, bucket: Bucket, window: Window
) -> SensorSpan | None:
    """Return the span whose rows are the answer as they are; None when something must be added up."""
    if storage is None or storage.span is None:
        return None
    span = storage.span
    readable = replace(span, window=Window(window.start, max(window.start, min(window.end, span.window.end))))
    if connections.is_public and bucket is not Bucket.HOUR:
        return None
    if bucket is Bucket.QUARTER:
        return readable
    is_whole = bucket is Bucket.HOUR or (bucket is Bucket.DAY and has_whole_hours(span.timezone, window.end))
    return readable if storage.is_rolled_up and is_whole else None


@lru_cache
def direct_query(bucket: Bucket) -> bytes:
    """Return the query of a span, as the database gets it."""
    if bucket is Bucket.QUARTER:
        return QUARTERS.as_bytes()
    names = ("hour_start", "rollup_hour") if bucket is Bucket.HOUR else ("day_start", "rollup_day")
    start, table = (sql.SQL(name) for name in names)
    within = WITHIN_HOURS if bucket is Bucket.HOUR else WITHIN_DAYS
    columns = {"corrected": each("u.{n}"), "raw": each("u.{n}_seen")}
    return ADDED_UP.format(start=start, table=table, within=within, **columns).as_bytes()


async def read_directly(
    connections: Connections, span: SensorSpan, bucket: Bucket, limit: int
) -> list[tuple[Any, ...]]:
    """Return the rows of a span, as `period_of` reads them."""
    window = span.window
    if window.start >= window.end:
        return []
    tz = zone(span.timezone) if bucket is Bucket.DAY else UTC
    values = {
        "segment": span.segment_id,
        "installation": span.installation_id,
        "sensor": span.sensor_id,
        "epoch": span.epoch_no,
        "start": max(window.start, span.from_at) if bucket is Bucket.QUARTER else window.start,
        "end": window.end,
        "first": window.start.astimezone(tz).date(),
        "last": window.end.astimezone(tz).date(),
        "limit": limit,
    }
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(direct_query(bucket), values)
        return await cursor.fetchall()


async def read_speeds_directly(connections: Connections, span: SensorSpan) -> dict[tuple[int, Any], list[int]]:
    """Return the cars seen per 5 km/h in each hour of a span."""
    values = {"installation": span.installation_id, "start": span.window.start, "end": span.window.end}
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(SPEEDS, values)
        return {(span.segment_id, start): cars for start, cars in await cursor.fetchall() if any(cars)}
