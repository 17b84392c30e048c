"""A single passer-by is not published: what the public may see of quarters where the operator has set a smallest number.

A class is shown for all quarters of an hour or for none: with three of four and the hour's total, the fourth would be known.
For the same reason the public reads whole hours, each watched by one stream in all its quarters (decision 021; `reading` keeps
that rule): a quarter that comes late would be the difference between the hour before and after. Whoever evaluates measures (professionals, operators) sees all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from telstraat_contract.road_users import CLASSES, COUNTED
from telstraat_store.connection import Connections
from telstraat_store.counts.period import Period
from telstraat_store.counts.reading import read_periods
from telstraat_store.counts.windows import Bucket, Window, start_of, whole, zone


def finalised(window: Window, bucket: Bucket, zones: Mapping[int, str], now: datetime) -> Window:
    """Return the part of a window whose hours, or whose days for longer buckets, are over.

    What grows while one looks tells what came last.
    """
    if bucket in {Bucket.QUARTER, Bucket.HOUR}:
        end = start_of(now, Bucket.HOUR, zone("UTC"))
    else:
        end = min((start_of(now, Bucket.DAY, zone(name)) for name in set(zones.values())), default=now)
    end = min(window.end, end)
    return Window(min(window.start, end), end)


async def read_for(
    connections: Connections, zones: Mapping[int, str], bucket: Bucket, window: Window, rows_max: int, minimum: int
) -> list[Period]:
    """Return the periods of streets as far as they are for whoever asks; public quarters show no class below the minimum."""
    ids = list(zones)
    if not connections.is_public:
        return await read_periods(connections, ids, window, bucket, rows_max)
    hours = finalised(whole(window, Bucket.HOUR, zone("UTC")), bucket, zones, datetime.now(UTC))
    if hours.start >= hours.end:
        return []
    periods = await read_periods(connections, ids, hours, bucket, rows_max)
    if bucket is not Bucket.QUARTER:
        return periods
    quarters = withhold(periods, minimum)
    return [period for period in quarters if window.start <= period.start < window.end]


def small(count: float | None, minimum: int) -> bool:
    """Tell whether a count is there and too small to be shown."""
    return 0 < (count or 0) < minimum


def withhold(quarters: Sequence[Period], minimum: int) -> list[Period]:
    """Return quarters without the classes that are too small, in either direction, in any quarter of their hour."""
    hidden: dict[tuple[int, datetime], set[str]] = {}
    for quarter in quarters:
        small_kinds = hidden.setdefault(hour_of(quarter), set())
        for kind in COUNTED:
            place = 2 * COUNTED.index(kind)
            counts: Sequence[float | None] = quarter.raw or quarter.corrected or (0,) * (2 * len(COUNTED))
            if small(counts[place], minimum) or small(counts[place + 1], minimum):
                small_kinds.add(kind)
    return [without(quarter, hidden[hour_of(quarter)]) for quarter in quarters]


def hour_of(quarter: Period) -> tuple[int, datetime]:
    """Return the hour of the street that a quarter belongs to."""
    return quarter.segment_id, quarter.start.astimezone(UTC).replace(minute=0)


def without(quarter: Period, kinds: set[str]) -> Period:
    """Return a quarter without some classes. Motorcycles go with the bikes that they are among."""
    if not kinds:
        return quarter
    gone = kinds | ({"motorcycle"} if "bike" in kinds else set())
    keeps = [kind not in gone for kind in COUNTED for _ in range(2)]
    confidence = quarter.confidence and tuple(
        None if kind in gone else value for kind, value in zip(CLASSES, quarter.confidence, strict=True)
    )
    return replace(
        quarter,
        withheld=frozenset(gone),
        raw=quarter.raw and tuple(n if keep else None for n, keep in zip(quarter.raw, keeps, strict=True)),
        corrected=quarter.corrected
        and tuple(n if keep else None for n, keep in zip(quarter.corrected, keeps, strict=True)),
        confidence=confidence,
    )
