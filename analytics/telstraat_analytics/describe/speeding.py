"""Speeding: V85, the share above the limit and well above it, by hour of the day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from telstraat_analytics.days import local_table
from telstraat_analytics.errors import NotCountedError
from telstraat_analytics.frames import speed_counts
from telstraat_analytics.values import quantile_kmh, share_above
from telstraat_contract.road_users import SPEED_BINS

WELL_ABOVE_KMH = 10


def speeding(frame: pd.DataFrame, segment: str, timezone: str, limit_kmh: int) -> pd.DataFrame:
    """Return speeds by local hour, and over all hours in the last row.

    Parameters
    ----------
    frame
        Raw hourly counts with ``car_speed``.
    segment, timezone
        Which street, its zone.
    limit_kmh
        The limit.

    Returns
    -------
    pandas.DataFrame
        Indexed by hour (``all`` last): cars, v85_kmh, above, well_above (by 10 km/h and more).
    """
    table = local_table(frame, segment, timezone)
    if "car_speed" not in table:
        raise NotCountedError(f"{segment}: the counts have no car_speed")
    histograms = speed_counts(table)
    hours = table["hour"].to_numpy()
    rows: dict[object, dict[str, float]] = {}
    for hour in [*sorted(set(hours.tolist())), "all"]:
        inside = histograms if hour == "all" else histograms[hours == hour]
        total = inside.sum(axis=0) if len(inside) else np.zeros(SPEED_BINS)
        rows[hour] = {
            "cars": float(total.sum()),
            "v85_kmh": quantile_kmh(total),
            "above": share_above(total, limit_kmh),
            "well_above": share_above(total, limit_kmh + WELL_ABOVE_KMH),
        }
    return pd.DataFrame.from_dict(rows, orient="index")
