"""The quality of a month as users know it: A to E, by how much of its daylight was counted."""

from __future__ import annotations

import pandas as pd

from telstraat_analytics.days import DAYLIGHT, local_table

MARKS = ((0.9, "A"), (0.75, "B"), (0.5, "C"), (0.25, "D"), (0.0, "E"))
"""Least share of the month's daylight hours with an uptime of one half or more, and the mark it earns."""


def monthly_marks(frame: pd.DataFrame, segment: str, timezone: str) -> pd.DataFrame:
    """Return the mark of every month from the first to the last with counts.

    Parameters
    ----------
    frame, segment, timezone
        Raw hourly counts, which street, its zone.

    Returns
    -------
    pandas.DataFrame
        Indexed by month (first day): share (of daylight hours 9 to 16 counted), mark.
    """
    table = local_table(frame, segment, timezone)
    if table.empty:
        return pd.DataFrame(columns=["share", "mark"])
    light = table[table["hour"].isin(DAYLIGHT)]
    months = pd.date_range(table["day"].min().replace(day=1), table["day"].max(), freq="MS")
    counted = light.groupby(light["day"].dt.to_period("M").dt.to_timestamp()).size().reindex(months, fill_value=0)
    share = (counted / (months.days_in_month * len(DAYLIGHT))).clip(upper=1.0)
    marks = [next(mark for least, mark in MARKS if value >= least) for value in share]
    return pd.DataFrame({"share": share, "mark": marks})
