"""Where the traffic went: the streets of a measure on the town's map, coloured by their change, as SVG from the server."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup, escape

from telstraat_api.web.map_names import ems
from telstraat_api.web.projection import Point, Projection, lines_in, projection_for

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

WIDE, HIGH_MIN, HIGH_MAX = 760.0, 260.0, 460.0
MARGIN = 0.18
LEAST_DEGREES = 0.002
SIZES = {"names-wide": 13.0, "names-narrow": 25.0}
"""Of the letters: a phone shows the picture at less than half of its size."""
CLEAR = 0.9
"""In letters' sizes: so far a name stands from its street."""
LINE_HIGH = 1.15
STEP = 8.0
WIDTHS = (4.0, 13.0)
FULL_WIDTH = 0.5
"""A change of one half or more is drawn as wide as it gets."""


@dataclass(frozen=True)
class WhereStreet:
    """A street on the map: its number, name, line, result (`fell`, `rose`, `unclear`, `no_answer`, `controls`), size and label.

    `leads_to` is where a click goes, its own page without; `is_named` is whether name and label are written on the map.
    """

    segment: int
    name: str
    line: Sequence[Point]
    result: str
    size: float = 0.0
    label: str = ""
    leads_to: str = ""
    is_named: bool = True


def extent_of(streets: Sequence[WhereStreet]) -> Box:
    """Return west, south, east and north of what the map shows: the streets that are answered for, with room for names."""
    main = [street for street in streets if street.result != "controls"]
    points = [point for street in (main if len(main) > 1 else streets) for point in street.line]
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    wide = max(max(lons) - min(lons), LEAST_DEGREES) * MARGIN
    high = max(max(lats) - min(lats), LEAST_DEGREES) * MARGIN
    return min(lons) - wide, min(lats) - high, max(lons) + wide, max(lats) + high


def where_map(streets: Sequence[WhereStreet], ground: Sequence[Mapping[str, Any]], label: str) -> Markup:
    """Return the map, north up; the ground lies quietly beneath.

    Parameters
    ----------
    streets
        Those of the measure that have a line; at least one.
    ground
        Rows of `telstraat_store.maps.ground.ground_within`.
    label
        What a screen reader says.
    """
    projection = projection_for(extent_of(streets), WIDE, (HIGH_MIN, HIGH_MAX))
    high = projection.height
    parts = [f'<rect class="land" width="{WIDE:g}" height="{high:.0f}"/>']
    parts += [ground_path(row, projection) for row in ground]
    order = {"controls": 0, "no_answer": 1, "unclear": 2}
    for street in sorted(streets, key=lambda street: order.get(street.result, 3)):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in projection.line(street.line))
        size = min(abs(street.size), FULL_WIDTH) / FULL_WIDTH
        width = WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * size
        parts.append(
            f'<a href="{escape(street.leads_to or f"/street/{street.segment}")}" aria-label="{escape(street.name)} {escape(street.label)}"><title>{escape(street.name)} {escape(street.label)}</title>'
            f'<polyline class="casing" points="{points}" stroke-width="{width + 4:.1f}"/>'
            f'<polyline class="result is-{escape(street.result)}" points="{points}" stroke-width="{width:.1f}"/></a>'
        )
    parts += [f'<g class="{css}">{"".join(labels(streets, projection, size))}</g>' for css, size in SIZES.items()]
    return Markup(  # noqa: S704
        f'<svg class="where" viewBox="0 0 {WIDE:g} {high:.0f}" role="group" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def ground_path(row: Mapping[str, Any], projection: Projection) -> str:
    """Return the shape of a thing on the ground."""
    shape = orjson.loads(row["shape"])
    lines = (projection.line(line) for line, _ in lines_in(shape))
    drawn = "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in line) for line in lines)
    style = "area" if shape["type"].endswith("Polygon") else "way"
    return f'<path class="ground-{style} ground-{escape(row["kind"])}" d="{drawn}"/>'


def labels(streets: Sequence[WhereStreet], projection: Projection, size: float) -> Iterator[str]:
    """Yield names and changes where they cover least: no two on top of each other where there is room."""
    taken: list[Box] = []
    lines = {street.segment: projection.line(street.line) for street in streets}
    crossed = [point for line in lines.values() for point in line]
    is_narrow = size > SIZES["names-wide"]
    for street in [street for street in streets if street.is_named and street.result != "controls"]:
        wide = size * max(ems(street.name), ems(street.label), 2.0)
        tall = size * LINE_HIGH * (2 if street.label else 1)
        line = lines[street.segment]
        box = min(boxes(line, wide, tall, size * CLEAR), key=lambda box: covers(box, taken, crossed, projection.height))
        if is_narrow:
            others = [point for other, points in lines.items() if other != street.segment for point in between(points)]
            if covers(box, taken, others, projection.height) or touches(box, others, size):
                continue  # there it would be taken for the name of another street; the table has it
        taken.append(box)
        yield f'<text class="name" x="{box[0]:.1f}" y="{box[1] + 0.92 * size:.1f}">{escape(street.name)}</text>'
        if street.label:
            yield f'<text class="change" x="{box[0]:.1f}" y="{box[1] + (0.92 + LINE_HIGH) * size:.1f}">{escape(street.label)}</text>'


def between(line: Sequence[Point]) -> Iterator[Point]:
    """Yield the points of a line and some between them, so that none of it is overlooked."""
    for (ax, ay), (bx, by) in itertools.pairwise(line):
        steps = max(1, math.ceil(math.dist((ax, ay), (bx, by)) / STEP))
        yield from ((ax + (bx - ax) * n / steps, ay + (by - ay) * n / steps) for n in range(steps + 1))


def touches(box: Box, points: Sequence[Point], size: float) -> bool:
    """Return whether one of some points lies in a box or just beside it."""
    near = size * CLEAR * 0.6
    return any(box[0] - near < x < box[2] + near and box[1] - near < y < box[3] + near for x, y in points)


def boxes(line: Sequence[Point], wide: float, tall: float, clear: float) -> Iterator[Box]:
    """Yield places for a label beside, above and below the middle and the ends of a line."""
    for share in (0.5, 0.25, 0.75, 0.0, 1.0):
        x, y = line[round(share * (len(line) - 1))]
        for left, top in (
            (x + clear, y - tall / 2),
            (x - clear - wide, y - tall / 2),
            (x - wide / 2, y - clear - tall),
            (x - wide / 2, y + clear),
        ):
            yield left, top, left + wide, top + tall


def covers(box: Box, taken: Sequence[Box], crossed: Sequence[Point], high: float) -> float:
    """Return how bad a place is: other names count most, then the edge, then the streets under it."""
    left, top, right, bottom = box
    names = sum(left < other[2] and other[0] < right and top < other[3] and other[1] < bottom for other in taken)
    outside = max(-left, 0) + max(-top, 0) + max(right - WIDE, 0) + max(bottom - high, 0)
    under = sum(left < x < right and top < y < bottom for x, y in crossed)
    return 1000.0 * names + 20.0 * outside + 3.0 * under
