"""Periods as people read them: quarters, hours and local days, in the street's own time zone.

A local day has 23, 24 or 25 hours; below this module everything is UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telstraat_contract.quarters import QUARTER, quarter_start


class Bucket(StrEnum):
    """How long the periods of an answer are."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class Window:
    """A half-open stretch of time, `start <= t < end`, in UTC."""

    start: datetime
    end: datetime

    @property
    def length_s(self) -> int:
        """How many seconds it holds."""
        return int((self.end - self.start).total_seconds())


def zone(name: str) -> ZoneInfo:
    """Return the time zone of that name; UTC when the database holds one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def is_zone(name: str) -> bool:
    """Tell whether this machine knows the time zone of that name."""
    try:
        return ZoneInfo(name).key == name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def local_midnight(day: date, tz: ZoneInfo) -> datetime:
    """Return the instant at which a local day begins, in UTC."""
    return datetime.combine(day, time(), tz).astimezone(UTC)


def local_day(day: date, tz: ZoneInfo) -> Window:
    """Return the window of a local day: 23, 24 or 25 hours."""
    return Window(local_midnight(day, tz), local_midnight(day + timedelta(days=1), tz))


def whole(window: Window, bucket: Bucket, tz: ZoneInfo) -> Window:
    """Return the window widened to whole periods."""
    last = start_of(window.end - timedelta(microseconds=1), bucket, tz)
    return Window(start_of(window.start, bucket, tz), next_start(last, bucket, tz))


def start_of(at: datetime, bucket: Bucket, tz: ZoneInfo) -> datetime:
    """Return where the period that holds `at` begins, in UTC."""
    if bucket is Bucket.QUARTER:
        return quarter_start(at)
    if bucket is Bucket.HOUR:
        return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    day = at.astimezone(tz).date()
    if bucket is Bucket.WEEK:
        day -= timedelta(days=day.weekday())
    elif bucket is Bucket.MONTH:
        day = day.replace(day=1)
    elif bucket is Bucket.YEAR:
        day = day.replace(month=1, day=1)
    return local_midnight(day, tz)


def next_start(start: datetime, bucket: Bucket, tz: ZoneInfo) -> datetime:
    """Return where the period that starts at `start` ends, in UTC."""
    if bucket is Bucket.QUARTER:
        return start + QUARTER
    if bucket is Bucket.HOUR:
        return start + timedelta(hours=1)
    day = start.astimezone(tz).date()
    if bucket is Bucket.DAY:
        return local_midnight(day + timedelta(days=1), tz)
    if bucket is Bucket.WEEK:
        return local_midnight(day + timedelta(days=7), tz)
    if bucket is Bucket.MONTH:
        return local_midnight((day.replace(day=1) + timedelta(days=32)).replace(day=1), tz)
    return local_midnight(date(day.year + 1, 1, 1), tz)
