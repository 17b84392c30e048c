"""The reading rule: raw integers and observed seconds in, corrected counts out.

A quarter is `n * 900 / seconds`, epochs and sensors of a street pooled; an hour is `4 / k` times the sum of its k
quarters with data; longer periods are sums of hours. Nothing is invented for hours without data, nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_api.database import Database
from telstraat_api.errors import QueryError
from telstraat_api.periods import Bucket, Window

CLASSES = ("pedestrian", "bike", "car", "heavy", "night")
KINDS = ("pedestrian", "bike", "motorcycle", "car", "heavy", "night")
"""The classes, and motorcycles as an "of which" of bikes."""

DIRECTIONS = ("lft", "rgt")
COLUMNS: tuple[LiteralString, ...] = tuple(
    kind + "_" + direction  # in the order of the table
    for kind in KINDS
    for direction in DIRECTIONS
)
RATED: tuple[LiteralString, ...] = ("pedestrian", "bike", "car", "heavy")
"""The classes that reports carry a mean confidence for."""


@dataclass(frozen=True, slots=True)
class Period:
    """What is known of one period of one street."""

    segment_id: int
    start: datetime
    quarters: int  # with a report
    observed_s: int  # of the street, by at least one sensor
    sensor_s: int  # of all its sensors together
    sensors: int
    flags: int
    received_at: datetime
    confidence: tuple[float | None, ...]  # as RATED, in percent
    raw: tuple[int, ...]  # as COLUMNS
    corrected: tuple[float, ...] | None  # as COLUMNS; None when nothing was observed


def _each(template: LiteralString, names: Sequence[LiteralString] = COLUMNS) -> sql.Composed:
    return sql.SQL(",\n").join(sql.SQL(template).format(name=sql.SQL(name)) for name in names)


def _of_rated(template: LiteralString) -> sql.Composed:
    return _each(template, RATED)


PLACED = sql.SQL("""
    from installation i
    join segment s using (segment_id)
    join report r on r.sensor_id = i.sensor_id
     and r.period_start > i.from_at - interval '15 minutes'
     and (i.until_at is null or r.period_start <= i.until_at - interval '15 minutes')
""")
"""Reports at their street: a quarter belongs to the installation that held at its end."""

WITHIN = sql.SQL("i.segment_id = any(%(segments)s) and r.period_start >= %(start)s and r.period_start < %(end)s")

QUARTER = sql.SQL("""
with sensor_quarter as (
    select i.segment_id, r.sensor_id, r.period_start,
           least(900, sum(r.observed_s))::int as observed_s, bit_or(r.flags) as flags, max(r.received_at) as received_at,
           {rated}, {rated_n}, {raw}
    {placed} where {within}
    group by i.segment_id, r.sensor_id, r.period_start
), quarter as (
    select segment_id, period_start, 1 as quarters, max(observed_s) as observed_s, sum(observed_s)::int as sensor_s,
           count(*)::int as sensors, bit_or(flags) as flags, max(received_at) as received_at,
           {pooled_rated}, {pooled}, {corrected}
    from sensor_quarter group by segment_id, period_start
)""").format(
    rated=_of_rated("sum(r.{name}_conf * (r.{name}_lft + r.{name}_rgt)) as {name}_rated"),
    rated_n=_of_rated(
        "sum(case when r.{name}_conf is not null then r.{name}_lft + r.{name}_rgt end) as {name}_rated_n"
    ),
    raw=_each("sum(r.{name})::int as {name}"),
    placed=PLACED,
    within=WITHIN,
    pooled_rated=_of_rated("sum({name}_rated) as {name}_rated, sum({name}_rated_n) as {name}_rated_n"),
    pooled=_each("sum({name})::int as {name}"),
    corrected=_each("sum({name}) * 900.0::float8 / nullif(sum(observed_s), 0) as {name}_corrected"),
)

GROUPED = sql.SQL("""
    select q.segment_id, {start} as period_start, sum(quarters)::int as quarters,
           sum(observed_s)::int as observed_s, sum(sensor_s)::int as sensor_s,
           max(sensors) as sensors, bit_or(flags) as flags, max(received_at) as received_at,
           {rated}, {raw}, {corrected}
    from {source} q join segment s using (segment_id) group by 1, 2""")

HOUR = GROUPED.format(
    start=sql.SQL("date_trunc('hour', period_start, s.timezone)"),
    rated=_of_rated("sum({name}_rated) as {name}_rated, sum({name}_rated_n) as {name}_rated_n"),
    raw=_each("sum({name})::int as {name}"),
    corrected=_each(
        "4.0::float8 / nullif(count(*) filter (where sensor_s > 0), 0) * sum({name}_corrected) as {name}_corrected"
    ),
    source=sql.SQL("quarter"),
)
LONGER = GROUPED.format(
    start=sql.SQL("date_trunc(%(bucket)s, period_start, s.timezone)"),
    rated=_of_rated("sum({name}_rated) as {name}_rated, sum({name}_rated_n) as {name}_rated_n"),
    raw=_each("sum({name})::int as {name}"),
    corrected=_each("sum({name}_corrected) as {name}_corrected"),
    source=sql.SQL("hour"),
)
ANSWER = sql.SQL("""
select segment_id, period_start, quarters, observed_s, sensor_s, sensors, flags, received_at,
       {confidence}, {raw}, {corrected}
from {source} order by segment_id, period_start limit %(limit)s""")


def query_for(bucket: Bucket) -> sql.Composed:
    """Return the query that reads periods of that length."""
    steps = sql.Composed([QUARTER])
    source: LiteralString = "quarter"
    if bucket is not Bucket.QUARTER:
        steps += sql.SQL(", hour as ({})").format(HOUR)
        source = "hour"
    if bucket not in {Bucket.QUARTER, Bucket.HOUR}:
        steps += sql.SQL(", longer as ({})").format(LONGER)
        source = "longer"
    return steps + ANSWER.format(
        confidence=_of_rated("({name}_rated / nullif({name}_rated_n, 0))::float8"),
        raw=_each("{name}"),
        corrected=_each("{name}_corrected"),
        source=sql.SQL(source),
    )


def period_of(row: tuple[Any, ...]) -> Period:
    """Return the period that a row of the answer describes."""
    segment_id, start, quarters, observed_s, sensor_s, sensors, flags, received_at, *numbers = row
    raw = len(RATED) + len(COLUMNS)
    corrected = numbers[raw:]
    return Period(
        segment_id, start, quarters, observed_s, sensor_s, sensors, flags, received_at,
        confidence=tuple(numbers[: len(RATED)]),
        raw=tuple(numbers[len(RATED) : raw]),
        corrected=None if corrected[0] is None else tuple(corrected),
    )  # fmt: skip


async def read_periods(
    database: Database, segments: Sequence[int], window: Window, bucket: Bucket, rows_max: int
) -> list[Period]:
    """Return the periods of the streets within the window, oldest first; periods without any report are absent."""
    values = {
        "segments": list(segments),
        "start": window.start,
        "end": window.end,
        "bucket": bucket.value,
        "limit": rows_max + 1,
    }
    async with database.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query_for(bucket), values)
        rows = await cursor.fetchall()
    if len(rows) > rows_max:
        raise QueryError(f"this is more than {rows_max} rows; ask for a shorter period or for longer buckets")
    return [period_of(row) for row in rows]


SPEEDS = sql.SQL("""
select i.segment_id, {start} as start, speed.bin::int, sum(speed.n)::int
{placed}
cross join lateral unnest(r.car_speed) with ordinality as speed(n, bin)
where {within} and speed.n > 0
group by 1, 2, 3""")
OF_QUARTER = SPEEDS.format(start=sql.SQL("r.period_start"), placed=PLACED, within=WITHIN)
OF_BUCKET = SPEEDS.format(
    start=sql.SQL("date_trunc(%(bucket)s, r.period_start, s.timezone)"), placed=PLACED, within=WITHIN
)

Speeds = dict[tuple[int, datetime], list[int]]
SPEED_BINS = 25
SPEED_BIN_KMH = 5


async def read_speeds(database: Database, segments: Sequence[int], window: Window, bucket: Bucket) -> Speeds:
    """Return the cars seen per speed bin of 5 km/h, raw, per street and period; absent where no speed was measured."""
    query = OF_QUARTER if bucket is Bucket.QUARTER else OF_BUCKET
    values = {"segments": list(segments), "start": window.start, "end": window.end, "bucket": bucket.value}
    found: Speeds = {}
    async with database.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        for segment_id, start, speed_bin, cars in await cursor.fetchall():
            found.setdefault((segment_id, start), [0] * SPEED_BINS)[speed_bin - 1] = cars
    return found


def v85_kmh(bins: Sequence[float]) -> float | None:
    """Return the speed that 85 % of the cars stay below, on a grid of 0.5 km/h; None without cars.

    The cumulative curve at 0, 5, ... 125 km/h is interpolated linearly (the open bin counts as 120-125); the answer is
    the grid point whose cumulative share is nearest to 85 %, the lowest one on a plateau.
    """
    total = sum(bins)
    if total <= 0:
        return None
    best, best_distance = 0.0, float("inf")
    below = 0.0
    steps = SPEED_BIN_KMH * 2
    for index, cars in enumerate(bins):
        for step in range(steps + 1):
            distance = abs((below + cars * step / steps) / total - 0.85)
            if distance < best_distance - 1e-12:
                best, best_distance = index * SPEED_BIN_KMH + step / 2, distance
        below += cars
    return best
