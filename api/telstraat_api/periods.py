"""Periods as people read them: quarters, hours and local days, in the street's own time zone.

A local day has 23, 24 or 25 hours; below this module everything is UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telstraat_api.errors import QueryError
from telstraat_contract.quarters import QUARTER, quarter_start

DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Bucket(StrEnum):
    """How long the periods of an answer are."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


USUAL_SPAN = {
    Bucket.QUARTER: timedelta(days=1),
    Bucket.HOUR: timedelta(days=7),
    Bucket.DAY: timedelta(days=31),
    Bucket.WEEK: timedelta(days=183),
    Bucket.MONTH: timedelta(days=366),
    Bucket.YEAR: timedelta(days=3660),
}


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


def read_time(text: str, tz: ZoneInfo, name: str = "time") -> datetime:
    """Read a date (its local midnight) or a date with time (local when it names no zone), as UTC."""
    try:
        if DATE_ONLY.fullmatch(text):
            at = local_midnight(date.fromisoformat(text), tz)
        else:
            # In an address a '+' that was not escaped arrives as a space.
            stamp = datetime.fromisoformat(re.sub(r" (\d{2}:?\d{2})$", r"+\1", text) if "T" in text else text)
            at = (stamp if stamp.tzinfo else stamp.replace(tzinfo=tz)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"{name}={text!r} is not a time; write 2026-03-01 or 2026-03-01T08:00:00+01:00") from error
    if not EARLIEST <= at <= LATEST:
        raise QueryError(f"{name}={text!r} lies outside of the years {EARLIEST.year} to {LATEST.year}")
    return at


def read_window(start: str | None, end: str | None, bucket: Bucket, tz: ZoneInfo, now: datetime) -> Window:
    """Read `from` and `to`; what is missing is filled with the usual span of the bucket, up to now."""
    until = read_time(end, tz, "to") if end else quarter_start(now) + QUARTER
    since = read_time(start, tz, "from") if start else until - USUAL_SPAN[bucket]
    if since >= until:
        raise QueryError(f"from ({since.isoformat()}) must lie before to ({until.isoformat()})")
    return whole(Window(since, until), bucket, tz)


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
