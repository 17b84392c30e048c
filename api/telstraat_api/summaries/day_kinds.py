"""Which local days are holidays: the calendar of the analysis, as summaries ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from telstraat_analytics.calendars import Calendar
from telstraat_store.summaries.street_summary import DayKind


def kinds_of_days(timezone: str, days: Sequence[date]) -> list[DayKind]:
    """Return the kinds of local days of a time zone; a day that is more likely than not a school holiday is taken for one."""
    index = pd.DatetimeIndex(list(days))
    calendar = Calendar.of_timezone(timezone)
    free, away = calendar.free_days(index), calendar.breaks(index).sum(axis=1) >= 0.5
    return [
        DayKind.PUBLIC_HOLIDAY if is_free else DayKind.SCHOOL_HOLIDAY if is_away else DayKind.TERM
        for is_free, is_away in zip(free, away, strict=True)
    ]
