"""Streets in GeoJSON: a collection, a lone feature or a bare line, in WGS84 or in a system that the file names."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from telstraat_store.errors import CountsFileError, StreetFileError
from telstraat_store.imports.sheets import decoded

WGS84 = ("CRS84", "4326", "WGS84", "WGS 84")
LINES = {"LineString", "MultiLineString"}
Point = tuple[float, float]


def read_features(path: Path) -> list[dict[str, Any]]:
    """Read the features of a GeoJSON file, their lines in WGS84.

    Raises
    ------
    StreetFileError
        The file cannot be read, is no GeoJSON, or is in a system that is not known.
    """
    try:
        content = json.loads(decoded(path, path.read_bytes())[0])
    except OSError as error:
        raise StreetFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except RecursionError as error:
        raise StreetFileError(f"{path}: cannot be read as GeoJSON: lists lie in lists without end") from error
    except (CountsFileError, ValueError) as error:
        raise StreetFileError(f"{path}: cannot be read as GeoJSON: {error}") from error
    try:
        return features_of(content)
    except StreetFileError as error:
        raise StreetFileError(f"{path}: {error}") from error


def features_of(content: Any) -> list[dict[str, Any]]:
    """Return the features of GeoJSON, whatever it is wrapped in.

    Raises
    ------
    StreetFileError
        It is no GeoJSON.
    """
    kind = content.get("type") if isinstance(content, Mapping) else None
    if kind == "FeatureCollection" and isinstance(content.get("features"), list):
        features = [item if isinstance(item, Mapping) else {"geometry": item} for item in content["features"]]
    elif kind == "Feature":
        features = [content]
    elif kind == "GeometryCollection" and isinstance(content.get("geometries"), list):
        features = [{"geometry": geometry} for geometry in content["geometries"]]
    elif isinstance(kind, str) and "coordinates" in content:
        features = [{"geometry": content}]
    else:
        raise StreetFileError(
            f"is no GeoJSON of streets: its type is {kind!r}, not FeatureCollection, Feature or LineString"
        )
    if not features:
        raise StreetFileError("holds no feature")
    into_wgs84 = _transformer(content.get("crs"))
    return [dict(feature) | {"geometry": _moved(feature.get("geometry"), into_wgs84)} for feature in features]


def line_in(geometry: Any) -> dict[str, Any]:
    """Return the one line of a geometry, as GeoJSON: the parts of a MultiLineString are merged where their ends join.

    Raises
    ------
    StreetFileError
        There is no line, or its parts do not join; the text says so in a sentence.
    """
    if geometry is None:
        raise StreetFileError("has no line: its geometry is null")
    kind = geometry.get("type") if isinstance(geometry, Mapping) else type(geometry).__name__
    if (
        kind == "GeometryCollection"
        and isinstance(geometry.get("geometries"), list)
        and len(geometry["geometries"]) == 1
    ):
        return line_in(geometry["geometries"][0])
    if kind not in LINES:
        raise StreetFileError(f"is a {kind}; a street is a LineString from one end to the other")
    parts = [geometry.get("coordinates")] if kind == "LineString" else geometry.get("coordinates")
    if not isinstance(parts, list) or not parts:
        raise StreetFileError("has a line without points")
    lines = [_points(part) for part in parts]
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}
    return {"type": "LineString", "coordinates": _merged(lines)}


def _points(part: Any) -> list[list[float]]:
    if not isinstance(part, list) or len(part) < 2:
        raise StreetFileError("has a line of fewer than two points")
    out = []
    for point in part:
        numbers = point[:2] if isinstance(point, list) and len(point) >= 2 else []
        if len(numbers) < 2 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
            raise StreetFileError(f"has a point {str(point)[:60]!r}, which is not [longitude, latitude]")
        out.append([_finite(number) for number in numbers])
    return out


def _finite(number: float) -> float:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise StreetFileError(f"has a coordinate {str(number)[:20]}, which is no number of degrees")
    return value


def _merged(lines: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    import shapely

    several = shapely.MultiLineString([[tuple(point) for point in line] for line in lines])
    for is_directed in (True, False):
        merged = shapely.line_merge(several, directed=is_directed)
        if merged.geom_type == "LineString":
            return [list(point) for point in merged.coords]
    raise StreetFileError(
        f"is a MultiLineString of {len(lines)} parts that do not join into one line; draw each part as a street of its own"
    )


def _transformer(crs: Any) -> Callable[[float, float], Point] | None:
    about = crs.get("properties") if isinstance(crs, Mapping) else None
    name = about.get("name") if isinstance(about, Mapping) else None
    if not name or any(word in str(name) for word in WGS84):
        return None
    import pyproj

    try:
        return pyproj.Transformer.from_crs(str(name), "EPSG:4326", always_xy=True).transform
    except (pyproj.exceptions.CRSError, UnicodeError) as error:
        raise StreetFileError(
            f"is in the coordinate system {name!r}, which is not known; save it in WGS84 (EPSG:4326)"
        ) from error


def _moved(geometry: Any, into_wgs84: Callable[[float, float], Point] | None) -> Any:
    if into_wgs84 is None or not isinstance(geometry, Mapping) or "coordinates" not in geometry:
        return geometry

    def moved(value: Any) -> Any:
        if isinstance(value, list) and len(value) >= 2 and all(isinstance(n, int | float) for n in value[:2]):
            try:
                return list(into_wgs84(value[0], value[1]))
            except OverflowError:
                return value  # refused with its feature
        return [moved(part) for part in value] if isinstance(value, list) else value

    return dict(geometry) | {"coordinates": moved(geometry["coordinates"])}
