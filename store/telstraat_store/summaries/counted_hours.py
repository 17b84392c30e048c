"""The hours that summaries are made of: whole hours of streets, in their local time, as the public may read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from telstraat_contract.road_users import SPEED_BINS, TOGETHER, columns_of
from telstraat_contract.speeds import added_bins
from telstraat_store.counts.windows import local_midnight, zone

WEEKS = 8
USUAL_WEEKS = 12
"""So far back days are taken from: eight weeks of term, when four lie in the holidays."""
YEAR = timedelta(days=364)
"""A year of whole weeks: the same weekday."""
UPTIME_MIN = 0.5
"""Imported hours that were watched for less are no base for a usual day; a sensor's whole hours have 0.8."""

HourCounts = tuple[float | None, ...]
"""By class as in `TOGETHER`; None where a class was not counted."""


@dataclass
class StreetHours:
    """A street's hours of the last weeks and of the same weeks of last year."""

    segment_id: int
    timezone: str
    limit_kmh: int | None
    through_day: date
    hours: dict[date, dict[int, HourCounts]] = field(default_factory=dict)
    speeds: Sequence[float] = (0,) * SPEED_BINS
    counted_by: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())  # now, and a year ago
    left_out: frozenset[date] = frozenset()
    first_day: date | None = None
    last_day: date | None = None
    observed_s: float = 0  # of the last 28 days


def _ways(kind: str) -> sql.Composed:
    lft, rgt = (sql.Identifier("h", name) for name in columns_of(kind))
    return sql.SQL("case when {a} is null then {b} else {a} + coalesce({b}, 0) end").format(a=lft, b=rgt)


def _weighted(kind: str) -> sql.Composed:
    """Return the mean of a street's sensors, each by the time it watched; as `settled.segment_hour` has it."""
    lft, rgt = (sql.Identifier("u", name) for name in columns_of(kind))
    return sql.SQL("sum(({a} + {b}) * u.observed_s) / sum(u.observed_s)").format(a=lft, b=rgt)


# `offset 0`: each street's hours are read by the index, whatever the planner believes of views; it would add up everybody's hours.
SPANS = sql.SQL("""
from unnest(%(ids)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) as t (segment_id, start, until)
join segment s using (segment_id)
""")
LOCAL = sql.SQL("""
select {number}, ({at} at time zone s.timezone)::date as day, extract(hour from {at} at time zone s.timezone)::int as hour, {classes}
""")
OWN = (
    LOCAL.format(
        number=sql.SQL("t.segment_id"),
        at=sql.SQL("u.hour_start"),
        classes=sql.SQL(", ").join(_weighted(kind) for kind in TOGETHER),
    )
    + SPANS
    + sql.SQL("""
join installation i using (segment_id)
cross join lateral (
    select * from settled.rollup_hour r
    where r.installation_id = i.installation_id and r.hour_start >= t.start and r.hour_start < t.until offset 0
) u
group by t.segment_id, s.timezone, u.hour_start
""")
)
IMPORTED = (
    LOCAL.format(
        number=sql.SQL("t.segment_id"),
        at=sql.SQL("h.hour_start"),
        classes=sql.SQL(", ").join(_ways(kind) for kind in TOGETHER),
    )
    + SPANS
    + sql.SQL("""
cross join lateral (
    select * from settled.imported_hour m
    where m.segment_id = t.segment_id and m.hour_start >= t.start and m.hour_start < t.until and m.uptime >= %(uptime)s offset 0
) h
""")
)
SPEEDS = (
    sql.SQL("select t.segment_id, array[{sums}]::float8[] as bins").format(
        sums=sql.SQL(", ").join(sql.SQL(f"sum(u.car_speed[{place}])") for place in range(1, SPEED_BINS + 1))
    )
    + SPANS
    + sql.SQL("""
join installation i using (segment_id)
cross join lateral (
    select car_speed from settled.rollup_hour r
    where r.installation_id = i.installation_id and r.hour_start >= t.start and r.hour_start < t.until offset 0
) u
where u.car_speed is not null group by t.segment_id
""")
)
IMPORTED_SPEEDS = (
    sql.SQL("select t.segment_id, sum_shares(h.car_speed) as bins")
    + SPANS
    + sql.SQL("""
cross join lateral (
    select car_speed from settled.imported_hour m
    where m.segment_id = t.segment_id and m.hour_start >= t.start and m.hour_start < t.until offset 0
) h
where h.car_speed is not null group by t.segment_id
""")
)
# How long was watched is public, also of hours whose counts are withheld.
KNOWN = """
select t.segment_id, s.timezone,
    least(own.first, brought.first) as first_at, greatest(own.last, brought.last) as last_at,
    coalesce(seen.observed_s, 0) + coalesce(brought.observed_s, 0) as observed_s,
    own.now_by || brought.now_by as now_by, own.then_by || brought.then_by as then_by, marked.spans
from unnest(%(ids)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) as t (segment_id, start, until)
join segment s using (segment_id)
left join lateral (
    select min(u.first) as first, max(u.last) as last,
        coalesce(array_agg('sensor ' || i.installation_id) filter (where u.last >= t.start and u.first < t.until), '{}') as now_by,
        coalesce(array_agg('sensor ' || i.installation_id)
            filter (where u.first < t.until - interval '364 days' and u.last >= t.start - interval '364 days'), '{}') as then_by
    from installation i cross join lateral (
        select min(r.hour_start) as first, max(r.hour_start) as last
        from rollup_hour r where r.installation_id = i.installation_id and r.hour_start < t.until
    ) u
    where i.segment_id = t.segment_id
) own on true
left join lateral (
    select sum(watched_s) as observed_s from (
        select max(r.observed_s) as watched_s from installation i cross join lateral (
            select * from rollup_hour r where r.installation_id = i.installation_id
                and r.hour_start >= t.until - interval '28 days' and r.hour_start < t.until offset 0
        ) r
        where i.segment_id = t.segment_id group by r.hour_start
    ) as watched
) seen on true
left join lateral (
    select min(m.hour_start) as first, max(m.hour_start) as last,
        sum(least(m.uptime, 1) * 3600) filter (where m.hour_start >= t.until - interval '28 days') as observed_s,
        case when bool_or(m.hour_start >= t.start) then array['source'] else '{}' end as now_by,
        case when bool_or(m.hour_start >= t.start - interval '364 days' and m.hour_start < t.until - interval '364 days')
            then array['source'] else '{}' end as then_by
    from imported_hour m where m.segment_id = t.segment_id and m.uptime > 0 and m.hour_start < t.until
) brought on true
left join lateral (
    select array_agg(array[e.from_at, e.until_at]) as spans from street_event e
    where e.segment_id = t.segment_id and e.excludes and e.published and e.until_at > t.start - interval '364 days'
) marked on true
"""


def read_street_hours(connection: Connection[Any], streets: Sequence[Mapping[str, Any]]) -> list[StreetHours]:
    """Return what the summaries of streets are made of.

    Parameters
    ----------
    connection
        With all rights; counts are read from the public's views all the same.
    streets
        Rows of `segment_id`, `timezone`, `speed_limit_kmh` and `through_day`, the last local day that is over.
    """
    by_number = {
        row["segment_id"]: StreetHours(row["segment_id"], row["timezone"], row["speed_limit_kmh"], row["through_day"])
        for row in streets
    }
    for back in (timedelta(0), YEAR):
        values = _spans(by_number, USUAL_WEEKS, back)
        for query in (OWN, IMPORTED):  # where both counted, the street's own sensor is believed
            hours: dict[tuple[int, date, int], HourCounts] = {}
            for segment_id, day, hour, *counts in connection.execute(query, values):
                # The hour that comes twice when summer time ends is added up.
                before = hours.get((segment_id, day, hour))
                hours[segment_id, day, hour] = tuple(counts) if before is None else _added(before, counts)
            for (segment_id, day, hour), counts_of_hour in hours.items():
                by_number[segment_id].hours.setdefault(day, {}).setdefault(hour, counts_of_hour)
    for query in (SPEEDS, IMPORTED_SPEEDS):
        for segment_id, bins in connection.execute(query, _spans(by_number, WEEKS)):
            street = by_number[segment_id]
            street.speeds = added_bins([street.speeds, bins]) if any(street.speeds) else bins
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(KNOWN, _spans(by_number, WEEKS)):
            _note(by_number[row["segment_id"]], row)
    return list(by_number.values())


def _note(street: StreetHours, row: Mapping[str, Any]) -> None:
    tz = zone(street.timezone)
    street.first_day = row["first_at"] and row["first_at"].astimezone(tz).date()
    street.last_day = row["last_at"] and row["last_at"].astimezone(tz).date()
    street.observed_s = row["observed_s"]
    street.counted_by = frozenset(row["now_by"] or ()), frozenset(row["then_by"] or ())
    days: set[date] = set()
    for from_at, until_at in row["spans"] or ():
        day, last = from_at.astimezone(tz).date(), (until_at - timedelta(microseconds=1)).astimezone(tz).date()
        while day <= min(last, street.through_day):
            days.add(day)
            day += timedelta(days=1)
    street.left_out = frozenset(days)


def _spans(streets: Mapping[int, StreetHours], weeks: int, back: timedelta = timedelta(0)) -> dict[str, Any]:
    """Return the streets with the first moment and the end of their last weeks."""
    ends: list[datetime] = []
    starts: list[datetime] = []
    for street in streets.values():
        until = street.through_day + timedelta(days=1) - back
        ends.append(local_midnight(until, zone(street.timezone)))
        starts.append(local_midnight(until - timedelta(weeks=weeks), zone(street.timezone)))
    return {"ids": list(streets), "starts": starts, "ends": ends, "uptime": UPTIME_MIN}


def _added(first: HourCounts, second: Sequence[float | None]) -> HourCounts:
    return tuple(None if a is None and b is None else (a or 0) + (b or 0) for a, b in zip(first, second, strict=True))
