"""The words of a chart's axis and table: times as short as their neighbours allow, in the page's language."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from telstraat_api.web.charts.scales import Tick, Unit
from telstraat_api.web.languages import PageLanguage
from telstraat_contract.languages.catalogue import language
from telstraat_store.counts.windows import Bucket, Window

MOMENT = timedelta(microseconds=1)


@lru_cache(maxsize=5000)
def spelt(code: str, skeleton: str, year: int, month: int, day: int) -> str:
    """Return a date by a skeleton of CLDR as the language writes it."""
    return str(format_skeleton(skeleton, datetime(year, month, day), locale=language(code).locale))  # noqa: DTZ001


def dated(local: datetime, skeleton: str, _: PageLanguage) -> str:
    """Return a local date by a skeleton."""
    return spelt(_.code, skeleton, local.year, local.month, local.day)


def clock_of(at: datetime, tz: ZoneInfo) -> str:
    """Return a time of day; with the zone's abbreviation where the clock shows it twice."""
    local = at.astimezone(tz)
    is_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M %Z}" if is_twice else f"{local:%H:%M}"


def tick_label(tick: Tick, tz: ZoneInfo, _: PageLanguage, *, is_one_day: bool) -> str:
    """Return the label of a round time."""
    local = tick.at.astimezone(tz)
    if tick.unit == Unit.MINUTES:
        if is_one_day or (local.hour, local.minute) != (0, 0):
            return f"{local:%H:%M}"
        return dated(local, "MMMEd", _)
    if tick.unit == Unit.DAYS:
        return dated(local, "MMMd", _)
    if tick.unit == Unit.MONTHS:
        return dated(local, "yMMM" if tick.has_year else "MMM", _)
    return dated(local, "y", _)


def slot_name(slot: Window, bucket: Bucket, tz: ZoneInfo, _: PageLanguage, *, is_one_day: bool) -> str:
    """Return the name of a slot, as its row in the table has it."""
    local = slot.start.astimezone(tz)
    if bucket in {Bucket.QUARTER, Bucket.HOUR}:
        clock = clock_of(slot.start, tz)
        return clock if is_one_day else f"{dated(local, 'MMMEd', _)}, {clock}"
    if bucket is Bucket.DAY:
        return dated(local, "yMMMEd", _)
    if bucket is Bucket.MONTH:
        return dated(local, "yMMMM", _)
    if bucket is Bucket.YEAR:
        return dated(local, "y", _)
    return stretch_name(slot, tz, _)


def stretch_name(window: Window, tz: ZoneInfo, _: PageLanguage, *, is_one_day: bool = False) -> str:
    """Return a stretch of time from its begin to its end: days when it has whole ones, else with the time of day."""
    first, last = window.start.astimezone(tz), window.end.astimezone(tz)
    if first.hour == first.minute == last.hour == last.minute == 0 and not is_one_day:
        last = (window.end - MOMENT).astimezone(tz)
        begin, end = dated(first, "yMMMd", _), dated(last, "yMMMd", _)
        return begin if begin == end else f"{begin} – {end}"
    if is_one_day or first.date() == (window.end - MOMENT).astimezone(tz).date():
        clocks = f"{clock_of(window.start, tz)}–{clock_of(window.end, tz)}"
        return clocks if is_one_day else f"{dated(first, 'MMMEd', _)}, {clocks}"
    begin, end = (f"{dated(at, 'yMMMd', _)}, {clock_of(at, tz)}" for at in (first, last))
    return f"{begin} – {end}"
