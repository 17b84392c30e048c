"""The moments at which tests run. Who needs the present asks here or takes a fixture, while the test runs and not on import."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

BEGAN = datetime.now(UTC)
DAY = timedelta(days=1)


def yesterday() -> datetime:
    """Return the start of the day (UTC) before the run began: the same in all tests, also when midnight passes."""
    return BEGAN.replace(hour=0, minute=0, second=0, microsecond=0) - DAY


def running(span: timedelta, left_s: float) -> datetime:
    """Return the start of the running hour or quarter (UTC), the next one's when less than `left_s` is left of this one."""
    while True:
        now = datetime.now(UTC)
        start = now - timedelta(seconds=now.timestamp() % span.total_seconds())
        if now + timedelta(seconds=left_s) < start + span:
            return start
        time.sleep(0.2)
