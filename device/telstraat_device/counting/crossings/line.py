"""The counting line, as it is drawn and as kernels see it.

        left-hand side (s < 0)
    p1 ────────────────────────► p2      along: 0 at p1, 1 at p2
        right-hand side (s > 0)

The picture's y axis points down; `left_to_right` is from s < 0 to s > 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from telstraat_device.errors import CountingLineError
from telstraat_device.native.record import layout

Point = tuple[float, float]
Segment = tuple[Point, Point]

LENGTH_MIN_PX = 8.0


@dataclass(frozen=True, slots=True)
class CountingLine:
    """A counting line in pixels of the frame, from (x1, y1) to (x2, y2)."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def length_px(self) -> float:
        """Length of the segment."""
        return math.hypot(self.x2 - self.x1, self.y2 - self.y1)


class WorkingLine:
    """A counting line in pixels of the working picture, as kernels see it."""

    x1: float
    y1: float
    x2: float
    y2: float
    length: float


WORKING_LINE = layout(WorkingLine)


def checked_line(segment: Segment, width: int, height: int) -> CountingLine:
    """Return the line, or raise CountingLineError where it cannot be counted on in a picture of this size."""
    (x1, y1), (x2, y2) = segment
    for x, y in segment:
        if not (math.isfinite(x) and math.isfinite(y) and 0 <= x <= width and 0 <= y <= height):
            raise CountingLineError(
                f"the line's point {x:g},{y:g} lies outside the picture, which is {width} x {height} pixels; "
                f"x goes from 0 to {width}, y from 0 (top) to {height}"
            )
    line = CountingLine(float(x1), float(y1), float(x2), float(y2))
    if line.length_px < LENGTH_MIN_PX:
        raise CountingLineError(
            f"the line {x1:g},{y1:g} to {x2:g},{y2:g} is shorter than {LENGTH_MIN_PX:g} pixels; draw it across the street"
        )
    return line


def parse_line(text: str) -> Segment:
    """Read `x1,y1,x2,y2`."""
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise CountingLineError(
            f"the line {text!r} is not four numbers; write it as x1,y1,x2,y2, for instance 10,200,500,200"
        ) from error
    return (x1, y1), (x2, y2)
