"""What crossed and what was counted, side by side per class and direction: a table for people and rows for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from telstraat_contract.messages import Report
from telstraat_contract.road_users import CLASSES, DIRECTIONS, TOGETHER, UNCLASSIFIED
from telstraat_device.counting.crossings.crossing import COUNTED_AS, ClassName, Direction

WAY_OF: dict[Direction, str] = {"left_to_right": "lft", "right_to_left": "rgt"}


@dataclass(frozen=True)
class AccuracyRow:
    """One class in one direction. `night` was counted without a class, and is in no other row."""

    class_name: str
    direction: str
    true: int
    counted: int

    @property
    def ratio(self) -> float | None:
        """Counted divided by true; None where nothing crossed."""
        return self.counted / self.true if self.true else None

    @property
    def error(self) -> int:
        """How far the count is from the truth, whichever way."""
        return abs(self.counted - self.true)


def accuracy(truth: Iterable[tuple[ClassName, Direction]], reports: Iterable[Report]) -> list[AccuracyRow]:
    """Return one row per class and direction, then what was counted at night without a class."""
    true = Counter((COUNTED_AS[name][0], WAY_OF[direction]) for name, direction in truth)
    counted: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for name in TOGETHER:
            ways = getattr(report.counts, name)
            counted[name, "lft"] += ways.lft
            counted[name, "rgt"] += ways.rgt
    any_unclassified = sum(counted[UNCLASSIFIED, way] for way in DIRECTIONS) > 0
    names = TOGETHER if any_unclassified else CLASSES
    return [AccuracyRow(name, way, true[name, way], counted[name, way]) for name in names for way in DIRECTIONS]


def overall(rows: Iterable[AccuracyRow]) -> float | None:
    """Return 1 minus the summed errors per class and direction over all true crossings, not below 0."""
    rows = list(rows)
    true = sum(row.true for row in rows)
    return max(0.0, 1 - sum(row.error for row in rows) / true) if true else None
