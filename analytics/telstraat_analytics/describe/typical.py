"""The typical week and the modal split of a street."""

from __future__ import annotations

import numpy as np
import pandas as pd

from telstraat_analytics.days import local_table
from telstraat_contract.road_users import CLASSES

HOURS_MIN = 3


def typical_week(frame: pd.DataFrame, segment: str, timezone: str) -> pd.DataFrame:
    """Return the median count of every hour of the week.

    Parameters
    ----------
    frame
        Raw hourly counts (see `telstraat_analytics.frames.as_counts`).
    segment
        Which street.
    timezone
        Its IANA zone.

    Returns
    -------
    pandas.DataFrame
        Columns weekday (0 is Monday), hour, one per class (corrected, per hour; missing with fewer than three such
        hours), hours (seen).
    """
    table = local_table(frame, segment, timezone)
    classes = [name for name in CLASSES if name in table]
    rates = table[classes].div(table["uptime"], axis=0)
    keys = [table["day"].dt.day_of_week.rename("weekday"), table["hour"]]
    grouped = rates.groupby(keys)
    out = grouped.median()
    seen = grouped.size()
    out[seen < HOURS_MIN] = np.nan
    return out.assign(hours=seen).reset_index()


def modal_split(frame: pd.DataFrame, segment: str, timezone: str, draws: int = 500) -> pd.DataFrame:
    """Return the share of each class of what was counted, with an interval from drawing whole weeks.

    Parameters
    ----------
    frame, segment, timezone
        As for `typical_week`.
    draws
        Bootstrap draws of weeks; the same for the same data.

    Returns
    -------
    pandas.DataFrame
        Indexed by class: share, low, high (95 %); missing where nothing at all was counted. A class that was not counted
        is absent.
    """
    table = local_table(frame, segment, timezone)
    classes = [name for name in CLASSES if name in table and table[name].notna().any()]
    rates = table[classes].div(table["uptime"], axis=0)
    week = table["day"] - pd.to_timedelta(table["day"].dt.day_of_week, unit="D")
    sums = rates.groupby(week).sum().to_numpy(float)
    total = sums.sum(axis=0)
    index = pd.Index(classes, name="class")
    if not total.sum() > 0:
        return pd.DataFrame(np.nan, index=index, columns=["share", "low", "high"])
    rng = np.random.default_rng(7)
    drawn = sums[rng.integers(0, len(sums), (draws, len(sums)))].sum(axis=1)
    drawn = drawn[drawn.sum(axis=1) > 0]
    low, high = np.quantile(drawn / drawn.sum(axis=1, keepdims=True), [0.025, 0.975], axis=0)
    return pd.DataFrame({"share": total / total.sum(), "low": low, "high": high}, index=index)
