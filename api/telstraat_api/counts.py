"""What is known of a period of a street, and the 85th percentile of its speeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def total(counts: Iterable[float | None]) -> float | None:
    """Return the sum of what was counted; None when nothing was, which is not the same as 0."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def both(counts: Sequence[float | None], kind: str) -> float | None:
    """Return a class's count in both directions, from counts in the order of `COLUMNS`."""
    place = KINDS.index(kind) * 2
    return total(counts[place : place + 2])


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
    corrected: (
        tuple[float | None, ...] | None
    )  # as COLUMNS, None where a class was not counted; None when nothing was observed
    raw: tuple[int | None, ...] | None  # as COLUMNS, all sensors added; None for imported counts
    confidence: tuple[float | None, ...] | None = None  # as RATED, in percent; of quarters only
    received_at: datetime | None = None  # of quarters only
    light: str | None = None  # of quarters only: u, d, k or n
    source_id: int | None = None  # of imported counts
    v85_kmh: float | None = None  # as published, of imported counts only
    withheld: frozenset[str] = frozenset()  # classes that were counted and are not shown to whoever asks
    car_speed: Sequence[float] | None = None  # cars per 5 km/h (25 bins) or 10 km/h (8), of imported counts only

    def both(self, kind: str) -> float | None:
        """Return the corrected count of a class, both directions; None where it was not counted."""
        return None if self.corrected is None else both(self.corrected, kind)

    def ways(self, kind: str) -> tuple[float | None, float | None]:
        """Return the corrected counts of a class: from A to B, from B to A; None where it was not counted."""
        place = KINDS.index(kind) * 2
        return (None, None) if self.corrected is None else (self.corrected[place], self.corrected[place + 1])

    def seen(self, kind: str) -> float | None:
        """Return what was really counted of a class, both directions; None when only corrected counts are known."""
        return None if self.raw is None else both(self.raw, kind)


SPEED_BINS = 25
SPEED_BIN_KMH = 5
COARSE_BINS = 8
"""Some of others' counts tell speeds in bins of 10 km/h: 0-10 to 60-70, and above."""


def bin_kmh(bins: Sequence[float]) -> int:
    """Return how wide the bins of a histogram are."""
    return 2 * SPEED_BIN_KMH if len(bins) == COARSE_BINS else SPEED_BIN_KMH


def coarse(bins: Sequence[float]) -> list[float]:
    """Return a histogram in bins of 10 km/h."""
    if len(bins) == COARSE_BINS:
        return list(bins)
    return [*(sum(bins[2 * n : 2 * n + 2]) for n in range(COARSE_BINS - 1)), sum(bins[2 * COARSE_BINS - 2 :])]


def added_bins(histograms: Iterable[Sequence[float]]) -> list[float]:
    """Return the cars of several histograms per bin, in the coarsest of their bins; 25 of 0 without any."""
    histograms = list(histograms)
    if any(len(bins) == COARSE_BINS for bins in histograms):
        histograms = [coarse(bins) for bins in histograms]
    return [sum(cars) for cars in zip(*histograms, strict=True)] or [0] * SPEED_BINS


def v85_kmh(bins: Sequence[float]) -> float | None:
    """Return the speed that 85 % of the cars stay below, on a grid of 0.5 km/h; None without cars.

    The cumulative curve at 0, 5, ... 125 km/h is interpolated linearly (the open bin counts as 120-125); the answer is
    the grid point whose cumulative share is nearest to 85 %, the lowest one on a plateau.
    With 8 bins of 10 km/h nothing is known above 70: None when V85 lies there.
    """
    cars_all = sum(bins)
    if cars_all <= 0:
        return None
    if len(bins) == COARSE_BINS and sum(bins[:-1]) < 0.85 * cars_all:
        return None
    best, best_distance = 0.0, float("inf")
    below = 0.0
    width_kmh = bin_kmh(bins)
    steps = width_kmh * 2
    for index, cars in enumerate(bins):
        for step in range(steps + 1):
            distance = abs((below + cars * step / steps) / cars_all - 0.85)
            if distance < best_distance - 1e-12:
                best, best_distance = index * width_kmh + step / 2, distance
        below += cars
    return best
