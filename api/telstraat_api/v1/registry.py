"""The registry: operators add and change street segments, one by one or from a GeoJSON file, and say whose a sensor is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from psycopg import AsyncConnection
from pydantic import BaseModel, Field, ValidationError, field_validator

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Operator, Registrar, Role, SignedIn, needs
from telstraat_api.http.answers import json_answer, stamp
from telstraat_api.v1.accounts import EMAIL, RequestBody, created, with_created
from telstraat_api.v1.segments import SegmentId, feature, require_segment
from telstraat_api.v1.shapes import SEGMENT, SegmentFeature, described
from telstraat_api.v1.street_features import (
    ImportFeature,
    Limit,
    LineString,
    Name,
    NewSegment,
    known_zone,
    numbered,
    segment_in,
    why_not,
)
from telstraat_store.accounts.people import find_account
from telstraat_store.connection import Database
from telstraat_store.errors import StreetFileError
from telstraat_store.places import segments as stored
from telstraat_store.places import sensors as stored_sensors

router = APIRouter(prefix="/api/v1", tags=["registry"])
FEATURES_MAX = 5_000


class SegmentChange(RequestBody):
    """What changes of a segment; what is left out stays."""

    name: Name | None = None
    geometry: LineString | None = None
    timezone: str | None = Field(None, max_length=60)
    speed_limit_kmh: Limit | None = None
    _zone = field_validator("timezone")(known_zone)


class ImportFile(BaseModel):
    """A GeoJSON file, such as an extract of OpenStreetMap."""

    type: Literal["FeatureCollection"]
    features: list[ImportFeature] = Field(min_length=1, max_length=FEATURES_MAX)


class Imported(BaseModel):
    """What became of a file."""

    added: list[int]
    known: int = Field(description="Pieces of OpenStreetMap's ways that were there already.")
    refused: list[dict[str, Any]]


class Owner(RequestBody):
    """Whose a sensor is; null for nobody's."""

    email: str | None = Field(max_length=254, pattern=EMAIL)


class OwnSensors(BaseModel):
    """One's own sensors, with what they say of themselves."""

    sensors: list[dict[str, Any]]


OWN = {
    "sensor_id": 1,
    "name": "linden-front",
    "segment_id": 1001,
    "online": True,
    "heard_at": "2026-03-02T07:59:58Z",
    "health": {"fps": 24.9, "waiting": 0},
}


async def add(connection: AsyncConnection[Any], segment: NewSegment, part: int | None = None) -> int | None:
    """Add a segment and return its number; None when this part of its way is there already."""
    return await stored.add_segment(connection, **segment.model_dump(), osm_part=part)


@router.post(
    "/segments",
    summary="Add a street segment",
    status_code=201,
    responses=with_created(described(SegmentFeature, SEGMENT, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.OPERATOR),
)
async def add_segment(request: Request, new: NewSegment, _reader: Registrar) -> Response:
    """Add one segment. Its line runs from A to B: `lft` will be travel in that direction."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        number = await add(connection, new)
        assert number is not None
        segment = await require_segment(connection, number)
    return created(request, feature(segment))


@router.patch(
    "/segments/{segment_id}",
    summary="Change a street segment",
    responses=described(SegmentFeature, SEGMENT, 400, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.OPERATOR),
)
async def change_segment(
    request: Request, segment_id: SegmentId, change: SegmentChange, _reader: Registrar
) -> Response:
    """Change name, line, time zone or speed limit. Counts stay; with another time zone, days are added up again."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await require_segment(connection, segment_id)
        await stored.change_segment(connection, segment_id, change.model_dump())
        segment = await require_segment(connection, segment_id)
    return json_answer(request, feature(segment))


@router.post(
    "/imports/segments",
    summary="Add street segments from GeoJSON",
    responses=described(
        Imported,
        {"added": [1001, 1002], "known": 0, "refused": [{"feature": 2, "why": "..."}]},
        400,
        401,
        403,
        422,
        503,
    ),
    openapi_extra=needs(Role.OPERATOR),
)
async def import_segments(request: Request, file: ImportFile, _reader: Registrar) -> Response:
    """Add every line of a file; what cannot be a segment is refused one by one, with the reason.

    A feature with the number of a way of OpenStreetMap (`@id`, `osm_id` or `id`) is added once, however often it is sent.
    """
    database: Database = request.app.state.database
    added: list[int] = []
    refused: list[dict[str, Any]] = []
    known = 0
    async with database.connection() as connection:
        for number, (piece, part) in enumerate(numbered(file.features)):
            try:
                new = await add(connection, segment_in(piece), part)
                added += [] if new is None else [new]
                known += new is None
            except (ValidationError, StreetFileError) as error:
                refused.append({"feature": number, "why": why_not(error)[:300]})
    return json_answer(request, {"added": added, "known": known, "refused": refused})


@router.get(
    "/me/sensors",
    summary="One's own sensors",
    responses=described(OwnSensors, {"sensors": [OWN]}, 401, 403, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def own_sensors(request: Request, reader: SignedIn) -> Response:
    """Return one's own sensors with their names and what they last said of themselves."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored_sensors.sensors_of(connection, reader.account_id)
    shapes = [
        {
            "sensor_id": row["sensor_id"],
            "name": row["name"],
            "segment_id": row["segment_id"],
            "online": row["online"],
            "heard_at": stamp(row["heard_at"]),
            "health": row["health"],
        }
        for row in rows
    ]
    return json_answer(request, {"sensors": shapes})


@router.put(
    "/sensors/{sensor_id}/owner",
    summary="Say whose a sensor is",
    responses=described(Owner, {"email": "someone@example.org"}, 400, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.OPERATOR),
)
async def set_owner(
    request: Request, sensor_id: Annotated[int, Path(ge=1, le=2**31 - 1)], owner: Owner, _reader: Operator
) -> Response:
    """Give a sensor to an account, or to nobody."""
    database: Database = request.app.state.database
    account_id: int | None = None
    async with database.connection() as connection:
        if owner.email is not None:
            account = await find_account(connection, owner.email)
            if account is None:
                raise QueryError(f"there is no account of {owner.email}")
            account_id = account["account_id"]
        if not await stored_sensors.set_owner(connection, sensor_id, account_id):
            raise NotFoundError(f"there is no sensor {sensor_id}")
    return json_answer(request, {"email": owner.email})
