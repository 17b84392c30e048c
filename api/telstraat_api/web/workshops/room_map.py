"""The streets of a room as a map without tiles: lines on a plain ground, to which notes are pinned."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.places.segments import lines_around

WIDTH, HEIGHT = 1000, 640
MARGIN = 60
OTHERS_MAX = 300
"""Streets around that are drawn quietly."""


@dataclass(frozen=True)
class MapLine:
    """A street on the map: its number and name, its path, where its name stands, and whether the workshop is about it."""

    segment_id: int
    name: str
    path: str
    x: float
    y: float
    is_ours: bool


@dataclass(frozen=True)
class RoomMap:
    """Lines, and the place of the map in the world: `west` and `north` in degrees, degrees per unit of the picture."""

    lines: list[MapLine]
    west: float
    north: float
    lon_step: float
    lat_step: float


async def read_map(connection: AsyncConnection[Any], segments: Sequence[int]) -> RoomMap | None:
    """Return the map of some streets and those around them; None when there is nothing to draw."""
    rows = await lines_around(connection, segments, OTHERS_MAX)
    lines = [(row, list(points(row["geometry"]))) for row in rows]
    own = [point for row, line in lines for point in line if not segments or row["segment_id"] in segments]
    if not own:
        return None
    west, east = min(x for x, _ in own), max(x for x, _ in own)
    south, north = min(y for _, y in own), max(y for _, y in own)
    flat = math.cos(math.radians((south + north) / 2)) or 1.0
    lat_step = max((east - west) * flat / (WIDTH - 2 * MARGIN), (north - south) / (HEIGHT - 2 * MARGIN), 1e-6)
    lon_step = lat_step / flat
    corner = ((west + east) / 2 - lon_step * WIDTH / 2, (south + north) / 2 + lat_step * HEIGHT / 2)
    drawn = [drawn_line(row, line, corner, (lon_step, lat_step), segments) for row, line in lines if line]
    return RoomMap(drawn, *corner, lon_step, lat_step)


def drawn_line(
    row: Mapping[str, Any],
    line: list[tuple[float, float]],
    corner: tuple[float, float],
    steps: tuple[float, float],
    segments: Sequence[int],
) -> MapLine:
    """Return a street's line in units of the picture."""
    places = [((x - corner[0]) / steps[0], (corner[1] - y) / steps[1]) for x, y in line]
    x, y = places[len(places) // 2]
    path = "M" + "L".join(f"{left:.0f} {top:.0f}" for left, top in places)
    is_ours = row["segment_id"] in segments
    return MapLine(row["segment_id"], row["name"], path, round(x), round(y), is_ours)


def points(geometry: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Yield the points of a line or of several, longitude first."""
    lines = [geometry["coordinates"]] if geometry["type"] == "LineString" else geometry["coordinates"]
    for line in lines:
        yield from ((float(point[0]), float(point[1])) for point in line)
