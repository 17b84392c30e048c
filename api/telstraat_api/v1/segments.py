"""`/api/v1/segments` and `/api/v1/sensors`: what there is and where it stands."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from psycopg import AsyncConnection

from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Anybody, Reader, Role
from telstraat_api.http.answers import OPTIONS, json_answer, stamp
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.v1.shapes import (
    SEGMENT,
    SENSOR,
    SegmentCollection,
    SegmentFeature,
    SensorList,
    described,
)
from telstraat_store.connection import Database, Row
from telstraat_store.places.segments import Segment, find_segment, find_segments
from telstraat_store.places.sensors import find_sensors, sensors_at

router = APIRouter(prefix="/api/v1", tags=["streets"])
GEOJSON = "application/geo+json"
SegmentId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The segment's number.", examples=[1001])]
Limit = Annotated[int, Query(ge=1, le=5000, description="How many at most.")]


async def require_segment(connection: AsyncConnection[Any], segment_id: int) -> Segment:
    """Return one segment, or raise `NotFoundError`."""
    segment = await find_segment(connection, segment_id)
    if segment is None:
        raise NotFoundError(f"there is no segment {segment_id}; GET /api/v1/segments lists all")
    return segment


def feature(segment: Segment) -> dict[str, Any]:
    """Return a segment as GeoJSON."""
    base = f"/api/v1/segments/{segment.segment_id}"
    return {
        "type": "Feature",
        "id": segment.segment_id,
        "geometry": segment.geometry,
        "properties": {
            "segment_id": segment.segment_id,
            "name": segment.name,
            "timezone": segment.timezone,
            "speed_limit_kmh": segment.speed_limit_kmh,
            "sensors": segment.sensors,
            "online": segment.online,
            "first_report": stamp(segment.first_report),
            "last_report": stamp(segment.last_report),
            "links": {
                "self": base,
                "reports": f"{base}/reports",
                "live": f"{base}/live",
                "page": f"/street/{segment.segment_id}",
            },
        },
    }


def sensor_shape(row: Row, reader: Reader) -> dict[str, Any]:
    """Return a sensor. Its name, which may tell a house, is for its owner and for operators."""
    is_told = reader.role is Role.OPERATOR or (row["account_id"] is not None and row["account_id"] == reader.account_id)
    return {
        "sensor_id": row["sensor_id"],
        "name": row["name"] if is_told else None,
        "segment_id": row["segment_id"],
        "since": stamp(row["from_at"]),
        "online": row["online"],
        "heard_at": stamp(row["heard_at"]),
        "retired": row["retired_at"] is not None,
        "links": {"segment": f"/api/v1/segments/{row['segment_id']}"} if row["segment_id"] else {},
    }


@router.get(
    "/segments",
    summary="All street segments, as GeoJSON",
    responses=described(
        SegmentCollection,
        {"type": "FeatureCollection", "features": [SEGMENT], "next": None},
        422,
        503,
        media_type=GEOJSON,
    ),
)
async def list_segments(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="Continue after this segment.")] = 0,
    limit: Limit = 1000,
) -> Response:
    """Return the segments by id. Follow `next` until it is null."""
    database: Database = request.app.state.database
    cache: ResponseCache = request.app.state.response_cache

    async def make() -> bytes:
        async with database.connection() as connection:
            segments = await find_segments(connection, after=after, limit=limit)
        more = len(segments) == limit
        body = {
            "type": "FeatureCollection",
            "features": [feature(segment) for segment in segments],
            "next": f"/api/v1/segments?after={segments[-1].segment_id}&limit={limit}" if more else None,
        }
        return orjson.dumps(body, option=OPTIONS)

    return await cache.answer(request, ("segments", after, limit), make, {"Content-Type": GEOJSON})


@router.get(
    "/segments/{segment_id}",
    summary="One street segment",
    responses=described(SegmentFeature, SEGMENT, 404, 422, 503, media_type=GEOJSON),
)
async def one_segment(request: Request, segment_id: SegmentId) -> Response:
    """Return one segment with its line, from A to B."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        segment = await require_segment(connection, segment_id)
    return json_answer(request, feature(segment), media_type=GEOJSON)


@router.get(
    "/segments/{segment_id}/sensors",
    summary="The sensors at a street segment",
    responses=described(SensorList, {"sensors": [SENSOR], "next": None}, 401, 403, 404, 422, 503),
)
async def segment_sensors(request: Request, segment_id: SegmentId, reader: Anybody) -> Response:
    """Return the sensors that stand at the segment now."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await require_segment(connection, segment_id)
        rows = await sensors_at(connection, segment_id)
    return json_answer(request, {"sensors": [sensor_shape(row, reader) for row in rows], "next": None})


@router.get(
    "/sensors",
    summary="All sensors",
    responses=described(SensorList, {"sensors": [SENSOR], "next": None}, 401, 403, 422, 503),
)
async def list_sensors(
    request: Request,
    reader: Anybody,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Continue after this number.")] = 0,
    limit: Limit = 1000,
) -> Response:
    """Return the sensors by number. Follow `next` until it is null."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await find_sensors(connection, after=after, limit=limit)
    more = len(rows) == limit
    following = f"/api/v1/sensors?after={rows[-1]['sensor_id']}&limit={limit}" if more else None
    return json_answer(request, {"sensors": [sensor_shape(row, reader) for row in rows], "next": following})
