"""A street against itself a year ago: the same weekdays, 52 weeks earlier.

Pairs of days of one kind (both in term, or both in the school holidays), both watched well enough in the hours that were watched
in both years, are added up by week; each week with three pairs or more gives the logarithm of a ratio. Their mean is the change, its interval
that of Student's t over the weeks: what one week has of its own is in their scatter, what all eight share (a mild autumn, a new shop) is not,
and no cause is claimed: for that, a measure is evaluated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log, sqrt
from statistics import mean, stdev

from telstraat_store.summaries.counted_hours import WEEKS, YEAR, StreetHours
from telstraat_store.summaries.street_summary import DayKind, Why, YearChange
from telstraat_store.summaries.usual_days import day_totals, everything

WEEKS_MIN = 4
PAIRS_MIN = 3
HOURS_COMMON_MIN = 6
# Two-sided 95 % of Student's t by degrees of freedom: Abramowitz and Stegun, table 26.10.
T_95 = {3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}


@dataclass(frozen=True)
class TwoYears:
    """The hours that are watched in each of two years, and what such an hour usually brings in each."""

    hours: tuple[int, ...]
    hours_before: tuple[int, ...]
    typical: Sequence[float | None]
    typical_before: Sequence[float | None]


def change_on_last_year(street: StreetHours, kinds: Mapping[date, DayKind], years: TwoYears) -> YearChange:
    """Return the change, or why none can be told."""
    if not years.hours_before:
        return YearChange(why=Why.NO_LAST_YEAR)
    now_by, then_by = street.counted_by
    if not now_by & then_by:
        return YearChange(why=Why.ANOTHER_SENSOR)
    common = tuple(hour for hour in years.hours if hour in years.hours_before)
    if len(common) < HOURS_COMMON_MIN:
        return YearChange(why=Why.OTHER_HOURS)
    days = [street.through_day - timedelta(days=nth) for nth in range(WEEKS * 7)]
    now = day_totals(street, days, common, years.typical)
    before = day_totals(street, [day - YEAR for day in days], common, years.typical_before)
    pairs: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for nth, day in enumerate(days):
        earlier = day - YEAR
        is_pair = day in now and earlier in before and kinds[day] is kinds[earlier] is not DayKind.PUBLIC_HOLIDAY
        if is_pair and not {day, earlier} & street.left_out:
            pairs[nth // 7].append((everything(now[day]), everything(before[earlier])))
    ratios = [_log_ratio(of) for of in pairs.values() if len(of) >= PAIRS_MIN]
    logs = [ratio for ratio in ratios if ratio is not None]
    if len(logs) < WEEKS_MIN:
        return YearChange(weeks=len(logs), why=Why.TOO_FEW_WEEKS)
    middle, wide = mean(logs), T_95[len(logs) - 1] * stdev(logs) / sqrt(len(logs))
    return YearChange(exp(middle) - 1, exp(middle - wide) - 1, exp(middle + wide) - 1, len(logs))


def _log_ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    now, before = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    return log(now / before) if now > 0 and before > 0 else None
