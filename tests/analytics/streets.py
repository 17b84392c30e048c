"""Streets that do not exist, quick to draw: the checked recipe of week, day and hour variation, with known effects."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

ZONE = "Europe/Brussels"
HOURS = tuple(range(7, 20))
RECIPE = {  # sd of log: week step, day, hour; extra of counting; mean per hour
    "pedestrian": (0.08, 0.26, 0.30, 0.05, 20.0),
    "bike": (0.10, 0.23, 0.22, 0.02, 40.0),
    "car": (0.05, 0.155, 0.15, 0.005, 110.0),
    "heavy": (0.12, 0.32, 0.26, 0.04, 20.0),
}
SHARED = 0.35
MEASURE = dt.date(2025, 9, 22)
"""A Monday without holidays around it."""


def town(
    seed: int,
    names: tuple[str, ...],
    before: int = 112,
    after: int = 56,
    date: dt.date = MEASURE,
    effects: dict[str, dict[str, float]] | None = None,
    uptime: float = 1.0,
) -> pd.DataFrame:
    """Return corrected hourly counts of streets; `effects` are relative changes per street and class from the date on."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp(date) - pd.Timedelta(days=before)
    days = pd.date_range(first, periods=before + after, freq="D")
    shared = {name: _level(rng, days, *spec[:2]) for name, spec in RECIPE.items()}
    frames = []
    for segment in names:
        start = (days.repeat(len(HOURS)) + pd.to_timedelta(np.tile(HOURS, len(days)), unit="h")).tz_localize(ZONE)
        frame = pd.DataFrame({"segment": segment, "start": start.tz_convert("UTC"), "uptime": uptime})
        treated = np.repeat(days >= pd.Timestamp(date), len(HOURS))
        for name, (step, day, hour, alpha, mean) in RECIPE.items():
            own = _level(rng, days, step, day)
            level = np.sqrt(SHARED) * shared[name] + np.sqrt(1 - SHARED) * own
            profile = 1 + 0.5 * np.cos((np.array(HOURS) - 17) / 12 * 2 * np.pi)
            weekend = np.where(days.day_of_week >= 5, 0.75, 1.0)
            expected = mean * np.outer(np.exp(level) * weekend, profile).ravel()
            expected *= np.exp(rng.normal(0, hour, len(expected)) - hour**2 / 2)
            change = (effects or {}).get(segment, {}).get(name, 0.0)
            expected = np.where(treated, expected * (1 + change), expected)
            counted = rng.poisson(rng.gamma(1 / alpha, alpha * expected * uptime))
            frame[name] = counted / uptime
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _level(rng: np.random.Generator, days: pd.DatetimeIndex, step: float, day: float) -> np.ndarray:
    weeks = np.cumsum(rng.normal(0, step, len(days) // 7 + 2))
    shocks = rng.normal(0, day, len(days))
    for position in range(1, len(shocks)):
        shocks[position] = 0.5 * shocks[position - 1] + np.sqrt(0.75) * shocks[position]
    out: np.ndarray = weeks[np.arange(len(days)) // 7] + shocks
    return out
