"""Hours into comparable days: one fixed set of local hours, filled up by the street's own profile, dead days dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from telstraat_analytics.frames import UPTIME_MIN
from telstraat_contract.road_users import CLASSES

DAYLIGHT = range(9, 16)  # local start hours that are light all year up to 55 degrees north
PROFILE_MIN = 0.8  # share of the window's traffic that must have been seen for a day to count
DEAD_SHARE = 0.05  # of the median day before: below it the channel is taken as dead (published health rule)
DEAD_MIN = 10.0  # counts a day: where fewer are usual, a day without any comes about by chance
DEAD_RUN_MIN = 20.0  # counts that are missing in such days in a row: that many are no chance
HOUR_DAYS_MIN = 0.6  # of the days on which the best hour of that week was seen
HOUR_WEEKS_MIN = 0.75  # of the weeks on either side of the date
MEDIAN_DAYS = 56


@dataclass(frozen=True)
class DailyCounts:
    """Comparable daily totals of one street.

    Attributes
    ----------
    segment
        Whose.
    totals
        Indexed by local date (no zone), per day, corrected for uptime and for hours that are missing.
    dead
        Dates that were dropped because nearly nothing was counted although the sensor said it was looking.
    hours
        Local start hours that make up the window.
    weight
        Per day, how much it is worth where days differ in that (vehicles behind a speed, people behind a share).
    """

    segment: str
    totals: pd.Series
    dead: pd.DatetimeIndex
    hours: tuple[int, ...]
    weight: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))


def local_table(frame: pd.DataFrame, segment: str, timezone: str) -> pd.DataFrame:
    """Return the rows of one segment that count, with local ``day`` and ``hour`` columns.

    Parameters
    ----------
    frame
        Raw hourly counts (see `telstraat_analytics.frames.as_counts`).
    segment
        Which.
    timezone
        IANA name of the street's zone.

    Returns
    -------
    pandas.DataFrame
        Rows with uptime of at least one half in which something was seen by class or nothing was seen in the dark either.
    """
    rows = frame[(frame["segment"] == segment) & (frame["uptime"] >= UPTIME_MIN)]
    if "night" in rows:
        classes = [name for name in CLASSES if name in rows]
        blind = (rows[classes].sum(axis=1) == 0) & (rows["night"].fillna(0) > 0)
        rows = rows[~blind]
    local = rows["start"].dt.tz_convert(timezone).dt.tz_localize(None)
    return rows.assign(day=local.dt.normalize(), hour=local.dt.hour)


def common_hours(table: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, date: pd.Timestamp) -> tuple[int, ...]:
    """Return the local hours that were seen on both sides of a date: like is compared with like.

    Parameters
    ----------
    table
        What `local_table` returned.
    first, last
        Compared days, INCLUSIVE.
    date
        First day of the time after.

    Returns
    -------
    tuple of int
        Local start hours; hours in which a sensor is blind in one of the seasons are not among them.
    """
    classes = [name for name in CLASSES if name in table]
    table = table[(table["day"] >= first) & (table["day"] <= last)]
    counted = table[classes].sum(axis=1)
    awake = counted.groupby(table["day"]).transform("sum") > 0
    seen = table[
        (counted > 0) | (table["hour"].isin(DAYLIGHT) & awake)
    ]  # by day, an hour without anybody was seen, too
    if seen.empty:
        return ()
    week = (seen["day"] - date).dt.days // 7
    by_week = seen.groupby([week, seen["hour"]])["day"].nunique().unstack(fill_value=0)
    share = by_week.div(by_week.max(axis=1), axis=0)
    good = pd.Series(data=True, index=share.columns)
    for side in (share[share.index < 0], share[share.index >= 0]):
        good &= (side >= HOUR_DAYS_MIN).mean() >= HOUR_WEEKS_MIN
    return tuple(int(hour) for hour in good.index[good])


def daily_counts(
    table: pd.DataFrame,
    segment: str,
    columns: tuple[str, ...],
    hours: tuple[int, ...],
    date: pd.Timestamp,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> DailyCounts:
    """Return comparable daily totals.

    Parameters
    ----------
    table
        What `local_table` returned.
    segment
        Its name.
    columns
        Counts to add up, e.g. ``("car", "heavy")``.
    hours
        Local start hours of the window.
    date
        First day of the time after; dead days are judged by the median before it.
    first, last
        Days to keep, INCLUSIVE.

    Returns
    -------
    DailyCounts
        Days on which at least 80 % of the window's usual traffic was seen, filled up by the street's own hour profile.
    """
    day, hour = table["day"].to_numpy("datetime64[ns]"), table["hour"].to_numpy()
    compared = np.isin(hour, hours) & (day >= first.to_datetime64()) & (day <= last.to_datetime64())
    if not compared.any() or not hours:
        return DailyCounts(segment, pd.Series(dtype=float), pd.DatetimeIndex([]), hours)
    counts = sum(table[name].to_numpy(float)[compared] for name in columns)
    counts = counts / table["uptime"].to_numpy(float)[compared]
    days, day_no = np.unique(day[compared].astype("datetime64[D]"), return_inverse=True)
    where = np.zeros(24, dtype=np.int64)
    where[list(hours)] = np.arange(len(hours))
    hour_no = where[hour[compared]]
    grid = np.full((len(days), len(hours)), np.nan)
    grid[day_no, hour_no] = counts
    seen = ~np.isnan(grid)
    sums, times = np.nansum(grid, axis=0), seen.sum(axis=0)
    profile = np.divide(sums, times, out=np.zeros(len(hours)), where=times > 0)
    profile = profile / profile.sum() if profile.sum() > 0 else np.full(len(hours), 1 / len(hours))
    weight = seen @ profile
    good = weight >= PROFILE_MIN
    totals = pd.Series(np.nansum(grid, axis=1)[good] / weight[good], index=pd.DatetimeIndex(days[good]).as_unit("ns"))
    before = totals[totals.index < date]
    recent = before[before.index >= date - pd.Timedelta(days=MEDIAN_DAYS)]
    median = (recent if len(recent) > 5 else before).median() if len(before) else 0.0
    dead = totals.to_numpy() < DEAD_SHARE * median
    run = np.cumsum(~dead)
    in_a_row = np.bincount(run, dead)[run]
    dead &= (median >= DEAD_MIN) | (median * in_a_row >= DEAD_RUN_MIN)
    return DailyCounts(segment, totals[~dead], pd.DatetimeIndex(totals.index[dead]), hours)
