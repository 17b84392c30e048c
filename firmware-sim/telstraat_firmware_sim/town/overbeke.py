"""Overbeke: a town of some ten thousand people that does not exist, and what a map of it shows.

Its main roads, river and parks are drawn by hand and always the same; side streets, their names and who passes follow from the seed.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString, Polygon

from telstraat_firmware_sim.demand.demand import Town, TownStreet, random_of
from telstraat_firmware_sim.demand.profiles import CLASSES, LFT_SHARE_SD
from telstraat_firmware_sim.town.curves import Metres, curve, on_the_globe
from telstraat_firmware_sim.town.plan import (
    AREAS,
    COUNTED,
    LIMITS,
    OTHERS,
    PATHS,
    RAIL,
    RIVER,
    RIVER_HALF_M,
    RIVER_NAME,
    PlannedStreet,
)
from telstraat_firmware_sim.town.side_streets import side_streets, street_names

NAME = "Overbeke"
LONGITUDE, LATITUDE = 4.9300, 50.9700
MET_M = 2.5
"""Lines whose ends come so near to another line meet it."""


@dataclass(frozen=True)
class MadeUpWay:
    """A line of the map, in metres; `nodes` numbers its points, and the same number is the same point."""

    tags: Mapping[str, str]
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class MadeUpArea:
    """An area of the map: its outer ring and its holes, closed, as numbers of points."""

    tags: Mapping[str, str]
    outer: tuple[int, ...]
    holes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class MadeUpMap:
    """Everything that a map of the town shows."""

    points: tuple[tuple[float, float], ...]
    """Longitude and latitude; a way's nodes are places in this list."""
    ways: tuple[MadeUpWay, ...]
    areas: tuple[MadeUpArea, ...]


def overbeke(seed: int = 0) -> Town:
    """Return the town's counted streets with who passes there: the same seed, the same town."""
    rng = random_of(seed, NAME, "streets")
    return Town(NAME, tuple(_counted(street, rng) for street in COUNTED), latitude=LATITUDE, longitude=LONGITUDE)


def _counted(street: PlannedStreet, rng: np.random.Generator) -> TownStreet:
    """Return a counted street; the seed moves its numbers by some percent, not what it is for."""
    usual = {name: float(street.per_hour.get(name, 0.0) * np.exp(0.06 * rng.standard_normal())) for name in CLASSES}
    lft = {name: float(0.5 + 0.3 * LFT_SHARE_SD[name] * rng.standard_normal()) for name in CLASSES}
    if street.is_one_way:
        lft |= {"car": 0.98, "heavy": 0.98}
    tide: dict[str, float] = {
        "car": street.into_town,
        "bike": 0.8 * street.into_town,
        "pedestrian": 0.3 * street.into_town,
    }
    return TownStreet(
        name=street.name,
        kind=street.kind,
        per_hour={name: round(number, 2) for name, number in usual.items()},
        lft_share={name: round(share, 3) for name, share in lft.items()},
        tide={name: round(tide.get(name, 0.0), 3) for name in CLASSES},
        speed_kmh=round(float(street.speed_kmh * np.exp(0.01 * rng.standard_normal())), 1),
        line=tuple(on_the_globe(point, LONGITUDE, LATITUDE) for point in curve(street.points)),
    )


def map_of_overbeke(seed: int = 0) -> MadeUpMap:
    """Return the map: all streets, paths, rails, water and green."""
    drawing = _Drawing()
    river = _river()
    areas = [
        (area.tags, _ring(area.points, is_smooth=area.is_smooth), [_ring(h, is_smooth=True) for h in area.holes])
        for area in AREAS
    ]
    planned = [*COUNTED, *OTHERS]
    lines = [curve(street.points) for street in planned]
    rng = random_of(seed, NAME, "map")
    barred = [Polygon(ring) for _, ring, _ in areas] + [river, LineString(curve(RAIL)).buffer(12.0)]
    others = side_streets(lines, Polygon(curve(LIMITS, is_closed=True)), barred, rng)
    names = street_names(rng, {street.name for street in planned})
    tags: list[Mapping[str, str]] = [_tags(street) for street in planned]
    for line in others:
        lines.append(line)
        tags.append({"highway": "residential", "name": next(names), "maxspeed": "30"})
    lines += [curve(path) for path in PATHS]
    tags += [{"highway": "path"} for _ in PATHS]
    parts = _bridges(planned)
    for at, (line, about) in enumerate(zip(_met(lines), tags, strict=True)):
        drawing.street(line, about, parts.get(at))
    drawing.way(curve(RAIL), {"railway": "rail"})
    drawing.way(curve(RIVER), {"waterway": "river", "name": RIVER_NAME})
    drawing.area({"natural": "water", "water": "river", "name": RIVER_NAME}, list(river.exterior.coords), [])
    for about, ring, holes in areas:
        drawing.area(about, ring, holes)
    return drawing.done()


def _river() -> Polygon:
    """Return the river's banks: it becomes wider downstream."""
    line = LineString(curve(RIVER))
    places = np.linspace(0.0, 1.0, 60)
    half = np.interp(places, (0.0, 1.0), RIVER_HALF_M)
    rounds = [line.interpolate(at, normalized=True).buffer(width) for at, width in zip(places, half, strict=True)]
    hulls = [shapely.convex_hull(shapely.union_all([a, b])) for a, b in itertools.pairwise(rounds)]
    return shapely.union_all(hulls).simplify(1.0)


def _ring(points: tuple[Metres, ...], *, is_smooth: bool) -> list[Metres]:
    return curve(points, is_closed=True) if is_smooth else [*points, points[0]]


def _tags(street: PlannedStreet) -> dict[str, str]:
    tags = {"highway": street.highway, "name": street.name, "maxspeed": str(street.limit_kmh), **street.tags}
    return tags | ({"oneway": "yes"} if street.is_one_way else {})


def _bridges(planned: list[PlannedStreet]) -> dict[int, tuple[Metres, Metres]]:
    return {
        at: (street.points[street.bridge[0]], street.points[street.bridge[1]])
        for at, street in enumerate(planned)
        if street.bridge
    }


def _met(lines: list[list[Metres]]) -> list[list[Metres]]:
    """Return the lines with a common point wherever two of them meet."""
    shapes = [LineString(line) for line in lines]
    tree = shapely.STRtree(shapes)
    extra: dict[int, list[Metres]] = defaultdict(list)
    for at, other in sorted(tree.query(shapes, predicate="dwithin", distance=MET_M).T.tolist()):
        if at >= other:
            continue
        crossing = shapely.intersection(shapes[at], shapes[other])
        places = [point for point in getattr(crossing, "geoms", [crossing]) if point.geom_type == "Point"]
        for mine, its in ((at, other), (other, at)):
            places += [
                shapely.Point(end)
                for end in (lines[mine][0], lines[mine][-1])
                if shapes[its].distance(shapely.Point(end)) <= MET_M
            ]
        for place in places:
            point = (round(place.x, 2), round(place.y, 2))
            extra[at].append(point)
            extra[other].append(point)
    return [_with(line, shape, extra[at]) for at, (line, shape) in enumerate(zip(lines, shapes, strict=True))]


def _with(line: list[Metres], shape: LineString, points: list[Metres]) -> list[Metres]:
    """Return a line that passes through some more points on it; a point of its own beside them gives way."""
    placed = {round(shape.project(shapely.Point(point)), 2): point for point in sorted(set(points))}
    own = {round(shape.project(shapely.Point(point)), 2): (round(point[0], 2), round(point[1], 2)) for point in line}
    far = {at: point for at, point in own.items() if all(abs(at - there) > 2 * MET_M for there in placed)}
    together = sorted((far | placed).items())
    return [point for _, point in together]


class _Drawing:
    """Ways and areas over common points."""

    def __init__(self) -> None:
        self.numbers: dict[Metres, int] = {}
        self.ways: list[MadeUpWay] = []
        self.areas: list[MadeUpArea] = []

    def node(self, point: Metres) -> int:
        """Return the number of a point, to the centimetre."""
        return self.numbers.setdefault((round(point[0], 2), round(point[1], 2)), len(self.numbers))

    def way(self, line: list[Metres], tags: Mapping[str, str]) -> None:
        """Draw a line."""
        self.ways.append(MadeUpWay(tags, tuple(self.node(point) for point in line)))

    def street(self, line: list[Metres], tags: Mapping[str, str], bridge: tuple[Metres, Metres] | None) -> None:
        """Draw a street; one with a bridge is three ways, as surveyors draw it."""
        if bridge is None:
            return self.way(line, tags)
        first, last = sorted(
            min(range(len(line)), key=lambda at: abs(line[at][0] - end[0]) + abs(line[at][1] - end[1]))
            for end in bridge
        )
        self.way(line[: first + 1], tags)
        self.way(line[first : last + 1], {**tags, "bridge": "yes", "layer": "1"})
        return self.way(line[last:], tags)

    def area(self, tags: Mapping[str, str], outer: list[Metres], holes: list[list[Metres]]) -> None:
        """Draw an area."""
        rings = [tuple(self.node(point) for point in ring) for ring in (outer, *holes)]
        self.areas.append(MadeUpArea(tags, rings[0], tuple(rings[1:])))

    def done(self) -> MadeUpMap:
        """Return what was drawn, on the globe."""
        points = tuple(on_the_globe(point, LONGITUDE, LATITUDE) for point in self.numbers)
        return MadeUpMap(points, tuple(self.ways), tuple(self.areas))
