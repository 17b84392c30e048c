"""What a street is like by the hour of its week: totals of the hours of some weeks, cars by speed, and how long each day was watched.

All is made of whole hours, as everybody may read them (decision 021), so that it is the same for all; how long was watched is public.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_contract.speeds import added_bins
from telstraat_store.connection import Connections
from telstraat_store.counts.windows import Window

UPTIME_MIN = 0.5
"""Hours that were watched for less say little about what is usual."""

HOURS = sql.SQL("""
select extract(isodow from at)::int - 1, extract(hour from at)::int, array_agg(total order by at desc)
from (
    select h.period_start at time zone s.timezone as at, {total} as total
    from settled.segment_hour h join segment s using (segment_id)
    where h.segment_id = %(segment)s and h.period_start >= %(start)s and h.period_start < %(end)s and h.uptime >= %(uptime)s
) as hour
where total is not null and (%(days)s::date[] is null or at::date = any(%(days)s)) group by 1, 2""")
SPEEDS = """
select extract(hour from u.hour_start at time zone s.timezone)::int, sum_bins(u.car_speed)::float8[]
from settled.rollup_hour u join installation i using (installation_id) join segment s using (segment_id)
where i.segment_id = %(segment)s and u.hour_start >= %(start)s and u.hour_start < %(end)s and u.car_speed is not null
group by 1
union all
select extract(hour from m.hour_start at time zone s.timezone)::int, sum_shares(m.car_speed)::float8[]
from settled.imported_hour m join segment s using (segment_id)
where m.segment_id = %(segment)s and m.hour_start >= %(start)s and m.hour_start < %(end)s and m.car_speed is not null
group by 1"""
WATCHED = """
select (hour_start at time zone %(timezone)s)::date, sum(seconds)::float8 from (
    select hour_start, max(seconds) as seconds from (
        select u.hour_start, least(u.observed_s, 3600)::float8 as seconds
        from public.rollup_hour u join installation i using (installation_id)
        where i.segment_id = %(segment)s and u.hour_start >= %(start)s and u.hour_start < %(end)s
        union all
        select m.hour_start, least(m.uptime, 1) * 3600 from public.imported_hour m
        where m.segment_id = %(segment)s and m.hour_start >= %(start)s and m.hour_start < %(end)s
    ) as sensor group by 1
) as hour group by 1"""

HoursOfWeek = dict[tuple[int, int], list[float]]
"""By weekday (0 is Monday) and local hour: the totals of such hours, the latest first."""


async def _rows(connections: Connections, query: Any, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


async def read_hours_of_week(
    connections: Connections,
    segment_id: int,
    window: Window,
    columns: Sequence[str],
    days: Sequence[date] | None = None,
) -> HoursOfWeek:
    """Return the totals of some columns of counts by weekday and local hour.

    Parameters
    ----------
    connections
        Of either kind.
    segment_id, window
        Which street, from when until when.
    columns
        Of `COUNT_COLUMNS`; those that were not counted add nothing.
    days
        Local days that count; None for all.
    """
    names = sql.SQL(", ").join(sql.Identifier("h", column) for column in columns)
    total = sql.SQL("(select sum(n) from unnest(array[{}]) as n)").format(names)
    values = {
        "segment": segment_id,
        "start": window.start,
        "end": window.end,
        "uptime": UPTIME_MIN,
        "days": None if days is None else list(days),
    }
    rows = await _rows(connections, HOURS.format(total=total), values)
    return {(weekday, hour): totals for weekday, hour, totals in rows}


async def read_speeds_of_day(connections: Connections, segment_id: int, window: Window) -> dict[int, list[float]]:
    """Return the cars per bin of speed in each local hour of the day, over a window; absent where none was timed."""
    rows = await _rows(connections, SPEEDS, {"segment": segment_id, "start": window.start, "end": window.end})
    bins: dict[int, list[list[float]]] = {}
    for hour, cars in rows:
        if cars and any(cars):
            bins.setdefault(hour, []).append(cars)
    return {hour: added_bins(histograms) for hour, histograms in bins.items()}


async def read_watched_days(
    connections: Connections, segment_id: int, timezone: str, window: Window
) -> dict[date, float]:
    """Return for how many seconds each local day of a window was watched by any sensor, as far as hours are added up."""
    values = {"segment": segment_id, "timezone": timezone, "start": window.start, "end": window.end}
    rows = await _rows(connections, WATCHED, values)
    return dict(rows)
