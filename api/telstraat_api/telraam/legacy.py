"""The oldest surface, `/v0`: what programs of 2019 to 2021 send and read, without a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from telstraat_api.http.access import connections_for
from telstraat_api.telraam.envelope import cached_answer, described, ok, wrapped
from telstraat_api.telraam.examples import CAMERAS, REPORT, SEGMENTS, TRAFFIC
from telstraat_api.telraam.instances import Number, answer
from telstraat_api.telraam.places import all_segments, collection, lambert_line, segment_feature
from telstraat_api.telraam.request_parsing import read_body
from telstraat_api.telraam.rows import row_of
from telstraat_api.telraam.traffic import FORMATS, MAC_BASE, read_intervals, report
from telstraat_contract.speeds import COARSE_BINS
from telstraat_store.connection import Database
from telstraat_store.counts.reading import Key
from telstraat_store.counts.windows import Bucket, Window, start_of, zone
from telstraat_store.places.segments import speed_limit_of

router = APIRouter(tags=["Telraam-compatible"])
DAYS_MAX = 1100
"""Programs of this surface ask for two years and more in one call."""

LATEST_WITHIN = timedelta(days=7)
BUCKETS = list(range(COARSE_BINS))
"""Cars per 10 km/h, the last open: the numbers that `car_speed_histogram` belongs to."""


def legacy_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the names that it had then beside today's."""
    histogram = row["car_speed_hist_0to70plus"]
    return {
        **row,
        "lorry": row["heavy"],
        "pct_up": row["uptime"],
        "car_speed_histogram": histogram,
        "car_speed_bucket": None if histogram is None else BUCKETS,
    }


@router.post(
    "/v0/reports/{segment_id}",
    summary="Traffic of a segment (v0)",
    openapi_extra=described(REPORT, body={name: TRAFFIC[name] for name in ("time_start", "time_end", "format")}),
)
async def legacy_report(request: Request, segment_id: Number) -> Response:
    """Return hourly or daily rows, without a key and without `id` in the body; up to three years a call."""
    body = {**await read_body(request), "id": segment_id, "level": "segments"}
    rows = await report(request, body, FORMATS, DAYS_MAX)
    return ok(report=[row if body.get("columns") else legacy_row(row) for row in rows])


@router.get("/v0/cameras", summary="All instances (v0)", openapi_extra=described(CAMERAS))
async def legacy_cameras(request: Request) -> Response:
    """Return every instance, past ones too."""

    async def make() -> bytes:
        return wrapped(cameras=await answer(request, "all"))

    return await cached_answer(request, "instances", make)


@router.get("/v0/cameras/segment/{segment_id}", summary="Instances of a segment (v0)", openapi_extra=described(CAMERAS))
async def legacy_cameras_of_a_segment(request: Request, segment_id: Number) -> Response:
    """Return the instances of a segment, under both names that the list has had."""
    cameras = await answer(request, "segment", segment_id)
    return ok(cameras=cameras, camera=cameras)


@router.get("/v0/cameras/{mac_id}", summary="Instances of a device (v0)", openapi_extra=described(CAMERAS))
async def legacy_cameras_of_a_device(request: Request, mac_id: Number) -> Response:
    """Return the instances of a device, by its serial number, under both names that the list has had."""
    cameras = await answer(request, "mac", mac_id - MAC_BASE if mac_id > MAC_BASE else mac_id)
    return ok(cameras=cameras, camera=cameras)


@router.get("/v0/segments/all", summary="All segments (v0, EPSG:31370)", openapi_extra=described(SEGMENTS))
async def legacy_segments(request: Request) -> Response:
    """Return every segment in Belgian Lambert 72 with its number as `oidn`."""
    return await all_segments(request, "oidn", lambert_line)


@router.get("/v0/segments/id/{segment_id}", summary="One segment (v0)", openapi_extra=described(SEGMENTS))
async def legacy_segment(request: Request, segment_id: Number) -> Response:
    """Return one segment with its speed limit and the counts of its latest hour, null without one in a week."""
    database: Database = request.app.state.database
    segment = await segment_feature(database, segment_id)
    properties = segment["properties"]
    end = start_of(datetime.now(UTC), Bucket.HOUR, zone("UTC"))
    window = Window(end - LATEST_WITHIN, end)
    hours = await read_intervals(
        connections_for(request), Key.SEGMENT, segment_id, window, Bucket.HOUR, properties["timezone"]
    )
    latest = row_of(hours[-1], "hourly", properties["timezone"]) if hours else dict[str, Any]()
    async with database.connection() as connection:
        limit_kmh = await speed_limit_of(connection, segment_id)
    properties.update(
        speed=limit_kmh,
        **{name: latest.get(kind) for name, kind in
           (("pedestrian", "pedestrian"), ("bike", "bike"), ("car", "car"), ("lorry", "heavy"))},
        speed_histogram=latest.get("car_speed_hist_0to70plus") or [0.0] * COARSE_BINS,
        speed_buckets=BUCKETS,
    )  # fmt: skip
    return collection([segment])
