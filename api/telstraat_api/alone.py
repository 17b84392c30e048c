"""The usual street: one sensor that has never lost its storage. Nothing is added up, so its rows are read as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from psycopg import sql

from telstraat_api.counts import COLUMNS, RATED
from telstraat_api.database import Database
from telstraat_api.periods import Bucket, Window

ALONE = """
select coalesce(max(streams), 0) <= 1 as alone from (
    select count(*) as streams from installation i join stream using (sensor_id)
    where i.segment_id = any(%(ids)s) and i.from_at < %(end)s and coalesce(i.until_at, 'infinity') > %(start)s
    group by i.segment_id
) as street
"""


def each(template: LiteralString, names: Sequence[LiteralString] = COLUMNS) -> sql.Composed:
    """Return the template once for every column."""
    return sql.SQL(",\n").join(sql.SQL(template).format(n=sql.SQL(name)) for name in names)


QUARTERS = sql.SQL("""
select i.segment_id, r.period_start, (r.observed_s > 0)::int as quarters, r.observed_s::int as observed_s,
       r.observed_s::int as sensor_s, 1 as sensors, r.flags, {corrected}, {raw}, {confidence}, r.received_at,
       r.light::text as light
from installation i
join report r on r.sensor_id = i.sensor_id
 and r.period_start >= i.from_at and r.period_start < coalesce(i.until_at, 'infinity')
where i.segment_id = any(%(ids)s) and r.period_start >= %(start)s and r.period_start < %(end)s""").format(
    corrected=each("r.{n} * 900::float8 / nullif(r.observed_s, 0) as {n}"),
    raw=each("r.{n}::int as {n}_seen"),
    confidence=each("case when r.{n}_lft + r.{n}_rgt > 0 then r.{n}_conf::float8 end as {n}_conf", RATED),
)
ROLLED_UP = sql.SQL("""
select i.segment_id, u.{start} as period_start, u.quarters::int as quarters, u.observed_s::int as observed_s,
       u.observed_s::int as sensor_s, 1 as sensors, u.flags, {corrected}, {raw}
from {table} u join installation i using (installation_id)
where i.segment_id = any(%(ids)s) and u.{start} >= %(start)s and u.{start} < %(end)s""")


def alone_query(bucket: Bucket) -> sql.Composed | None:
    """Return the query of streets with one sensor; None for buckets that are added up anyway."""
    if bucket is Bucket.QUARTER:
        return QUARTERS
    if bucket not in {Bucket.HOUR, Bucket.DAY}:
        return None
    names = ("hour_start", "rollup_hour") if bucket is Bucket.HOUR else ("day_start", "rollup_day")
    start, table = (sql.SQL(name) for name in names)
    return ROLLED_UP.format(start=start, table=table, corrected=each("u.{n}"), raw=each("u.{n}_seen"))


async def are_alone(database: Database, segments: Sequence[int], window: Window) -> bool:
    """Tell whether each of the streets had one sensor, with one stream, throughout the window."""
    row = await database.row(ALONE, {"ids": list(segments), "start": window.start, "end": window.end})
    return row is not None and bool(row["alone"])
