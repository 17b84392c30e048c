"""Two periods of a street beside each other, with what is and is not comparable about them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from telstraat_analytics.calendars import Calendar
from telstraat_analytics.days import common_hours, daily_counts, local_table
from telstraat_analytics.describe.caveats import Caveat

SHARE_MIN = 0.5
BREAK_SHARE = 0.25


@dataclass(frozen=True)
class Comparison:
    """Means per comparable day of two periods, their ratio, and warnings. No interval: for that, evaluate a measure."""

    first_per_day: float
    second_per_day: float
    change: float
    hours: tuple[int, ...]
    warnings: tuple[Caveat, ...]


def compare_periods(
    frame: pd.DataFrame,
    segment: str,
    timezone: str,
    column: str,
    first: tuple[pd.Timestamp, pd.Timestamp],
    second: tuple[pd.Timestamp, pd.Timestamp],
    calendar: Calendar | None = None,
) -> Comparison | None:
    """Compare two periods, like hours with like hours.

    Parameters
    ----------
    frame, segment, timezone
        Raw hourly counts, which street, its zone.
    column
        Which counts.
    first, second
        First and last local day of each period, INCLUSIVE; the second begins after the first.
    calendar
        Of holidays; what the zone suggests by default.

    Returns
    -------
    Comparison or None
        None when no hour was seen in both.
    """
    known = calendar or Calendar.of_timezone(timezone)
    table = local_table(frame, segment, timezone)
    inside = table[table["day"].between(*first) | table["day"].between(*second)]
    hours = common_hours(inside, first[0], second[1], second[0])
    if not hours:
        return None
    totals = daily_counts(table, segment, (column,), hours, second[0], first[0], second[1]).totals
    sides = [totals[(totals.index >= period[0]) & (totals.index <= period[1])] for period in (first, second)]
    if any(side.empty for side in sides):
        return None
    warnings = []
    for name, side, period in zip(("first", "second"), sides, (first, second), strict=True):
        share = len(side) / ((period[1] - period[0]).days + 1)
        if share < SHARE_MIN:
            warnings.append(Caveat(f"few_days_{name}", {"share": share}))
    away = [float(known.breaks(pd.DatetimeIndex(side.index)).sum(axis=1).mean()) for side in sides]
    if abs(away[0] - away[1]) > BREAK_SHARE:
        warnings.append(Caveat("holidays", {"first": away[0], "second": away[1]}))
    if abs(first[0].month - second[0].month) not in {0, 1, 11}:
        warnings.append(Caveat("seasons"))
    means = [float(side.mean()) for side in sides]
    return Comparison(means[0], means[1], means[1] / means[0] - 1 if means[0] else float("nan"), hours, tuple(warnings))
