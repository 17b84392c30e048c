"""The usual street: one sensor that has never lost its storage. Nothing is added up, so its rows are read as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg import sql

from telstraat_contract.road_users import CLASSES, COUNT_COLUMNS
from telstraat_store.connection import Connections, Row
from telstraat_store.counts.windows import Bucket, Window, zone

MARKS_MAX = 1000
"""With more marks than these the sums lag far behind: reading the marks would take longer than adding up."""


@dataclass(frozen=True)
class SensorSpan:
    """The one sensor of one street, with one stream, in the part of a window that may be read."""

    segment_id: int
    timezone: str
    installation_id: int
    sensor_id: int
    epoch_no: int
    from_at: datetime  # since when it stands there
    window: Window


@dataclass(frozen=True)
class StorageState:
    """How the counts of some streets are stored."""

    is_single_sensor: bool  # each street had one sensor, with one stream, throughout
    is_rolled_up: bool  # no report waits to be added up to hours and days
    has_imported: bool
    span: SensorSpan | None = None  # of one street with a single sensor


MARKS = """
    (select count(*) <= %(marks)s from (select from rollup_dirty limit %(marks)s + 1) as mark)
    and not exists (
        select from rollup_dirty d join installation i using (sensor_id)
        where i.segment_id = any(%(ids)s) and d.from_at < %(end)s and d.until_at > %(start)s
    ) as is_rolled_up,
    exists (select from imported where segment_id = any(%(ids)s)) as has_imported
"""
# MARKS is a constant of this module.
MANY = f"""
select
    (select coalesce(max(streams), 0) <= 1 from (
        select count(*) as streams from installation i join stream using (sensor_id)
        where i.segment_id = any(%(ids)s) and i.from_at < %(end)s and coalesce(i.until_at, 'infinity') > %(start)s
        group by i.segment_id
    ) as street) as is_single_sensor,
    {MARKS}"""  # noqa: S608
ONE = f"""
select s.timezone, i.installation_id, i.sensor_id, t.epoch_no, i.from_at, i.until_at,
    {MARKS}
from segment s
left join (installation i join stream t using (sensor_id)) on i.segment_id = s.segment_id
    and i.from_at < %(end)s and coalesce(i.until_at, 'infinity') > %(start)s
where s.segment_id = any(%(ids)s) limit 2
"""  # noqa: S608


async def storage_state_of(connections: Connections, segments: Sequence[int], window: Window) -> StorageState:
    """Return how the counts of streets are stored for a window; marks and reports are written together (decision 011)."""
    values = {"ids": list(segments), "start": window.start, "end": window.end, "marks": MARKS_MAX}
    if len(segments) != 1:
        [row] = await connections.rows(MANY, values)
        return StorageState(**row)
    rows = await connections.rows(ONE, values)
    if not rows:
        return StorageState(is_single_sensor=True, is_rolled_up=True, has_imported=False)
    row = rows[0]
    span = sensor_span_of(segments[0], row, window) if len(rows) == 1 and row["installation_id"] is not None else None
    return StorageState(len(rows) == 1, row["is_rolled_up"], row["has_imported"], span)


def sensor_span_of(segment_id: int, row: Row, window: Window) -> SensorSpan:
    """Return where the counts of a street with one sensor lie, and until when it stood there."""
    until_at: datetime = min(window.end, row["until_at"] or window.end)
    readable = Window(window.start, max(window.start, until_at))
    known = {name: row[name] for name in ("timezone", "installation_id", "sensor_id", "epoch_no", "from_at")}
    return SensorSpan(segment_id, window=readable, **known)


def has_whole_hours(timezone: str, at: datetime) -> bool:
    """Tell whether local days begin with an hour of UTC, so that a day is made of these."""
    offset = at.astimezone(zone(timezone)).utcoffset() or timedelta(0)
    return offset % timedelta(hours=1) == timedelta(0)


def each(template: LiteralString, names: Sequence[LiteralString] = COUNT_COLUMNS) -> sql.Composed:
    """Return the template once for every column."""
    return sql.SQL(",\n").join(sql.SQL(template).format(n=sql.SQL(name)) for name in names)


QUARTERS = sql.SQL("""
select i.segment_id, r.period_start, (r.observed_s > 0)::int as quarters, r.observed_s::int as observed_s,
       r.observed_s::int as sensor_s, 1 as sensors, r.flags, {corrected}, {raw}, {confidence}, r.received_at,
       r.light::text as light
from installation i
join public.report r on r.sensor_id = i.sensor_id
 and r.period_start >= i.from_at and r.period_start < coalesce(i.until_at, 'infinity')
where i.segment_id = any(%(ids)s) and r.period_start >= %(start)s and r.period_start < %(end)s""").format(
    corrected=each("r.{n} * 900::float8 / nullif(r.observed_s, 0) as {n}"),
    raw=each("case when r.observed_s > 0 then r.{n}::int end as {n}_seen"),
    confidence=each("case when r.{n}_lft + r.{n}_rgt > 0 then r.{n}_conf::float8 end as {n}_conf", CLASSES),
)
HOURS_OR_DAYS = sql.SQL("""
select i.segment_id, u.{start} as period_start, u.quarters::int as quarters, u.observed_s::int as observed_s,
       u.observed_s::int as sensor_s, 1 as sensors, u.flags, {corrected}, {raw}
from {table} u join installation i using (installation_id)
where i.segment_id = any(%(ids)s) and u.{start} >= %(start)s and u.{start} < %(end)s""")


def single_sensor_query(bucket: Bucket) -> sql.Composed | None:
    """Return the query of streets with one sensor; None for buckets that are added up anyway."""
    if bucket is Bucket.QUARTER:
        return QUARTERS
    if bucket not in {Bucket.HOUR, Bucket.DAY}:
        return None
    names = ("hour_start", "rollup_hour") if bucket is Bucket.HOUR else ("day_start", "rollup_day")
    start, table = (sql.SQL(name) for name in names)
    return HOURS_OR_DAYS.format(start=start, table=table, corrected=each("u.{n}"), raw=each("u.{n}_seen"))
