"""The registry: operators add and change street segments, one by one or from a GeoJSON file, and say whose a sensor is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field, ValidationError, field_validator
from pyproj import Geod

from telstraat_api.errors import NotFoundError, QueryError
from telstraat_api.http.access import Operator, Registrar, Role, SignedIn, needs
from telstraat_api.http.answers import json_answer, stamp
from telstraat_api.periods import is_zone
from telstraat_api.segments import SENSORS, find_segment
from telstraat_api.v1.accounts import EMAIL, Wanted, created, made
from telstraat_api.v1.segments import SegmentId, feature
from telstraat_api.v1.shapes import SEGMENT, SegmentFeature, described
from telstraat_store.connection import Database
from telstraat_store.errors import StreetFileError
from telstraat_store.imports.numbers import whole_number
from telstraat_store.places.speed_limits import speed_limit
from telstraat_store.places.street_files import line_in

router = APIRouter(prefix="/api/v1", tags=["registry"])
EARTH = Geod(ellps="WGS84")
LENGTH_MIN_M, LENGTH_MAX_M = 1.0, 20_000.0
POINTS_MAX = 500
FEATURES_MAX = 5_000
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Limit = Annotated[int, Field(ge=5, le=150)]
Coordinate = Annotated[list[float], Field(min_length=2, max_length=3)]


class LineString(Wanted):
    """A line from A to B, in WGS84: longitude, latitude."""

    type: Literal["LineString"]
    coordinates: list[Coordinate] = Field(min_length=2, max_length=POINTS_MAX)

    @field_validator("coordinates")
    @classmethod
    def on_earth(cls, points: list[list[float]]) -> list[list[float]]:
        """Refuse what is not a piece of a street: off the globe, at 0, 0, a point, or a country long."""
        for lon, lat, *_ in points:
            if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
                raise ValueError(f"[{lon}, {lat}] is not longitude and latitude")
            if lon == 0 and lat == 0:
                raise ValueError("[0, 0] is in the sea off Africa: the position was not set")
        length_m = EARTH.line_length([point[0] for point in points], [point[1] for point in points])
        if not LENGTH_MIN_M <= length_m <= LENGTH_MAX_M:
            raise ValueError(f"the line is {length_m:.1f} m long; a segment has {LENGTH_MIN_M} to {LENGTH_MAX_M} m")
        return [[point[0], point[1]] for point in points]


def known_zone(name: str | None) -> str | None:
    """Return the name of a time zone, or raise ValueError."""
    if name is not None and not is_zone(name):
        raise ValueError(f"there is no time zone {name!r}")
    return name


class NewSegment(Wanted):
    """A street segment to be added."""

    name: Name
    geometry: LineString
    timezone: str = Field("Europe/Brussels", max_length=60)
    speed_limit_kmh: Limit | None = None
    osm_way_id: int | None = Field(None, ge=1, le=2**62)
    _zone = field_validator("timezone")(known_zone)


class SegmentChange(Wanted):
    """What changes of a segment; what is left out stays."""

    name: Name | None = None
    geometry: LineString | None = None
    timezone: str | None = Field(None, max_length=60)
    speed_limit_kmh: Limit | None = None
    _zone = field_validator("timezone")(known_zone)


class ImportFeature(BaseModel):
    """A GeoJSON feature: its line, and `name`, `maxspeed` and the way's number of OpenStreetMap when it has them."""

    geometry: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    id: Any = None


class ImportFile(BaseModel):
    """A GeoJSON file, such as an extract of OpenStreetMap."""

    type: Literal["FeatureCollection"]
    features: list[ImportFeature] = Field(min_length=1, max_length=FEATURES_MAX)


class Imported(BaseModel):
    """What became of a file."""

    added: list[int]
    known: int = Field(description="Pieces of OpenStreetMap's ways that were there already.")
    refused: list[dict[str, Any]]


class Owner(Wanted):
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
NEW = """
insert into segment (name, geometry, timezone, speed_limit_kmh, osm_way_id, osm_part)
values (%(name)s, %(geometry)s, %(timezone)s, %(speed_limit_kmh)s, %(osm_way_id)s, %(part)s)
on conflict (osm_way_id, osm_part) where osm_part is not null do nothing returning segment_id
"""
SAME = """
select segment_id from segment where osm_way_id is null and name = %(name)s and geometry = %(geometry)s limit 1
"""
"""A street that no number of OpenStreetMap tells from others is known by its name and its line."""


async def add(database: Database, wanted: NewSegment, part: int | None = None) -> int | None:
    """Add a segment and return its number; None when this part of its way is there already."""
    values = {**wanted.model_dump(), "geometry": Jsonb(wanted.geometry.model_dump())}
    if part is not None and wanted.osm_way_id is None and await database.row(SAME, values) is not None:
        return None
    row = await database.row(NEW, {**values, "part": part if wanted.osm_way_id is not None else None})
    return None if row is None else int(row["segment_id"])


def numbered(features: list[ImportFeature]) -> Iterator[tuple[ImportFeature, int]]:
    """Yield features with their part of their way of OpenStreetMap: as they say, or counted in the order of the file."""
    seen: Counter[str] = Counter()
    for one in features:
        way = way_of(one)
        seen[way] += 1
        said = (one.properties or {}).get("osm_part")
        yield one, said if isinstance(said, int) and 0 < said < 2**15 else seen[way]


def way_of(one: ImportFeature) -> str:
    """Return the number that a feature says it has in OpenStreetMap, as written; empty when it says none."""
    known = one.properties or {}
    own = str(one.id) if isinstance(one.id, str) and one.id.startswith("way/") else ""  # others number their rows
    return str(known.get("@id") or known.get("osm_id") or own).rpartition("/")[2]


@router.post(
    "/segments",
    summary="Add a street segment",
    status_code=201,
    responses=made(described(SegmentFeature, SEGMENT, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.OPERATOR),
)
async def add_segment(request: Request, wanted: NewSegment, _reader: Registrar) -> Response:
    """Add one segment. Its line runs from A to B: `lft` will be travel in that direction."""
    database: Database = request.app.state.database
    number = await add(database, wanted)
    assert number is not None
    return created(request, feature(await find_segment(database, number)))


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
    values = change.model_dump()
    geometry = None if change.geometry is None else Jsonb(change.geometry.model_dump())
    await find_segment(database, segment_id)
    await database.execute(
        """
        update segment set name = coalesce(%(name)s, name), geometry = coalesce(%(geometry)s, geometry),
            timezone = coalesce(%(timezone)s, timezone),
            speed_limit_kmh = coalesce(%(speed_limit_kmh)s, speed_limit_kmh)
        where segment_id = %(segment_id)s
        """,
        {**values, "geometry": geometry, "segment_id": segment_id},
    )
    return json_answer(request, feature(await find_segment(database, segment_id)))


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
    for number, (found, part) in enumerate(numbered(file.features)):
        try:
            new = await add(database, segment_in(found), part)
            added += [] if new is None else [new]
            known += new is None
        except (ValidationError, StreetFileError) as error:
            why = why_not(error)
            refused.append({"feature": number, "why": why[:300]})
    return json_answer(request, {"added": added, "known": known, "refused": refused})


def why_not(error: Exception) -> str:
    """Say in one line why something cannot be a segment."""
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())[:300]


def segment_in(one: ImportFeature, timezone: str = "Europe/Brussels") -> NewSegment:
    """Return the segment that a feature describes, or raise ValidationError or StreetFileError."""
    known = one.properties or {}
    way = whole_number(way_of(one)) or 0
    name = known.get("name") or known.get("ref") or "street without a name"
    return NewSegment.model_validate(
        {
            "name": str(name) if isinstance(name, int | float) else name,
            "geometry": line_in(one.geometry),
            "timezone": known.get("timezone") or timezone,
            "speed_limit_kmh": speed_limit(known.get("maxspeed")),
            "osm_way_id": way if 0 < way < 2**62 else None,
        }
    )


@router.get(
    "/me/sensors",
    summary="One's own sensors",
    responses=described(OwnSensors, {"sensors": [OWN]}, 401, 403, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def own_sensors(request: Request, reader: SignedIn) -> Response:
    """Return one's own sensors with their names and what they last said of themselves."""
    database: Database = request.app.state.database
    rows = await database.rows(SENSORS + "where v.account_id = %s order by v.sensor_id", (reader.account_id,))
    told = [
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
    return json_answer(request, {"sensors": told})


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
    if owner.email is not None:
        account = await database.row("select account_id from account where email = %s", (owner.email.lower(),))
        if account is None:
            raise QueryError(f"there is no account of {owner.email}")
        account_id = account["account_id"]
    changed = await database.execute("update sensor set account_id = %s where sensor_id = %s", (account_id, sensor_id))
    if not changed:
        raise NotFoundError(f"there is no sensor {sensor_id}")
    return json_answer(request, {"email": owner.email})
