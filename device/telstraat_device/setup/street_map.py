"""A small map of a stretch of street and its neighbours, drawn from the town's own list: no tile of anybody else's.

Which end is A and which is B, and what lies there, is what somebody needs to name the two directions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from telstraat_device.setup.town import StreetFeature

WIDTH, HEIGHT, MARGIN = 320.0, 220.0, 34.0
METRES_PER_DEGREE = 111_320.0
AROUND_M = 120.0
LINES_MAX = 400
NEAR_END_M = 80.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class StretchMap:
    """A map as its page draws it: points of polylines, in the units of its picture."""

    neighbours: tuple[str, ...]
    street: str
    a: Point
    b: Point
    near_a: str
    near_b: str


def points_of(feature: StreetFeature) -> list[Point]:
    """Return the points of a stretch, longitude and latitude; nothing where they cannot be read."""
    try:
        return [(float(x), float(y)) for x, y, *_ in feature.geometry.coordinates]
    except (TypeError, ValueError):
        return []


def draw(features: Iterable[StreetFeature], segment_id: int) -> StretchMap | None:
    """Return the map of a stretch; None where the list has no line of it."""
    lines = {feature.properties.segment_id: (feature.properties.name or "", points_of(feature)) for feature in features}
    name, own = lines.get(segment_id, ("", []))
    if len(own) < 2:
        return None
    east_m = METRES_PER_DEGREE * math.cos(math.radians(own[0][1]))
    metres = {number: [(x * east_m, -y * METRES_PER_DEGREE) for x, y in line] for number, (_, line) in lines.items()}
    own_m = metres[segment_id]
    xs, ys = [x for x, _ in own_m], [y for _, y in own_m]
    west, east = min(xs) - AROUND_M / 4, max(xs) + AROUND_M / 4
    north, south = min(ys) - AROUND_M / 4, max(ys) + AROUND_M / 4
    scale = min((WIDTH - 2 * MARGIN) / (east - west), (HEIGHT - 2 * MARGIN) / (south - north))
    x0 = WIDTH / 2 - scale * (west + east) / 2
    y0 = HEIGHT / 2 - scale * (north + south) / 2

    def drawn(line: Sequence[Point]) -> list[Point]:
        return [(round(x0 + scale * x, 1), round(y0 + scale * y, 1)) for x, y in line]

    around = [drawn(line) for number, line in metres.items() if number != segment_id and len(line) > 1]
    near = [text_of(line) for line in around if any(is_near(point) for point in line)]
    others = [(lines[number][0], line) for number, line in metres.items() if lines[number][0] not in {name, ""}]
    line = drawn(own_m)
    return StretchMap(
        tuple(near[:LINES_MAX]), text_of(line), line[0], line[-1], nearest(others, own_m[0]), nearest(others, own_m[-1])
    )


def is_near(point: Point) -> bool:
    """Return whether a point is in the picture, or not far from it."""
    x, y = point
    return -WIDTH < x < 2 * WIDTH and -HEIGHT < y < 2 * HEIGHT


def text_of(points: Iterable[Point]) -> str:
    """Return points as SVG writes them."""
    return " ".join(f"{x},{y}" for x, y in points)


def nearest(others: Iterable[tuple[str, Sequence[Point]]], end: Point) -> str:
    """Return the name of another street that comes near an end; empty when none does."""
    best, best_m = "", NEAR_END_M
    for name, line in others:
        for start, stop in pairwise(line):
            away_m = distance_m(end, start, stop)
            if away_m < best_m:
                best, best_m = name, away_m
    return best


def distance_m(point: Point, start: Point, stop: Point) -> float:
    """Return how far a point is from a stretch between two others."""
    dx, dy = stop[0] - start[0], stop[1] - start[1]
    length = dx * dx + dy * dy
    along = 0.0 if not length else ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length
    along = min(1.0, max(0.0, along))
    return math.hypot(point[0] - start[0] - along * dx, point[1] - start[1] - along * dy)
