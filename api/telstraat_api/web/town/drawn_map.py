"""The town's map as the server draws it: the ground beneath, streets in the colours of a scale, names that do not collide, or numbers of streets.

Coordinates are those of the picture, 1000 wide.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from telstraat_api.web.map_names import FreeRoom, MapName, names_drawn
from telstraat_api.web.projection import Box, Point, Projection, box_around, distance_km, lines_in, projection_for
from telstraat_store.connection import Row

WIDTH = 1000.0
LOW, HIGH = 520.0, 900.0
MARGIN = 0.06
LEAST_DEGREES = 0.002
LABELS_MAX = 60
LIFT = 15.0
SIZES = {"names-wide": 14.0, "names-narrow": 30.0}
"""Of letters in a picture 1000 wide: on a phone it is drawn at a third of that, and then so are its names."""
AREAS = ("wood", "green", "square", "school", "water")
LINES = ("stream", "path", "rail", "street", "road", "motorway")
FAR_KM = 40.0
"""What lies farther from the middle street than this has a wrong place: it would make a town a dot."""


@dataclass(frozen=True)
class DrawnStreet:
    """A street on the map: its line in degrees, what is said of it, and the classes of its look."""

    segment_id: int
    name: str
    line: Sequence[Sequence[float]]
    text: str
    css: str  # its step, or `none`
    look: str = ""  # silent, blind: told by the line's form
    note: str = ""  # what that form means

    @property
    def words(self) -> str:
        """Return all that is said of it."""
        return f"{self.text} ({self.note})" if self.note else self.text


def bounds_of(lines: Iterable[Sequence[Sequence[float]]], middle: Point) -> Box | None:
    """Return the box of lines, those that lie far from the middle left out; None without any."""
    return box_around(point for line in lines if line and distance_km(line[0], middle) <= FAR_KM for point in line)


def town_projection(box: Box) -> Projection:
    """Return the projection that shows a box with a margin, in a picture that is neither flat nor a tower."""
    west, south, east, north = box
    wide, high = (east - west) * MARGIN, (north - south) * MARGIN
    around = (west - wide, south - high, east + wide, north + high)
    return projection_for(around, WIDTH, (LOW, HIGH), least=LEAST_DEGREES * (1 + 2 * MARGIN))


def path_of(points: Sequence[Point], *, is_area: bool = False) -> str:
    """Return the `d` of a path, to a tenth of a pixel, points that lie on each other left out."""
    parts: list[str] = []
    for x, y in points:
        part = f"{x:.1f} {y:.1f}".replace(".0 ", " ").removesuffix(".0")
        if not parts or parts[-1] != part:
            parts.append(part)
    return f"M{'L'.join(parts)}{'Z' if is_area else ''}" if parts else ""


def ground_paths(rows: Sequence[Row], projection: Projection) -> Markup:
    """Return the ground as one path for each kind, areas first."""
    parts: dict[str, list[str]] = {}
    for row in rows:
        for line, is_area in lines_in(json.loads(row["shape"])):
            parts.setdefault(row["kind"], []).append(path_of(projection.line(line), is_area=is_area))
    paths = [
        f'<path class="ground-{kind}" d="{"".join(parts[kind])}"/>' for kind in (*AREAS, *LINES) if parts.get(kind)
    ]
    return Markup("".join(paths))  # noqa: S704 - numbers and our own words


def street_paths(streets: Sequence[DrawnStreet], projection: Projection) -> Markup:
    """Return the streets, each a link with its words; of many none is reached by the Tab key: the table has them."""
    tab = Markup(' tabindex="-1"') if len(streets) > LABELS_MAX else Markup("")
    parts = []
    for street in streets:
        d = path_of(projection.line(street.line))
        parts.append(
            Markup(
                '<a href="/street/{id}" data-street="{id}" aria-label="{name}: {text}"{tab}>'
                '<path class="casing" d="{d}"/><path class="street {css} {look}" d="{d}"><title>{name}: {text}</title></path></a>'
            ).format(
                id=street.segment_id,
                name=street.name,
                text=street.words,
                tab=tab,
                d=d,
                css=street.css,
                look=street.look,
            )
        )
    return Markup("").join(parts)


def labels(streets: Sequence[DrawnStreet], projection: Projection) -> Markup:
    """Return the names of the first streets that find room, once for a wide picture and once, larger and fewer, for a phone's."""
    parts = []
    for css, size in SIZES.items():
        names = [
            MapName(street.name, projection.line(street.line), LIFT, is_sure=css == "names-wide")
            for street in streets[:LABELS_MAX]
        ]
        room = FreeRoom(projection.width, projection.height)
        parts.append(Markup('<g class="{}">{}</g>').format(css, names_drawn(names, size, room, f"{css}-")))
    return Markup("").join(parts)


def cluster_circles(clusters: Sequence[tuple[Point, int, str, str]], projection: Projection) -> Markup:
    """Return circles with how many streets lie there (place in degrees, number, words, address), each a link to a closer look."""
    parts = []
    for (lon, lat), number, words, address in clusters:
        x, y = projection.point(lon, lat)
        radius = 14 + 7 * math.log10(max(1, number))
        parts.append(
            Markup(
                '<a href="{address}" aria-label="{words}"><circle class="cluster" cx="{x}" cy="{y}" r="{r}"/>'
                '<text class="cluster-number" x="{x}" y="{below}">{number}</text></a>'
            ).format(
                address=address, words=words, x=round(x), y=round(y), r=round(radius), below=round(y + 6), number=number
            )
        )
    return Markup("").join(parts)


def svg_of(projection: Projection, label: str, *layers: Markup) -> Markup:
    """Return the picture."""
    return Markup(
        '<svg class="town-map" viewBox="0 0 {w} {h}" role="group" aria-label="{label}"><g class="ground" aria-hidden="true">{first}</g>{rest}</svg>'
    ).format(
        w=int(WIDTH), h=round(projection.height), label=escape(label), first=layers[0], rest=Markup("").join(layers[1:])
    )
