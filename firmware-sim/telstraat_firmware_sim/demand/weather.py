"""The weather over a town, hour by hour: made once from the seed, felt by every street, written beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telstraat_firmware_sim.demand.calendar import HOURS_A_DAY, FloatArray, TownCalendar

MEAN_C, SEASON_C, DAY_SWING_C = 11.0, 8.0, 4.0
"""A temperate town of the Low Countries: mean, half the difference of July and January, half of noon and night."""
ANOMALY_SD_C, ANOMALY_MEMORY = 3.2, 0.8
"""Warmer or colder than the season lets expect, and how much of it is left on the next day."""
WET_GIVEN_WET, WET_GIVEN_DRY = 0.72, 0.032
"""Chance that an hour is wet: a tenth of all hours, in showers of three to four hours."""
RAIN_MM_AN_HOUR = 1.1


@dataclass(frozen=True)
class Weather:
    """Hourly series from the start of the period, UTC."""

    temperature_c: FloatArray
    expected_c: FloatArray
    """What the season and the hour let expect; the difference is what people feel."""
    rain_mm: FloatArray

    @property
    def wet(self) -> FloatArray:
        """1 in hours with rain, else 0."""
        return (self.rain_mm > 0).astype(np.float64)

    @property
    def anomaly_c(self) -> FloatArray:
        """Degrees above what the season lets expect."""
        return self.temperature_c - self.expected_c


def weather_of(calendar: TownCalendar, rng: np.random.Generator) -> Weather:
    """Make the weather of a period."""
    hours = calendar.days * HOURS_A_DAY
    season = SEASON_C * np.cos(2 * np.pi * (calendar.day_of_year[::4] - 200) / 365.25)
    swing = DAY_SWING_C * np.cos(2 * np.pi * (calendar.slot[::4] / 4.0 - 15.0) / 24.0)
    expected = MEAN_C + season + swing
    daily = autoregressive(rng.standard_normal(calendar.days + 1), ANOMALY_MEMORY) * ANOMALY_SD_C
    anomaly = np.interp(np.arange(hours) / HOURS_A_DAY, np.arange(calendar.days + 1), daily)
    chance = rng.random(hours)
    wet = np.zeros(hours, dtype=bool)
    raining = False
    for hour in range(hours):
        raining = bool(chance[hour] < (WET_GIVEN_WET if raining else WET_GIVEN_DRY))
        wet[hour] = raining
    rain = np.where(wet, rng.gamma(0.7, RAIN_MM_AN_HOUR / 0.7, hours).round(1) + 0.1, 0.0)
    return Weather((expected + anomaly).round(2), expected, rain.round(1))


def autoregressive(noise: FloatArray, memory: float) -> FloatArray:
    """Turn standard normal noise (time, ...) into a stationary series of sd 1 that remembers `memory` of its last value."""
    series = np.empty_like(noise)
    series[0] = noise[0]
    fresh = np.sqrt(1.0 - memory**2)
    for step in range(1, len(noise)):
        series[step] = memory * series[step - 1] + fresh * noise[step]
    return series
