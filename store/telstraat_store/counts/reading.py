"""The reading rule, in SQL: raw integers and observed seconds in, corrected counts out.

A quarter of one sensor is `n * 900 / seconds`, its epochs added; where their seconds are more than a quarter has, two devices
use one name, and `seconds` is all of theirs. An hour is `4 / k` times the sum of its k quarters with
data; a local day is the sum of its hours, longer periods are sums of days. Several sensors at one street are averaged,
each weighted by the time it observed. Nothing is invented for hours without data and nothing is rounded.

Hours and days come from the rollups; only where reports wait to be added up, their open tail, quarters are added up here, which
says the same and takes twice as long. Two shorter ways stay beside, with what they save (decision 025): streets with a single
sensor need no averaging, and one such street no join.

The public reads whole hours (decision 021), whatever is asked: here, and in the view `settled.rollup_hour`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import tuple_row

from telstraat_contract.quarters import QUARTER_S
from telstraat_contract.road_users import CLASSES, COUNT_COLUMNS, SPEED_BINS
from telstraat_store.connection import Connections
from telstraat_store.counts.direct_read import directly_read_span, read_directly, read_speeds_directly
from telstraat_store.counts.dirty_ranges import WindowPart, window_parts
from telstraat_store.counts.imported import add_imported
from telstraat_store.counts.period import Period
from telstraat_store.counts.single_sensor import StorageState, each, single_sensor_query, storage_state_of
from telstraat_store.counts.windows import Bucket, Window
from telstraat_store.errors import BadValueError

QUARTERS_ADDED_UP = 10_000
"""Where reports wait to be added up: so many quarters, three months of a street, are read at once instead of in two parts."""


class Key(StrEnum):
    """What the numbers of a question name: streets, sensors at a place for a time, or sensors."""

    SEGMENT = "segment_id"
    INSTALLATION = "installation_id"
    SENSOR = "sensor_id"


PLACED = sql.SQL("""
    from installation i
    join segment s using (segment_id)
    join public.report r on r.sensor_id = i.sensor_id
     and r.period_start >= i.from_at and r.period_start < coalesce(i.until_at, 'infinity')
""")
WHOLE_HOURS = sql.SQL("""
    from installation i
    join segment s using (segment_id)
    join (
        select r.*, date_trunc('hour', r.period_start, 'UTC') as hour_start,
               is_whole_hour((count(*) filter (where r.observed_s > 0) over same)::int, (sum(r.observed_s) over same)::int,
                             min(r.epoch_no) over same = max(r.epoch_no) over same) as is_whole
        from public.report r
        where r.sensor_id in (select sensor_id from installation i where {key} = any(%(ids)s))
          and r.period_start >= %(start)s and r.period_start < %(end)s + interval '1 hour'
        window same as (partition by r.sensor_id, date_trunc('hour', r.period_start, 'UTC'))
    ) r on r.sensor_id = i.sensor_id and r.hour_start >= i.from_at
     and r.hour_start + interval '1 hour' <= coalesce(i.until_at, 'infinity')
    where {key} = any(%(ids)s) and r.is_whole and r.hour_start >= %(start)s and r.hour_start < %(end)s
""")
"""Reports as far as they are public: of hours that one stream has watched whole. A day gets the hours that begin in it."""
WITHIN = sql.SQL(" where {key} = any(%(ids)s) and r.period_start >= %(start)s and r.period_start < %(end)s ")

SENSOR_QUARTER = sql.SQL("""
sensor_quarter as (
    select i.segment_id, i.installation_id, s.timezone, r.period_start, least(900, sum(r.observed_s))::int as observed_s,
           parts_share(sum(r.observed_s)) as share, parts_flags(bit_or(r.flags), sum(r.observed_s), count(*)) as flags, {raw}
    {placed}
    group by i.segment_id, i.installation_id, s.timezone, r.period_start
)""")

SENSOR_HOUR = sql.SQL("""
sensor_hour as (
    select segment_id, installation_id, timezone, {start} as period_start,
           count(*)::int as quarters, sum(observed_s)::int as observed_s, bit_or(flags) as flags, {raw}, {corrected}
    from sensor_quarter where observed_s > 0 group by 1, 2, 3, 4
)""")
UTC_HOUR = sql.SQL("date_trunc('hour', period_start, 'UTC')")
HOUR_OF_DAY = sql.SQL("date_bin('1 hour', period_start, date_trunc('day', period_start, timezone))")
"""Hours that pass since local midnight: a day of 23.5 or 24.5 hours has a last hour of two quarters."""
OF_UTC: LiteralString = "4::float8"
OF_DAY: LiteralString = """least(4, extract(epoch from min(
    (date_trunc('day', period_start at time zone timezone) + interval '1 day') at time zone timezone
    - date_bin('1 hour', period_start, date_trunc('day', period_start, timezone)))) / 900)::float8"""
SCALED_UP: LiteralString = " / count(*) * sum({n}_seen * share * 900::float8 / observed_s) as {n}"

SENSOR_DAY = sql.SQL("""
sensor_day as (
    select segment_id, installation_id, date_trunc('day', period_start, timezone) as period_start,
           sum(quarters)::int as quarters, sum(observed_s)::int as observed_s, bit_or(flags) as flags, {raw}, {corrected}
    from sensor_hour group by 1, 2, 3
)""").format(raw=each("saturated(sum({n}_seen)) as {n}_seen"), corrected=each("sum({n}) as {n}"))

STREET = sql.SQL("""
street as (
    select segment_id, period_start, max(quarters) as quarters, max(observed_s) as observed_s,
           sum(observed_s)::int as sensor_s, count(*)::int as sensors, bit_or(flags) as flags, {raw}, {corrected}
    from {source} group by 1, 2
)""")

LONGER = sql.SQL("""
longer as (
    select t.segment_id, date_trunc(%(bucket)s, t.period_start, s.timezone) as period_start,
           sum(t.quarters)::int as quarters, sum(t.observed_s)::int as observed_s, sum(t.sensor_s)::int as sensor_s,
           max(t.sensors) as sensors, bit_or(t.flags) as flags, {raw}, {corrected}
    from street t join segment s using (segment_id) group by 1, 2
)""").format(raw=each("saturated(sum(t.{n}_seen)) as {n}_seen"), corrected=each("sum(t.{n}) as {n}"))

ANSWER = sql.SQL("""
select segment_id, period_start, quarters, observed_s, sensor_s, sensors, flags, {corrected}, {raw}{more}
from ({source}) as answer order by segment_id, period_start limit %(limit)s""")

QUARTERS = sql.SQL("""
with sensor_quarter as (
    select i.segment_id, i.installation_id, r.period_start, least(900, sum(r.observed_s))::int as observed_s,
           parts_share(sum(r.observed_s)) as share, parts_flags(bit_or(r.flags), sum(r.observed_s), count(*)) as flags, max(r.received_at) as received_at,
           coalesce(max(r.light::text) filter (where r.light <> 'u'), 'u') as light, {rated}, {raw}
    {placed}
    group by i.segment_id, i.installation_id, r.period_start
)
select segment_id, period_start, (max(observed_s) > 0)::int as quarters, max(observed_s) as observed_s,
       sum(observed_s)::int as sensor_s, count(*)::int as sensors, bit_or(flags) as flags, {corrected}, {seen},
       {confidence}, max(received_at) as received_at, max(light) as light
from sensor_quarter group by 1, 2""")
QUARTER_COLUMNS = {
    "rated": each(
        "sum(r.{n}_conf * (r.{n}_lft + r.{n}_rgt)) as {n}_rated,"
        " sum(case when r.{n}_conf is not null then r.{n}_lft + r.{n}_rgt end) as {n}_rated_n",
        CLASSES,
    ),
    "raw": each("saturated(sum(r.{n})) as {n}_seen"),
    "corrected": each("sum({n}_seen * share) * 900::float8 / nullif(sum(observed_s), 0) as {n}"),
    "seen": each("saturated(sum({n}_seen) filter (where observed_s > 0)) as {n}_seen"),
    "confidence": each("(sum({n}_rated) / nullif(sum({n}_rated_n), 0))::float8 as {n}_conf", CLASSES),
}

ROLLED_UP = sql.SQL("""
{name} as (
    select i.segment_id, installation_id, s.timezone, u.{start} as period_start, u.quarters::int as quarters,
           u.observed_s::int as observed_s, u.flags, {raw}, {corrected}
    from {table} u join installation i using (installation_id) join segment s using (segment_id)
    where {key} = any(%(ids)s) and u.{start} >= %(start)s and u.{start} < %(end)s
)""")


def placed(key: Key, *, whole: bool) -> sql.Composed:
    """Return where reports are read from, for one kind of question: all of them, or those of `whole` hours."""
    name = sql.Identifier("i", key.value)
    return WHOLE_HOURS.format(key=name) if whole else PLACED + WITHIN.format(key=name)


@lru_cache
def query_for(bucket: Bucket, key: Key, *, rolled_up: bool, single_sensor: bool, whole: bool) -> bytes:
    """Return the query whose rows `period_of` reads, as the database gets it: putting it together takes longer than asking."""
    more: sql.Composable = sql.SQL("")
    if bucket is Bucket.QUARTER:
        more = sql.SQL(", ") + each("{n}_conf", CLASSES) + sql.SQL(", received_at, light")
    source = street_query(bucket, key, rolled_up=rolled_up, single_sensor=single_sensor, whole=whole)
    return ANSWER.format(source=source, corrected=each("{n}"), raw=each("{n}_seen"), more=more).as_bytes()


def street_query(bucket: Bucket, key: Key, *, rolled_up: bool, single_sensor: bool, whole: bool) -> sql.Composed:
    """Return the query that reads periods of a length: of streets, corrected (`car_lft`) and raw (`car_lft_seen`).

    For the public all are added up from `whole` hours, each corrected by its own seconds.
    """
    is_hour, is_quarter = bucket is Bucket.HOUR, bucket is Bucket.QUARTER
    may_be_plain = single_sensor and (is_quarter or rolled_up) and (is_hour or not whole)
    if may_be_plain and (query := single_sensor_query(bucket)) is not None:
        return query
    if is_quarter:
        return QUARTERS.format(placed=placed(key, whole=whole), **QUARTER_COLUMNS)
    steps = summed_up(key, is_hour=is_hour, whole=whole) if rolled_up else added_up(key, is_hour=is_hour, whole=whole)
    if whole and not is_hour:
        steps.append(SENSOR_DAY)
    steps.append(
        STREET.format(
            source=sql.SQL("sensor_hour" if is_hour else "sensor_day"),
            raw=each("saturated(sum({n}_seen)) as {n}_seen"),
            corrected=each("sum({n} * observed_s) / sum(observed_s) as {n}"),
        )
    )
    last = sql.SQL(" select * from street")
    if bucket not in {Bucket.HOUR, Bucket.DAY}:
        steps.append(LONGER)
        last = sql.SQL(" select * from longer")
    return sql.SQL("with ") + sql.SQL(", ").join(steps) + last


def summed_up(key: Key, *, is_hour: bool, whole: bool) -> list[sql.Composable]:
    """Return the steps that read hours or days of each installation from the rollups; of `whole` hours always hours."""
    from_hours = is_hour or whole
    names = ("sensor_hour", "hour_start", "rollup_hour") if from_hours else ("sensor_day", "day_start", "rollup_day")
    name, start, table = (sql.SQL(text) for text in names)
    key_name = sql.Identifier("i", key.value)
    columns = {"raw": each("u.{n}_seen"), "corrected": each("u.{n}")}
    return [ROLLED_UP.format(name=name, start=start, table=table, key=key_name, **columns)]


def added_up(key: Key, *, is_hour: bool, whole: bool) -> list[sql.Composable]:
    """Return the steps that add hours or days of each installation up from its quarters; of `whole` hours always hours."""
    of_utc = is_hour or whole
    corrected = each(OF_UTC + SCALED_UP if of_utc else OF_DAY + SCALED_UP)
    if whole:
        corrected = each("sum({n}_seen) * 3600::float8 / sum(observed_s) as {n}")
    raw = each("saturated(sum({n}_seen)) as {n}_seen")
    quarters = SENSOR_QUARTER.format(raw=each("saturated(sum(r.{n})) as {n}_seen"), placed=placed(key, whole=whole))
    hours = SENSOR_HOUR.format(start=UTC_HOUR if of_utc else HOUR_OF_DAY, raw=raw, corrected=corrected)
    return [quarters, hours] if of_utc else [quarters, hours, SENSOR_DAY]


def period_of(row: tuple[Any, ...]) -> Period:
    """Return the period that a row of an answer describes."""
    segment_id, start, quarters, observed_s, sensor_s, sensors, flags, *numbers = row
    corrected, raw = tuple(numbers[: len(COUNT_COLUMNS)]), tuple(numbers[len(COUNT_COLUMNS) : 2 * len(COUNT_COLUMNS)])
    *confidence, received_at, light = numbers[2 * len(COUNT_COLUMNS) :] or (None, None)
    return Period(
        segment_id, start, quarters, observed_s, sensor_s, sensors, flags,
        corrected=None if corrected[0] is None else corrected,
        raw=raw if observed_s else None,
        confidence=tuple(confidence) or None,
        received_at=received_at,
        light=light,
    )  # fmt: skip


async def read_periods(
    connections: Connections,
    ids: Sequence[int],
    window: Window,
    bucket: Bucket,
    rows_max: int,
    key: Key = Key.SEGMENT,
    storage: StorageState | None = None,
) -> list[Period]:
    """Return the periods within the window, by street and time; whoever knows the `storage` already says so.

    Periods without data are absent; of quarters, those in which the sensor was there but blind are told.
    """
    if storage is None and key is Key.SEGMENT:
        storage = await storage_state_of(connections, ids, window)
    rows = await read_rows(connections, ids, window, bucket, rows_max, key, storage)
    periods = [period_of(row) for row in rows]
    if storage is not None and storage.has_imported:
        periods = await add_imported(connections, periods, ids, window, bucket, rows_max + 1)
    if len(periods) > rows_max:
        raise BadValueError(f"this is more than {rows_max} rows; ask for a shorter period or for longer buckets")
    return periods


async def read_rows(
    connections: Connections,
    ids: Sequence[int],
    window: Window,
    bucket: Bucket,
    rows_max: int,
    key: Key,
    storage: StorageState | None,
) -> list[tuple[Any, ...]]:
    """Return what `period_of` reads, without imported counts; one row more than `rows_max` when there are more."""
    span = directly_read_span(connections, storage, bucket, window)
    if span is not None:
        return await read_directly(connections, span, bucket, rows_max + 1)
    single_sensor = storage is not None and storage.is_single_sensor
    parts = [
        WindowPart(list(ids), window, are_many(ids, window) or are_rolled_up(connections, storage, window, bucket))
    ]
    if parts[0].rolled_up and bucket is not Bucket.QUARTER and (storage is None or not storage.is_rolled_up):
        parts = await window_parts(connections, ids, window, bucket, key.value)
    rows: list[tuple[Any, ...]] = []
    for part in parts:
        rows += await read_part(connections, part, bucket, rows_max, key, single_sensor=single_sensor)
    return rows if len(parts) == 1 else sorted(rows, key=lambda row: row[:2])


async def read_part(
    connections: Connections, part: WindowPart, bucket: Bucket, rows_max: int, key: Key, *, single_sensor: bool
) -> list[tuple[Any, ...]]:
    """Return the rows of a part of a window."""
    span = {"start": part.window.start, "end": part.window.end}
    values = {"ids": part.ids, **span, "bucket": bucket.value, "limit": rows_max + 1}
    query = query_for(bucket, key, rolled_up=part.rolled_up, single_sensor=single_sensor, whole=connections.is_public)
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


def are_many(ids: Sequence[int], window: Window) -> bool:
    """Tell whether so many quarters are asked about that they are not added up on the spot."""
    return window.length_s // QUARTER_S * len(ids) > QUARTERS_ADDED_UP


@lru_cache
def totals_query(*, rolled_up: bool, single_sensor: bool, whole: bool) -> bytes:
    """Return the query of `read_totals`."""
    source = street_query(Bucket.HOUR, Key.SEGMENT, rolled_up=rolled_up, single_sensor=single_sensor, whole=whole)
    query = sql.SQL("select segment_id, sum(observed_s)::int, {sums} from ({source}) as answer group by segment_id")
    return query.format(sums=each("sum({n})::float8"), source=source).as_bytes()


def are_rolled_up(connections: Connections, storage: StorageState | None, window: Window, bucket: Bucket) -> bool:
    """Tell whether the rollups hold the periods: hours and days of which no report waits to be added up, and no part of an hour."""
    if storage is None or not storage.is_rolled_up or bucket is Bucket.QUARTER:
        return False
    is_rolled_up_hour = storage.is_single_sensor and bucket is Bucket.HOUR
    return connections.is_public or is_rolled_up_hour or has_whole_hours_of_utc(window)


def has_whole_hours_of_utc(window: Window) -> bool:
    """Tell whether a window begins and ends with an hour of UTC."""
    return window.start.minute == window.end.minute == 0


def may_be_rolled_up(
    connections: Connections, ids: Sequence[int], window: Window, storage: StorageState | None
) -> bool:
    """Tell whether hours are read from the rollups, and not added up on the spot."""
    if storage is None or not storage.is_rolled_up:
        return False
    return are_many(ids, window) or are_rolled_up(connections, storage, window, Bucket.HOUR)


async def read_totals(
    connections: Connections, ids: Sequence[int], window: Window, storage: StorageState
) -> dict[int, tuple[int, tuple[float, ...]]]:
    """Return the seconds observed and the corrected counts of the window's hours, as `COUNT_COLUMNS`, of each street; none imported."""
    rolled_up = may_be_rolled_up(connections, ids, window, storage)
    query = totals_query(rolled_up=rolled_up, single_sensor=storage.is_single_sensor, whole=connections.is_public)
    values = {"ids": list(ids), "start": window.start, "end": window.end}
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        return {segment_id: (seconds, tuple(sums)) for segment_id, seconds, *sums in await cursor.fetchall()}


WATCHED = sql.SQL("""
select i.segment_id, r.period_start, least(900, sum(r.observed_s))::int, bit_or(r.flags), max(r.received_at) {placed}
group by i.segment_id, i.installation_id, r.period_start order by 1, 2""")


async def read_watched(connections: Connections, ids: Sequence[int], window: Window) -> list[Period]:
    """Return the quarters that were watched, without any count: for everybody, also of hours whose counts are withheld."""
    query = WATCHED.format(placed=placed(Key.SEGMENT, whole=False))
    values = {"ids": list(ids), "start": window.start, "end": window.end}
    best: dict[tuple[int, datetime], Period] = {}
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        for segment_id, start, seconds, flags, received_at in await cursor.fetchall():
            quarter = Period(
                segment_id, start, int(seconds > 0), seconds, seconds, 1, flags, None, None, received_at=received_at
            )
            known = best.get((segment_id, start))
            if known is None or known.observed_s < seconds:
                best[segment_id, start] = quarter
    return list(best.values())


async def read_blind_hours(
    connections: Connections, ids: Sequence[int], window: Window, key: Key = Key.SEGMENT
) -> list[tuple[int, datetime]]:
    """Return the hours, by street, in which sensors were there but saw nothing at all."""
    query = (
        sql.SQL("select i.segment_id, date_trunc('hour', r.period_start, 'UTC')")
        + placed(key, whole=False)
        + sql.SQL("group by 1, 2 having max(r.observed_s) = 0 order by 1, 2")
    )
    values = {"ids": list(ids), "start": window.start, "end": window.end}
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        return [(segment_id, start) for segment_id, start in await cursor.fetchall()]


SPEEDS = sql.SQL("""
select segment_id, start, bin::int, saturated(sum(n)) from (
    select i.segment_id, {start} as start, r.car_speed {placed}
) as quarter
cross join lateral unnest(car_speed) with ordinality as speed(n, bin)
where n > 0 group by 1, 2, 3""")
SPEED_STARTS = {
    Bucket.QUARTER: sql.SQL("r.period_start"),
    Bucket.HOUR: sql.SQL("date_trunc('hour', r.period_start, 'UTC')"),
}
LOCAL_START = sql.SQL("date_trunc(%(bucket)s, r.period_start, s.timezone)")
WHOLE_START = sql.SQL("date_trunc(%(bucket)s, r.hour_start, s.timezone)")
SPEED_HOURS = sql.SQL("""
select i.segment_id, u.hour_start, u.car_speed from rollup_hour u join installation i using (installation_id)
where {key} = any(%(ids)s) and u.hour_start >= %(start)s and u.hour_start < %(end)s and u.car_speed is not null""")

Speeds = dict[tuple[int, Any], list[int]]


@lru_cache
def speeds_query(bucket: Bucket, key: Key, *, whole: bool) -> bytes:
    """Return the query of `read_speeds`."""
    start = SPEED_STARTS.get(bucket, WHOLE_START if whole else LOCAL_START)
    return SPEEDS.format(start=start, placed=placed(key, whole=whole)).as_bytes()


async def read_speeds(
    connections: Connections,
    ids: Sequence[int],
    window: Window,
    bucket: Bucket,
    key: Key = Key.SEGMENT,
    storage: StorageState | None = None,
) -> Speeds:
    """Return the cars seen per 5 km/h, raw, by street and start of period; absent where no speed was measured."""
    span = directly_read_span(connections, storage, bucket, window) if bucket is Bucket.HOUR else None
    if span is not None:
        return await read_speeds_directly(connections, span)
    if storage is None and key is Key.SEGMENT and are_many(ids, window):
        storage = await storage_state_of(connections, ids, window)
    if bucket is Bucket.HOUR and may_be_rolled_up(connections, ids, window, storage):
        return await read_added_speeds(connections, ids, window, key)
    query = speeds_query(bucket, key, whole=connections.is_public)
    values = {"ids": list(ids), "start": window.start, "end": window.end, "bucket": bucket.value}
    speeds: Speeds = {}
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        for segment_id, start, speed_bin, cars in await cursor.fetchall():
            speeds.setdefault((segment_id, start), [0] * SPEED_BINS)[speed_bin - 1] = cars
    return speeds


async def read_added_speeds(connections: Connections, ids: Sequence[int], window: Window, key: Key) -> Speeds:
    """Return the cars seen per 5 km/h in each hour, from the rollups."""
    query = SPEED_HOURS.format(key=sql.Identifier("i", key.value))
    values = {"ids": list(ids), "start": window.start, "end": window.end}
    speeds: Speeds = {}
    async with connections.connection() as connection, connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(query, values)
        for segment_id, start, cars in await cursor.fetchall():
            known = speeds.get((segment_id, start))
            speeds[segment_id, start] = cars if known is None else [a + b for a, b in zip(known, cars, strict=True)]
    return {key_of_hour: cars for key_of_hour, cars in speeds.items() if any(cars)}
