"""Snapshots: one hour (or quarter) of every segment, at a time in the past or the latest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from telstraat_api.http.access import connections_for, refuse_quarters
from telstraat_api.telraam.envelope import cached_answer, described, ok, wrapped
from telstraat_api.telraam.examples import SNAPSHOT
from telstraat_api.telraam.places import feature, line, read_area, segments_with_data
from telstraat_api.telraam.request_parsing import read_body, read_moment, read_word
from telstraat_api.telraam.rows import MODES, Interval
from telstraat_api.telraam.traffic import LENGTHS, interval_of
from telstraat_store.connection import Connections, Database, Row
from telstraat_store.counts.reading import Speeds, read_periods, read_speeds
from telstraat_store.counts.single_sensor import storage_state_of
from telstraat_store.counts.windows import Bucket, Window, next_start, start_of, zone
from telstraat_store.places.segments import list_watched_segments

router = APIRouter(tags=["Telraam-compatible"])
ROWS_MAX = 200_000
LATEST_WITHIN = timedelta(hours=2)
SEEN_WITHIN = timedelta(days=7)
KNOWN = {"minimal": "minimal", "full": "full"}
ASKED = {"time": "2026-03-02 07:00:00Z", "contents": "full", "area": "full"}


def spelt(at: datetime) -> str:
    """Write a time as snapshots do, which is not how reports do."""
    return at.astimezone(UTC).isoformat(" ")


def properties(row: Row, interval: Interval | None, bucket: Bucket, *, full: bool) -> dict[str, Any]:
    """Return what a snapshot says of a segment; a missing value is an empty text."""
    values: dict[str, Any] = {"segment_id": row["segment_id"]}
    if "last_at" in row:
        values["last_data_package"] = spelt(row["last_at"]) if row["last_at"] else ""
    values["timezone"] = row["timezone"]
    values["date"] = spelt(interval.start) if interval else ""
    values["period"] = LENGTHS[bucket] if interval else ""
    values["uptime"] = interval.uptime if interval else ""
    for kind in MODES:
        values[kind] = count_of(interval, kind)
    if full:
        v85 = interval.v85_kmh if interval else None
        values["v85"] = "" if v85 is None else v85
    return values


def count_of(interval: Interval | None, kind: str) -> float | str:
    """Return a class's count, both directions, rounded; an empty text where it was not counted."""
    count = None if interval is None else interval.both(kind)
    return "" if count is None else float(round(count))


async def intervals_at(
    connections: Connections, rows: Sequence[Row], window: Window, bucket: Bucket
) -> dict[int, Interval]:
    """Return the newest interval of each segment within the window."""
    ids = [row["segment_id"] for row in rows]
    storage = await storage_state_of(connections, ids, window)
    periods = await read_periods(connections, ids, window, bucket, ROWS_MAX, storage=storage)
    speeds: Speeds = await read_speeds(connections, ids, window, bucket, storage=storage)
    zones = {row["segment_id"]: row["timezone"] for row in rows}
    newest = {}
    for period in periods:
        place = (period.segment_id, period.start)
        newest[period.segment_id] = interval_of(period, bucket, zones[period.segment_id], speeds.get(place))
    return newest


async def snapshot(request: Request, bucket: Bucket) -> Response:
    """Answer a snapshot at a time, or the latest."""
    if bucket is Bucket.QUARTER:
        await refuse_quarters(request)
    body = await read_body(request)
    full = read_word(body, "contents", KNOWN, "full") == "full"
    if body.get("time", "live") == "live":
        return await live_snapshot(request, bucket, full=full)
    database: Database = request.app.state.database
    area = read_area(body)
    start = start_of(read_moment(body["time"], "time"), bucket, zone("UTC"))
    rows = await segments_with_data(database, area)
    intervals = await intervals_at(
        connections_for(request), rows, Window(start, next_start(start, bucket, zone("UTC"))), bucket
    )
    features = [
        feature(line(row["geometry"]), **properties(row, intervals[row["segment_id"]], bucket, full=full))
        for row in rows
        if row["segment_id"] in intervals
    ]
    return ok(type="FeatureCollection", features=features)


async def live_snapshot(request: Request, bucket: Bucket, *, full: bool = True) -> Response:
    """Answer the latest interval of every segment heard of within a week; older than two hours is empty."""
    if bucket is Bucket.QUARTER:
        await refuse_quarters(request)
    database: Database = request.app.state.database

    async def make() -> bytes:
        now = datetime.now(UTC)
        async with database.connection() as connection:
            rows = await list_watched_segments(connection, now - SEEN_WITHIN)
        end = start_of(now, bucket, zone("UTC"))
        intervals = await intervals_at(connections_for(request), rows, Window(end - LATEST_WITHIN, end), bucket)
        features = [
            feature(line(row["geometry"]), **properties(row, intervals.get(row["segment_id"]), bucket, full=full))
            for row in rows
        ]
        return wrapped(type="FeatureCollection", features=features)

    return await cached_answer(request, ("live", bucket, full), make)


@router.post(
    "/v1/reports/traffic_snapshot",
    summary="One hour of all segments",
    openapi_extra=described(SNAPSHOT, body=ASKED),
)
async def hour_snapshot(request: Request) -> Response:
    """Return one hour of the segments in an area; `time` may be `live`."""
    return await snapshot(request, Bucket.HOUR)


@router.post(
    "/advanced/reports/traffic_snapshot",
    summary="One quarter of all segments",
    openapi_extra=described(SNAPSHOT, body=ASKED),
)
async def quarter_snapshot(request: Request) -> Response:
    """Return one quarter of the segments in an area; `time` may be `live`."""
    return await snapshot(request, Bucket.QUARTER)


@router.get(
    "/v1/reports/traffic_snapshot_live", summary="The latest hour of all segments", openapi_extra=described(SNAPSHOT)
)
async def live_hours(request: Request) -> Response:
    """Return the latest complete hour of every segment."""
    return await live_snapshot(request, Bucket.HOUR)


@router.get(
    "/advanced/reports/traffic_snapshot_live",
    summary="The latest quarter of all segments",
    openapi_extra=described(SNAPSHOT),
)
async def live_quarters(request: Request) -> Response:
    """Return the latest complete quarter of every segment."""
    return await live_snapshot(request, Bucket.QUARTER)
