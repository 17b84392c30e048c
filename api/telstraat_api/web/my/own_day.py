"""Today at one's own sensor: quarters that only its owner reads, beside a usual such day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from telstraat_contract.quarters import QUARTER
from telstraat_contract.road_users import TOGETHER
from telstraat_store.accounts.own_counts import read_own_periods
from telstraat_store.connection import Database
from telstraat_store.counts.period import Period, total
from telstraat_store.counts.states import State
from telstraat_store.counts.windows import Bucket, Window, local_day, local_midnight, start_of, zone

WEEKS_BACK = 8
DAYS_MIN = 3
"""A usual day rests on so many days at least; with fewer nothing is called usual."""

CALENDAR_DAYS = 84


@dataclass(frozen=True)
class UptimeDay:
    """A day of the calendar: the share of it in which the sensor watched; None before it was theirs, and for days to come."""

    day: date
    share: float | None


@dataclass(frozen=True)
class OwnDay:
    """A local day of one's own sensor."""

    tz: ZoneInfo
    day: date
    now: datetime
    window: Window
    quarters: Sequence[Period]
    hours: Sequence[Period]  # of the last weeks and of the day, the sensor's own
    theirs_from: datetime

    @property
    def before(self) -> date:
        """Return the day before."""
        return self.day - timedelta(days=1)

    @property
    def after(self) -> date | None:
        """Return the day after; None when that is still to come."""
        after = self.day + timedelta(days=1)
        return after if after <= self.now.astimezone(self.tz).date() else None

    @property
    def begins(self) -> datetime:
        """Return from when on the day is its owner's to see: its start, or the quarter in which the sensor became theirs."""
        return max(self.window.start, min(start_of(self.theirs_from, Bucket.QUARTER, self.tz), self.window.end))

    @property
    def is_cut(self) -> bool:
        """Tell whether the sensor became theirs only during this day, or after it."""
        return self.begins > self.window.start

    @property
    def closed(self) -> datetime:
        """Return until when quarters are over."""
        return min(start_of(self.now, Bucket.QUARTER, self.tz), self.window.end)

    @cached_property
    def by_start(self) -> Mapping[datetime, Period]:
        """The quarters by their start."""
        return {quarter.start: quarter for quarter in self.quarters}

    def state_at(self, start: datetime) -> State:
        """Return the state of a quarter: zero is a count, nobody watching is missing, what may be on its way is not yet there."""
        quarter = self.by_start.get(start)
        if quarter is not None and quarter.observed_s:
            return State.COUNTED
        return State.NOT_YET if start + 2 * QUARTER > self.now else State.MISSING

    @cached_property
    def starts(self) -> list[datetime]:
        """The starts of the day's quarters, 92, 96 or 100; fewer on the day on which the sensor became theirs, none before it."""
        return [self.begins + n * QUARTER for n in range(Window(self.begins, self.window.end).length_s // 900)]

    @property
    def is_unwatched(self) -> bool:
        """Tell whether a part of the day is over in which nobody watched: nothing counted is then no zero, and not to come either."""
        return any(self.state_at(start) is State.MISSING for start in self.starts)

    def total_of(self, kind: str) -> float | None:
        """Return the counts of a class so far; None when it was not counted."""
        return total(quarter.both(kind) for quarter in self.quarters)

    @cached_property
    def sum(self) -> float | None:
        """All road users so far; None when nothing was counted."""
        return total(self.total_of(kind) for kind in TOGETHER)

    @cached_property
    def _by_hour(self) -> Mapping[date, Mapping[int, float]]:
        """Of each day, what passed in each local hour that was watched whole; an hour that comes twice in a day is left out."""
        days: dict[date, dict[int, float]] = {}
        for hour in self.hours:
            count = total(hour.both(kind) for kind in TOGETHER)
            if count is None or hour.quarters < 4:
                continue
            local = hour.start.astimezone(self.tz)
            of_day = days.setdefault(local.date(), {})
            of_day[local.hour] = -1.0 if local.hour in of_day else count
        return {day: {at: n for at, n in of_day.items() if n >= 0} for day, of_day in days.items()}

    @cached_property
    def usual(self) -> tuple[float, float, int] | None:
        """What passed so far and what usually does in the same hours, and on how many days that rests; None without enough days."""
        today = self._by_hour.get(self.day, {})
        before = [self._by_hour.get(self.day - timedelta(weeks=n), {}) for n in range(1, WEEKS_BACK + 1)]
        so_far = usually = 0.0
        days = WEEKS_BACK
        hours = 0
        for at, count in today.items():
            known = [of_day[at] for of_day in before if at in of_day]
            if len(known) >= DAYS_MIN:
                so_far, usually = so_far + count, usually + sum(known) / len(known)
                days, hours = min(days, len(known)), hours + 1
        return (so_far, usually, days) if hours else None

    @property
    def whole_hours_until(self) -> datetime:
        """Return until when whole hours are over."""
        return min(start_of(self.now, Bucket.HOUR, self.tz), self.window.end)

    @cached_property
    def calendar(self) -> list[UptimeDay]:
        """The last weeks day by day, Mondays first in each."""
        watched: dict[date, int] = {}
        for hour in self.hours:
            on = hour.start.astimezone(self.tz).date()
            watched[on] = watched.get(on, 0) + hour.observed_s
        first = self.day - timedelta(days=CALENDAR_DAYS - 1)
        first -= timedelta(days=first.weekday())
        return [self._uptime(first + timedelta(days=n), watched) for n in range((self.day - first).days + 1)]

    def _uptime(self, on: date, watched: Mapping[date, int]) -> UptimeDay:
        window = local_day(on, self.tz)
        begins, ends = max(window.start, self.theirs_from), min(window.end, self.closed)
        due_s = (ends - begins).total_seconds()
        if due_s <= 0:
            return UptimeDay(on, None)
        return UptimeDay(on, min(1.0, watched.get(on, 0) / due_s))


async def read_own_day(
    database: Database,
    sensor_id: int,
    account_id: int | None,
    timezone: str,
    theirs_from: datetime,
    now: datetime,
    day: date | None = None,
) -> OwnDay:
    """Read a day of one's own sensor, today when none is asked for; of a sensor that is not theirs there is nothing in it."""
    tz = zone(timezone)
    day = day or now.astimezone(tz).date()
    window = local_day(day, tz)
    before = local_midnight(day - timedelta(days=CALENDAR_DAYS + 6), tz)
    quarters = await read_own_periods(
        database, sensor_id, account_id, Window(window.start, min(window.end, now)), Bucket.QUARTER
    )
    hours = await read_own_periods(database, sensor_id, account_id, Window(before, window.end), Bucket.HOUR)
    return OwnDay(tz, day, now, window, quarters, hours, theirs_from)
