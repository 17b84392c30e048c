"""What was seen of a crossing: all that its class and speed are told from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from telstraat_device.counting.tracking import track_table as columns

SEEN_ENOUGH = 3  # frames in which it was alone in its blob


@dataclass(frozen=True, slots=True)
class Seen:
    """A crossing at the line, in working pixels and seconds.

    Attributes
    ----------
    w, h, x, foot : float
        Its box without shadow: size, middle, and lower edge.
    vx, v_foot : float
        Speed of its middle across the picture, and of its lower edge down the picture.
    fill, wobble : float
        Share of its box that it fills, and how much its width changes. 0 is unknown.
    growth, growth_error : float
        How its height grows, as a share of it in a second, and its standard error. An error of 0 is unknown.
    cut : (float, float, float, float)
        What was taken off its box as shadow: left, top, right, bottom. All 0 is unknown.
    alone : bool
        It was alone in its blob for long enough to be measured.
    """

    w: float
    h: float
    x: float
    foot: float
    vx: float
    v_foot: float
    fill: float = 0.0
    wobble: float = 0.0
    growth: float = 0.0
    growth_error: float = 0.0
    cut: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    alone: bool = True


def seen_of(row: NDArray[Any]) -> Seen:
    """Read what was seen from the row of a finished track."""
    c = columns
    return Seen(
        w=float(row[c.SOLID_W]),
        h=float(row[c.SOLID_H]),
        x=float(row[c.SOLID_X]),
        foot=float(row[c.FOOT]),
        vx=float(row[c.SOLID_VX]),
        v_foot=float(row[c.FOOT_V]),
        fill=float(row[c.SOLID_FILL]),
        wobble=float(row[c.SOLID_WOBBLE]),
        growth=float(row[c.GROWTH]),
        growth_error=float(row[c.GROWTH_ERROR]),
        cut=(float(row[c.CUT_LEFT]), float(row[c.CUT_TOP]), float(row[c.CUT_RIGHT]), float(row[c.CUT_BOTTOM])),
        alone=bool(row[c.SOLID_N] >= SEEN_ENOUGH),
    )
