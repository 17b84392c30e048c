"""Where values and times stand in a chart: round steps at the side, round times below."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from telstraat_store.counts.windows import Window, local_midnight

STEPS_WANTED = 4
TICKS_MAX = 10
SMALLEST = 1e-6
LARGEST = 1e15
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MINUTES = (15, 30, 60, 120, 180, 360, 720)
DAYS = (1, 2, 7, 14)
MONTHS = (1, 2, 3, 6)
YEARS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class ValueScale:
    """From the lowest to the highest value at the side, in round steps."""

    low: float
    high: float
    step: float

    def share(self, value: float) -> float:
        """Return how far from the top a value stands: 0 at the top, 1 at the bottom; values outside stand at the border."""
        return min(1.0, max(0.0, (self.high - value) / (self.high - self.low)))

    @property
    def values(self) -> list[float]:
        """The values that have a line, from the lowest."""
        count = round((self.high - self.low) / self.step)
        return [(round(self.low / self.step) + n) * self.step for n in range(count + 1)]

    @property
    def digits(self) -> int:
        """How many decimals tell the steps apart."""
        return max(0, -math.floor(math.log10(self.step) + 1e-9))


def finite(value: float | None) -> float | None:
    """Return a value that can be drawn; None for what is none, or beyond all counts."""
    return value if value is not None and math.isfinite(value) and abs(value) <= LARGEST else None


def value_scale(values: Iterable[float], *, is_whole: bool = True) -> ValueScale:
    """Return the scale that holds 0 and all values, with steps of 1, 2 or 5 times a power of ten."""
    values = [0.0, *values]
    low, high = min(values), max(values)
    if high - low < SMALLEST:
        high = low + 1
    step = round_step((high - low) / STEPS_WANTED)
    if is_whole:
        step = max(1.0, step)
    return ValueScale(math.floor(low / step + 1e-9) * step, max(1, math.ceil(high / step - 1e-9)) * step, step)


def round_step(rough: float) -> float:
    """Return the step of 1, 2 or 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= rough * (1 - 1e-9)), 10 * power)


class Unit:
    """Of which kind the times below a chart are."""

    MINUTES, DAYS, MONTHS, YEARS = "minutes", "days", "months", "years"


@dataclass(frozen=True)
class Tick:
    """A round time: where its line stands, where its label, and whether the label says which year it is."""

    at: datetime
    label_at: datetime
    unit: str
    has_year: bool


def time_ticks(window: Window, tz: ZoneInfo) -> list[Tick]:
    """Return round local times in a window, at most some ten."""
    unit, step, in_middle = tick_step(window)
    times = [at for at in round_times(window, tz, unit, step) if window.start <= at < window.end]
    ticks = []
    for n, (at, following) in enumerate(pairwise([*times, None])):
        assert at is not None
        end = min(window.end, following or window.end)
        label_at = at + (end - at) / 2 if in_middle else at
        is_january = at.astimezone(tz).month == 1
        is_before_january = following is not None and following.astimezone(tz).month == 1
        ticks.append(Tick(at, label_at, unit, is_january or (n == 0 and not is_before_january)))
    return ticks


def tick_step(window: Window) -> tuple[str, int, bool]:
    """Return unit and step of the times of a window, and whether labels stand in the middle of their period."""
    length = window.end - window.start
    for minutes in MINUTES:
        if length <= TICKS_MAX * timedelta(minutes=minutes):
            return Unit.MINUTES, minutes, False
    for days in DAYS:
        if length <= TICKS_MAX * days * DAY:
            return Unit.DAYS, days, days == 1
    for months in MONTHS:
        if length <= 1.3 * TICKS_MAX * months * 30.5 * DAY:
            return Unit.MONTHS, months, months == 1
    years = next((years for years in YEARS if length <= TICKS_MAX * years * 366 * DAY), YEARS[-1])
    return Unit.YEARS, years, years == 1


def round_times(window: Window, tz: ZoneInfo, unit: str, step: int) -> Iterator[datetime]:
    """Yield round local times from before a window to its end, in UTC; an hour that the clocks skip has none."""
    first, last = window.start.astimezone(tz).date(), window.end.astimezone(tz).date()
    if unit == Unit.MINUTES:
        yield from round_minutes(first, last, tz, step)
    elif unit == Unit.DAYS:
        # Mondays where weeks are counted; 1970-01-05 was one.
        origin = date(1970, 1, 5).toordinal() if step >= 7 else first.toordinal()
        start = first.toordinal() - (first.toordinal() - origin) % step
        for day in range(start, last.toordinal() + 1, step):
            yield local_midnight(date.fromordinal(day), tz)
    else:
        months = step if unit == Unit.MONTHS else 12 * step
        at = (first.year * 12 + first.month - 1) // months * months
        while at <= last.year * 12 + last.month - 1:
            yield local_midnight(date(at // 12, at % 12 + 1, 1), tz)
            at += months


def round_minutes(first: date, last: date, tz: ZoneInfo, step: int) -> Iterator[datetime]:
    """Yield the times of some days whose clock shows a multiple of some minutes, in order, each once."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        for minute in range(0, 1440, step):
            clock = datetime.combine(day, time(minute // 60, minute % 60), tz)
            at = clock.astimezone(UTC)
            if at.astimezone(tz).replace(tzinfo=None) == clock.replace(tzinfo=None):
                yield at
