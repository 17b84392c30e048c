"""What was observed of a crossing: all that it is classified by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SEPARATE_FRAMES = 3  # in which it was alone in its blob


@dataclass(frozen=True, slots=True)
class Observation:
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
        How its height grows, as a share per second, and its standard error. An error of 0 is unknown.
    cut : (float, float, float, float)
        What was cut off its box as shadow: left, top, right, bottom. All 0 is unknown.
    separate : bool
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
    separate: bool = True


def observation_of(measured: Any) -> Observation:
    """Return the observation in a record of MEASUREMENT."""
    values = dict(zip(measured.dtype.names, measured.item(), strict=True))
    return Observation(
        w=values["w"],
        h=values["h"],
        x=values["x"],
        foot=values["foot"],
        vx=values["vx"],
        v_foot=values["v_foot"],
        fill=values["fill"],
        wobble=values["wobble"],
        growth=values["growth"],
        growth_error=values["growth_error"],
        cut=(values["cut_left"], values["cut_top"], values["cut_right"], values["cut_bottom"]),
        separate=values["appearances"] >= SEPARATE_FRAMES,
    )
