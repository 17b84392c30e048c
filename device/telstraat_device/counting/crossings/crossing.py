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
