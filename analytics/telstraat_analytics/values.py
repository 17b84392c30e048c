"""Daily values that are no counts: V85 and the share above the limit from speed histograms, modal shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telstraat_analytics.days import DailyCounts
from telstraat_analytics.errors import NotCountedError
from telstraat_analytics.frames import speed_counts
from telstraat_analytics.quality.inspect import Span
from telstraat_analytics.question import Question
from telstraat_contract.road_users import ACTIVE, CLASSES, MOTORIZED, SPEED_BIN_KMH, SPEED_BINS

CARS_MIN = 20.0  # a day with fewer measured cars says nothing about V85
PEOPLE_MIN = 30.0
SHARES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "bike_share": (("bike",), CLASSES),
    "active_share": (ACTIVE, CLASSES),
    "motor_share": (MOTORIZED, CLASSES),
}


def quantile_kmh(histogram: NDArray[np.float64], share: float = 0.85) -> float:
    """Return the speed below which `share` of the cars drive, linear inside its bin.

    Parameters
    ----------
    histogram
        Shape (25,), cars per bin of 5 km/h.
    share
        0.85 for V85.

    Returns
    -------
    float
        km/h; NaN without cars.
    """
    total = histogram.sum()
    if total <= 0:
        return float("nan")
    reached = np.cumsum(histogram) / total
    bin_no = int(np.argmax(reached >= share - 1e-12))
    before = reached[bin_no - 1] if bin_no else 0.0
    inside = (share - before) / max(reached[bin_no] - before, 1e-12)
    return float(SPEED_BIN_KMH * (bin_no + inside))


def share_above(histogram: NDArray[np.float64], limit_kmh: float) -> float:
    """Return the share of cars faster than a limit, linear inside its bin."""
    total = histogram.sum()
    if total <= 0:
        return float("nan")
    edges = np.arange(SPEED_BINS) * SPEED_BIN_KMH
    part = np.clip((edges + SPEED_BIN_KMH - limit_kmh) / SPEED_BIN_KMH, 0.0, 1.0)
    return float(histogram @ part / total)


def log_odds(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln(p / (1 - p))."""
    return np.asarray(np.log(share / (1 - share)), dtype=float)


def from_log_odds(value: float) -> float:
    """Return the share behind log odds."""
    return float(1 / (1 + np.exp(-value)))


def daily_values(
    table: pd.DataFrame, segment: str, question: Question, hours: tuple[int, ...], limit_kmh: int, span: Span
) -> DailyCounts:
    """Return daily values of a question that does not count.

    Parameters
    ----------
    table
        Rows of one segment with local day and hour.
    segment
        Its name.
    question
        ``v85`` (km/h), ``above_limit`` or a modal share (both as log odds).
    hours
        Local start hours.
    limit_kmh
        The speed limit.
    span
        Compared days.

    Returns
    -------
    DailyCounts
        ``totals`` are the values, ``weight`` the cars or people behind them.
    """
    rows = table[table["hour"].isin(hours) & (table["day"] <= span.last)]
    if question.what in SHARES:
        return _modal(rows, segment, question, hours)
    if "car_speed" not in rows:
        raise NotCountedError(f"{segment}: the counts have no car_speed, which {question.what!r} needs")
    days, day_no = np.unique(rows["day"].to_numpy("datetime64[D]"), return_inverse=True)
    histograms = np.zeros((len(days), SPEED_BINS))
    np.add.at(histograms, day_no, speed_counts(rows))
    cars = histograms.sum(axis=1)
    good = cars >= CARS_MIN
    if question.what == "v85":
        values = np.array([quantile_kmh(histogram) for histogram in histograms[good]])
    else:
        above = np.array([share_above(histogram, limit_kmh) for histogram in histograms[good]])
        values = log_odds((above * cars[good] + 0.5) / (cars[good] + 1))
    return _daily(segment, days[good], values, cars[good], hours)


def _modal(rows: pd.DataFrame, segment: str, question: Question, hours: tuple[int, ...]) -> DailyCounts:
    part, whole = SHARES[question.what]
    missing = [name for name in whole if name not in rows]
    if missing:
        raise NotCountedError(f"{segment}: the counts have no {', '.join(missing)}, which {question.what!r} needs")
    by_day = rows.dropna(subset=list(whole)).groupby("day")[list(whole)].sum()
    enough = by_day.sum(axis=1) >= PEOPLE_MIN
    by_day = by_day[enough]
    total = by_day.sum(axis=1).to_numpy(float)
    share = (by_day[list(part)].sum(axis=1).to_numpy(float) + 0.5) / (total + 1)
    return _daily(segment, by_day.index.to_numpy("datetime64[D]"), log_odds(share), total, hours)


def _daily(
    segment: str,
    days: NDArray[np.datetime64],
    values: NDArray[np.float64],
    weight: NDArray[np.float64],
    hours: tuple[int, ...],
) -> DailyCounts:
    index = pd.DatetimeIndex(days).as_unit("ns")
    return DailyCounts(
        segment, pd.Series(values, index=index), pd.DatetimeIndex([]), hours, pd.Series(weight, index=index)
    )
