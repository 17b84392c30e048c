"""The quarter of an hour: its length, its alignment in UTC, and the seconds it may have been observed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

QUARTER_S = 900
QUARTER = timedelta(seconds=QUARTER_S)


def quarter_start(at_utc: datetime) -> datetime:
    """Return the start of the aligned quarter `[start, start + 900 s)` that holds `at_utc`."""
    at_utc = at_utc.astimezone(UTC)
    return at_utc.replace(minute=at_utc.minute // 15 * 15, second=0, microsecond=0)


def is_quarter_start(at_utc: datetime) -> bool:
    """Return whether `at_utc` is aligned to a quarter of an hour."""
    return at_utc == quarter_start(at_utc)
