"""Weather: how days answer to warmth and rain, learnt inside weeks, taken out of the days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from telstraat_analytics.errors import FrameError
from telstraat_analytics.model.threads import one_thread
from telstraat_analytics.model.weeks import Floats, Weeks

COLUMNS = ("temperature_c", "rain_mm")
DAYS_MIN = 28
PRIOR_SD = (0.03, 0.25)
"""Prior of the answer per degree and per unit of ln(1 + mm of rain): cyclists lose some 3 % per degree of cold and about
a quarter on a wet day in published counter studies; zero in the mean, so that silence of the data is silence."""

UNUSUAL_SD = 2.0


@dataclass(frozen=True)
class WeatherAnswer:
    """How the days of a street answer to weather.

    Attributes
    ----------
    coefficients
        Shape (2,), change of ln(count) per degree and per ln(1 + mm).
    correction
        Per local date, what weather adds to ln(count) against the average weather of the year's season.
    """

    coefficients: Floats
    correction: pd.Series


def read_weather(frame: pd.DataFrame) -> pd.DataFrame:
    """Return checked daily weather.

    Parameters
    ----------
    frame
        Columns ``day`` (local date), ``temperature_c`` (mean or maximum), ``rain_mm`` (sum).

    Returns
    -------
    pandas.DataFrame
        Indexed by day, without duplicates.
    """
    missing = [name for name in ("day", *COLUMNS) if name not in frame]
    if missing:
        raise FrameError(f"weather lacks {', '.join(missing)}; it needs day, temperature_c and rain_mm")
    out = frame.assign(day=pd.to_datetime(frame["day"])).set_index("day")[list(COLUMNS)].astype(float)
    if out.index.has_duplicates:
        raise FrameError(f"weather has {out.index[out.index.duplicated()][0]:%Y-%m-%d} twice")
    return out.sort_index()


@one_thread()
def weather_answer(weeks: Weeks, weather: pd.DataFrame, date: pd.Timestamp) -> WeatherAnswer | None:
    """Learn how days answer to weather from the days inside each week.

    The season cannot pass for weather here: only differences between days of one week are used.

    Parameters
    ----------
    weeks
        The street's weeks, with the standardised shocks of its days.
    weather
        What `read_weather` returned.
    date
        First day of week 0.

    Returns
    -------
    WeatherAnswer or None
        None with fewer than 28 days of weather.
    """
    days = date + pd.to_timedelta(weeks.shocks.index.to_numpy(), unit="D")
    known = weather.reindex(days)
    X = np.column_stack([known["temperature_c"], np.log1p(known["rain_mm"])])
    good = ~np.isnan(X).any(axis=1)
    if good.sum() < DAYS_MIN:
        return None
    y = weeks.shocks.to_numpy(float)[good] * weeks.day_sd
    week = np.floor_divide(weeks.shocks.index.to_numpy()[good], 7)
    X = X[good]
    _, inverse = np.unique(week, return_inverse=True)
    times = np.bincount(inverse)
    centred = np.column_stack([column - (np.bincount(inverse, column) / times)[inverse] for column in X.T])
    precision = np.diag(1 / np.square(PRIOR_SD)) * weeks.day_sd**2
    coefficients = np.linalg.solve(centred.T @ centred + precision, centred.T @ y)
    anomaly = _anomaly(weather)
    return WeatherAnswer(coefficients, pd.Series(anomaly.to_numpy(float) @ coefficients, index=anomaly.index))


def _anomaly(weather: pd.DataFrame) -> pd.DataFrame:
    """Return weather against its own season: a smooth yearly wave where a year is known, else the mean."""
    table = pd.DataFrame({"temperature_c": weather["temperature_c"], "rain": np.log1p(weather["rain_mm"])}).dropna()
    index = pd.DatetimeIndex(table.index)
    angle = 2 * np.pi * np.asarray(index.day_of_year, dtype=float) / 365.25
    columns = [np.ones(len(table))]
    if len(table) >= 300:
        columns += [np.cos(angle), np.sin(angle)]
    X = np.column_stack(columns)
    fitted = X @ np.linalg.lstsq(X, table.to_numpy(float), rcond=None)[0]
    return pd.DataFrame(table.to_numpy(float) - fitted, index=table.index, columns=list(COLUMNS))


def unusual(weather: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> dict[str, float]:
    """Return how far the weather of a span lies from its season, in standard deviations of spans as long.

    Parameters
    ----------
    weather
        What `read_weather` returned.
    first, last
        Days, INCLUSIVE.

    Returns
    -------
    dict
        Per column; empty when less than three such spans are known.
    """
    anomaly = _anomaly(weather)
    inside = anomaly[(anomaly.index >= first) & (anomaly.index <= last)]
    span = max((last - first).days + 1, 1)
    means = anomaly.rolling(span, min_periods=span // 2).mean()
    if len(anomaly) < 3 * span or inside.empty:
        return {}
    return {name: float(inside[name].mean() / max(float(means[name].std()), 1e-9)) for name in COLUMNS}
