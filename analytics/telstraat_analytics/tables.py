"""Counts in a data frame whose columns are called as people call them, as the analysis takes them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from telstraat_analytics.errors import FrameError
from telstraat_contract.road_users import CLASSES, SPEED_BINS

START_NAMES = ("start", "date", "start_utc", "period_start", "datetime", "timestamp", "time", "hour_start")
SEGMENT_NAMES = ("segment", "segment_id", "segment_name", "sensor", "sensor_id", "street")
CLASS_NAMES = {
    "pedestrians": "pedestrian",
    "walk": "pedestrian",
    "bikes": "bike",
    "bicycle": "bike",
    "bicycles": "bike",
    "cars": "car",
    "heavy_vehicles": "heavy",
    "large_vehicles": "heavy",
    "trucks": "heavy",
    "lorry": "heavy",
}
UPTIME_PERCENT = 1.5  # a larger uptime is a percentage
HISTOGRAM = "car_speed_hist_0to120plus"


def counts_in(table: pd.DataFrame, timezone: str = "Europe/Brussels", origin: str = "the frame") -> pd.DataFrame:
    """Return the counts in a table whose columns are called as people call them.

    Parameters
    ----------
    table
        One row per street and hour or quarter, in any order: a column of streets (``segment``, ``segment_id``,
        ``sensor``, ...), one of starts (``start``, ``date``, ``timestamp``, ...), at least one class, perhaps ``uptime``
        (a share or percent).
    timezone
        IANA zone of times that are local; times without any zone are UTC.
    origin
        Where the table comes from, for messages.

    Returns
    -------
    pandas.DataFrame
        As `telstraat_analytics.frames.as_counts` takes it. What is no number, or below zero, is missing; rows that say
        the same twice are there once.

    Raises
    ------
    FrameError
        The column of streets, of starts or every class is missing, or times cannot be read.
    """
    if not isinstance(table, pd.DataFrame):
        raise FrameError(f"{origin}: is a {type(table).__name__}; counts come as a pandas.DataFrame")
    table = _plain_columns(table)
    start = next((name for name in START_NAMES if name in table), None)
    segment = next((name for name in SEGMENT_NAMES if name in table), None)
    needed = {
        f"a column of streets ({', '.join(SEGMENT_NAMES)})": segment is not None,
        f"a column of starts ({', '.join(START_NAMES)})": start is not None,
        f"a class ({', '.join(CLASSES)})": any(name in table for name in CLASSES),
        "columns of different names": not table.columns.duplicated().any(),
    }
    lacking = [name for name, there in needed.items() if not there]
    if lacking or segment is None or start is None:
        raise FrameError(
            f"{origin}: no table of counts: it lacks {' and '.join(lacking)}; "
            f"it has {', '.join(map(str, table.columns[:12])) or 'no columns'}"
        )
    out = table.rename(columns={start: "start", segment: "segment", HISTOGRAM: "car_speed"})
    out["segment"] = out["segment"].map(_plain_name)
    out["start"] = _times(origin, out["start"], timezone)
    if "car_speed" in out:
        out["car_speed"] = out["car_speed"].map(_histogram)
    if "instance_id" in out:
        out["instance"] = out["instance_id"]
    return _kept(out)


def _plain_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its columns in small letters and the usual other names of classes replaced."""
    names = {column: str(column).strip().lower().replace(" ", "_") for column in table.columns}
    names = {column: CLASS_NAMES.get(small, small) for column, small in names.items()}
    taken = list(names.values())
    return table.rename(columns={column: new for column, new in names.items() if taken.count(new) == 1})


def _plain_name(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _times(origin: str, values: pd.Series, timezone: str) -> pd.Series:
    try:
        return pd.to_datetime(values, utc=True)
    except (ValueError, TypeError):
        bare = values.astype(str).str.replace(r"\s+[A-Z]{3,4}$", "", regex=True)
        try:
            local = pd.to_datetime(bare)
        except (ValueError, TypeError) as error:
            raise FrameError(f"{origin}: times such as {values.iloc[0]!r} cannot be read") from error
        return local.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")


def _histogram(value: object) -> list[float] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, (list, tuple, np.ndarray)) and len(value) == SPEED_BINS and any(value):
        return [float(count or 0) for count in value]
    return None


def _kept(table: pd.DataFrame) -> pd.DataFrame:
    directed = [f"{name}_{side}" for name in (*CLASSES, "night") for side in ("lft", "rgt")]
    columns = ["segment", "start", "period_s", "uptime", *CLASSES, "night", *directed, "car_speed", "v85", "instance"]
    out = table[[name for name in columns if name in table]].dropna(subset=["start"]).copy()
    for name in (*CLASSES, "night", *directed):
        if name in out:
            number = pd.to_numeric(out[name], errors="coerce").astype(float)
            out[name] = number.where((number >= 0) & (number < np.inf))
    if "uptime" in out:
        uptime = pd.to_numeric(out["uptime"], errors="coerce").fillna(0.0)
        out["uptime"] = (uptime / (100 if uptime.max() > UPTIME_PERCENT else 1)).clip(0.0, 1.0)
    out = out.dropna(subset=[name for name in CLASSES if name in out], how="all")  # an empty cell is a gap, not a zero
    return out[~out.drop(columns="car_speed", errors="ignore").duplicated()]
