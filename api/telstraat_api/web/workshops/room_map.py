"""The streets of a room as a map without tiles: lines on a plain ground, to which notes are pinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from telstraat_api.web.projection import Point, Projection, box_around, projection_for
from telstraat_store.places.picking import points_in
from telstraat_store.places.segments import lines_around

WIDTH, HEIGHT = 1000, 640
MARGIN = 60
LEAST_STEP = 1e-6
"""So many degrees of latitude a unit of the picture is at least."""
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
    lines = [(row, points_in(row["geometry"])) for row in rows]
    box = box_around(point for row, line in lines for point in line if not segments or row["segment_id"] in segments)
    if box is None:
        return None
    least = LEAST_STEP * (WIDTH - 2 * MARGIN)
    projection = projection_for(box, WIDTH, (HEIGHT, HEIGHT), edge=MARGIN, least=least)
    drawn = [drawn_line(row, line, projection, segments) for row, line in lines if line]
    west, south, east, north = projection.box
    return RoomMap(drawn, west, north, (east - west) / WIDTH, (north - south) / HEIGHT)


def drawn_line(
    row: Mapping[str, Any], line: Sequence[Point], projection: Projection, segments: Sequence[int]
) -> MapLine:
    """Return a street's line in units of the picture."""
    places = projection.line(line)
    x, y = places[len(places) // 2]
    path = "M" + "L".join(f"{left:.0f} {top:.0f}" for left, top in places)
    is_ours = row["segment_id"] in segments
    return MapLine(row["segment_id"], row["name"], path, round(x), round(y), is_ours)
