"""An extract of OpenStreetMap, read once: its streets as ways over common points, and the ground that a map shows beneath them.

Points that an extract lacks (ways that leave it) are None; areas whose borders are not whole in the file are left out.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import osmium
import osmium.filter
from osmium.osm import AREA, WAY, Area, Way

from telstraat_store.errors import StreetFileError
from telstraat_store.maps.covered_lines import NAMELESS
from telstraat_store.maps.ground_features import GROUND_KEYS, GroundFeature, area_feature, line_feature
from telstraat_store.places.speed_limits import speed_limit

CLASSES = (
    "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "pedestrian", "cycleway",
)  # fmt: skip
"""What is a street by itself: not motorways, tracks, driveways and paths."""

CLOSED = {"private", "no"}
ENDINGS = (".osm", ".osm.pbf", ".pbf", ".osm.gz", ".osm.bz2")
ON_DISK_FROM_BYTES = 150_000_000
"""Larger files keep the places of their points in a file of their own meanwhile: a country has hundreds of millions."""
WAYS_MAX = 250_000
MARGIN = 0.1
"""How much wider than the box that was asked for is what is read: streets and rivers do not end at a map's edge."""

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

    def wider(self) -> Box:
        """Return the box with a margin."""
        across, up = MARGIN * (self.east - self.west), MARGIN * (self.north - self.south)
        return Box(
            max(-180.0, self.west - across),
            max(-90.0, self.south - up),
            min(180.0, self.east + across),
            min(90.0, self.north + up),
        )


@dataclass(frozen=True)
class StreetWay:
    """A way that is a street; each node has a number, and a place unless the file lacks it."""

    way: int
    name: str
    """Its name, or the number of the road; empty without either."""
    speed_limit_kmh: int | None
    nodes: tuple[tuple[int, Point | None], ...]
    is_one_way: bool = False


@dataclass(frozen=True)
class StreetPiece:
    """A street segment, from A to B in the direction of its (first) way."""

    way: int
    part: int
    name: str
    points: tuple[Point, ...]
    speed_limit_kmh: int | None
    ways: frozenset[int] = frozenset()
    """All ways that it lies on."""


@dataclass
class Extract:
    """What a file holds."""

    streets: list[StreetWay] = field(default_factory=list)
    ground: list[GroundFeature] = field(default_factory=list)
    met: Counter[int] = field(default_factory=Counter)
    """How often streets pass each node."""
    box: Box | None = None


def read_extract(path: Path, classes: Collection[str] = CLASSES, box: Box | None = None) -> Extract:
    """Read a file; with a box, what reaches into it or lies a little beyond.

    Raises
    ------
    StreetFileError
        It cannot be read, or holds more streets than one import takes.
    """
    try:
        try:
            return _read(path, classes, box)
        except RuntimeError:
            if _is_large(path):
                raise
            # Editors save files in any order; a file that is damaged fails again.
            with tempfile.TemporaryDirectory() as folder:
                return _read(_sorted(path, Path(folder) / "sorted.osm.pbf"), classes, box)
    except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError) as error:
        raise StreetFileError(f"{path} cannot be read as an extract of OpenStreetMap: {error}") from error


def _read(path: Path, classes: Collection[str], box: Box | None) -> Extract:
    extract, wide = Extract(box=box), box.wider() if box else None
    placed, lost = 0, 0
    for thing in _things(path):
        feature = None
        if isinstance(thing, Area):
            feature = area_feature(thing)
        elif isinstance(thing, Way):
            nodes = tuple(_nodes(thing))
            points = [point for _, point in nodes if point is not None]
            placed, lost = placed + bool(points), lost + (not points)
            if not points or (wide is not None and not any(map(wide.holds, points))):
                continue
            if _is_street(thing, classes):
                extract.streets.append(_street(thing, nodes))
            feature = line_feature(thing, nodes)
        if feature is not None and (wide is None or feature.reaches(wide.west, wide.south, wide.east, wide.north)):
            extract.ground.append(feature)
        if len(extract.streets) + len(extract.ground) > WAYS_MAX:
            raise StreetFileError(
                f"{path.name} holds more than {WAYS_MAX:,} streets and areas; name the part that you want with --bbox"
            )
    if lost and not placed:
        raise RuntimeError("it has the points of none of its ways")
    _count_meetings(path, classes, extract)
    return extract


def _things(path: Path) -> Iterator[object]:
    """Yield the ways of a file and its areas, also those of several ways; areas come once as ways and once as areas."""
    reader = osmium.FileProcessor(str(path))
    reader.with_locations("sparse_file_array" if _is_large(path) else "flex_mem")
    reader.with_areas(osmium.filter.KeyFilter(*GROUND_KEYS))
    reader.with_filter(osmium.filter.EntityFilter(WAY | AREA)).with_filter(osmium.filter.KeyFilter(*GROUND_KEYS))
    yield from reader


def _is_large(path: Path) -> bool:
    return path.stat().st_size >= ON_DISK_FROM_BYTES


def _sorted(path: Path, copy: Path) -> Path:
    """Write a copy that is in the order which extracts have: nodes, ways, relations, each by number."""
    everything = osmium.MergeInputReader()
    everything.add_file(str(path))
    with osmium.SimpleWriter(str(copy)) as writer:
        everything.apply(writer)
    return copy


def _nodes(way: Way) -> Iterator[tuple[int, Point | None]]:
    for node in way.nodes:
        place = node.location
        yield node.ref, (round(place.lon, 7), round(place.lat, 7)) if place.valid() else None


def _is_street(way: Way, classes: Collection[str]) -> bool:
    tags = way.tags
    return tags.get("highway") in classes and tags.get("area") != "yes" and tags.get("access") not in CLOSED


def _street(way: Way, nodes: tuple[tuple[int, Point | None], ...]) -> StreetWay:
    name = way.tags.get("name") or way.tags.get("ref") or ""
    limit = speed_limit(way.tags.get("maxspeed") or "")
    return StreetWay(way.id, name, limit, nodes, way.tags.get("oneway") in {"yes", "-1", "1", "true"})


def _count_meetings(path: Path, classes: Collection[str], extract: Extract) -> None:
    """Count how often streets pass each node: with a box, also those that only touch what was read."""
    if extract.box is None:
        for street in extract.streets:
            extract.met.update(node for node, _ in street.nodes)
        return
    mine = {node for street in extract.streets for node, _ in street.nodes}
    reader = osmium.FileProcessor(str(path), WAY).with_filter(osmium.filter.KeyFilter("highway"))
    for way in reader:
        if isinstance(way, Way) and _is_street(way, classes):
            extract.met.update(node.ref for node in way.nodes if node.ref in mine)


def pieces(extract: Extract) -> Iterator[StreetPiece]:
    """Yield every street cut at every junction; with a box, those pieces that reach into it."""
    for street in extract.streets:
        for part, points in cut(street.nodes, extract.met):
            if extract.box is None or any(map(extract.box.holds, points)):
                yield StreetPiece(
                    street.way, part, street.name or NAMELESS, points, street.speed_limit_kmh, frozenset({street.way})
                )


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
