"""From degrees to a picture with north above: the one way in which the pages draw lines that lie somewhere.

A town is small enough to be flat: degrees of longitude are shortened by the cosine of the latitude in its middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telstraat_store.maps.covered_lines import METRES_A_DEGREE

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
KM_A_DEGREE = METRES_A_DEGREE / 1000
APART = 1.0
"""Points of a line that are nearer to the one before, in steps of the picture, are not drawn."""


@dataclass(frozen=True)
class Projection:
    """A picture of `width` by `height` that shows a box of degrees."""

    box: Box
    width: float
    height: float

    def point(self, lon: float, lat: float) -> Point:
        """Return where a place lies in the picture."""
        west, south, east, north = self.box
        return (lon - west) / (east - west) * self.width, (north - lat) / (north - south) * self.height

    def line(self, line: Iterable[Sequence[float]]) -> list[Point]:
        """Return where the points of a line, longitude first, lie in the picture, without those that nobody could tell apart.

        Its ends stay. A street that was drawn by a GPS every second has ten thousand points, and weighed 250 kB on a map.
        """
        points = [self.point(point[0], point[1]) for point in line]
        drawn = points[:1]
        for point in points[1:-1]:
            if abs(point[0] - drawn[-1][0]) + abs(point[1] - drawn[-1][1]) >= APART:
                drawn.append(point)
        return drawn + points[1:][-1:]


def distance_km(place: Sequence[float], other: Sequence[float]) -> float:
    """Return how far two places are apart, roughly."""
    across = (place[0] - other[0]) * math.cos(math.radians((place[1] + other[1]) / 2))
    return KM_A_DEGREE * math.hypot(across, place[1] - other[1])


def box_around(points: Iterable[Sequence[float]]) -> Box | None:
    """Return the box of places, longitude first; None without any."""
    places = list(points)
    if not places:
        return None
    lons, lats = [place[0] for place in places], [place[1] for place in places]
    return min(lons), min(lats), max(lons), max(lats)


def lines_in(shape: Mapping[str, Any]) -> list[tuple[Sequence[Sequence[float]], bool]]:
    """Return the lines of a GeoJSON geometry, and whether they go around something."""
    kind, of = shape["type"], shape["coordinates"]
    nested = {"LineString": [of], "MultiLineString": of, "Polygon": of}
    if kind == "MultiPolygon":
        return [(ring, True) for polygon in of for ring in polygon]
    return [(line, kind == "Polygon") for line in nested.get(kind, [])]


def projection_for(
    box: Box, width: float, heights: tuple[float, float], *, edge: float = 0.0, least: float = 1e-6
) -> Projection:
    """Return the projection that shows a box in the middle of a picture.

    Parameters
    ----------
    box
        What is to be seen whole.
    width
        Of the picture.
    heights
        The least and the most: between them the picture is as high as the box asks for.
    edge
        So far the box stays from the sides.
    least
        A box is shown as at least so wide and high, degrees of latitude.
    """
    west, south, east, north = box
    middle_lon, middle_lat = (west + east) / 2, (south + north) / 2
    shorter = max(0.1, math.cos(math.radians(middle_lat)))
    wide, high = max((east - west) * shorter, least), max(north - south, least)
    inner = width - 2 * edge
    height = min(max(inner * high / wide + 2 * edge, heights[0]), heights[1])
    step = max(wide / inner, high / (height - 2 * edge))
    half_lon, half_lat = step * width / shorter / 2, step * height / 2
    return Projection(
        (middle_lon - half_lon, middle_lat - half_lat, middle_lon + half_lon, middle_lat + half_lat), width, height
    )
