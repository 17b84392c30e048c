"""Rush hours and the school run."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from telstraat_analytics.calendars import Calendar
from telstraat_analytics.days import local_table
from telstraat_analytics.frames import count_columns
from telstraat_contract.road_users import CLASSES

MORNING, EVENING = range(6, 12), range(14, 21)


@dataclass(frozen=True)
class Peak:
    """The busiest hour of a part of the day: its local start, its mean count and its share of the day that was seen."""

    hour: int
    per_hour: float
    share: float


def working_day(frame: pd.DataFrame, segment: str, timezone: str) -> pd.DataFrame:
    """Return the mean counts of every hour of working days.

    Parameters
    ----------
    frame, segment, timezone
        Raw hourly counts, which street, its zone.

    Returns
    -------
    pandas.DataFrame
        Indexed by local hour, the hours that were seen: one column per class and, where there are directions, per class and
        direction.
    """
    table = local_table(frame, segment, timezone)
    table = table[table["day"].dt.day_of_week < 5]
    columns = [name for name in count_columns(table) if name.split("_")[0] in CLASSES]
    rates: pd.DataFrame = table[columns].div(table["uptime"], axis=0).groupby(table["hour"]).mean()
    return rates


def rush_hours(frame: pd.DataFrame, segment: str, timezone: str, column: str = "car") -> dict[str, Peak]:
    """Return the busiest morning and evening hour of working days.

    Parameters
    ----------
    frame, segment, timezone
        Raw hourly counts, which street, its zone.
    column
        Which counts.

    Returns
    -------
    dict
        ``morning`` and ``evening``, where they were seen.
    """
    rates = working_day(frame, segment, timezone)[column]
    out = {}
    for name, hours in (("morning", MORNING), ("evening", EVENING)):
        part = rates[rates.index.isin(hours)]
        if len(part) and rates.sum() > 0:
            hour = int(part.index[int(part.to_numpy().argmax())])
            out[name] = Peak(hour, float(part.max()), float(part.max() / rates.sum()))
    return out


def school_run(
    frame: pd.DataFrame,
    segment: str,
    timezone: str,
    calendar: Calendar,
    column: str = "car",
    hours: tuple[int, ...] = (8, 15),
) -> dict[str, float]:
    """Return the counts of school hours on school days against the same hours of working days without school.

    Parameters
    ----------
    frame, segment, timezone
        Raw hourly counts, which street, its zone.
    calendar
        With the school holidays.
    column
        Which counts.
    hours
        Local start hours of the school run.

    Returns
    -------
    dict
        ``school`` and ``holidays`` (mean per hour), ``extra`` (relative, what the school brings); empty when one is missing.
    """
    table = local_table(frame, segment, timezone)
    table = table[table["hour"].isin(hours) & (table["day"].dt.day_of_week < 5)]
    index = pd.DatetimeIndex(table["day"])
    free = calendar.free_days(index)
    away = calendar.breaks(index).sum(axis=1) >= 1
    rates = (table[column] / table["uptime"]).dropna()
    free, away = (pd.Series(days, index=table.index)[rates.index] for days in (free, away))
    school, holidays = rates[~free & ~away], rates[~free & away]
    if school.empty or holidays.empty or holidays.mean() <= 0:
        return {}
    return {
        "school": float(school.mean()),
        "holidays": float(holidays.mean()),
        "extra": float(school.mean() / holidays.mean() - 1),
    }
