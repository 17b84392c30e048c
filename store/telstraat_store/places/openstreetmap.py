"""Streets from an extract of OpenStreetMap: ways of the wanted classes, cut where they meet others, numbered along the way.

A piece keeps the way's number and its place along it, so that reading an extract again finds the same pieces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import osmium
import osmium.filter
from osmium.osm import NODE, WAY, Way

from telstraat_store.errors import StreetFileError
from telstraat_store.places.speed_limits import speed_limit

CLASSES = (
    "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "pedestrian", "cycleway",
)  # fmt: skip
"""What is a street by itself: not motorways, tracks, driveways and paths."""

CLOSED = {"private", "no"}
NAMELESS = "street without a name"
ENDINGS = (".osm", ".osm.pbf", ".pbf", ".osm.gz", ".osm.bz2")

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A part of the world, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, point: Point) -> bool:
        """Tell whether a point (longitude, latitude) lies within."""
        return self.west <= point[0] <= self.east and self.south <= point[1] <= self.north


@dataclass(frozen=True)
class StreetPiece:
    """A street segment between two junctions, from A to B in the direction of the way."""

    way: int
    part: int
    name: str
    points: tuple[Point, ...]
    speed_limit_kmh: int | None


def streets(path: Path, classes: Collection[str], *, located: bool) -> Iterator[Way]:
    """Yield the ways of a file that are streets of the wanted classes."""
    try:
        reader = osmium.FileProcessor(str(path), WAY | NODE if located else WAY)
        if located:
            reader = reader.with_locations()
        reader = reader.with_filter(osmium.filter.EntityFilter(WAY)).with_filter(osmium.filter.KeyFilter("highway"))
        for way in reader:
            assert isinstance(way, Way)
            tags = way.tags
            if tags.get("highway") in classes and tags.get("area") != "yes" and tags.get("access") not in CLOSED:
                yield way
    except (RuntimeError, OSError) as error:
        raise StreetFileError(f"{path} cannot be read as an extract of OpenStreetMap: {error}") from error


def pieces(path: Path, classes: Collection[str] = CLASSES, box: Box | None = None) -> Iterator[StreetPiece]:
    """Yield the pieces of the streets in a file; with a box, those that reach into it."""
    met: Counter[int] = Counter()
    for way in streets(path, classes, located=False):
        met.update(node.ref for node in way.nodes)
    for way in streets(path, classes, located=True):
        nodes = [
            (node.ref, (round(node.location.lon, 7), round(node.location.lat, 7)) if node.location.valid() else None)
            for node in way.nodes
        ]
        name = way.tags.get("name") or way.tags.get("ref") or NAMELESS
        limit = speed_limit(way.tags.get("maxspeed") or "")
        for part, points in cut(nodes, met):
            if box is None or any(map(box.holds, points)):
                yield StreetPiece(way.id, part, name, points, limit)


def cut(nodes: Sequence[tuple[int, Point | None]], met: Counter[int]) -> Iterator[tuple[int, tuple[Point, ...]]]:
    """Yield the parts of a way between junctions, numbered from 1; a part that leaves the extract is left out."""
    part, line, is_whole = 1, list[Point](), True
    for place, (node, point) in enumerate(nodes):
        if point is None:
            is_whole = False
        else:
            line.append(point)
        if place > 0 and (place == len(nodes) - 1 or met[node] > 1):
            if is_whole:
                yield part, tuple(line)
            part, line, is_whole = part + 1, [] if point is None else [point], point is not None
