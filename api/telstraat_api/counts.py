"""What is known of a period of a street, and the 85th percentile of its speeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

CLASSES = ("pedestrian", "bike", "car", "heavy", "night")
KINDS = ("pedestrian", "bike", "motorcycle", "car", "heavy", "night")
"""The classes, and motorcycles as an "of which" of bikes."""

DIRECTIONS = ("lft", "rgt")
COLUMNS: tuple[LiteralString, ...] = tuple(
    kind + "_" + direction  # in the order of the table
    for kind in KINDS
    for direction in DIRECTIONS
)
RATED: tuple[LiteralString, ...] = ("pedestrian", "bike", "car", "heavy")
"""The classes that reports carry a mean confidence for."""


@dataclass(frozen=True, slots=True)
class Period:
    """What is known of one period of one street."""

    segment_id: int
    start: datetime
    quarters: int  # with data
    observed_s: int  # of the street: by the sensor that saw most of it
    sensor_s: int  # of all its sensors together
    sensors: int
    flags: int
    corrected: tuple[float | None, ...] | None  # as COLUMNS; None when nothing was observed
    raw: tuple[int | None, ...] | None  # as COLUMNS, all sensors added; None for imported counts
    confidence: tuple[float | None, ...] | None = None  # as RATED, in percent; of quarters only
    received_at: datetime | None = None  # of quarters only
    light: str | None = None  # of quarters only: u, d, k or n
    source_id: int | None = None  # of imported counts

    def both(self, kind: str) -> float:
        """Return the corrected count of a class, both directions; 0 where nothing was observed."""
        lft, rgt = self.ways(kind)
        return lft + rgt

    def ways(self, kind: str) -> tuple[float, float]:
        """Return the corrected counts of a class: from A to B, from B to A."""
        place = KINDS.index(kind) * 2
        return (
            (0.0, 0.0) if self.corrected is None else (self.corrected[place] or 0.0, self.corrected[place + 1] or 0.0)
        )

    def seen(self, kind: str) -> int | None:
        """Return what was really counted of a class, both directions; None when only corrected counts are known."""
        place = KINDS.index(kind) * 2
        return None if self.raw is None else (self.raw[place] or 0) + (self.raw[place + 1] or 0)


SPEED_BINS = 25
SPEED_BIN_KMH = 5


def v85_kmh(bins: Sequence[float]) -> float | None:
    """Return the speed that 85 % of the cars stay below, on a grid of 0.5 km/h; None without cars.

    The cumulative curve at 0, 5, ... 125 km/h is interpolated linearly (the open bin counts as 120-125); the answer is
    the grid point whose cumulative share is nearest to 85 %, the lowest one on a plateau.
    """
    total = sum(bins)
    if total <= 0:
        return None
    best, best_distance = 0.0, float("inf")
    below = 0.0
    steps = SPEED_BIN_KMH * 2
    for index, cars in enumerate(bins):
        for step in range(steps + 1):
            distance = abs((below + cars * step / steps) / total - 0.85)
            if distance < best_distance - 1e-12:
                best, best_distance = index * SPEED_BIN_KMH + step / 2, distance
        below += cars
    return best
