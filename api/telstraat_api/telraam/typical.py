"""Typical traffic: what a weekday and time of day usually bring, over a year, a season or a month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

from fastapi import APIRouter, Request, Response

from telstraat_api.http.access import connections_for, refuse_quarters
from telstraat_api.telraam.envelope import described, ok
from telstraat_api.telraam.examples import SNAPSHOT
from telstraat_api.telraam.places import feature, line, segments_with_data
from telstraat_api.telraam.request_parsing import read_body, read_ids, read_word
from telstraat_api.telraam.rows import DECIMALS, MODES, Interval
from telstraat_api.telraam.traffic import KEYS, LEVELS, names_of, read_intervals, timezone_of
from telstraat_store.connection import Database
from telstraat_store.counts.reading import Key
from telstraat_store.counts.windows import Bucket, Window, start_of, zone

router = APIRouter(tags=["Telraam-compatible"])
DAYS = {"year": 365, "season": 91, "month": 30}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LENGTHS = {"hour": "hour", "per-hour": "hour", "hourly": "hour", "quarter": "quarter", "per-quarter": "quarter"}
BUCKETS = {"hour": Bucket.HOUR, "quarter": Bucket.QUARTER}
ASKED = {"level": "segments", "id": 1001, "duration": "season", "format": "per-hour"}
Slot = tuple[str, str]


def days_of(weekday: int) -> tuple[str, str]:
    """Return the groups that a weekday belongs to: itself, and weekdays or weekend."""
    return WEEKDAYS[weekday], "wday" if weekday < 5 else "wend"


def slots(intervals: Iterable[Interval], timezone: str) -> dict[Slot, list[Interval]]:
    """Return the counted intervals by kind of day and local time."""
    tz = zone(timezone)
    by_slot: dict[Slot, list[Interval]] = {}
    for interval in intervals:
        if interval.uptime <= 0:
            continue
        local = interval.start.astimezone(tz)
        for day in days_of(local.weekday()):
            by_slot.setdefault((day, local.strftime("%H:%M:%S")), []).append(interval)
    return by_slot


def mean_and_deviation(values: Sequence[tuple[float | None, float]]) -> tuple[float | None, float | None]:
    """Return mean and standard deviation, each value weighted by its uptime; zeros are left out, as Telraam does."""
    used = [(value, weight) for value, weight in values if value]
    total = sum(weight for _, weight in used)
    if not total:
        return None, None
    mean = sum(value * weight for value, weight in used) / total
    spread = sum(weight * (value - mean) ** 2 for value, weight in used) / total
    return round(mean, DECIMALS), round(sqrt(spread), DECIMALS)


def typical(intervals: Sequence[Interval]) -> dict[str, Any]:
    """Return what is usual in a slot."""
    values: dict[str, Any] = {"samplesize": len(intervals)}
    for kind in MODES:
        mean, deviation = mean_and_deviation([(interval.both(kind), interval.uptime) for interval in intervals])
        values[f"avg_{kind}"], values[f"std_{kind}"] = mean, deviation
    speeds = [(interval.v85_kmh, interval.uptime) for interval in intervals]
    values["avg_v85"], values["std_v85"] = mean_and_deviation(speeds)
    return values


def window_of(duration: str, bucket: Bucket, now: datetime) -> Window:
    """Return the days before now that are looked at."""
    end = start_of(now, bucket, zone("UTC"))
    return Window(end - timedelta(days=DAYS[duration]), end)


@router.post(
    "/advanced/reports/typical_traffic",
    summary="Typical traffic per weekday and time",
    openapi_extra=described({"status_code": 200, "message": "ok", "report": [{"day_of_week": "mon"}]}, body=ASKED),
)
async def typical_traffic(request: Request) -> Response:
    """Return means and deviations per weekday and local time, weighted by uptime."""
    database: Database = request.app.state.database
    body = await read_body(request)
    key = KEYS[read_word(body, "level", LEVELS, "segments")]
    duration = read_word(body, "duration", {name: name for name in DAYS}, "year")
    length = read_word(body, "format", LENGTHS, "hour")
    bucket = BUCKETS[length]
    if bucket is Bucket.QUARTER:
        await refuse_quarters(request)
    window = window_of(duration, bucket, datetime.now(UTC))
    rows = []
    for number in read_ids(body.get("id")):
        timezone = await timezone_of(database, key, number)
        if timezone is None:
            continue
        intervals = await read_intervals(connections_for(request), key, number, window, bucket, timezone)
        by_slot = slots(intervals, timezone)
        for day in (*WEEKDAYS, "wday", "wend"):
            for (kind_of_day, clock), members in sorted(by_slot.items()):
                if kind_of_day == day:
                    rows.append(
                        {
                            **{name: value for name, value in names_of(key, number).items() if value != -1},
                            "duration": duration,
                            "interval": length,
                            "day_of_week": day,
                            "time": clock,
                            "time_start": int(window.start.timestamp()),
                            "time_end": int(window.end.timestamp()),
                            "flag": "obs",
                            **typical(members),
                        }
                    )
    return ok(report=rows)


async def typical_now(request: Request, bucket: Bucket) -> Response:
    """Answer what this weekday and time of day usually bring on every segment, over the last month."""
    if bucket is Bucket.QUARTER:
        await refuse_quarters(request)
    database: Database = request.app.state.database
    now = datetime.now(UTC)
    window = window_of("month", bucket, now)
    features = []
    for row in await segments_with_data(database):
        tz = zone(row["timezone"])
        latest = (window.end - timedelta(seconds=1)).astimezone(tz)
        start = start_of(latest.astimezone(UTC), bucket, tz).astimezone(tz)
        intervals = await read_intervals(
            connections_for(request), Key.SEGMENT, row["segment_id"], window, bucket, row["timezone"]
        )
        members = slots(intervals, row["timezone"]).get((WEEKDAYS[start.weekday()], start.strftime("%H:%M:%S")), [])
        properties = {"segment_id": row["segment_id"], "timezone": row["timezone"], **typical(members)}
        features.append(feature(line(row["geometry"]), **properties))
    return ok(type="FeatureCollection", features=features)


@router.get(
    "/advanced/reports/typical_traffic_snapshot_live",
    summary="Typical traffic of this hour, all segments",
    openapi_extra=described(SNAPSHOT),
)
async def typical_hour(request: Request) -> Response:
    """Return what the latest hour usually brings."""
    return await typical_now(request, Bucket.HOUR)


@router.get(
    "/advanced/reports/typical_traffic_snapshot_quarterly_live",
    summary="Typical traffic of this quarter, all segments",
    openapi_extra=described(SNAPSHOT),
)
async def typical_quarter(request: Request) -> Response:
    """Return what the latest quarter usually brings."""
    return await typical_now(request, Bucket.QUARTER)
