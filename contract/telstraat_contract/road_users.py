"""THE list of what is counted: classes of road users, directions and speed bins, their names on the wire and in tables.

Table columns, COPY rows, Arrow fields and the API's shapes are made from it. A new class is a name in `RoadUser`, a field in
`messages.Counts` and `messages.Confidence`, and its columns in a migration.
"""

from __future__ import annotations

from typing import Final, Literal, LiteralString, TypeAlias, get_args

RoadUser: TypeAlias = Literal["pedestrian", "bike", "car", "heavy"]
"""A class that a sensor tells apart by daylight."""
Part: TypeAlias = Literal["motorcycle"]
"""An "of which": counted in its class, too."""
Unclassified: TypeAlias = Literal["night"]
"""What was counted by its lights, and belongs to no class."""
Counted: TypeAlias = RoadUser | Part | Unclassified
Direction: TypeAlias = Literal["lft", "rgt"]
"""`lft` is from the segment's first point to its last."""

CLASSES: Final[tuple[RoadUser, ...]] = get_args(RoadUser)
PARTS: Final[dict[RoadUser, tuple[Part, ...]]] = {"bike": ("motorcycle",)}
UNCLASSIFIED: Final[Unclassified] = "night"
TOGETHER: Final[tuple[RoadUser | Unclassified, ...]] = (*CLASSES, UNCLASSIFIED)
"""What adds up to everything that passed: each crossing is in exactly one of these."""
COUNTED: Final[tuple[Counted, ...]] = (
    *(name for road_user in CLASSES for name in (road_user, *PARTS.get(road_user, ()))),
    UNCLASSIFIED,
)
"""Everything that has counts of its own, a class's parts behind it."""
MOTORIZED: Final[tuple[RoadUser, ...]] = ("car", "heavy")
ACTIVE: Final[tuple[RoadUser, ...]] = ("pedestrian", "bike")

DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)

COUNT_COLUMNS: Final[tuple[LiteralString, ...]] = tuple(
    name + "_" + direction for name in COUNTED for direction in DIRECTIONS
)
"""`pedestrian_lft`, `pedestrian_rgt`, ..., `night_rgt`: the columns of counts, in the order of every table and file."""
CONFIDENCE_COLUMNS: Final[tuple[LiteralString, ...]] = tuple(name + "_conf" for name in CLASSES)
"""`pedestrian_conf`, ...: the columns of the mean class confidence, percent."""

SPEED_BIN_KMH: Final = 5
SPEED_BINS: Final = 25
"""0-5, 5-10, ..., 115-120, 120 km/h and faster; of cars."""


def columns_of(name: str) -> tuple[str, str]:
    """Return the two columns of counts of a class, `lft` and `rgt`."""
    lft, rgt = DIRECTIONS
    return f"{name}_{lft}", f"{name}_{rgt}"
