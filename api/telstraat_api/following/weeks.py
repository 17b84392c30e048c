"""From when to when a measure is followed, and how many of its weeks are over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

LATE = timedelta(days=1)
"""Sensors may report a day late before a week is called over."""

WEEKS_MAX = 52
"""After a year the weekly looks end: the letters say when, and the last look is a letter of its own."""


def weeks_over(measure: Mapping[str, Any], now: datetime) -> int:
    """Return how many weeks after the date of a measure are over, with a day for reports that come late."""
    return ((now - LATE).astimezone(ZoneInfo(measure["timezone"])).date() - begins(measure)).days // 7


def begins(measure: Mapping[str, Any]) -> date:
    """Return the day from which the weeks of a measure, as the API shows it, count."""
    return date.fromisoformat(measure["first_day"]) + timedelta(days=measure["transition_days"])


def followed_until(measure: Mapping[str, Any]) -> date:
    """Return the day on which the weeks of the last look are over."""
    return begins(measure) + timedelta(weeks=WEEKS_MAX)
