"""What a phone has counted, as it is sent, and which of it can stand beside the sensor's counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from telstraat_api.errors import QueryError
from telstraat_api.web.names import SPLIT
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.road_users import columns_of

QUARTERS_MAX = 96
PASSAGES_MAX = 5000
LATEST = timedelta(days=31)
AHEAD = timedelta(minutes=5)
EDGE = timedelta(seconds=5)
"""So much of a quarter may lie before the first or after the last tap: nobody presses start to the second."""


class TallyQuarter(msgspec.Struct, forbid_unknown_fields=True):
    """A quarter of an hour, or the part of it that was counted: from, until (UTC), passages per class and direction (`car_lft`)."""

    from_at: datetime
    until_at: datetime
    counts: dict[str, int]

    @property
    def is_whole(self) -> bool:
        """Tell whether the whole quarter was counted."""
        start = quarter_start(self.from_at + EDGE)
        return self.from_at <= start + EDGE and self.until_at >= start + QUARTER - EDGE

    @property
    def start(self) -> datetime:
        """When the quarter begins."""
        return quarter_start(self.from_at + EDGE)


@dataclass(frozen=True)
class HandTally:
    """A count by hand: its parts, in order, none of them overlapping."""

    quarters: list[TallyQuarter]

    @property
    def window(self) -> tuple[datetime, datetime]:
        """From when to when was counted."""
        return self.quarters[0].from_at, self.quarters[-1].until_at

    def plain(self) -> list[dict[str, Any]]:
        """Return the parts as JSON."""
        return [dict(msgspec.to_builtins(quarter)) for quarter in self.quarters]

    def total(self, kind: str, starts: Sequence[datetime] | None = None) -> int:
        """Return the passages of a class, both directions, in all parts or in the whole quarters that begin at `starts`."""
        chosen = self.quarters if starts is None else [q for q in self.quarters if q.is_whole and q.start in starts]
        return sum(quarter.counts.get(column, 0) for quarter in chosen for column in columns_of(kind))


def tally_in(text: str, now: datetime) -> HandTally:
    """Read a count that a phone has sent.

    Raises
    ------
    QueryError
        It cannot be a count; the text says why.
    """
    try:
        quarters = msgspec.json.decode(text, type=list[TallyQuarter])
    except msgspec.MsgspecError as error:
        raise QueryError(f"quarters: this cannot be read as a count: {error}") from error
    return checked(quarters, now)


def tally_of(parts: Sequence[Mapping[str, Any]]) -> HandTally:
    """Return a count as it was kept."""
    return HandTally([msgspec.convert(part, TallyQuarter) for part in parts])


def checked(quarters: list[TallyQuarter], now: datetime) -> HandTally:
    """Return the count of some parts, or raise `QueryError`."""
    if not 0 < len(quarters) <= QUARTERS_MAX:
        raise QueryError(f"quarters: {len(quarters)} of them; a count has 1 to {QUARTERS_MAX}")
    columns = {column for kind in SPLIT for column in columns_of(kind)}
    before: datetime | None = None
    for quarter in quarters:
        if quarter.from_at.tzinfo is None or quarter.until_at.tzinfo is None:
            raise QueryError("quarters: a time lacks its zone; write 2026-03-01T08:00:00Z")
        if not timedelta(0) < quarter.until_at - quarter.from_at <= QUARTER + EDGE:
            raise QueryError("quarters: a part ends before it begins, or is longer than a quarter of an hour")
        if before is not None and quarter.from_at < before:
            raise QueryError("quarters: two parts overlap, or are not in order")
        before = quarter.until_at
        unknown = sorted(set(quarter.counts) - columns)
        if unknown or any(not 0 <= n <= PASSAGES_MAX for n in quarter.counts.values()):
            raise QueryError(
                f"quarters: counts cannot be {unknown[:3] or 'negative or more than ' + str(PASSAGES_MAX)}"
            )
    if before is None or before > now + AHEAD or quarters[0].from_at < now - LATEST:
        raise QueryError("quarters: a count is of the last month and not of the future; is the phone's clock right?")
    return HandTally([_in_utc(quarter) for quarter in quarters])


def _in_utc(quarter: TallyQuarter) -> TallyQuarter:
    return TallyQuarter(quarter.from_at.astimezone(UTC), quarter.until_at.astimezone(UTC), quarter.counts)
