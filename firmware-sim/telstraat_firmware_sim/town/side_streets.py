"""Side streets of a made-up town: what the blocks between its main roads are filled with, from a seed.

Every block gets streets along its longer side and across, bent alike, cut where the block, a park or the water ends.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import shapely
import shapely.ops
from shapely import LineString, Polygon

from telstraat_firmware_sim.fleet.towns import FIRST_PARTS, LAST_PARTS
from telstraat_firmware_sim.town.curves import Metres, curve

BLOCK_MIN_M2 = 22_000.0
BETWEEN_M = (78.0, 150.0)
"""Distance of side streets in the old town, and at its edge 1 km out."""
BEND_M = 34.0
BEND_OVER_M = 620.0
LENGTH_MIN_M = 75.0
CUL_DE_SAC_M = 160.0
STUB_M = 30.0
BESIDE_M = 32.0
"""A street that runs nearer to the road around its block serves no houses."""
PRUNINGS = 3
"""What is cut off may have been all that another street met."""
ACROSS_LEFT_OUT = 0.42
ALONG_LEFT_OUT = 0.1
MORE_FIRST_PARTS = (
    "Rozen", "Tulpen", "Merel", "Zwaluw", "Leeuwerik", "Beuken", "Kersen", "Appel", "Wevers", "Schoenmakers", "Klokken",
    "Olmen", "Vlas", "Hoeve", "Ooievaar", "Kastanje", "Spoor", "Akker", "Weide", "Populieren",
)  # fmt: skip


def street_names(rng: np.random.Generator, but: set[str]) -> Iterator[str]:
    """Yield names for streets, none of them twice."""
    names = [
        first + last
        for first in (*FIRST_PARTS, *MORE_FIRST_PARTS)
        for last in LAST_PARTS
        if last not in {"plein", "kaai", "steeg", "pad"}
    ]
    for at in rng.permutation(len(names)):
        if names[at] not in but:
            yield names[at]
    for number in itertools.count(1):
        yield f"Dreef {number}"


def side_streets(
    main_roads: Sequence[Sequence[Metres]], limits: Polygon, barred: Sequence[Polygon], rng: np.random.Generator
) -> list[list[Metres]]:
    """Return the lines of side streets: within the limits, from main road to main road, outside of what is barred."""
    roads = shapely.unary_union([*(LineString(road) for road in main_roads), limits.exterior])
    closed = shapely.unary_union([area.buffer(16.0) for area in barred])
    out: list[list[Metres]] = []
    for block in sorted(shapely.polygonize([roads]).geoms, key=lambda face: (face.centroid.x, face.centroid.y)):
        if block.area >= BLOCK_MIN_M2 and limits.buffer(5.0).contains(block):
            out.extend(_of_block(block, closed, rng))
    return _pruned(out, [LineString(road) for road in main_roads])


def _pruned(lines: list[list[Metres]], main_roads: list[LineString]) -> list[list[Metres]]:
    """Return the streets without what leads nowhere: ends beyond the last crossing, and streets that meet none."""
    shapes = [LineString(line) for line in lines]
    for _ in range(PRUNINGS):
        tree = shapely.STRtree([*shapes, *main_roads])
        left = []
        for at, shape in enumerate(shapes):
            others = [tree.geometries[other] for other in tree.query(shape, "dwithin", 1.0) if other != at]
            places = sorted({round(shape.project(place), 1) for other in others for place in _meetings(shape, other)})
            if not places or (len(places) == 1 and shape.length > CUL_DE_SAC_M):
                continue
            first = places[0] if places[0] > STUB_M and len(places) > 1 else 0.0
            last = places[-1] if shape.length - places[-1] > STUB_M and len(places) > 1 else shape.length
            if last - first >= LENGTH_MIN_M:
                left.append(shapely.ops.substring(shape, first, last))
        shapes = left
    return [[(float(x), float(y)) for x, y in shape.coords] for shape in shapes]


def _meetings(line: LineString, other: LineString) -> Iterator[shapely.Point]:
    """Yield where two lines cross, or where the end of one touches the other."""
    crossing = shapely.intersection(line, other)
    yield from (
        part for part in getattr(crossing, "geoms", [crossing]) if part.geom_type == "Point" and not part.is_empty
    )
    for end in (shapely.Point(other.coords[0]), shapely.Point(other.coords[-1])):
        if line.distance(end) <= 1.0:
            yield end
    for end in (shapely.Point(line.coords[0]), shapely.Point(line.coords[-1])):
        if other.distance(end) <= 1.0:
            yield end


def _of_block(block: Polygon, closed: Polygon, rng: np.random.Generator) -> Iterator[list[Metres]]:
    middle = np.array(block.centroid.coords[0])
    outwards = min(1.0, float(np.hypot(*middle)) / 1000.0)
    between = BETWEEN_M[0] + (BETWEEN_M[1] - BETWEEN_M[0]) * outwards
    corners = np.array(shapely.minimum_rotated_rectangle(block).exterior.coords)
    sides = np.diff(corners[:3], axis=0)
    along = sides[int(np.argmax(np.hypot(*sides.T)))]
    turn = math.atan2(along[1], along[0]) + float(rng.normal(0.0, 0.05))
    reach = float(np.hypot(*(corners[0] - corners[2]))) / 2 + between
    waves = rng.uniform(0.0, 2 * math.pi, 2)
    open_to_streets = block.difference(closed)
    for is_across, leave_out in ((False, ALONG_LEFT_OUT), (True, ACROSS_LEFT_OUT)):
        shift = float(rng.uniform(0.3, 0.7))
        step = between * (1.25 if is_across else 1.0)
        for at in np.arange(-reach, reach, step):
            line = _bent(middle, turn, at + shift * step, reach, is_across, waves)
            for part in _inside(line, open_to_streets, block):
                if rng.random() >= leave_out:
                    yield part


def _bent(
    middle: np.ndarray, turn: float, offset: float, reach: float, is_across: bool, waves: np.ndarray
) -> LineString:
    """Return one line of a bent grid through a block."""
    places = np.linspace(-reach, reach, max(6, math.ceil(reach / 45.0)))
    other = np.full_like(places, offset)
    u, v = (other, places) if is_across else (places, other)
    bent_u = u + BEND_M * np.sin(v / BEND_OVER_M * 2 * math.pi + waves[0])
    bent_v = v + BEND_M * np.sin(u / BEND_OVER_M * 2 * math.pi + waves[1])
    x = middle[0] + bent_u * math.cos(turn) - bent_v * math.sin(turn)
    y = middle[1] + bent_u * math.sin(turn) + bent_v * math.cos(turn)
    return LineString(curve(list(zip(x.tolist(), y.tolist(), strict=True))))


def _inside(line: LineString, open_to_streets: Polygon, block: Polygon) -> Iterator[list[Metres]]:
    """Yield the parts of a line within a block; one that runs beside its edge is left out."""
    within = shapely.intersection(line, open_to_streets)
    for part in getattr(within, "geoms", [within]):
        if part.geom_type != "LineString" or part.length < LENGTH_MIN_M:
            continue
        places = part.interpolate(np.linspace(0.1, 0.9, 9), normalized=True)
        if np.mean([block.exterior.distance(place) > BESIDE_M for place in places]) > 0.6:
            yield [(float(x), float(y)) for x, y in part.coords]
