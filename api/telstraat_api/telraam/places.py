"""Segments as Telraam's clients know them: all, legacy in Belgian Lambert, in an area, and one with its instances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from math import cos, radians
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Path, Request, Response
from pyproj import Geod, Transformer

from telstraat_api.errors import BadRequestError, NotFoundError
from telstraat_api.telraam.envelope import cached_answer, described, ok, wrapped
from telstraat_api.telraam.examples import SEGMENTS
from telstraat_api.telraam.instances import find_instances, instance_shape
from telstraat_api.telraam.request_parsing import ID_MAX, read_body
from telstraat_api.telraam.rows import report_stamp
from telstraat_store.connection import Database, Row
from telstraat_store.places.segments import find_imported_span, list_counted_segments

router = APIRouter(tags=["Telraam-compatible"])
EARTH = Geod(ellps="WGS84")
LAMBERT_72 = 31370

KM_A_DEGREE = 110.0  # of latitude, a little less than it is


async def segments_with_data(database: Database, area: Area | None = None) -> list[Row]:
    """Return the segments that ever had data, of an area or all."""
    async with database.connection() as connection:
        rows = await list_counted_segments(connection, None if area is None else area.bounds)
    return rows if area is None else [row for row in rows if area.holds(row["geometry"])]


def line(geometry: dict[str, Any]) -> dict[str, Any]:
    """Return our line as the one part of a MultiLineString."""
    return {"type": "MultiLineString", "coordinates": [geometry["coordinates"]]}


def feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """Return a GeoJSON feature."""
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(features: list[dict[str, Any]]) -> Response:
    """Return features in the envelope."""
    return ok(type="FeatureCollection", features=features)


@lru_cache(maxsize=1)
def to_lambert() -> Transformer:
    """Return the way from WGS84 to Belgian Lambert 72."""
    return Transformer.from_crs(4326, LAMBERT_72, always_xy=True)


def lambert_line(geometry: dict[str, Any]) -> dict[str, Any]:
    """Return our line in metres of Belgian Lambert 72, which the clients of the legacy list transform back from."""
    lons = [point[0] for point in geometry["coordinates"]]
    lats = [point[1] for point in geometry["coordinates"]]
    eastings, northings = to_lambert().transform(lons, lats)
    points = [[round(x, 3), round(y, 3)] for x, y in zip(eastings, northings, strict=True)]
    return {"type": "MultiLineString", "coordinates": [points]}


class Area:
    """A circle, a box or a polygon, in WGS84."""

    def __init__(self, shape: shapely.Geometry | None, circle: tuple[float, float, float] | None = None) -> None:
        self.shape = shape
        self.circle = circle

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return a box that holds it: west, south, east, north."""
        if self.circle is None:
            return self.shape.bounds if self.shape is not None and not self.shape.is_empty else (0.0, 0.0, 0.0, 0.0)
        lon, lat, radius_km = self.circle
        up = radius_km / KM_A_DEGREE
        aside = up / max(0.01, cos(radians(min(90.0, abs(lat) + up))))
        # A circle's centroid counts: a long line may reach in from outside, but its middle lies in its box.
        return lon - aside, lat - up, lon + aside, lat + up

    def holds(self, geometry: dict[str, Any]) -> bool:
        """Tell whether a line lies in it: its centroid within a circle, any part of it within the others."""
        drawn = shapely.LineString(geometry["coordinates"])
        if self.circle is not None:
            lon, lat, radius_km = self.circle
            _, _, distance_m = EARTH.inv(lon, lat, drawn.centroid.x, drawn.centroid.y)
            return bool(distance_m <= radius_km * 1000)
        return bool(drawn.intersects(self.shape))


def read_area(body: dict[str, Any]) -> Area | None:
    """Read an area in any of its three forms; None for everywhere."""
    polygon = body.get("polygon")
    if polygon is not None:
        return Area(read_polygon(polygon))
    text = body.get("area", "full")
    if isinstance(text, list):
        text = ",".join(map(str, text))
    if text == "full":
        return None
    try:
        numbers = [float(part) for part in str(text).split(",")]
    except ValueError as error:
        raise BadRequestError(f"area={text!r} is neither full, lon,lat,radius_km nor lon,lat,lon,lat") from error
    if not all(abs(number) <= 20_040 for number in numbers) or len(numbers) not in {3, 4}:
        raise BadRequestError(f"area={text!r} is neither full, lon,lat,radius_km nor lon,lat,lon,lat")
    if len(numbers) == 3:
        lon, lat, radius_km = numbers
        if not (abs(lon) <= 180 and abs(lat) <= 90 and radius_km >= 0):
            raise BadRequestError(f"area={text!r} is not a place on earth with a radius")
        return Area(None, (lon, lat, radius_km))
    west, east = sorted((numbers[0], numbers[2]))
    south, north = sorted((numbers[1], numbers[3]))
    return Area(shapely.box(west, south, east, north))


def read_polygon(polygon: Any) -> shapely.Geometry:
    """Read a GeoJSON polygon, closed or not."""
    try:
        rings = [[(float(x), float(y)) for x, y, *_ in ring] for ring in polygon["coordinates"]]
        shape = shapely.Polygon(rings[0], rings[1:])
    except (KeyError, TypeError, ValueError, IndexError, shapely.errors.GEOSException) as error:
        raise BadRequestError(
            'polygon must be GeoJSON: {"type": "Polygon", "coordinates": [[[lon, lat], ...]]}'
        ) from error
    return shape if shape.is_valid else shapely.make_valid(shape)


@router.get("/v1/segments", summary="All segments", openapi_extra=described(SEGMENTS))
async def segments(request: Request) -> Response:
    """Return every segment that ever had data, in WGS84."""
    return await all_segments(request, "segment_id")


async def all_segments(
    request: Request, name: str, draw: Callable[[dict[str, Any]], dict[str, Any]] = line
) -> Response:
    """Return every segment that ever had data, with its number under a name."""
    database: Database = request.app.state.database

    async def make() -> bytes:
        rows = await segments_with_data(database)
        features = [feature(draw(row["geometry"]), **{name: row["segment_id"]}) for row in rows]
        return wrapped(type="FeatureCollection", features=features)

    return await cached_answer(request, ("segments", name, draw), make)


@router.get("/v1/segments/all", summary="All segments (legacy, EPSG:31370)", openapi_extra=described(SEGMENTS))
async def legacy_segments(request: Request) -> Response:
    """Return every segment in Belgian Lambert 72, as the clients of this address expect."""
    return await all_segments(request, "oidn", lambert_line)


@router.get("/v0/segments/active", summary="Active segments (v0)", openapi_extra=described(SEGMENTS))
@router.get("/v1/segments/active", summary="Active segments (legacy)", openapi_extra=described(SEGMENTS))
@router.get("/v1/segments/active_minimal", summary="Active segments (legacy)", openapi_extra=described(SEGMENTS))
async def active_segments(request: Request) -> Response:
    """Return the segments with their number as `id`."""
    return await all_segments(request, "id")


@router.post(
    "/v1/segments/area",
    summary="Segments in an area",
    openapi_extra=described(SEGMENTS, body={"area": "4.70,50.88,2"}),
)
async def area_segments(request: Request) -> Response:
    """Return the segments in a circle (`lon,lat,radius_km`), a box (`lon,lat,lon,lat`) or a `polygon`."""
    area = read_area(await read_body(request))
    database: Database = request.app.state.database
    rows = await segments_with_data(database, area)
    return collection([feature(line(row["geometry"]), segment_id=row["segment_id"]) for row in rows])


def other_stamp(at: datetime | None) -> str | None:
    """Write a time as the instances within a segment do."""
    return None if at is None else at.astimezone(UTC).isoformat()


@router.get("/advanced/segments/id/{segment_id}", summary="One segment", openapi_extra=described(SEGMENTS))
@router.get("/v1/segments/id/{segment_id}", summary="One segment", openapi_extra=described(SEGMENTS))
async def one_segment(request: Request, segment_id: Annotated[int, Path(ge=0, le=ID_MAX)]) -> Response:
    """Return one segment with its instances."""
    return collection([await segment_feature(request.app.state.database, segment_id)])


async def segment_feature(database: Database, segment_id: int) -> dict[str, Any]:
    """Return a segment as a feature with its instances; `NotFoundError` when there is none of that number."""
    async with database.connection() as connection:
        row = await find_imported_span(connection, segment_id)
    if row is None:
        raise NotFoundError(f"there is no segment {segment_id}")
    installations = await find_instances(database, "segment", segment_id)
    now = datetime.now(UTC)
    instances: dict[str, Any] = {}
    for instance in installations:
        shape = instance_shape(instance, now)
        times = {
            "time_added": "from_at",
            "time_end": "until_at",
            "first_data_package": "first_at",
            "last_data_package": "last_at",
        }
        shape.update(
            {
                name: other_stamp(instance[column])
                for name, column in times.items()
                if instance[column] or name == "time_end"
            }
        )
        number = str(shape.pop("instance_id"))
        instances[number] = {name: value for name, value in shape.items() if name != "segment_id"}
    # Counts of others come in no packages: theirs begin and end as their periods do.
    firsts = [at for at in (*(i["first_at"] for i in installations), row["imported_from"]) if at]
    lasts = [at for at in (*(i["last_at"] for i in installations), row["imported_until"]) if at]
    properties = {
        "oidn": segment_id,
        "first_data_package": report_stamp(min(firsts, default=None)),
        "last_data_package": report_stamp(max(lasts, default=None)),
        "timezone": row["timezone"],
        "instance_ids": instances,
    }
    return feature(line(row["geometry"]), **properties)
