"""The counts of what is looked at: a period and a state for every step of the chart, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from telstraat_api.web.names import SPLIT
from telstraat_api.web.street.street_view import StreetView, Ways
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_contract.road_users import COUNT_COLUMNS, COUNTED, TOGETHER
from telstraat_store.connection import Connections
from telstraat_store.counts.gaps import read_gaps
from telstraat_store.counts.habits import read_watched_days
from telstraat_store.counts.period import Period, total
from telstraat_store.counts.reading import read_periods, read_watched
from telstraat_store.counts.states import State, Stretch, period_state
from telstraat_store.counts.suppression import read_for
from telstraat_store.counts.windows import Bucket, Window, start_of, zone
from telstraat_store.places.segments import Segment

ROWS_MAX = 10_000
DAYS_MAX = 30_000
UTC_ZONE = zone("UTC")


@dataclass(frozen=True)
class ShownCounts:
    """What was counted in each step of a view; `states` and `periods` are as long as `slots`."""

    view: StreetView
    slots: Sequence[Window]
    periods: Sequence[Period | None]
    states: Sequence[State]
    gaps: Sequence[Stretch]  # which may be parts of a step
    until: datetime  # what ends later is not over yet
    watched_s: float  # of all that is over, shown or not
    is_awaited: bool = False  # the first counts of today may still come
    summed: Sequence[
        Period
    ] = ()  # what the totals are of where not the steps: the hours of quarters, the days of longer steps

    def values(self, kind: str, way: int | None) -> list[float | None]:
        """Return a class per step: both ways together (None), from A to B (0), from B to A (1); None where it was not counted."""
        return [None if period is None else of_way(period, kind, way) for period in self.periods]

    def together(self, kinds: Sequence[str] = TOGETHER) -> list[float | None]:
        """Return all that is shown per step, as the view's ways say."""
        way = {Ways.FORTH: 0, Ways.BACK: 1}.get(self.view.ways)
        columns = [self.values(kind, way) for kind in kinds]
        return [total(column) for column in zip(*columns, strict=True)]

    @cached_property
    def totals(self) -> dict[str, float | None]:
        """Corrected counts per class, both ways; None for a class that was not counted. Steps without data add nothing."""
        if self.summed:
            return {kind: total(part.both(kind) for part in self.summed) for kind in COUNTED}
        return {kind: total(self.values(kind, None)) for kind in COUNTED}

    @property
    def total(self) -> float | None:
        """All road users; None when nothing was counted."""
        return total(self.totals[kind] for kind in TOGETHER)

    @property
    def of_steps(self) -> float | None:
        """What the steps add up to: less than the total where quarters that nobody watched are filled in from their hour, and more where a step reaches beyond the view."""
        return total(total(self.values(kind, None)) for kind in TOGETHER)

    @cached_property
    def split(self) -> dict[str, float]:
        """The modal split: each counted class's share of what was classified; empty without any."""
        return shares({kind: self.totals[kind] for kind in SPLIT})

    @property
    def uncounted(self) -> list[str]:
        """The classes that have no number although there are counts."""
        return [kind for kind in TOGETHER if self.totals[kind] is None] if self.state is State.COUNTED else []

    @cached_property
    def state(self) -> State:
        """The state of the whole: counted as soon as something is."""
        states = {*self.states, *(gap.state for gap in self.gaps)}
        if self.is_awaited:
            states.discard(State.MISSING)
        return next((s for s in (State.COUNTED, State.WITHHELD, State.MISSING) if s in states), State.NOT_YET)

    @property
    def observed_share(self) -> float:
        """The share of the time so far that was watched, shown or not."""
        over = Window(self.view.window.start, min(self.view.window.end, self.until))
        return min(1.0, self.watched_s / max(1, over.length_s))

    def windows(self, state: State) -> list[Window]:
        """Return the stretches that are in a state."""
        return [gap.window for gap in self.gaps if gap.state is state]

    @property
    def pale(self) -> frozenset[int]:
        """The steps that rest on less than half of their time so far."""
        return frozenset(
            n
            for n, (slot, period) in enumerate(zip(self.slots, self.periods, strict=True))
            if period is not None and period.observed_s < so_far_s(slot, self.until) / 2
        )


def so_far_s(slot: Window, until: datetime) -> float:
    """Return how many seconds of a step are over."""
    return max(0.0, (min(slot.end, until) - slot.start).total_seconds())


def of_way(period: Period, kind: str, way: int | None) -> float | None:
    """Return a class of a period both ways, or one way."""
    return period.both(kind) if way is None else period.ways(kind)[way]


def shares(counts: dict[str, float | None]) -> dict[str, float]:
    """Return the share of each class that was counted; empty when nobody was."""
    known = {kind: count for kind, count in counts.items() if count is not None}
    everything = sum(known.values())
    return {kind: count / everything for kind, count in known.items()} if everything else {}


async def read_shown(
    connections: Connections, segment: Segment, view: StreetView, now: datetime, minimum: int
) -> ShownCounts:
    """Read the counts of a view, as far as they are for whoever asks: the same rule as that of the API's answers."""
    segment_id = segment.segment_id
    zones = {segment_id: view.tz.key}
    summed: list[Period] = []
    if view.bucket is Bucket.QUARTER:
        over = Window(view.window.start, min(view.window.end, quarter_start(now)))
        summed = await read_so_far(connections, segment_id, Bucket.HOUR, over)
        if any(hour.source_id is not None for hour in summed):  # others' hours have no quarters
            view, summed = replace(view, bucket=Bucket.HOUR), []
    slots = view.slots()
    reaches_beyond = bool(slots) and (slots[0].start < view.window.start or slots[-1].end > view.window.end)
    window = Window(slots[0].start, slots[-1].end) if slots else view.window
    if connections.is_public:
        periods = await read_for(connections, zones, view.bucket, window, ROWS_MAX, minimum)
        until = start_of(now, Bucket.HOUR if view.bucket is Bucket.HOUR else Bucket.DAY, view.tz)
    else:
        until = quarter_start(now)
        periods = await read_so_far(connections, segment_id, view.bucket, Window(window.start, min(window.end, until)))
    by_start = {period.start: period for period in periods}
    present = [(segment_id, period.start) for period in periods]
    gaps = [stretch for _, stretch in await read_gaps(connections, zones, view.bucket, window, present)]
    counts = [by_start.get(slot.start) for slot in slots]
    counted = [period if period and period_state(period) is State.COUNTED else None for period in counts]
    if reaches_beyond and view.bucket not in {Bucket.QUARTER, Bucket.HOUR}:
        summed = await read_days(connections, zones, view.window, until, minimum)
    watched_s: float = sum(period.observed_s for period in summed or periods)
    if connections.is_public and any(gap.state is State.WITHHELD for gap in gaps):
        over = view.window if reaches_beyond else window
        watched_s = await read_seconds(connections, segment_id, view, Window(over.start, min(over.end, until)))
    is_awaited = window.start <= now < window.end and bool(segment.online or segment.first_report is None)
    return ShownCounts(
        view=view,
        slots=slots,
        periods=counted,
        states=[state_of(slot, period, gaps) for slot, period in zip(slots, counts, strict=True)],
        gaps=gaps,
        until=until,
        watched_s=watched_s,
        is_awaited=is_awaited,
        summed=summed,
    )


async def read_days(
    connections: Connections, zones: dict[int, str], window: Window, until: datetime, minimum: int
) -> list[Period]:
    """Read the days of a view whose weeks or months reach beyond it: what lies outside is in no total."""
    if connections.is_public:
        return await read_for(connections, zones, Bucket.DAY, window, DAYS_MAX, minimum)
    (segment_id,) = zones
    over = Window(window.start, min(window.end, until))
    return await read_periods(connections, [segment_id], over, Bucket.DAY, DAYS_MAX) if over.start < over.end else []


async def read_seconds(connections: Connections, segment_id: int, view: StreetView, over: Window) -> float:
    """Read for how many seconds the street was watched, which everybody may know also where counts are withheld."""
    if over.start >= over.end:
        return 0.0
    if over.length_s <= 2 * 86_400:
        return sum(quarter.observed_s for quarter in await read_watched(connections, [segment_id], over))
    return sum((await read_watched_days(connections, segment_id, view.tz.key, over)).values())


def state_of(slot: Window, period: Period | None, gaps: Sequence[Stretch]) -> State:
    """Return the state of a step: that of its period, or that of the gap in which it lies."""
    if period is not None:
        return period_state(period)
    return next((gap.state for gap in gaps if gap.window.start <= slot.start < gap.window.end), State.MISSING)


async def read_so_far(connections: Connections, segment_id: int, bucket: Bucket, over: Window) -> list[Period]:
    """Read periods up to now; an hour and a day that are going on have what was counted so far, not what they will have."""
    if over.start >= over.end:
        return []
    places = [segment_id]
    periods = await read_periods(connections, places, over, bucket, ROWS_MAX)
    hour = start_of(over.end, Bucket.HOUR, UTC_ZONE)
    if not periods or hour == over.end or bucket is Bucket.QUARTER or periods[-1].start > hour:
        return periods
    begun = Window(hour, over.end)
    if begun.length_s >= 4 * QUARTER.total_seconds():
        return periods
    quarters = await read_periods(connections, places, begun, Bucket.QUARTER, ROWS_MAX)
    if bucket is Bucket.HOUR:
        return without_what_is_to_come(quarters, periods, [], over)[0]
    hours = await read_periods(connections, places, begun, Bucket.HOUR, ROWS_MAX)
    return without_what_is_to_come(quarters, hours, periods, over)[1]


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
