"""Adds hours and days up again where reports have changed, whatever the order in which they came.

Each batch leaves marks (`rollup_dirty`) in its own transaction; a refresh takes them away and adds up what they cover in
one transaction of its own. One refresh runs at a time: an older one can never write over a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection, Cursor

from telstraat_contract.road_users import COUNT_COLUMNS, SPEED_BINS

_LOCK = 0x7E15_0002


class DirtyRange(NamedTuple):
    """A range of one sensor's time in which something has changed."""

    sensor_id: int
    from_at: datetime
    until_at: datetime


def _each(template: str) -> str:
    return ", ".join(template.format(n=name) for name in COUNT_COLUMNS)


def _bins(column: str) -> str:
    """Return the sums of 25 bins: one by one is ten times quicker than adding whole arrays up."""
    sums = ", ".join(f"saturated(sum({column}[{at}]))" for at in range(1, SPEED_BINS + 1))
    return f"case when count({column}) > 0 then array[{sums}] end"


_TAKE = """
delete from rollup_dirty where dirty_id in (select dirty_id from rollup_dirty order by dirty_id limit %s)
returning sensor_id,
    date_trunc('hour', greatest(from_at, '2000-01-01', (select reports_from from retention)), 'UTC'),
    date_trunc('hour', least(until_at, now() + interval '2 days') + interval '59 minutes 59.999999 seconds', 'UTC')
"""

_TOUCHED = """
with touched as materialized (
    select i.installation_id, i.sensor_id, s.timezone, t.from_at, t.until_at,
        i.from_at as stands_from, coalesce(i.until_at, 'infinity') as stands_until
    from unnest(%(sensors)s::int[], %(from_at)s::timestamptz[], %(until_at)s::timestamptz[]) as t (sensor_id, from_at, until_at)
    join installation i using (sensor_id) join segment s using (segment_id)
)
"""

# One row for each quarter with data: two epochs of a quarter are two part observations (migration 0013 has the rule).
_QUARTERS = f"""
    select r.period_start, least(sum(r.observed_s), 900) as observed_s, parts_share(sum(r.observed_s)) as share,
        parts_flags(bit_or(r.flags), sum(r.observed_s), count(*)) as flags,
        min(r.epoch_no) as first_epoch, max(r.epoch_no) as last_epoch, bool_and(r.light = 'n') as is_dark, {_each("sum(r.{n}) as {n}")}, sum_bins(r.car_speed::integer[]) as car_speed
    from report r
    where r.sensor_id = t.sensor_id and r.period_start >= greatest({{low}}, t.stands_from)
        and r.period_start < least({{high}}, t.stands_until)
    group by r.period_start
    having sum(r.observed_s) > 0
"""  # noqa: S608  (constants of this module)


def _sums(quarters: str) -> str:
    """Return the sums of an hour that has so many quarters, of which those with data are known."""
    corrected = _each(
        f"{quarters} / count(*) * sum(q.{{n}} * q.share * 900.0::double precision / q.observed_s) as {{n}}"
    )
    return f"""count(*) as quarters, sum(q.observed_s) as observed_s,
    coalesce(sum(q.observed_s) filter (where q.is_dark), 0) as dark_s, bit_or(q.flags) as flags,
    {_each("saturated(sum(q.{n})::bigint) as {n}_seen")}, {corrected},
    {_bins("q.car_speed")} as car_speed"""


_COLUMNS = f"""quarters, observed_s, dark_s, flags, {_each("{n}_seen")}, {_each("{n}")}, car_speed"""

FORGET_HOURS = (
    _TOUCHED
    + """
delete from rollup_hour r using touched t
where r.installation_id = t.installation_id and r.hour_start >= t.from_at and r.hour_start < t.until_at
"""
)

ADD_HOURS = (
    _TOUCHED
    + f"""
insert into rollup_hour (installation_id, hour_start, one_stream, {_COLUMNS})
select t.installation_id, date_trunc('hour', q.period_start, 'UTC') as hour_start,
    min(q.first_epoch) = max(q.last_epoch) as one_stream, {_sums("4.0::double precision")}
from touched t cross join lateral ({_QUARTERS.format(low="t.from_at", high="t.until_at")}) q
group by t.installation_id, date_trunc('hour', q.period_start, 'UTC')
"""  # noqa: S608  (constants of this module)
)

_DAYS = """
, days as materialized (
    select distinct t.installation_id, t.sensor_id, t.timezone, t.stands_from, t.stands_until, d.day::date as day,
        d.day at time zone t.timezone as day_start, (d.day + interval '1 day') at time zone t.timezone as day_end
    from touched t cross join lateral generate_series(
        date_trunc('day', greatest(t.from_at, t.stands_from) at time zone t.timezone),
        least(t.until_at, t.stands_until) at time zone t.timezone - interval '1 microsecond', interval '1 day'
    ) as d (day)
)
"""

FORGET_DAYS = (
    _TOUCHED
    + """
delete from rollup_day r using touched t
where r.installation_id = t.installation_id and r.day >= (t.from_at at time zone t.timezone)::date
    and r.day <= ((t.until_at - interval '1 microsecond') at time zone t.timezone)::date
"""
)

# The hours that pass since local midnight: a day of 23.5 or 24.5 hours has a last hour of two quarters.
_DAYS_FROM_HOURS = f"""
, hours as (
    select t.installation_id, t.day, t.day_start, {_sums("min(w.quarters)")}
    from days t cross join lateral ({_QUARTERS.format(low="t.day_start", high="t.day_end")}) q
    cross join lateral (select floor(extract(epoch from q.period_start - t.day_start) / 3600) as hour) h
    cross join lateral (
        select least(4, extract(epoch from t.day_end - t.day_start) / 900 - 4 * h.hour)::double precision as quarters
    ) w
    group by t.installation_id, t.day, t.day_start, h.hour
)
insert into rollup_day (installation_id, day, day_start, hours, {_COLUMNS})
select installation_id, day, day_start, count(*), sum(quarters), sum(observed_s), sum(dark_s), bit_or(flags),
    {_each("saturated(sum({n}_seen))")}, {_each("sum({n})")}, {_bins("car_speed")}
from hours group by installation_id, day, day_start
"""  # noqa: S608  (constants of this module)

ADD_DAYS = _TOUCHED + _DAYS + _DAYS_FROM_HOURS


def refresh(connection: Connection, marks_max: int = 2000) -> int:
    """Add up what up to `marks_max` marks cover and return how many were taken; 0 also while another refresh runs."""
    with connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute("select pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            return 0
        marks = [DirtyRange(*row) for row in cursor.execute(_TAKE, (marks_max,))]
        if marks:
            add_up(cursor, merge(marks))
        return len(marks)


def refresh_all(connection: Connection) -> int:
    """Refresh until no mark is left and return how many there were."""
    total = 0
    while taken := refresh(connection):
        total += taken
    return total


def add_up(cursor: Cursor, marks: Iterable[DirtyRange]) -> None:
    """Add up the hours and local days that the marks cover, from the reports that are there now."""
    marks = list(marks)
    covered = {
        "sensors": [mark.sensor_id for mark in marks],
        "from_at": [mark.from_at for mark in marks],
        "until_at": [mark.until_at for mark in marks],
    }
    for statement in (FORGET_HOURS, ADD_HOURS, FORGET_DAYS, ADD_DAYS):
        cursor.execute(statement, covered)


def merge(marks: Iterable[DirtyRange]) -> Iterator[DirtyRange]:
    """Return marks that do not overlap and cover the same; empty ones are left out."""
    of_sensor: dict[int, list[DirtyRange]] = defaultdict(list)
    for mark in marks:
        if mark.from_at < mark.until_at:
            of_sensor[mark.sensor_id].append(mark)
    for ranges in of_sensor.values():
        ranges.sort()
        current = ranges[0]
        for mark in ranges[1:]:
            if mark.from_at <= current.until_at:
                current = current._replace(until_at=max(current.until_at, mark.until_at))
            else:
                yield current
                current = mark
        yield current
