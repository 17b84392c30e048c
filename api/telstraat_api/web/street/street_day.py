"""One day of one street, ready to be shown: what passed, how much of it was seen, and where the gaps are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from telstraat_api.web.names import SPLIT
from telstraat_contract.quarters import QUARTER, QUARTER_S
from telstraat_contract.road_users import COUNT_COLUMNS, COUNTED, TOGETHER
from telstraat_store.connection import Connections, Database, Row
from telstraat_store.counts.period import Period, total
from telstraat_store.counts.reading import read_periods, read_speeds, read_watched
from telstraat_store.counts.single_sensor import storage_state_of
from telstraat_store.counts.speeds import added_bins, bin_kmh, v85_kmh
from telstraat_store.counts.states import State, Stretch, due_at, merged, period_state
from telstraat_store.counts.windows import Bucket, Window, local_day, local_midnight, next_start, start_of, zone
from telstraat_store.places.segments import Segment
from telstraat_store.places.sensors import sensors_at

DAYS_BACK = 14
HOUR = 4 * QUARTER
UTC_ZONE = zone("UTC")
ROWS_MAX = 10_000


@dataclass(frozen=True)
class DayRow:
    """A line of a table, or a place in a chart: a period with its counts, or the state that stands there."""

    window: Window
    period: Period | None
    state: State


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
    watched_days: frozenset[date]  # in which somebody watched, whether or not it is shown
    hours_only: bool

    @property
    def is_today(self) -> bool:
        """Tell whether the day is still going on at the street."""
        return self.day == self.today

    @property
    def hours_long(self) -> float:
        """How long this local day is: 23, 24 or 25 hours."""
        return self.window.length_s / 3600

    @cached_property
    def watched_s(self) -> dict[datetime, float]:
        """For each quarter so far in which somebody watched, for how many seconds; hours of others in four equal parts."""
        seconds: dict[datetime, float] = {p.start: p.observed_s for p in self.quarters if p.observed_s}
        for hour in self.hours:
            if hour.source_id is not None and hour.observed_s:
                for n in range(4):
                    seconds.setdefault(hour.start + n * QUARTER, hour.observed_s / 4)
        return seconds

    @property
    def observed_share(self) -> float:
        """The share of the time so far that was observed."""
        return min(1.0, sum(self.watched_s.values()) / max(1, self.elapsed.length_s))

    @cached_property
    def counted(self) -> set[datetime]:
        """The quarters so far that a count is shown for, by itself or in its hour."""
        by_itself = {p.start for p in self.quarters if period_state(p) is State.COUNTED}
        hours = [hour for hour in self.hours if period_state(hour) is State.COUNTED]
        in_hours = {hour.start + n * QUARTER for hour in hours for n in range(4)}
        if self.hours_only:
            return in_hours
        return by_itself | {hour.start + n * QUARTER for hour in hours if hour.source_id is not None for n in range(4)}

    @property
    def due(self) -> datetime:
        """Until when everything should have come in."""
        return due_at(self.now, online=bool(self.segment.online))

    def state_at(self, start: datetime) -> State:
        """Return the state of a quarter of the day; by the hour, what was watched waits until its hour is complete."""
        if start in self.counted:
            return State.COUNTED
        span = Bucket.HOUR if self.hours_only else Bucket.QUARTER
        if next_start(start_of(start, span, UTC_ZONE), span, UTC_ZONE) > self.due:
            return State.NOT_YET
        return State.WITHHELD if start in self.watched_s else State.MISSING

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The whole day in stretches of one state."""
        starts = (self.window.start + n * QUARTER for n in range(self.window.length_s // QUARTER_S))
        return merged(Stretch(Window(start, start + QUARTER), self.state_at(start)) for start in starts)

    def windows(self, state: str) -> list[Window]:
        """Return the stretches of the day that are in a state."""
        return [stretch.window for stretch in self.stretches if stretch.state == state]

    @cached_property
    def state(self) -> State:
        """The state of the day as a whole: counted as soon as something is."""
        if self.counted:
            return State.COUNTED
        if self.day > self.today or (self.is_today and self.segment.first_report is None):
            return State.NOT_YET
        states = {stretch.state for stretch in self.stretches}
        if State.WITHHELD in states:
            return State.WITHHELD
        return State.NOT_YET if self.is_today and self.segment.online else State.MISSING

    @property
    def uncounted(self) -> list[str]:
        """The classes that have no number on a day that has some."""
        return [kind for kind in TOGETHER if self.totals[kind] is None] if self.state is State.COUNTED else []

    def rows(self, bucket: str) -> list[DayRow]:
        """Return a row for each quarter or hour that is shown, and one for each stretch between them that is in another state."""
        periods, step = (self.quarters, QUARTER) if bucket == Bucket.QUARTER else (self.hours, HOUR)
        rows = [
            DayRow(Window(p.start, p.start + step), p, State.COUNTED)
            for p in periods
            if period_state(p) is State.COUNTED
        ]
        tail = Window(self.elapsed.end, self.elapsed.end)
        at = self.elapsed.start
        for window in (*(row.window for row in rows), tail):
            starts = (at + n * QUARTER for n in range(max(0, (window.start - at) // QUARTER)))
            parts = merged(Stretch(Window(start, start + QUARTER), self.state_at(start)) for start in starts)
            rows += [DayRow(part.window, None, part.state) for part in parts]
            at = max(at, window.end)
        return sorted(rows, key=lambda row: row.window.start)

    @cached_property
    def fortnight(self) -> list[DayRow]:
        """The day and those before it, oldest first: each with its counts, or with the state that stands there."""
        known = {period.start.astimezone(self.tz).date(): period for period in self.days}
        rows = []
        for back in range(DAYS_BACK - 1, -1, -1):
            day = self.day - timedelta(days=back)
            period = known.get(day)
            if period is not None and period_state(period) is State.COUNTED:
                rows.append(DayRow(local_day(day, self.tz), period, State.COUNTED))
                continue
            state = State.WITHHELD if day in self.watched_days else State.MISSING
            rows.append(DayRow(local_day(day, self.tz), None, self.state if back == 0 else state))
        return rows

    @cached_property
    def totals(self) -> dict[str, float | None]:
        """Corrected counts of the day so far, per class; None for a class that was not counted. Hours without data add nothing."""
        return {kind: total(period.both(kind) for period in self.hours) for kind in COUNTED}

    @property
    def total(self) -> float | None:
        """All road users of the day so far; None when nothing was counted."""
        return total(self.totals[kind] for kind in TOGETHER)

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


async def read_day(
    database: Database, connections: Connections, segment: Segment, day: date | None, now: datetime
) -> StreetDay:
    """Read a day of a street; today when none is asked for. For the public, nothing finer than hours and nothing unfinished."""
    hours_only = connections.is_public
    tz = zone(segment.timezone)
    today = now.astimezone(tz).date()
    day = today if day is None else day
    window = local_day(day, tz)
    until = start_of(now, Bucket.HOUR if hours_only else Bucket.QUARTER, zone("UTC"))
    elapsed = Window(window.start, min(max(until, window.start), window.end))
    before = local_midnight(day - timedelta(days=DAYS_BACK - 1), tz)
    places = [segment.segment_id]
    fortnight = Window(before, elapsed.end)
    storage = await storage_state_of(connections, places, fortnight)

    async def periods(bucket: Bucket, of: Window) -> list[Period]:
        return await read_periods(connections, places, of, bucket, ROWS_MAX, storage=storage)

    hours = await periods(Bucket.HOUR, elapsed)
    quarters = await (read_watched(connections, places, elapsed) if hours_only else periods(Bucket.QUARTER, elapsed))
    hours, days = without_what_is_to_come(quarters, hours, await periods(Bucket.DAY, fortnight), elapsed)
    speeds = await read_speeds(connections, places, elapsed, Bucket.HOUR, storage=storage)
    timed = [*speeds.values(), *(hour.car_speed for hour in hours if hour.car_speed)]
    async with database.connection() as connection:
        sensors = await sensors_at(connection, segment.segment_id)
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
        sensors=sensors,
        watched_days=await read_watched_days(connections, segment, days, fortnight) if hours_only else frozenset(),
        hours_only=hours_only,
    )


async def read_watched_days(
    connections: Connections, segment: Segment, days: Sequence[Period], fortnight: Window
) -> frozenset[date]:
    """Return the days in which somebody watched, when some of the fortnight have no counts to show."""
    if len(days) == DAYS_BACK:
        return frozenset()
    tz = zone(segment.timezone)
    watched = await read_watched(connections, [segment.segment_id], fortnight)
    return frozenset(quarter.start.astimezone(tz).date() for quarter in watched if quarter.observed_s)


def without_what_is_to_come(
    quarters: Sequence[Period], hours: list[Period], days: list[Period], elapsed: Window
) -> tuple[list[Period], list[Period]]:
    """Return hours and days in which an hour that is not over yet counts its quarters, not a whole hour like them."""
    begun = start_of(elapsed.end, Bucket.HOUR, zone("UTC"))
    parts = [quarter for quarter in quarters if quarter.start >= begun]
    if not parts or not hours or hours[-1].start != begun:
        return hours, days
    whole = hours[-1].corrected or (0.0,) * len(COUNT_COLUMNS)
    seen = [part.corrected for part in parts if part.corrected]
    so_far = tuple(total(part[at] for part in seen) for at in range(len(COUNT_COLUMNS)))
    hours = [*hours[:-1], replace(hours[-1], corrected=so_far)]
    if days and days[-1].corrected and days[-1].start <= begun:
        pairs = zip(days[-1].corrected, whole, so_far, strict=True)
        less = tuple(None if day is None else day - (hour or 0.0) + (part or 0.0) for day, hour, part in pairs)
        days = [*days[:-1], replace(days[-1], corrected=less)]
    return hours, days
