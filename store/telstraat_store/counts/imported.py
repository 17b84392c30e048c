"""Counts of others that a city brought along: shown where the street has no counts of its own, with their source.

A class that was not counted is null in the tables and `None` here. An hour in which nobody watched has `observed_s` 0 and no counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_contract.quarters import QUARTER
from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.connection import Connections
from telstraat_store.counts.period import Period
from telstraat_store.counts.windows import Bucket, Window

SUMS = sql.SQL(", ").join(sql.SQL("sum(m.{n}) as {n}").format(n=sql.SQL(name)) for name in COUNT_COLUMNS)
READ = sql.SQL("""
select m.segment_id, {period} as period_start, sum({quarters})::int as quarters, sum({observed})::int as observed_s,
       max(m.source_id) as source_id, {sums}, {v85} as v85_kmh, sum_shares(m.car_speed) as car_speed
from {table} m join segment s using (segment_id)
where m.segment_id = any(%(ids)s) and m.{start} >= %(start)s and m.{start} < %(end)s {condition}
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
    condition: LiteralString = ""
    v85: LiteralString = "null::float8"
    if bucket is Bucket.QUARTER:
        table, start, period, observed = "imported_part", "period_start", "m.period_start", "m.uptime * 900"
        quarters, condition, v85 = "(m.uptime > 0)::int", "and m.period_s = 900", "max(m.v85_kmh)"
    elif bucket is Bucket.HOUR:
        table, start, period, quarters = "imported_hour", "hour_start", "m.hour_start", "m.quarters"
        observed, v85 = "m.uptime * 3600", "max(m.v85_kmh)"
    texts = {"table": table, "start": start, "period": period, "quarters": quarters, "observed": observed, "v85": v85}
    parts = {name: sql.SQL(text) for name, text in texts.items()}
    return READ.format(sums=SUMS, condition=sql.SQL(condition), **parts)


async def add_imported(
    connections: Connections,
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
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(imported_query(bucket) + sql.SQL(" order by 1, 2 limit %(limit)s"), values)
        imported = [period_of(row) for row in await cursor.fetchall()]
    imported = [period for period in imported if not is_known(period, bucket, known)]
    taken = {(period.segment_id, period.start) for period in imported if period.observed_s}
    blind = {(period.segment_id, period.start) for period in own}
    imported = [period for period in imported if period.observed_s or (period.segment_id, period.start) not in blind]
    others = [period for period in own if (period.segment_id, period.start) not in taken]
    return sorted([*others, *imported], key=lambda period: (period.segment_id, period.start))


def period_of(row: Sequence[Any]) -> Period:
    """Return the period that a row of `imported_query` describes; without counts when nobody watched."""
    segment_id, start, quarters, observed_s, source_id, *counts, v85, cars = row
    return Period(
        segment_id, start, quarters, observed_s, observed_s, 0, 0,
        tuple(counts) if observed_s else None, None,
        source_id=source_id, v85_kmh=v85, car_speed=cars,
    )  # fmt: skip


def is_known(period: Period, bucket: Bucket, known: set[tuple[int, datetime]]) -> bool:
    """Tell whether the street has counts of its own then; given hours of others may begin at half past."""
    steps = (0,) if bucket is not Bucket.HOUR or period.start.minute == 0 else range(-3, 4)
    return any((period.segment_id, period.start + step * QUARTER) in known for step in steps)
