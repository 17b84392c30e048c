"""One day of one street, ready to be shown: what passed, how much of it was seen, and where the gaps are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from telstraat_api.alone import standing_of
from telstraat_api.counts import CLASSES, COLUMNS, KINDS, Period, added_bins, bin_kmh, total, v85_kmh
from telstraat_api.database import Database, Row
from telstraat_api.periods import Bucket, Window, local_day, local_midnight, start_of, zone
from telstraat_api.reading import read_periods, read_speeds, read_watched
from telstraat_api.segments import Segment, sensors_at
from telstraat_contract.quarters import QUARTER

DAYS_BACK = 14
ROWS_MAX = 10_000
SPLIT = ("pedestrian", "bike", "car", "heavy")
"""The classes of the modal split: what passes at night unclassified belongs to none."""


@dataclass(frozen=True)
class StreetDay:
    """What the street's page shows of a day."""

    segment: Segment
    tz: ZoneInfo
    day: date
    today: date
    now: datetime
    window: Window  # the whole local day
    elapsed: Window  # of which over, in closed quarters
    quarters: list[Period]
    hours: list[Period]
    days: list[Period]  # the days before and this one
    speeds: list[float] | None  # cars per 5 or 10 km/h
    sensors: list[Row]
    hours_only: bool

    @property
    def is_today(self) -> bool:
        """Tell whether the day is still going on at the street."""
        return self.day == self.today

    @property
    def hours_long(self) -> float:
        """How long this local day is: 23, 24 or 25 hours."""
        return self.window.length_s / 3600

    @property
    def observed_share(self) -> float:
        """The share of the time so far that was observed."""
        return min(1.0, sum(p.observed_s for p in self.quarters) / max(1, self.elapsed.length_s))

    @cached_property
    def totals(self) -> dict[str, float | None]:
        """Corrected counts of the day so far, per class; None for a class that was not counted. Hours without data add nothing."""
        return {kind: total(period.both(kind) for period in self.hours) for kind in KINDS}

    @property
    def total(self) -> float | None:
        """All road users of the day so far; None when nothing was counted."""
        return total(self.totals[kind] for kind in CLASSES)

    @cached_property
    def split(self) -> dict[str, float]:
        """The modal split: each counted class's share of what was classified; empty without any."""
        counted = {kind: count for kind in SPLIT if (count := self.totals[kind]) is not None}
        everything = sum(counted.values())
        return {kind: count / everything for kind, count in counted.items()} if everything else {}

    @cached_property
    def v85_kmh(self) -> float | None:
        """The speed that 85 % of the cars stayed below."""
        return v85_kmh(self.speeds) if self.speeds else None

    @property
    def cars_timed(self) -> int:
        """How many cars the speeds rest on."""
        return round(sum(self.speeds or ()))

    @property
    def speed_bin_kmh(self) -> int:
        """How wide the bins of the speeds are."""
        return bin_kmh(self.speeds or ())

    @cached_property
    def gaps(self) -> list[Window]:
        """The stretches of the day so far, since the first report ever, from which nothing came."""
        first = self.segment.first_report
        if first is None:
            return []
        return stretches(
            max(first, self.elapsed.start), self.elapsed.end, [p.start for p in self.quarters if p.observed_s]
        )


def stretches(start: datetime, end: datetime, seen: Sequence[datetime]) -> list[Window]:
    """Return the stretches of quarters between `start` and `end` that are not among the `seen`."""
    known = set(seen)
    found: list[Window] = []
    at = start
    while at < end:
        if at not in known:
            if found and found[-1].end == at:
                found[-1] = Window(found[-1].start, at + QUARTER)
            else:
                found.append(Window(at, at + QUARTER))
        at += QUARTER
    return found


async def read_day(
    database: Database, segment: Segment, day: date | None, now: datetime, *, hours_only: bool = False
) -> StreetDay:
    """Read a day of a street; today when none is asked for. With `hours_only`, nothing finer and nothing unfinished."""
    tz = zone(segment.timezone)
    today = now.astimezone(tz).date()
    day = today if day is None else day
    window = local_day(day, tz)
    until = start_of(now, Bucket.HOUR if hours_only else Bucket.QUARTER, zone("UTC"))
    elapsed = Window(window.start, min(max(until, window.start), window.end))
    before = local_midnight(day - timedelta(days=DAYS_BACK - 1), tz)
    places = [segment.segment_id]
    fortnight = Window(before, elapsed.end)
    standing = await standing_of(database, places, fortnight)

    async def periods(bucket: Bucket, of: Window) -> list[Period]:
        return await read_periods(database, places, of, bucket, ROWS_MAX, standing=standing)

    hours = await periods(Bucket.HOUR, elapsed)
    quarters = await (read_watched(database, places, elapsed) if hours_only else periods(Bucket.QUARTER, elapsed))
    hours, days = without_what_is_to_come(quarters, hours, await periods(Bucket.DAY, fortnight), elapsed)
    speeds = await read_speeds(database, places, elapsed, Bucket.HOUR, standing=standing)
    timed = [*speeds.values(), *(hour.car_speed for hour in hours if hour.car_speed)]
    return StreetDay(
        segment=segment,
        tz=tz,
        day=day,
        today=today,
        now=now,
        window=window,
        elapsed=elapsed,
        quarters=quarters,
        hours=hours,
        days=days,
        speeds=added_bins(timed) if timed else None,
        sensors=await sensors_at(database, segment.segment_id),
        hours_only=hours_only,
    )


def without_what_is_to_come(
    quarters: Sequence[Period], hours: list[Period], days: list[Period], elapsed: Window
) -> tuple[list[Period], list[Period]]:
    """Return hours and days in which an hour that is not over yet counts its quarters, not a whole hour like them."""
    begun = start_of(elapsed.end, Bucket.HOUR, zone("UTC"))
    parts = [quarter for quarter in quarters if quarter.start >= begun]
    if not parts or not hours or hours[-1].start != begun:
        return hours, days
    whole = hours[-1].corrected or (0.0,) * len(COLUMNS)
    seen = [part.corrected for part in parts if part.corrected]
    so_far = tuple(total(part[at] for part in seen) for at in range(len(COLUMNS)))
    hours = [*hours[:-1], replace(hours[-1], corrected=so_far)]
    if days and days[-1].corrected and days[-1].start <= begun:
        pairs = zip(days[-1].corrected, whole, so_far, strict=True)
        less = tuple(None if day is None else day - (hour or 0.0) + (part or 0.0) for day, hour, part in pairs)
        days = [*days[:-1], replace(days[-1], corrected=less)]
    return hours, days
