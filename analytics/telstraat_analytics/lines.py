"""Lines of streets from a GeoJSON file, for the map of a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telstraat_analytics.errors import FrameError

NAMES = ("segment_id", "segment", "oidn", "id")
Line = tuple[tuple[float, float], ...]


def read_lines(path: Path) -> dict[str, Line]:
    """Read the lines of streets.

    Parameters
    ----------
    path
        A GeoJSON FeatureCollection of LineString or MultiLineString, WGS84, each with ``segment_id`` (or ``segment``,
        ``oidn``, ``id``) in its properties, or an ``id`` of its own.

    Returns
    -------
    dict
        Per segment, longitude and latitude from A to B; features that are no lines are passed over.

    Raises
    ------
    FrameError
        The file cannot be read, or holds no line of a street.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
        features = [content] if content.get("type") == "Feature" else content["features"]
        lines = {
            name: line
            for feature in features
            if (name := _name(feature)) and (line := line_of(feature.get("geometry")))
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise FrameError(f"{path}: cannot be read as GeoJSON of streets: {error!r}") from error
    if not lines:
        raise FrameError(f"{path}: holds no LineString with one of {', '.join(NAMES)} in its properties")
    return lines


def line_of(geometry: Mapping[str, Any] | None) -> Line:
    """Return the points of a GeoJSON line, the parts of a MultiLineString one after the other; nothing of what is no line."""
    if geometry is None or geometry["type"] not in {"LineString", "MultiLineString"}:
        return ()
    parts = [geometry["coordinates"]] if geometry["type"] == "LineString" else geometry["coordinates"]
    line = tuple((float(point[0]), float(point[1])) for part in parts for point in part)
    return line if len(line) > 1 else ()


def _name(feature: Mapping[str, Any]) -> str:
    properties = feature.get("properties") or {}
    value = next((properties[name] for name in NAMES if properties.get(name) is not None), feature.get("id", ""))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
