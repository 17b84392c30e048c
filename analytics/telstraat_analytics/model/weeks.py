"""Days into weeks aligned on the date: a level per week, its noise, and what the days say about noise and memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telstraat_analytics.calendars import Calendar
from telstraat_analytics.model.priors import DAY_MEMORY, DAY_MEMORY_DAYS, VariancePrior

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OUTLIER_SD = 2.5  # Huber's corner: further days pull less
NOISE_DAYS = 7.0  # weight of the published day noise, in days per weekday
NEAR_WEEKS = 6.0  # days so many weeks away still say how noisy a week is
NEAR_DAYS = 14.0  # weight of the street's usual noise against that, in days
WEEKDAY_DAYS = 0.3  # weight of a flat week in the weekday profile
ROUNDS = 12
_MEMORIES = np.linspace(-0.1, 0.8, 10)


@dataclass(frozen=True)
class Weeks:
    """Weekly levels of one street around a date.

    Attributes
    ----------
    segment
        Whose.
    number
        Shape (n,), week numbers from the date: week 0 is the first seven days after it, -1 the last before.
    level
        Shape (n,), logarithm of the mean day (speed: the mean itself).
    noise
        Shape (n,), variance of `level` from the scatter of days and of counting.
    breaks
        Shape (n, 2), share of the week in the weeks around New Year and in other school holidays.
    shocks
        Standardised deviation of each day from its week, indexed by days from the date.
    weekday
        Shape (7,), Monday first, mean 1: profile of the week.
    memory
        Correlation from one day to the next.
    day_sd
        Standard deviation of a usual day around its week.
    """

    segment: str
    number: Ints
    level: Floats
    noise: Floats
    breaks: Floats
    shocks: pd.Series
    weekday: Floats
    memory: float
    day_sd: float

    def between(self, first: int, last: int) -> Weeks:
        """Return the weeks `first` to `last`, INCLUSIVE."""
        keep = (self.number >= first) & (self.number <= last)
        days = (self.shocks.index >= 7 * first) & (self.shocks.index < 7 * (last + 1))
        return replace(
            self,
            number=self.number[keep],
            level=self.level[keep],
            noise=self.noise[keep],
            breaks=self.breaks[keep],
            shocks=self.shocks[days],
        )

    def shifted(self, weeks: int) -> Weeks:
        """Return the same weeks numbered from a date `weeks` later."""
        shocks = self.shocks.copy()
        shocks.index = shocks.index - 7 * weeks
        return replace(self, number=self.number - weeks, shocks=shocks)


def weekly_levels(
    segment: str, totals: pd.Series, date: pd.Timestamp, variance_prior: VariancePrior, calendar: Calendar
) -> Weeks:
    """Reduce daily totals to weekly levels.

    Every week's level is its total against what the days that were seen usually bring, so that a missing Monday does not
    become a quiet week and quiet Sundays weigh little. Days far out pull less (Huber); public holidays are left out.

    Parameters
    ----------
    segment
        Whose.
    totals
        Comparable daily totals, indexed by local date.
    date
        First day of the time after; weeks are aligned on it.
    variance_prior
        Prior of the day noise.
    calendar
        Special days.

    Returns
    -------
    Weeks
        Ascending by number; weeks without a single usable day are absent.
    """
    index = pd.DatetimeIndex(totals.index)
    usable = ~calendar.free_days(index)
    index, y = index[usable], totals.to_numpy(float)[usable]
    day = np.asarray((index - date).days, dtype=np.int64)
    weekday = np.asarray(index.day_of_week, dtype=np.int64)
    number, week = np.unique(np.floor_divide(day, 7), return_inverse=True)
    mean, profile, spread, pull = _fit_profile(y, week, weekday, variance_prior.day_noise)
    expected = mean[week] * profile[weekday]
    shock = np.clip((y - expected) / expected / np.sqrt(spread[weekday]), -3, 3)
    local = _local_spread(shock, number, week)[week]
    shock = np.clip(shock / np.sqrt(local), -3, 3)
    memory = _memory(shock, day, week)
    weight = pull * profile[weekday]
    noise = _week_noise(day, week, weight, local * spread[weekday] / (1 - _mean_correlation(memory)), memory, y)
    total_weight = np.bincount(week, weight)
    breaks = calendar.breaks(index)
    shares = np.column_stack([np.bincount(week, weight * breaks[:, side]) / total_weight for side in (0, 1)])
    shocks = pd.Series(shock, index=day)
    return Weeks(segment, number, np.log(mean), noise, shares, shocks, profile, memory, float(np.sqrt(spread.mean())))


def weekly_values(
    segment: str,
    values: pd.Series,
    weight: pd.Series,
    date: pd.Timestamp,
    variance_prior: VariancePrior,
    calendar: Calendar,
) -> Weeks:
    """Reduce daily values that are no counts (a speed, a share in log odds) to weekly levels.

    Parameters
    ----------
    segment
        Whose.
    values
        Indexed by local date.
    weight
        What each day is worth, e.g. the vehicles measured; same index.
    date
        First day of the time after.
    variance_prior
        Prior of the day noise, in the unit of the values.
    calendar
        Special days.

    Returns
    -------
    Weeks
        `level` is the weighted mean itself, `weekday` is flat.
    """
    index = pd.DatetimeIndex(values.index)
    usable = ~calendar.free_days(index)
    index, y, worth = index[usable], values.to_numpy(float)[usable], weight.to_numpy(float)[usable]
    day = np.asarray((index - date).days, dtype=np.int64)
    number, week = np.unique(np.floor_divide(day, 7), return_inverse=True)
    pull = worth / max(float(worth.mean()), 1e-9)
    spread, robust = variance_prior.day_noise**2, np.ones(len(y))
    for _ in range(ROUNDS):
        heavy = pull * robust
        mean = np.bincount(week, heavy * y) / np.bincount(week, heavy)
        error = (y - mean[week]) * np.sqrt(pull)
        freedom = max(len(y) - len(number), 1)
        spread = (float(robust @ error**2) + 7 * NOISE_DAYS * variance_prior.day_noise**2) / (freedom + 7 * NOISE_DAYS)
        robust = np.minimum(1.0, OUTLIER_SD / np.maximum(np.abs(error) / np.sqrt(spread), 1e-9))
    shock = np.clip(error / np.sqrt(spread), -3, 3)
    memory = _memory(shock, day, week)
    noise = _week_noise(day, week, heavy, spread / np.maximum(pull, 1e-3), memory, np.full(len(y), np.inf))
    breaks = calendar.breaks(index)
    total = np.bincount(week, heavy)
    shares = np.column_stack([np.bincount(week, heavy * breaks[:, side]) / total for side in (0, 1)])
    return Weeks(
        segment, number, mean, noise, shares, pd.Series(shock, index=day), np.ones(7), memory, float(np.sqrt(spread))
    )


def _fit_profile(y: Floats, week: Ints, weekday: Ints, day_noise: float) -> tuple[Floats, Floats, Floats, Floats]:
    times = np.bincount(week)
    mean = np.maximum(np.bincount(week, y) / times, 0.5)
    profile, spread, pull = np.ones(7), np.full(7, day_noise**2), np.ones(len(y))
    for _ in range(ROUNDS):
        ratio = y / mean[week]
        weight = np.bincount(weekday, pull, minlength=7)
        profile = (np.bincount(weekday, pull * ratio, minlength=7) + WEEKDAY_DAYS) / (weight + WEEKDAY_DAYS)
        profile = np.maximum(profile, 0.02)
        profile = profile / profile.mean()
        expected = mean[week] * profile[weekday]
        error = (y - expected) / expected
        squares = np.bincount(weekday, pull * error**2, minlength=7)
        spread = (squares + NOISE_DAYS * day_noise**2) / (weight + NOISE_DAYS)
        size = np.abs(error) / np.sqrt(spread[weekday])
        pull = np.minimum(1.0, OUTLIER_SD / np.maximum(size, 1e-9))
        heavy = pull * profile[weekday]
        mean = np.maximum(np.bincount(week, heavy * y / profile[weekday]) / np.bincount(week, heavy), 0.5)
    return mean, profile, spread, pull


def _local_spread(shock: Floats, number: Ints, week: Ints) -> Floats:
    """Return, per week, how much noisier its days are than the street's usual ones: bicycles scatter more in winter."""
    near = np.exp(-np.abs(number[:, None] - number[None, :]) / NEAR_WEEKS)
    squares, days = np.bincount(week, shock**2), np.bincount(week).astype(float)
    usual = float(squares.sum() / days.sum())
    if usual <= 0:
        return np.ones(len(number))
    return np.asarray((near @ squares / usual + NEAR_DAYS) / (near @ days + NEAR_DAYS), dtype=float)


def _memory(shock: Floats, day: Ints, week: Ints) -> float:
    if len(shock) < 2:
        return DAY_MEMORY
    next_day = (np.diff(day) == 1) & (np.diff(week) == 0)
    lag = float(np.sum(shock[1:][next_day] * shock[:-1][next_day])) / max(float(np.mean(shock**2)), 1e-9)
    table = _lag_inside_week()
    pooled = (lag + DAY_MEMORY_DAYS * float(np.interp(DAY_MEMORY, _MEMORIES, table))) / (
        int(next_day.sum()) + DAY_MEMORY_DAYS
    )
    return float(np.interp(pooled, table, _MEMORIES))


@lru_cache(maxsize=1)
def _lag_inside_week() -> Floats:
    """Return what a day-to-day correlation looks like after the week's own mean is taken out."""
    centre = np.eye(7) - 1 / 7
    inside = [centre @ _correlation(np.arange(7), memory) @ centre for memory in _MEMORIES]
    return np.array([np.diag(value, 1).mean() / np.diag(value).mean() for value in inside])


def _correlation(day: Ints, memory: float) -> Floats:
    lag = np.abs(np.subtract.outer(day, day)).astype(float)
    size = np.power(abs(memory), lag) if memory else (lag == 0).astype(float)
    return np.asarray(size * np.where(lag % 2 == 1, np.sign(memory) if memory else 1.0, 1.0), dtype=float)


def _mean_correlation(memory: float) -> float:
    return float(_correlation(np.arange(7), memory).mean())


def _week_noise(day: Ints, week: Ints, weight: Floats, variance: Floats, memory: float, y: Floats) -> Floats:
    pull = np.zeros((int(week.max()) + 1, 7))
    pull[week, day % 7] = weight / np.bincount(week, weight)[week] * np.sqrt(variance)
    scatter = np.einsum("wi,ij,wj->w", pull, _correlation(np.arange(7), memory), pull)
    return np.asarray(scatter + 1 / np.maximum(np.bincount(week, y), 1.0), dtype=float)
