"""Times in addresses and bodies: a date is its local midnight, a time without a zone is local; below this all is UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from telstraat_api.errors import QueryError
from telstraat_contract.quarters import QUARTER, quarter_start
from telstraat_store.counts.windows import Bucket, Window, local_midnight, whole

DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
USUAL_SPAN = {
    Bucket.QUARTER: timedelta(days=1),
    Bucket.HOUR: timedelta(days=7),
    Bucket.DAY: timedelta(days=31),
    Bucket.WEEK: timedelta(days=183),
    Bucket.MONTH: timedelta(days=366),
    Bucket.YEAR: timedelta(days=3660),
}


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
