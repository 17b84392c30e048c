"""Where the streets of a file lie, as lines of a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telstraat_api.web.projection import box_around, projection_for

WIDTH = 1000.0
HEIGHT_MAX = 700.0
EDGE = 12.0


@dataclass(frozen=True)
class LinesInView:
    """What of the picture is shown, as SVG writes a `viewBox`, and per street its name, whether it is new, and its points as SVG writes them."""

    view_box: str
    lines: list[tuple[str, bool, str]]


def lines_in_view(streets: Sequence[Mapping[str, Any]]) -> LinesInView | None:
    """Return the picture of some streets (`name`, `is_new`, `line` of longitude and latitude); None without any."""
    box = box_around(point for street in streets for point in street["line"])
    if box is None:
        return None
    projection = projection_for(box, WIDTH, (2 * EDGE + 1, HEIGHT_MAX), edge=EDGE)
    lines = [
        (street["name"], street["is_new"], " ".join(f"{x:.1f},{y:.1f}" for x, y in projection.line(street["line"])))
        for street in streets
    ]
    (left, top), (right, bottom) = projection.point(box[0], box[3]), projection.point(box[2], box[1])
    return LinesInView(
        f"{left - EDGE:.1f} {top - EDGE:.1f} {right - left + 2 * EDGE:.1f} {bottom - top + 2 * EDGE:.1f}", lines
    )
