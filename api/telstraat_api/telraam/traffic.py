"""`reports/traffic`: hours (and, advanced, quarters) of a segment, an instance or a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from telstraat_api.errors import BadRequestError
from telstraat_api.http.access import connections_for, refuse_quarters
from telstraat_api.telraam.envelope import described, ok
from telstraat_api.telraam.examples import REPORT, TRAFFIC
from telstraat_api.telraam.request_parsing import DAYS_MAX, read_body, read_ids, read_window, read_word
from telstraat_api.telraam.rows import NOTHING, Interval, chosen, more_columns, row_of
from telstraat_contract.speeds import added_bins
from telstraat_store.connection import Connections, Database
from telstraat_store.counts.period import Period, total
from telstraat_store.counts.reading import Key, read_blind_hours, read_periods, read_speeds
from telstraat_store.counts.single_sensor import storage_state_of
from telstraat_store.counts.windows import Bucket, Window, next_start, start_of, zone
from telstraat_store.places import installations

router = APIRouter(tags=["Telraam-compatible"])
LEVELS = {
    "segments": "segments", "segment": "segments", "instances": "instances", "instance": "instances",
    "devices": "devices", "device": "devices",
}  # fmt: skip
FORMATS = {"per-hour": "per-hour", "hourly": "per-hour", "per-day": "per-day", "daily": "per-day"}
QUARTERS = {"per-quarter": "per-quarter", "quarterly": "per-quarter"}
KEYS = {"segments": Key.SEGMENT, "instances": Key.INSTALLATION, "devices": Key.SENSOR}
ID_COLUMNS = {Key.SEGMENT: "segment_id", Key.INSTALLATION: "instance_id", Key.SENSOR: "device_id"}
BUCKETS = {"per-quarter": Bucket.QUARTER, "per-hour": Bucket.HOUR, "per-day": Bucket.DAY}
LENGTHS = {Bucket.QUARTER: "quarterly", Bucket.HOUR: "hourly", Bucket.DAY: "daily"}
ROWS_MAX = 100_000
HOURS_A_DAY = 24
UTC_ZONE = zone("UTC")
MAC_BASE = 350_000_000_000_000
"""Devices get a serial number of 15 digits, as clients expect: this plus the sensor's number."""


async def timezone_of(database: Database, key: Key, number: int) -> str | None:
    """Return the time zone of what a number names; None when it names nothing."""
    async with database.connection() as connection:
        return await installations.timezone_of(connection, key.value, number)


def complete(window: Window, bucket: Bucket, timezone: str, now: datetime) -> Window:
    """Return the window of rows that start within the one asked for and are over."""
    tz = zone(timezone)
    start = start_of(window.start, bucket, tz)
    if start < window.start:
        start = next_start(start, bucket, tz)
    end = start_of(window.end - timedelta(microseconds=1), bucket, tz)
    end = next_start(end, bucket, tz) if window.end > window.start else start
    return Window(start, max(start, min(end, start_of(now, bucket, tz))))


def interval_of(period: Period, bucket: Bucket, timezone: str, speeds: list[int] | None) -> Interval:
    """Return a period as these reports count: a blind one is a row of zeros, a class that was not counted is null."""
    length_s = (next_start(period.start, bucket, zone(timezone)) - period.start).total_seconds()
    counts = NOTHING if period.corrected is None else period.corrected
    of_others = period.source_id is not None
    cars = period.car_speed if of_others else speeds
    return Interval(period.start, period.observed_s / length_s, counts, cars, period.v85_kmh)


async def read_intervals(
    connections: Connections, key: Key, number: int, window: Window, bucket: Bucket, timezone: str
) -> list[Interval]:
    """Return the intervals of one segment, instance or device, oldest first; absent ones stay absent."""
    if window.start >= window.end:
        return []
    if bucket is Bucket.DAY:
        return days_of(await read_intervals(connections, key, number, window, Bucket.HOUR, timezone))
    storage = await storage_state_of(connections, [number], window) if key is Key.SEGMENT else None
    periods = await read_periods(connections, [number], window, bucket, ROWS_MAX, key, storage)
    speeds = await read_speeds(connections, [number], window, bucket, key, storage)
    intervals = {
        period.start: interval_of(period, bucket, timezone, speeds.get((period.segment_id, period.start)))
        for period in periods
    }
    if bucket is Bucket.HOUR:
        for _, start in await read_blind_hours(connections, [number], window, key):
            intervals.setdefault(start, Interval(start, 0.0, NOTHING, None))
    return without_the_uncounted([intervals[start] for start in sorted(intervals)])


def without_the_uncounted(intervals: list[Interval]) -> list[Interval]:
    """Return intervals in which a class that was counted in none is null in the blind ones, too: clients type their columns by it."""
    counted = [interval.counts for interval in intervals if interval.uptime > 0]
    if not counted:
        return intervals
    is_counted = [any(n is not None for n in column) for column in zip(*counted, strict=True)]
    if all(is_counted):
        return intervals
    return [
        replace(i, counts=tuple(n if known else None for n, known in zip(i.counts, is_counted, strict=True)))
        for i in intervals
    ]


def days_of(hours: Sequence[Interval], tz: ZoneInfo = UTC_ZONE) -> list[Interval]:
    """Return the days that hours add up to: of UTC, as all times of these reports, or of a time zone."""
    by_day: dict[datetime, list[Interval]] = {}
    for hour in hours:
        by_day.setdefault(start_of(hour.start, Bucket.DAY, tz), []).append(hour)
    days = []
    for start, parts in by_day.items():
        watched = [hour.counts for hour in parts if hour.uptime > 0] or [hour.counts for hour in parts]
        counts = tuple(total(column) for column in zip(*watched, strict=True))
        timed = [hour.speeds for hour in parts if hour.speeds]
        speeds = added_bins(timed) if timed else None
        days.append(Interval(start, sum(hour.uptime for hour in parts) / HOURS_A_DAY, counts, speeds))
    return days


def names_of(key: Key, number: int) -> dict[str, int]:
    """Return the identifiers of a row: that of the level asked for, -1 for the others."""
    return {
        "segment_id": number if key is Key.SEGMENT else -1,
        "instance_id": number if key is Key.INSTALLATION else -1,
    }


async def report(
    request: Request, body: dict[str, Any], formats: dict[str, str], days_max: int = DAYS_MAX
) -> list[dict[str, Any]]:
    """Return the rows that a body asks for, of up to so many days."""
    database: Database = request.app.state.database
    key = KEYS[read_word(body, "level", LEVELS, "segments")]
    bucket = BUCKETS[read_word(body, "format", formats, "per-hour")]
    if bucket is Bucket.QUARTER:
        await refuse_quarters(request)
    columns = body.get("columns")
    if columns is not None and not isinstance(columns, str):
        raise BadRequestError("columns is a text with commas")
    window = read_window(body, days_max)
    rows: list[dict[str, Any]] = []
    for number in read_ids(body.get("id")):
        inner = number - MAC_BASE if key is Key.SENSOR and number > MAC_BASE else number
        timezone = await timezone_of(database, key, inner)
        if timezone is None:
            continue
        span = complete(window, bucket, "UTC" if bucket is Bucket.DAY else timezone, datetime.now(UTC))
        for interval in await read_intervals(connections_for(request), key, inner, span, bucket, timezone):
            row = row_of(interval, LENGTHS[bucket], timezone, **names_of(key, number))
            if columns:
                row = chosen(columns, more_columns(interval, row, number if key is Key.SENSOR else -1), ID_COLUMNS[key])
            rows.append(row)
    return rows


@router.post("/v1/reports/traffic", summary="Hourly traffic", openapi_extra=described(REPORT, body=TRAFFIC))
async def traffic(request: Request) -> Response:
    """Return hourly rows, corrected for uptime. A number that is unknown, or a time without data, has no rows."""
    return ok(report=await report(request, await read_body(request), FORMATS))


@router.post(
    "/advanced/reports/traffic",
    summary="Hourly or quarterly traffic, chosen columns",
    openapi_extra=described(REPORT, body={**TRAFFIC, "format": "per-quarter"}),
)
async def advanced_traffic(request: Request) -> Response:
    """Return rows of up to ten segments, instances or devices, with `columns` to choose from."""
    return ok(report=await report(request, await read_body(request), {**FORMATS, **QUARTERS}))
