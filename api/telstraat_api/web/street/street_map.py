"""Where a street lies: a small map drawn by the server, with the ground around it, its name and its ends A and B."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from psycopg import AsyncConnection

from telstraat_api.v1.ground import boxes_of
from telstraat_api.web.map_names import FreeRoom, MapName, names_drawn, runs_within
from telstraat_api.web.projection import Point, Projection, box_around, distance_km, lines_in, projection_for
from telstraat_store.connection import Row
from telstraat_store.maps.ground import ground_within

WIDTH, HEIGHT = 480.0, 400.0
EDGE = 95.0
"""The box that the picture fills is flatter or taller than the picture: what lies this near to a side may be cut off."""
LEAST_DEGREES = 0.0008
SPARE = 30.0
THINGS_MAX = 600
NAMED_MAX = 40
LETTERS, OWN_LETTERS = 12.0, 15.0
DISC = 12.0
AREAS = ("wood", "green", "square", "school", "water")
METRES = {"stream": 4.0, "path": 2.0, "rail": 3.0, "street": 7.0, "road": 10.0, "motorway": 14.0}
WIDTHS = {"stream": (1.5, 8.0), "path": (0.8, 4.0), "rail": (1.0, 4.0), "street": (1.4, 16.0), "road": (2.0, 22.0), "motorway": (2.6, 26.0)}  # fmt: skip
ROADS = ("street", "road", "motorway")


@dataclass(frozen=True)
class StreetMap:
    """The picture, whom it must name, and how long the street is."""

    picture: Markup
    credit: str
    long_m: float


@dataclass(frozen=True)
class GroundLine:
    """A line of a thing on the ground, in the picture; `is_area`: it goes around something."""

    kind: str
    name: str
    line: Sequence[Point]
    is_area: bool


async def street_map(connection: AsyncConnection[Any], name: str, geometry: Mapping[str, Any], label: str) -> StreetMap:
    """Return the map of one street.

    Parameters
    ----------
    connection
        To read the ground with.
    name, geometry
        Of the street: a GeoJSON line, from A to B.
    label
        What a screen reader says.
    """
    line = [(float(point[0]), float(point[1])) for point in geometry["coordinates"]]
    around = box_around(line) or (0.0, 0.0, 0.0, 0.0)
    projection = projection_for(around, WIDTH, (HEIGHT, HEIGHT), edge=EDGE, least=LEAST_DEGREES)
    west, south, east, north = projection.box
    rows: list[Row] = []
    if -180 <= west < east <= 180 and -90 <= south < north <= 90:
        boxes, detail = boxes_of(f"{west},{south},{east},{north}")
        rows = await ground_within(connection, boxes, detail, limit=THINGS_MAX)
    places = projection.line(line)
    things = [
        GroundLine(row["kind"], row["name"], projection.line(shape), is_area)
        for row in rows
        for shape, is_area in lines_in(json.loads(row["shape"]))
    ]
    picture = Markup(
        '<svg class="street-map" viewBox="0 0 {w} {h}" preserveAspectRatio="xMidYMid slice" role="img" aria-label="{label}">'
        '<g class="ground">{ground}</g><path class="casing" d="{d}"/><path class="line" d="{d}"/><g class="names">{names}</g>{ends}</svg>'
    ).format(
        w=int(WIDTH), h=int(HEIGHT), label=label, ground=ground_drawn(things, projection), d=path([places]),
        names=names_of_map(name, places, things), ends=ends_drawn(places),
    )  # fmt: skip
    credit = ", ".join(sorted({row["credit"] for row in rows if row["credit"]}))
    return StreetMap(picture, credit, length_m(line))


def length_m(line: Sequence[Point]) -> float:
    """Return how long a line in degrees is, in metres."""
    return 1000 * sum(distance_km(a, b) for a, b in itertools.pairwise(line))


def ground_drawn(things: Sequence[GroundLine], projection: Projection) -> Markup:
    """Return the ground: areas, then lines as wide as they are, one path for each kind."""
    of: dict[str, list[str]] = {}
    for thing in things:
        parts = [cut_to_picture(thing.line)] if thing.is_area else runs_within(thing.line, WIDTH, HEIGHT, SPARE)
        of.setdefault(thing.kind, []).append(path(parts, is_area=thing.is_area))
    west, south, east, _ = projection.box
    metre = WIDTH / (1000 * distance_km((west, south), (east, south)))
    return Markup("").join(ground_layers({kind: "".join(paths) for kind, paths in of.items()}, metre))


def ground_layers(paths: Mapping[str, str], metre: float) -> Iterator[Markup]:
    """Yield the layers from below; streets are edged, so that they join."""
    for kind in AREAS:
        if paths.get(kind):
            yield Markup('<path class="of-{}" d="{}"/>').format(kind, paths[kind])
    for kind in ("stream", "rail", "path"):
        if paths.get(kind):
            yield Markup('<path class="of-{}" stroke-width="{}" d="{}"/>').format(kind, wide(kind, metre), paths[kind])
    roads = [kind for kind in ROADS if paths.get(kind)]
    for kind in roads:
        yield Markup('<path class="of-edge" stroke-width="{}" d="{}"/>').format(
            round(wide(kind, metre) + 1.6, 1), paths[kind]
        )
    for kind in roads:
        yield Markup('<path class="of-{}" stroke-width="{}" d="{}"/>').format(kind, wide(kind, metre), paths[kind])


def wide(kind: str, metre: float) -> float:
    """Return how wide a line of a kind is drawn."""
    least, most = WIDTHS[kind]
    return round(min(most, max(least, METRES[kind] * metre)), 1)


def names_of_map(name: str, places: Sequence[Point], things: Sequence[GroundLine]) -> Markup:
    """Return the street's own name, then those of the streets around that find room."""
    room = FreeRoom(WIDTH, HEIGHT)
    for x, y in (places[0], places[-1]):
        room.discs += [(x - DISC / 2, y), (x + DISC / 2, y)]
    own = names_drawn([MapName(name, places, lift=17.0, css="own", is_sure=True)], OWN_LETTERS, room, "own-name")
    around = [
        MapName(thing.name, run)
        for thing in things
        if thing.name and thing.name != name and thing.kind in ROADS
        for run in runs_within(thing.line, WIDTH, HEIGHT)
    ]
    return own + names_drawn(around[:NAMED_MAX], LETTERS, room, "near-name")


def ends_drawn(places: Sequence[Point]) -> Markup:
    """Return the marks of A and B."""
    return Markup("").join(
        Markup(
            '<g class="end"><circle cx="{x}" cy="{y}" r="{r}"/><text x="{x}" y="{y}" dy=".35em">{letter}</text></g>'
        ).format(x=round(x), y=round(y), r=int(DISC), letter=letter)
        for letter, (x, y) in (("A", places[0]), ("B", places[-1]))
    )


def path(lines: Iterable[Sequence[Point]], *, is_area: bool = False) -> str:
    """Return the `d` of lines, in whole units, points that lie on each other left out."""
    parts = []
    for line in lines:
        points = [f"{x:.0f} {y:.0f}" for x, y in line]
        inner = [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]
        if len(inner) > 1:
            parts.append(f"M{'L'.join(inner)}{'Z' if is_area else ''}")
    return "".join(parts)


def cut_to_picture(ring: Sequence[Point]) -> list[Point]:
    """Return the part of an area that lies in the picture or just beside it (Sutherland and Hodgman)."""
    low, right, below = -SPARE, WIDTH + SPARE, HEIGHT + SPARE
    inner = list(ring)
    for axis, limit, sign in ((0, low, 1), (0, right, -1), (1, low, 1), (1, below, -1)):
        points, inner = inner, []
        for a, b in zip([*points[-1:], *points[:-1]], points, strict=True):
            a_in, b_in = sign * (a[axis] - limit) >= 0, sign * (b[axis] - limit) >= 0
            if a_in != b_in:
                share = (limit - a[axis]) / (b[axis] - a[axis])
                inner.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
            if b_in:
                inner.append(b)
    return inner
