"""E7: what is taken out is put back. Before the measure nothing of the calendar is left between observed and expected."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from telstraat_analytics import Calendar, Evaluation, Measure, Question, evaluate

ZONE = "Europe/Brussels"
HOURS = np.arange(7, 20)
DATE = dt.date(2026, 3, 16)
HISTORY_DAYS, AFTER_DAYS = 540, 28
DAYS = pd.date_range(pd.Timestamp(DATE) - pd.Timedelta(days=HISTORY_DAYS), periods=HISTORY_DAYS + AFTER_DAYS, freq="D")
SCHOOL = tuple(
    (dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    for first, last in (
        ("2024-10-28", "2024-11-03"), ("2025-03-03", "2025-03-09"), ("2025-04-07", "2025-04-20"),
        ("2025-07-01", "2025-08-31"), ("2025-10-27", "2025-11-02"), ("2026-02-16", "2026-02-22"),
    )
)  # fmt: skip
CALENDAR = Calendar("BE", school=SCHOOL)
CHANGES_OF_THE_CLOCK = ("2024-10-27", "2025-03-30", "2025-10-26")
LEFT_MAX = 0.15  # of the effect; a week's own scatter allows for no less

Floats = NDArray[np.float64]


def weather() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    warm = 12 - 9 * np.cos(2 * np.pi * (DAYS.day_of_year - 15) / 365) + 4 * rng.standard_normal(len(DAYS))
    return pd.DataFrame({"day": DAYS, "temperature_c": warm, "rain_mm": np.maximum(rng.normal(-2, 5, len(DAYS)), 0)})


def in_logs(effect: str) -> Floats:
    """What the calendar adds to the logarithm of a day's count."""
    mark = np.asarray(DAYS.month * 100 + DAYS.day)
    if effect == "year end":
        return np.where((mark >= 1220) | (mark <= 106), -0.4, 0.0)
    if effect == "public holidays":
        return np.where(CALENDAR.free_days(DAYS), -0.7, 0.0)
    if effect == "school holidays":
        return np.where(CALENDAR.breaks(DAYS)[:, 1] > 0, -0.3, 0.0)
    if effect == "weather":
        known = weather()
        return np.asarray(0.02 * (known["temperature_c"] - 12) - 0.15 * np.log1p(known["rain_mm"]), dtype=float)
    return np.zeros(len(DAYS))


def streets(effect: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frames = []
    for segment in ("a", "b"):
        weeks = np.cumsum(rng.normal(0, 0.03, len(DAYS) // 7 + 1))
        level = weeks[np.arange(len(DAYS)) // 7] - weeks.mean() + rng.normal(0, 0.08, len(DAYS)) + in_logs(effect)
        weekday = np.where(DAYS.day_of_week >= 5, 0.75, 1.0)
        profile = 1 + 0.5 * np.cos((HOURS - 17) / 12 * 2 * np.pi)
        local = DAYS.repeat(len(HOURS)) + pd.to_timedelta(np.tile(HOURS, len(DAYS)), unit="h")
        counts = rng.poisson(110 * np.outer(np.exp(level) * weekday, profile).ravel()).astype(float)
        uptime = np.ones(len(counts))
        if effect == "daylight":
            light = 4.5 + 1.1 * (1 + np.cos(2 * np.pi * (DAYS.day_of_year - 172) / 365))
            dark = np.abs(np.tile(HOURS, len(DAYS)) + 0.5 - 13.2) > np.asarray(light).repeat(len(HOURS))
            counts[dark], uptime[dark] = 0.0, 0.0
        start = local.tz_localize(ZONE).tz_convert("UTC")
        frames.append(pd.DataFrame({"segment": segment, "start": start, "uptime": uptime, "bike": counts}))
    return pd.concat(frames, ignore_index=True)


def evaluated(effect: str, seed: int) -> Evaluation:
    measure = Measure("nothing", DATE, ("a",), ("b",), timezone=ZONE, calendar=CALENDAR, after_days=AFTER_DAYS)
    hours = () if effect == "daylight" else tuple(range(8, 19))
    known = weather() if effect == "weather" else None
    return evaluate(streets(effect, seed), measure, Question("bike", hours=hours), weather=known)


def left_by_week(effect: str, seed: int) -> pd.Series:
    """Log of observed over expected of every week before the measure."""
    weeks = evaluated(effect, seed).streets[0].weeks
    before = weeks[~weeks["after"]]
    left = np.log(before["observed"].to_numpy(float) / before["expected"].to_numpy(float))
    return pd.Series(left, index=pd.DatetimeIndex(before["week"]))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("effect", ["year end", "public holidays", "school holidays", "weather"])
def test_nothing_of_an_effect_of_the_calendar_is_left_by_week(effect: str, seed: int) -> None:
    left = left_by_week(effect, seed)
    daily = pd.Series(in_logs(effect), index=DAYS)
    planted = np.array([daily[week : week + pd.Timedelta(days=6)].mean() for week in left.index])
    slope = float(np.polyfit(planted, left.to_numpy(), 1)[0])
    assert abs(slope) < LEFT_MAX
    assert abs(float(left.mean())) < 0.02


@pytest.mark.parametrize("effect", ["daylight", "the hour of a changed clock"])
def test_neither_daylight_nor_a_changed_clock_leaves_a_season(effect: str) -> None:
    left = left_by_week(effect, 3)
    month = pd.DatetimeIndex(left.index).month
    assert left.groupby(month).mean().abs().max() < 0.05
    for day in map(pd.Timestamp, CHANGES_OF_THE_CLOCK):
        near = pd.Timedelta(weeks=4)
        after, before = left[day : day + near], left[day - near : day - pd.Timedelta(days=1)]
        assert abs(float(after.mean() - before.mean())) < 0.05


def test_known_weather_changes_what_is_expected_and_never_what_was_counted() -> None:
    frame = streets("weather", 4)
    measure = Measure("nothing", DATE, ("a",), ("b",), timezone=ZONE, calendar=CALENDAR, after_days=AFTER_DAYS)
    question = Question("bike", hours=tuple(range(8, 19)))
    without, within = (
        evaluate(frame, measure, question, weather=known).streets[0].weeks for known in (None, weather())
    )
    assert within["observed"].to_numpy() == pytest.approx(without["observed"].to_numpy(), rel=1e-9)
    assert (within["expected"] / without["expected"] - 1).abs().max() > 0.02
