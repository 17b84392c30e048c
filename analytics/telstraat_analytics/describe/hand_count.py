"""Counts by hand beside the sensor's: how far it is off, and how surely so few passages can tell.

Somebody counts n passages, the sensor m of the same time. The two differ by those that the sensor missed and those that it counted
too many (doubled, invented, or of another class): m - n = too many - missed. Both happen by chance, so the difference scatters with
the root of *all* passages that were seen differently, however well they cancel. How many those are, two totals do not say: it is
taken from the core's own measurement (`DIFFERENT`), and never less than what is seen.

Source: the difference of two independent Poisson numbers (Skellam 1946, J. R. Stat. Soc. 109, 296), here in its normal form;
shares from docs/bench/accuracy.md, streets by day, rounded up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

Z: Final = 1.96
FEWEST: Final = 10
"""Passages below which no percentage is said: one more or less would be more than a tenth of it."""

DIFFERENT: Final = {"pedestrian": 0.35, "bike": 0.30, "car": 0.15, "heavy": 0.50, "night": 0.5}
"""Share of the passages of a class that the sensor sees differently than a person: missed, doubled, or of another class."""

OTHERS: Final = 0.35
"""The same of a class that was not measured yet."""

GOAL: Final = 0.10
"""How well an error is worth knowing: that of the bars in docs/bench/accuracy.md."""


@dataclass(frozen=True)
class HandComparison:
    """A class counted by hand and by the sensor.

    Attributes
    ----------
    by_hand, by_sensor
        Passages in the same time.
    error, low, high
        How much the sensor counts too many (+) or too few (-), as a share of what passed, with its 95 % interval; None when
        fewer than `FEWEST` passed.
    minutes_for_goal
        Minutes to be counted in all, at the same traffic, for an interval of plus or minus `GOAL`; None without an error.
    """

    kind: str
    by_hand: int
    by_sensor: float
    error: float | None
    low: float | None
    high: float | None
    minutes_for_goal: float | None

    @property
    def is_off(self) -> bool:
        """Tell whether the sensor is surely off: no error lies outside of the interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def compare_by_hand(kind: str, by_hand: int, by_sensor: float, minutes: float) -> HandComparison:
    """Return how a sensor compares with somebody who counted `by_hand` passages of a class in so many minutes.

    Raises
    ------
    ValueError
        A negative count, or no time.
    """
    if by_hand < 0 or by_sensor < 0 or not minutes > 0:
        raise ValueError(f"{by_hand} by hand, {by_sensor} by the sensor in {minutes} minutes: none may be negative")
    if by_hand < FEWEST:
        return HandComparison(kind, by_hand, by_sensor, None, None, None, None)
    difference = by_sensor - by_hand
    different = max(DIFFERENT.get(kind, OTHERS) * by_hand, abs(difference))
    half = Z * math.sqrt(different) / by_hand
    error = difference / by_hand
    needed = minutes * (half / GOAL) ** 2
    return HandComparison(kind, by_hand, by_sensor, error, max(error - half, -1.0), error + half, max(needed, minutes))
