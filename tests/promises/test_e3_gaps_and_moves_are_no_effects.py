"""E3: gaps, nights, silences and sensors that moved do not become effects: they are left out, warned of or refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, RECIPE, ZONE, town

from telstraat_analytics import Evaluation, Measure, Question, evaluate

CARS = Question("car", hours=tuple(range(8, 19)))
DATE = pd.Timestamp(MEASURE, tz=ZONE)


def evaluated(frame: pd.DataFrame, question: Question = CARS) -> Evaluation:
    return evaluate(frame, Measure("m", MEASURE, ("a",), ("b", "c", "d"), timezone=ZONE, after_days=28), question)


def hit(frame: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.Series:
    return (frame["segment"] == "a") & (frame["start"] >= first) & (frame["start"] < last)


def test_outages_on_either_side_change_the_interval_and_not_the_answer() -> None:
    frame = town(1, ("a", "b", "c", "d"))
    whole = evaluated(frame)
    holes = hit(frame, DATE - pd.Timedelta(days=20), DATE - pd.Timedelta(days=12)) | hit(
        frame, DATE + pd.Timedelta(days=3), DATE + pd.Timedelta(days=9)
    )
    holed = evaluated(frame[~holes])
    assert whole.effect is not None
    assert holed.effect is not None
    assert abs(holed.effect.estimate - whole.effect.estimate) < 0.06
    assert {"gap"} <= {finding.kind for finding in holed.findings}


def test_hours_without_uptime_are_not_zeros() -> None:
    frame = town(2, ("a", "b", "c", "d"))
    dark = hit(frame, DATE, DATE + pd.Timedelta(days=56)) & frame["start"].dt.tz_convert(ZONE).dt.hour.isin(
        [17, 18, 19]
    )
    frame.loc[dark, ["uptime", *RECIPE]] = 0.0
    answer = evaluated(frame, Question("car"))
    assert answer.effect is not None
    assert not answer.effect.claimed
    assert max(answer.streets[0].hours) == 16


def test_a_sensor_blind_in_winter_does_not_turn_winter_into_an_effect() -> None:
    date = dt.date(2025, 11, 17)
    frame = town(3, ("a", "b", "c", "d"), date=date)
    local = frame["start"].dt.tz_convert(ZONE)
    frame.loc[(local.dt.month >= 11) & (local.dt.hour >= 16), ["uptime", *RECIPE]] = 0.0
    answer = evaluate(frame, Measure("m", date, ("a",), ("b", "c"), timezone=ZONE, after_days=28), Question("car"))
    assert answer.effect is not None
    assert not answer.effect.claimed


def test_a_silence_with_fine_uptime_is_found_and_never_an_effect() -> None:
    frame = town(4, ("a", "b", "c", "d"))
    frame.loc[hit(frame, DATE + pd.Timedelta(days=6), DATE + pd.Timedelta(days=28)), list(RECIPE)] = 0.0
    answer = evaluated(frame)
    assert answer.effect is None
    assert "looked but counted nothing" in answer.sentence()
    assert any(finding.kind == "silent" for finding in answer.findings)


def test_a_dead_channel_is_refused_unless_the_street_was_closed_to_them() -> None:
    frame = town(5, ("a", "b", "c", "d"))
    frame.loc[hit(frame, DATE, DATE + pd.Timedelta(days=56)), "car"] = 0.0
    assert evaluated(frame).effect is None
    closed = Measure("m", MEASURE, ("a",), ("b",), timezone=ZONE, after_days=28, closed_to=("car",))
    assert any("closed" not in reason for reason in evaluated(frame).refused)
    assert not any("closed_to" in reason for reason in evaluate(frame, closed, CARS).refused)


@pytest.mark.parametrize("factor", [0.15, 6.0])
def test_a_sensor_moved_at_the_date_is_refused(factor: float) -> None:
    frame = town(6, ("a", "b", "c", "d"))
    moved = hit(frame, DATE - pd.Timedelta(days=1), DATE + pd.Timedelta(days=80))
    frame.loc[moved, list(RECIPE)] = np.rint(frame.loc[moved, list(RECIPE)] * factor)
    answer = evaluated(frame)
    assert answer.effect is None
    assert "not the same instrument" in answer.sentence()


def test_a_new_installation_at_the_date_is_refused() -> None:
    frame = town(7, ("a", "b", "c", "d")).assign(instance=1)
    frame.loc[hit(frame, DATE, DATE + pd.Timedelta(days=80)), "instance"] = 2
    assert evaluated(frame).effect is None


def test_a_view_that_loses_half_of_everything_at_the_date_is_refused() -> None:
    frame = town(8, ("a", "b", "c", "d"))
    lost = hit(frame, DATE, DATE + pd.Timedelta(days=80))
    frame.loc[lost, list(RECIPE)] = np.rint(frame.loc[lost, list(RECIPE)] * 0.35)
    answer = evaluated(frame)
    assert answer.effect is None
    assert any(finding.kind == "gain_drift" for finding in answer.findings)


def test_learning_weeks_are_left_out_for_cars_and_used_for_the_sum() -> None:
    frame = town(9, ("a", "b", "c", "d"), before=49)
    young = hit(frame, DATE - pd.Timedelta(days=60), DATE - pd.Timedelta(days=33))
    frame.loc[young, "car"] += frame.loc[young, "heavy"]
    frame.loc[young, "heavy"] = 0.0
    cars, motor = evaluated(frame), evaluated(frame, Question("motor", hours=CARS.hours))
    assert any(finding.kind == "learning" for finding in cars.findings)
    assert motor.streets[0].days_before > cars.streets[0].days_before


def test_days_and_hours_without_anybody_are_counted_on_a_quiet_street() -> None:
    frame = town(11, ("a", "b", "c", "d"), after=28)
    rng = np.random.default_rng(11)
    share = np.where(frame["start"] >= DATE, 0.006, 0.002)  # three cars a day become nine
    for name in RECIPE:
        frame[name] = rng.binomial(frame[name].astype(int), share).astype(float)
    answer = evaluated(frame, Question("car"))
    assert not [finding for finding in answer.findings if finding.kind == "silent"]
    [street] = answer.streets
    assert set(range(9, 16)) <= set(street.hours), "by day an hour without anybody was seen, too"
    assert street.days_before == 56
    own = frame[(frame["segment"] == "a") & frame["start"].dt.tz_convert(ZONE).dt.hour.isin(street.hours)]
    before = own[(own["start"] < DATE) & (own["start"] >= DATE - pd.Timedelta(days=56))]["car"].sum() / 56
    week = street.weeks[~street.weeks["after"]].tail(8)["observed"].mean()
    assert week == pytest.approx(before, rel=0.2), "days without a car are in the level"


def test_a_thin_class_that_is_gone_for_good_is_no_fall() -> None:
    frame = town(12, ("a", "b", "c", "d"), after=28)
    frame["heavy"] = np.random.default_rng(12).binomial(frame["heavy"].astype(int), 0.025).astype(float)
    frame.loc[hit(frame, DATE, DATE + pd.Timedelta(days=56)), "heavy"] = 0.0
    assert evaluated(frame, Question("heavy", hours=CARS.hours)).effect is None


@pytest.mark.parametrize(
    ("days", "factor", "key"), [(0, 0.0, "nothing_before"), (400, 1.0, "few_after"), (-400, 1.0, "few_before")]
)
def test_a_refusal_names_the_side_that_was_not_counted(days: int, factor: float, key: str) -> None:
    frame = town(12, ("a",), after=28)
    frame[list(RECIPE)] *= factor
    date = MEASURE + dt.timedelta(days=days)
    answer = evaluate(frame, Measure("m", date, ("a",), timezone=ZONE, after_days=365), CARS)
    assert key in {refusal.key for refusal in answer.refusals}
    assert "no_days" not in {refusal.key for refusal in answer.refusals}
