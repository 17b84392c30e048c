"""A crossing: something passed the counting line. Nothing in it could follow a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from telstraat_contract import road_users

ClassName: TypeAlias = Literal["pedestrian", "bicycle", "car", "motorcycle", "heavy"]
"""What the classifier tells apart; the contract counts bicycles and motorcycles as `bike`."""
Direction: TypeAlias = Literal["left_to_right", "right_to_left"]

CLASSES: Final[tuple[ClassName, ...]] = get_args(ClassName)
DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
COUNTED_AS: Final[dict[str, tuple[str, ...]]] = {
    **{name: (name,) for name in road_users.CLASSES if name in CLASSES},
    "bicycle": ("bike",),
    "motorcycle": ("bike", "motorcycle"),
}
"""What a class is counted as on the wire: its class of road users, and a part of it that has counts of its own."""
SPEED_MAX_KMH: Final[dict[ClassName, float]] = {
    "pedestrian": 45.0,  # the fastest sprint that was ever measured is 44.7 km/h
    "bicycle": 90.0,
    "car": 200.0,
    "motorcycle": 200.0,
    "heavy": 150.0,
}
"""No street has faster ones: a speed beyond is a mistake of scale or time, and is left out rather than cut to it."""


def believable_kmh(class_name: ClassName, speed_kmh: float) -> float | None:
    """Return a speed rounded to 0.1 km/h, None where no street has it."""
    return round(speed_kmh, 1) if speed_kmh <= SPEED_MAX_KMH[class_name] else None


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
        Speed over the ground; None while the view's scale is not known, in the dark, where the source does not say when
        its pictures were taken, and beyond SPEED_MAX_KMH.
    night : bool
        Counted in the dark, by its lights: the class is then a guess.
    """

    t_s: float
    class_name: ClassName
    direction: Direction
    confidence: float
    speed_kmh: float | None = None
    night: bool = False
