"""The frame of counts that goes into every analysis: its columns, its checks and its two kinds of counts.

One row is one segment in one hour or quarter. Inside the analysis counts are raw (as observed) and `uptime` says what
share of the period was observed; a published, corrected count is turned back into a raw one on the way in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telstraat_analytics.errors import FrameError
from telstraat_contract.road_users import CLASSES, DIRECTIONS, SPEED_BINS, TOGETHER
from telstraat_contract.steps import steps_of

COUNTED = TOGETHER
COUNT_MAX = 1e6
"""What an import takes at most: a larger number is no count of an hour."""

HOUR_S = 3600
STEPS_S = (900, 1800, HOUR_S, 86_400)
UPTIME_MIN = 0.5  # the operator's own rule for a valid hour

CountsAre = Literal["corrected", "raw"]


def as_counts(
    frame: pd.DataFrame, counts: CountsAre = "corrected", period_s: int | None = None, timezone: str | None = None
) -> pd.DataFrame:
    """Return a checked copy of `frame`, hourly, with raw counts.

    Parameters
    ----------
    frame
        One row per segment and hour or quarter. Columns: ``segment`` (text or number), ``start`` (UTC, start of the
        period), at least one of the classes ``pedestrian``, ``bike``, ``car``, ``heavy`` (counts), optionally
        ``uptime`` (0..1, share of the period observed; 1 where the column is absent), ``night``, ``{class}_lft`` and
        ``{class}_rgt``, ``car_speed`` (list of 25 counts or shares, 5 km/h each), ``v85`` (km/h), ``instance`` (which
        installation) and ``generation`` (``V1``, ``S2``, ...).
    counts
        ``corrected``: already divided by uptime, as Telraam publishes; ``raw``: as observed.
    period_s
        Length of every row in seconds. Without it a column ``period_s`` says it row by row; without that it is told from
        where a street's next row starts, stretch by stretch: a street may change from hours to quarters. Rows shorter than
        an hour become hours, in which what is missing of one part is missing of all; where a street has an hour in both
        ways, the hour that was given is taken.
    timezone
        IANA zone whose hours rows become; needed only where they begin beside those of UTC.

    Returns
    -------
    pandas.DataFrame
        Sorted by segment and start, one row per hour, raw counts as float64, ``uptime`` as float64 in 0..1, and ``step_s``,
        how long the rows were that an hour was made of. A column without a single value is a class that nobody counted: it
        is absent.

    Raises
    ------
    FrameError
        A column is missing, a time has no zone or is not aligned, a count is negative, a row is there twice.
    """
    _require(frame)
    out = frame.copy()
    out["segment"] = out["segment"].astype(str)
    out["start"] = _utc(out["start"])
    if "uptime" not in out:
        out["uptime"] = 1.0
    out["uptime"] = out["uptime"].astype(float).fillna(0.0)
    _check_values(out)
    columns = count_columns(out)
    out[columns] = out[columns].astype(float)
    out = out.drop(columns=[name for name in columns if out[name].isna().all()])
    columns = count_columns(out)
    if not any(name in out for name in CLASSES):
        raise FrameError("the frame has no count of any class: every value is missing")
    if counts == "corrected":
        out[columns] = out[columns].mul(out["uptime"], axis=0)
    elif counts != "raw":
        raise FrameError(f"counts are {counts!r}: say 'corrected' (divided by uptime) or 'raw' (as observed)")
    out["step_s"] = period_s or _steps(out)
    out = out.drop(columns="period_s", errors="ignore")
    _check_unique(out, ["segment", "start", "step_s"])
    if (out["step_s"] < HOUR_S).any():
        out = _in_hours(out, columns, timezone)
    _check_unique(out, ["segment", "start"])
    return out.sort_values(["segment", "start"], kind="stable").reset_index(drop=True)


def count_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of `frame` that hold counts, totals and directions."""
    directed = [f"{name}_{side}" for name in COUNTED for side in DIRECTIONS]
    return [name for name in (*COUNTED, *directed) if name in frame]


def frame_hash(frame: pd.DataFrame, extra: Sequence[str] = ()) -> str:
    """Return the SHA-256 of what a frame says: the same for the same counts from a file and from a database.

    Parameters
    ----------
    frame
        What `as_counts` returned.
    extra
        Columns that matter beside uptime, classes and the undivided count of the night: directions, ``car_speed``.

    Returns
    -------
    str
        64 hexadecimal digits. Row order does not matter, nor what an installation is called, only where another begins.
    """
    rows = frame.sort_values(["segment", "start"]).reset_index(drop=True)
    columns = ["uptime", *dict.fromkeys(name for name in (*COUNTED, *extra) if name in rows and name != "car_speed")]
    digest = hashlib.sha256(",".join(columns).encode())
    digest.update("\n".join(rows["segment"]).encode())
    digest.update(rows["start"].to_numpy("datetime64[s]").astype("int64").tobytes())
    numbers = np.round(rows[columns].to_numpy(float), 6) + 0.0  # no negative zero
    digest.update(np.nan_to_num(numbers, nan=-1.0).tobytes())
    if "instance" in rows:
        changed = rows.groupby("segment")["instance"].transform(_changes)
        if changed.any():  # a file without a column of installations says the same as one with a single one
            digest.update(changed.to_numpy(np.uint8).tobytes())
    if "car_speed" in extra and "car_speed" in rows:
        digest.update((np.round(speed_counts(rows), 2) + 0.0).tobytes())
    return digest.hexdigest()


def _changes(instance: pd.Series) -> pd.Series:
    """Return where another installation begins; one that has no name is no other."""
    known = instance.ffill().bfill()
    return known.ne(known.shift()) & known.shift().notna()


def speed_counts(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return measured cars per row and speed bin.

    Parameters
    ----------
    table
        Rows with ``car_speed`` (25 counts or shares of 5 km/h each, or missing) and ``car`` (raw).

    Returns
    -------
    numpy.ndarray
        Shape (rows, 25), cars per bin of 5 km/h; zero where nothing was measured. Shares are turned into cars by ``car``;
        they are taken as precisely as a database keeps them, in single precision.
    """
    out = np.zeros((len(table), SPEED_BINS))
    for row, speeds in enumerate(table["car_speed"]):
        if isinstance(speeds, (list, tuple, np.ndarray)) and len(speeds) == SPEED_BINS:
            out[row] = np.nan_to_num(np.asarray(speeds, dtype=float))
    sums = out.sum(axis=1)
    shares = np.abs(sums - 100) < 1.0
    cars = table["car"].to_numpy(float)
    out[shares] = out[shares].astype(np.float32) * (cars[shares] / 100)[:, None]
    return out


def _require(frame: pd.DataFrame) -> None:
    missing = [name for name in ("segment", "start") if name not in frame]
    if missing:
        raise FrameError(f"the frame lacks {' and '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    if not any(name in frame for name in CLASSES):
        raise FrameError(f"the frame has none of {', '.join(CLASSES)}; it has {', '.join(map(str, frame.columns))}")
    if frame.empty:
        raise FrameError("the frame has no rows")


def _utc(start: pd.Series) -> pd.Series:
    times = pd.to_datetime(start)
    if times.dt.tz is None:
        raise FrameError(
            f"start has no time zone (first value {start.iloc[0]!r}): convert it to UTC, e.g. start.dt.tz_localize('UTC')"
        )
    return times.dt.tz_convert("UTC")


def _check_values(frame: pd.DataFrame) -> None:
    wrong = frame.index[(frame["uptime"] < 0) | (frame["uptime"] > 1.0001)]
    if len(wrong):
        row = frame.loc[wrong[0]]
        raise FrameError(f"uptime {row['uptime']} at {row['segment']}, {row['start']}: it is a share, 0 to 1")
    for name in count_columns(frame):
        negative = frame.index[frame[name].astype(float) < 0]
        if len(negative):
            row = frame.loc[negative[0]]
            raise FrameError(f"{name} is {row[name]} at {row['segment']}, {row['start']}: a count is never negative")
        many = frame.index[frame[name].astype(float) > COUNT_MAX]
        if len(many):
            row = frame.loc[many[0]]
            raise FrameError(
                f"{name} is {row[name]:g} at {row['segment']}, {row['start']}: no street has more than {COUNT_MAX:,.0f} "
                "an hour; is this column a count?"
            )
    if (frame["start"].dt.second != 0).any() or (frame["start"].dt.minute % 15 != 0).any():
        raise FrameError("start is not aligned to a quarter of an hour everywhere")


def _steps(frame: pd.DataFrame) -> pd.Series:
    """Return how long each row is: as it says, else from where its street's next one starts."""
    if "period_s" in frame:
        steps = pd.to_numeric(frame["period_s"], errors="coerce")
        if not steps.isin(STEPS_S).all():
            value = frame["period_s"][~steps.isin(STEPS_S)].iloc[0]
            raise FrameError(f"period_s is {value!r}; a row is {', '.join(map(str, STEPS_S))} seconds long")
        return steps.astype(int)
    seconds = frame["start"].to_numpy("datetime64[s]").astype("int64")
    steps = pd.Series(HOUR_S, index=frame.index)
    for places in frame.groupby("segment", sort=False).indices.values():
        starts, back = np.unique(seconds[places], return_inverse=True)
        if len(starts) > 1 and np.diff(starts).min() < HOUR_S:
            steps.iloc[places] = np.asarray(steps_of(starts.tolist()))[back]
    return steps


def _in_hours(frame: pd.DataFrame, columns: list[str], timezone: str | None) -> pd.DataFrame:
    """Return hours: those that are given, and where there is none, those that shorter rows make."""
    given = frame[frame["step_s"] >= HOUR_S]
    shorter = sorted(set(frame["step_s"]) - set(given["step_s"]), reverse=True)
    parts = [given, *(_to_hours(frame[frame["step_s"] == step], columns, int(step), timezone) for step in shorter)]
    out = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return out.drop_duplicates(["segment", "start"], keep="first") if len(parts) > 1 else out


def _hour_starts(start: pd.Series, timezone: str | None) -> pd.Series:
    """Return the start of each row's hour: hours of a zone may begin at the half hour of UTC."""
    local = start if timezone is None else start.dt.tz_convert(timezone)
    return pd.Series(start - pd.to_timedelta(local.dt.minute, unit="min"))


def _to_hours(frame: pd.DataFrame, columns: list[str], period_s: int, timezone: str | None) -> pd.DataFrame:
    hour = _hour_starts(frame["start"], timezone)
    how: dict[str, str] = dict.fromkeys(columns, "sum")
    how |= {name: "first" for name in ("instance", "generation", "step_s") if name in frame}
    grouped = frame.groupby([frame["segment"], hour], sort=True)
    out = grouped.agg(how)
    unknown = frame[columns].isna() & (frame["uptime"] > 0).to_numpy()[:, None]
    out[columns] = out[columns].mask(unknown.groupby([frame["segment"], hour], sort=True).any())
    out["uptime"] = grouped["uptime"].sum() * period_s / HOUR_S
    if "car_speed" in frame:
        out["car_speed"] = grouped["car_speed"].agg(_add_speeds)
    return out.reset_index()


def _add_speeds(speeds: pd.Series) -> object:
    known = [np.asarray(bins, dtype=float) for bins in speeds if isinstance(bins, (list, tuple, np.ndarray))]
    return np.sum(known, axis=0) if known else None


def _check_unique(frame: pd.DataFrame, keys: list[str]) -> None:
    twice = frame.duplicated(keys)
    if twice.any():
        row = frame[twice].iloc[0]
        raise FrameError(f"{row['segment']} at {row['start']} is there twice; drop the copy or add the parts first")
