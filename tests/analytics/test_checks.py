"""Every check can pass, and can fail to: each is shown a comparison of either kind."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Calendar, Measure, Question, as_counts
from telstraat_analytics.checks import CHECKS, CheckContext, Verdict
from telstraat_analytics.designs.one_street import answer_for
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.model.placebo import Placebo
from telstraat_analytics.quality.findings import Finding

CARS = Question("car", hours=tuple(range(8, 19)))
SCHOOL = ((dt.date(2025, 8, 18), dt.date(2025, 8, 19)),)
DAY = pd.Timestamp(MEASURE)
Change = Callable[[CheckContext], CheckContext]


def context_of(frame: pd.DataFrame, **more: Any) -> CheckContext:
    controls = tuple(sorted(set(frame["segment"]) - {"a"}))
    calendar = Calendar("BE", school=SCHOOL)
    known: dict[str, Any] = {"timezone": ZONE, "before_days": 56, "after_days": 28, "calendar": calendar}
    measure = Measure("m", MEASURE, ("a",), controls, **{**known, **more})
    prepared = prepare(as_counts(frame), measure)
    return CheckContext(prepared, measure, CARS, answer_for(prepared, "a", measure, CARS))


@pytest.fixture(scope="module")
def good() -> CheckContext:
    """A quiet comparison: two controls, the same autumn, nothing wrong."""
    return context_of(town(5, ("a", "b", "c"), before=168))


def drawn(change: Callable[[pd.DataFrame], None], **more: Any) -> Change:
    """Compare a town to which something has happened."""

    def changed(_: CheckContext) -> CheckContext:
        frame = town(5, ("a", "b", "c"), before=168)
        change(frame)
        return context_of(frame, **more)

    return changed


def with_answer(**answer: Any) -> Change:
    return lambda context: dataclasses.replace(context, answer=dataclasses.replace(context.answer, **answer))


def with_measure(**measure: Any) -> Change:
    return lambda context: dataclasses.replace(context, measure=dataclasses.replace(context.measure, **measure))


def with_prepared(**prepared: Any) -> Change:
    return lambda context: dataclasses.replace(context, prepared=dataclasses.replace(context.prepared, **prepared))


def since(frame: pd.DataFrame, segment: str) -> pd.Series:
    return (frame["segment"] == segment) & (frame["start"] >= pd.Timestamp(MEASURE, tz=ZONE))


def less_observed(frame: pd.DataFrame) -> None:
    frame.loc[since(frame, "a"), "uptime"] = 0.6


def quarters_since(_: CheckContext) -> CheckContext:
    """Count one street hourly before and by quarters after."""
    frame = town(3, ("a", "b", "c"), before=168)
    late = since(frame, "a")
    quarters = frame[late].loc[frame[late].index.repeat(4)].reset_index(drop=True)
    quarters["start"] += pd.to_timedelta(np.tile([0, 15, 30, 45], int(late.sum())), unit="min")
    return context_of(pd.concat([frame[~late], quarters], ignore_index=True))


def fall_together(frame: pd.DataFrame) -> None:
    frame.loc[since(frame, "a"), "car"] *= 0.3
    frame.loc[frame["segment"] == "b", "car"] = (1.5 * frame.loc[frame["segment"] == "a", "car"]).round().to_numpy()


def drift_before(frame: pd.DataFrame) -> None:
    weeks = (frame["start"] - pd.Timestamp(MEASURE, tz=ZONE)).dt.days / 7
    own = (frame["segment"] == "a") & (weeks < 0) & (weeks > -12)
    frame.loc[own, "car"] *= np.exp(0.12 * (weeks[own] + 12))


def before_times(factor: float) -> Callable[[pd.DataFrame], None]:
    def unusual(frame: pd.DataFrame) -> None:
        weeks = (frame["start"] - pd.Timestamp(MEASURE, tz=ZONE)).dt.days / 7
        frame.loc[(frame["segment"] == "a") & (weeks < 0) & (weeks > -6), "car"] *= factor

    return unusual


def placebos(segment: str, claimed: int, number: int) -> tuple[Placebo, ...]:
    return tuple(Placebo(segment, DAY, 0.5, 0.1, context < claimed) for context in range(number))


def weather(warmer: float) -> pd.DataFrame:
    days = pd.date_range("2023-01-01", "2025-12-31", freq="D")
    season = 10 - 8 * np.cos(2 * np.pi * days.day_of_year / 365.25) + np.random.default_rng(1).normal(0, 2, len(days))
    table = pd.DataFrame({"temperature_c": season, "rain_mm": 1.0}, index=days)
    table.loc[days >= DAY, "temperature_c"] += warmer
    return table


DRIFT = Finding("a", "gain_drift", DAY, DAY, "history cut")
CASES: list[tuple[str, Change, Verdict]] = [
    ("data_quality", with_answer(days_after=15), Verdict.DOUBT),
    ("data_quality", with_answer(days_after=8), Verdict.FAILED),
    ("observed", drawn(less_observed), Verdict.DOUBT),
    ("sensor_change", with_prepared(findings=(DRIFT,)), Verdict.FAILED),
    ("step", quarters_since, Verdict.DOUBT),
    ("placebo_in_time", with_answer(placebos=placebos("a", 2, 6)), Verdict.DOUBT),
    ("placebo_in_space", with_answer(placebos=placebos("b", 2, 2)), Verdict.FAILED),
    ("leave_one_control_out", drawn(fall_together), Verdict.DOUBT),
    ("parallel_before", drawn(drift_before), Verdict.FAILED),
    ("controls", with_answer(controls=(), donors=()), Verdict.DOUBT),
    (
        "holidays",
        with_measure(calendar=Calendar("BE", school=((MEASURE, MEASURE + dt.timedelta(days=21)),))),
        Verdict.DOUBT,
    ),
    (
        "daylight",
        lambda context: dataclasses.replace(with_answer(hours=(11, 12, 13))(context), question=Question()),
        Verdict.DOUBT,
    ),
    ("weather", with_prepared(weather=weather(12.0)), Verdict.DOUBT),
    ("other_measures", with_measure(other_measures=((MEASURE, "new bus line"),)), Verdict.DOUBT),
    ("odd_level", drawn(before_times(2.5)), Verdict.FAILED),
    ("regression_to_the_mean", with_measure(chosen_for="bad month"), Verdict.DOUBT),
    ("regression_to_the_mean", drawn(before_times(2.5)), Verdict.DOUBT),
    ("regression_to_the_mean", drawn(before_times(0.4)), Verdict.DOUBT),
]


def verdict(name: str, context: CheckContext) -> Verdict:
    return {check.name: check for check in CHECKS}[name]().run(context).verdict


def test_a_quiet_comparison_passes_every_check(good: CheckContext) -> None:
    with_weather = with_prepared(weather=weather(0.0))(good)
    verdicts = {check.name: check().run(with_weather).verdict for check in CHECKS}
    assert {name for name, context in verdicts.items() if context != Verdict.PASSED} <= {"season"}


@pytest.mark.parametrize(("name", "change", "expected"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_a_check_says_what_is_wrong(good: CheckContext, name: str, change: Change, expected: Verdict) -> None:
    assert verdict(name, change(good)) == expected


def test_another_season_is_a_doubt_until_last_years_weeks_are_there() -> None:
    winter = dt.date(2025, 11, 10)
    short, long = (town(5, ("a", "b"), before=days, after=28, date=winter) for days in (100, 400))
    for frame, expected in ((short, Verdict.DOUBT), (long, Verdict.PASSED)):
        measure = Measure("m", winter, ("a",), ("b",), timezone=ZONE, before_days=84, after_days=28)
        prepared = prepare(as_counts(frame), measure)
        context = CheckContext(prepared, measure, CARS, answer_for(prepared, "a", measure, CARS))
        assert verdict("season", context) == expected


def test_every_check_is_shown_what_it_must_not_pass() -> None:
    assert {name for name, _, _ in CASES} | {"season"} == {check.name for check in CHECKS}
