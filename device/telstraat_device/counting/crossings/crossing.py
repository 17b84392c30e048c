"""A crossing: something passed the counting line. Nothing in it could follow a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ClassName = Literal["pedestrian", "bicycle", "car", "motorcycle", "heavy"]
Direction = Literal["left_to_right", "right_to_left"]

CLASSES: tuple[ClassName, ...] = ("pedestrian", "bicycle", "car", "motorcycle", "heavy")
DIRECTIONS: tuple[Direction, ...] = ("left_to_right", "right_to_left")


@dataclass(frozen=True, slots=True)
class Crossing:
    """One object that crossed the line once.

    Attributes
    ----------
    t_s : float
        When its middle was on the line, in seconds since the source began. It is reported a little later, once the
        object has been seen for long enough.
    class_name, direction : str
        One of CLASSES, one of DIRECTIONS. Stand at the line's first point and look to the second: `left_to_right`
        goes from the left-hand side to the right-hand side.
    confidence : float
        How sure the class is, 0 to 1.
    speed_kmh : float or None
        Speed over the ground; None while the view's scale is not known, and in the dark.
    night : bool
        Counted in the dark, by its lights: the class is then a guess.
    """

    t_s: float
    class_name: ClassName
    direction: Direction
    confidence: float
    speed_kmh: float | None = None
    night: bool = False
