"""`/api/v1/ground`: what maps show beneath the counted streets."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from telstraat_api.errors import QueryError
from telstraat_api.http.answers import OPTIONS
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.v1.segments import GEOJSON
from telstraat_api.v1.shapes import described
from telstraat_store.connection import Database
from telstraat_store.maps.ground import Bounds, Detail, ground_within

router = APIRouter(prefix="/api/v1", tags=["streets"])
FINE_UP_TO_KM, MIDDLE_UP_TO_KM = 9.0, 25.0
"""Diagonal of a box up to which it is shown at this level of detail."""
FEATURES_MAX = 10_000
KEEP_S = 300
KM_A_DEGREE = 111.32
Box = Annotated[
    str,
    Query(
        max_length=120,
        pattern=r"^[-+0-9.eE]+,[-+0-9.eE]+,[-+0-9.eE]+,[-+0-9.eE]+$",
        description="`west,south,east,north` in degrees; west above east means across 180 degrees.",
        examples=["4.91,50.96,4.95,50.98"],
    ),
]


class GroundProperties(BaseModel):
    """What a thing on the ground is."""

    kind: Literal["water", "stream", "wood", "green", "square", "school", "rail", "motorway", "road", "street", "path"]
    name: str | None = Field(None, description="Absent without one.")


class GroundFeatureShape(BaseModel):
    """A thing on the ground as a GeoJSON feature: a line, an area, or several."""

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: GroundProperties


class GroundCollection(BaseModel):
    """The ground within a box, the largest things first."""

    type: Literal["FeatureCollection"]
    detail: Literal["fine", "middle", "coarse"] = Field(description="How closely lines are drawn: to 0.6, 6 or 30 m.")
    credit: list[str] = Field(description="Whom a map that shows this must name.")
    is_whole: bool = Field(description="False when the box has more than one answer holds; the smallest are left out.")
    features: list[GroundFeatureShape]


EXAMPLE = {
    "type": "FeatureCollection",
    "detail": "fine",
    "credit": ["© OpenStreetMap contributors"],
    "is_whole": True,
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": [[4.929, 50.972], [4.931, 50.9722]]},
            "properties": {"kind": "street", "name": "Kerkstraat"},
        }
    ],
}


@router.get(
    "/ground",
    summary="Water, green, rails and streets beneath a map, as GeoJSON",
    responses=described(GroundCollection, EXAMPLE, 422, 503, media_type=GEOJSON),
)
async def read_ground(request: Request, bbox: Box) -> Response:
    """Return the ground within a box: the smaller the box, the finer. Empty where no extract was imported."""
    database: Database = request.app.state.database
    cache: ResponseCache = request.app.state.response_cache
    boxes, detail = boxes_of(bbox)

    async def make() -> bytes:
        async with database.connection() as connection:
            rows = await ground_within(connection, boxes, detail, limit=FEATURES_MAX + 1)
        some = rows[:FEATURES_MAX]
        body = {
            "type": "FeatureCollection",
            "detail": detail,
            "credit": sorted({row["credit"] for row in some if row["credit"]}),
            "is_whole": len(rows) <= FEATURES_MAX,
            "features": [
                {
                    "type": "Feature",
                    "geometry": orjson.Fragment(row["shape"]),
                    "properties": {"kind": row["kind"]} | ({"name": row["name"]} if row["name"] else {}),
                }
                for row in some
            ],
        }
        return orjson.dumps(body, option=OPTIONS)

    headers = {"Content-Type": GEOJSON, "Cache-Control": f"public, max-age={KEEP_S}"}
    return await cache.answer(request, ("ground", tuple(boxes)), make, headers)


def boxes_of(bbox: str) -> tuple[list[Bounds], Detail]:
    """Read a box: two of them across 180 degrees, and how closely it is looked at."""
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError as error:
        raise QueryError(f"bbox={bbox!r} is not west,south,east,north in degrees") from error
    if not all(map(math.isfinite, (west, south, east, north))) or not -90 <= south < north <= 90:
        raise QueryError(f"bbox={bbox!r}: south must lie below north, between -90 and 90")
    if not (-180 <= west <= 180 and -180 <= east <= 180) or west == east:
        raise QueryError(f"bbox={bbox!r}: west and east must lie between -180 and 180, and apart")
    across = east - west if east > west else east - west + 360
    km = KM_A_DEGREE * math.hypot(north - south, across * math.cos(math.radians((north + south) / 2)))
    detail: Detail = "fine" if km <= FINE_UP_TO_KM else "middle" if km <= MIDDLE_UP_TO_KM else "coarse"
    if east > west:
        return [(west, south, east, north)], detail
    return [(west, south, 180.0, north), (-180.0, south, east, north)], detail
