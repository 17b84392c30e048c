"""Where the streets of a file lie, as lines of a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 1000.0
HEIGHT_MAX = 700.0
EDGE = 12.0


@dataclass(frozen=True)
class LinesInView:
    """A picture of `width` by `height`, and per street its name, whether it is new, and its points as SVG writes them."""

    width: float
    height: float
    lines: list[tuple[str, bool, str]]


def lines_in_view(streets: Sequence[Mapping[str, Any]]) -> LinesInView | None:
    """Return the picture of some streets (`name`, `is_new`, `line` of longitude and latitude); None without any."""
    points = [point for street in streets for point in street["line"]]
    if not points:
        return None
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    across = math.cos(math.radians((south + north) / 2)) or 1.0
    wide, high = max((east - west) * across, 1e-9), max(north - south, 1e-9)
    scale = min((WIDTH - 2 * EDGE) / wide, (HEIGHT_MAX - 2 * EDGE) / high)

    def drawn(line: Sequence[Sequence[float]]) -> str:
        return " ".join(
            f"{EDGE + (x - west) * across * scale:.1f},{EDGE + (north - y) * scale:.1f}" for x, y, *_ in line
        )

    lines = [(street["name"], street["is_new"], drawn(street["line"])) for street in streets]
    return LinesInView(round(wide * scale + 2 * EDGE, 1), round(high * scale + 2 * EDGE, 1), lines)
