"""What the comparison page is asked for: streets and one period, or one street and two periods. All of it is in the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from telstraat_contract.road_users import CLASSES

SLOTS = ("a", "b", "c", "d")
DAYS_MAX = 400
USUAL_DAYS = 56
YEAR = timedelta(days=364)
NUMBERED = re.compile(r"(?:.*\()?(\d{1,18})\)?\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Days:
    """First and last local day, inclusive."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class CompareView:
    """A comparison, as an address says it; what it says wrong is left out.

    `streets` are what was typed: a number, a name, or a name with its number in brackets.
    """

    streets: tuple[str, ...]
    days: Days
    other: Days | None
    what: str

    @classmethod
    def of(cls, query: Mapping[str, str], today: date) -> CompareView:
        """Return the comparison that an address asks for; the last eight weeks when it names no days."""
        streets = tuple(text for slot in SLOTS if (text := query.get(slot, "").strip()[:200]))
        days = days_of(query.get("from"), query.get("until")) or Days(
            today - timedelta(days=USUAL_DAYS), today - timedelta(days=1)
        )
        other = days_of(query.get("from2"), query.get("until2"))
        if other is None and query.get("by") == "periods":
            other = Days(days.first - YEAR, days.last - YEAR)
        what = query.get("what", "car")
        return cls(streets[:1] if other else streets, days, other, what if what in CLASSES else "car")

    def address(self, streets: tuple[int, ...], **changes: str) -> str:
        """Return the address of this comparison of these streets."""
        values: dict[str, str] = {slot: str(number) for slot, number in zip(SLOTS, streets, strict=False)}
        values |= {"from": self.days.first.isoformat(), "until": self.days.last.isoformat()}
        if self.other:
            values |= {"from2": self.other.first.isoformat(), "until2": self.other.last.isoformat()}
        return f"/compare?{urlencode({**values, 'what': self.what, **changes})}"


def days_of(first: str | None, last: str | None) -> Days | None:
    """Return the days from one to another, in their order, not more than can be read at once; None when one is no day."""
    try:
        ends = sorted(date.fromisoformat(text) for text in (first or "", last or ""))
    except ValueError:
        return None
    if not date(2000, 1, 1) <= ends[0] <= ends[1] < date(2100, 1, 1):
        return None
    return Days(max(ends[0], ends[1] - timedelta(days=DAYS_MAX - 1)), ends[1])


def number_in(text: str) -> int | None:
    """Return the number that a typed street ends with, alone or in brackets; None for a bare name."""
    match = NUMBERED.match(text)
    return int(match[1]) if match and (text.isdigit() or text.rstrip().endswith(")")) else None
