"""What is known of a period of a street."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from telstraat_contract.road_users import COUNTED


def total(counts: Iterable[float | None]) -> float | None:
    """Return the sum of what was counted; None when nothing was, which is not the same as 0."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def both(counts: Sequence[float | None], kind: str) -> float | None:
    """Return a class's count in both directions, from counts in the order of `COUNT_COLUMNS`."""
    place = COUNTED.index(kind) * 2
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
    )  # as COUNT_COLUMNS, None where a class was not counted; None when nothing was observed
    raw: tuple[int | None, ...] | None  # as COUNT_COLUMNS, all sensors added; None for imported counts
    confidence: tuple[float | None, ...] | None = None  # as CLASSES, in percent; of quarters only
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
        place = COUNTED.index(kind) * 2
        return (None, None) if self.corrected is None else (self.corrected[place], self.corrected[place + 1])

    def seen(self, kind: str) -> float | None:
        """Return what was really counted of a class, both directions; None when only corrected counts are known."""
        return None if self.raw is None else both(self.raw, kind)
