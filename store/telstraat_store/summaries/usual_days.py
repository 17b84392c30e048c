"""A usual day of a street: which days count, and what is usual about them.

**Which days.** Of the last twelve weeks, for each weekday the latest eight that are *good*: no public holiday, no school holiday, not marked
as incomparable, and watched in all but two of the hours that are usually watched there (those that were watched on at least half of
the days with any). A missing hour is filled with the median of that hour, on days of that kind. What is usually watched is less than a whole
day behind a window that is blind in the dark: then the day is the sum of these hours, and `night_blind` says so.

**What is usual.** The median, so that a fair or a storm does not move it. The range of a weekday is its smallest and its largest day: whatever the
distribution, the next such day lies between them with probability (n - 1) / (n + 1), 78 % for eight (order statistics: David and Nagaraja,
*Order Statistics*, 3rd ed., 2003, section 7.3). Where ten days and more are taken together it is from the 10 % to the 90 % quantile.
Fewer than `DAYS_MIN` good days give no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from telstraat_contract.road_users import CLASSES, TOGETHER
from telstraat_store.counts.period import total
from telstraat_store.counts.windows import zone
from telstraat_store.summaries.counted_hours import USUAL_WEEKS, WEEKS, HourCounts, StreetHours
from telstraat_store.summaries.street_summary import DayKind, Spread

DAYS_MIN = 3
"""So many days of a weekday at least: their median then is one of them that is neither the largest nor the smallest."""
MISSING_MAX = 2
HOURS_MIN = 6
"""Who watches fewer hours a day tells nothing of a day."""
WHOLE_DAY = 22
"""So many hours of a day are a whole day: a clock that is changed or a nightly restart takes one or two."""


DayKinds = Callable[[str, Sequence[date]], Sequence[DayKind]]
"""The kinds of local days of a time zone."""


def is_working(day: date) -> bool:
    """Tell whether a day is one of Monday to Friday."""
    return day.weekday() < 5


def usual_hours(street: StreetHours, since: date) -> tuple[int, ...]:
    """Return the local hours that were watched on at least half of the days that were watched at all."""
    days = [hours for day, hours in street.hours.items() if since <= day <= street.through_day]
    seen = Counter(hour for hours in days for hour in hours)
    return tuple(sorted(hour for hour, times in seen.items() if 2 * times >= len(days)))


def is_blind_at_night(hours: Sequence[int]) -> bool:
    """Tell whether the hours that are watched are one stretch of a day, but not all of it."""
    if not hours:
        return False
    stretch = hours[-1] - hours[0] + 1
    return stretch < WHOLE_DAY and stretch - len(hours) <= MISSING_MAX


def typical_hours(street: StreetHours, days: Iterable[date]) -> tuple[float | None, ...]:
    """Return the median of each hour by class, of working days and of the rest: 2 x 24 x 5, None with fewer than three."""
    counts: dict[tuple[bool, int, int], list[float]] = {}
    for day in days:
        for hour, of_hour in street.hours.get(day, {}).items():
            for place, count in enumerate(of_hour):
                if count is not None:
                    counts.setdefault((is_working(day), hour, place), []).append(count)
    keys = [(working, hour, place) for working in (True, False) for hour in range(24) for place in range(len(TOGETHER))]
    return tuple(median(counts[key]) if len(counts.get(key, ())) >= DAYS_MIN else None for key in keys)


def day_totals(
    street: StreetHours, days: Iterable[date], hours: Sequence[int], typical: Sequence[float | None]
) -> dict[date, HourCounts]:
    """Return the counts of the days that were watched well enough in some hours, what little is missing filled in."""
    tz = zone(street.timezone)
    totals: dict[date, HourCounts] = {}
    for day in days:
        watched = street.hours.get(day, {})
        missing = [hour for hour in hours if hour not in watched and exists(day, hour, tz)]
        if not watched or len(hours) < HOURS_MIN or len(missing) > MISSING_MAX:
            continue
        filled = [_typical(typical, hour, working=is_working(day)) for hour in missing]
        counted = [watched[hour] for hour in hours if hour in watched]
        totals[day] = tuple(total(of) for of in zip(*counted, *filled, strict=True))
    return totals


def _typical(typical: Sequence[float | None], hour: int, *, working: bool) -> HourCounts:
    at = ((0 if working else 24) + hour) * len(TOGETHER)
    return tuple(typical[at : at + len(TOGETHER)])


def exists(day: date, hour: int, tz: ZoneInfo) -> bool:
    """Tell whether a local hour exists: one is missing when summer time begins."""
    at = datetime.combine(day, time(hour), tz)
    return at.astimezone(UTC).astimezone(tz).hour == hour


def good_days(street: StreetHours, kinds: Mapping[date, DayKind], kind: DayKind) -> list[date]:
    """Return the days of a kind of the last weeks that may be taken for usual ones, the latest first, however they were watched."""
    back = (street.through_day - timedelta(days=nth) for nth in range(USUAL_WEEKS * 7))
    return [day for day in back if kinds[day] is kind and day not in street.left_out]


def latest_of_each(days: Iterable[date], most: int = WEEKS) -> dict[int, list[date]]:
    """Return the latest days of each weekday, from days of which the latest come first."""
    of_weekday: dict[int, list[date]] = {weekday: [] for weekday in range(7)}
    for day in days:
        if len(of_weekday[day.weekday()]) < most:
            of_weekday[day.weekday()].append(day)
    return of_weekday


def spread(values: Sequence[float]) -> Spread | None:
    """Return what is usual, and the range that the rule above names; None with too few values."""
    if len(values) < DAYS_MIN:
        return None
    low, high = min(values), max(values)
    if len(values) >= 10:
        low, high = quantile(values, 0.1), quantile(values, 0.9)
    return Spread(median(values), low, high, len(values))


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile, between the two values next to it in proportion."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def everything(counts: HourCounts) -> float:
    """Return all that passed; what was not counted adds nothing."""
    return total(counts) or 0.0


def class_shares(counts: Iterable[HourCounts]) -> dict[str, float]:
    """Return the share of each class in what could be named, the class being one that is counted; empty without any."""
    sums = {kind: total(of) for kind, of in zip(TOGETHER, zip(*counts, strict=True), strict=False) if kind in CLASSES}
    known = {kind: n for kind, n in sums.items() if n is not None}
    named = sum(known.values())
    return {kind: n / named for kind, n in known.items()} if named else {}
