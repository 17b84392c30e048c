"""E12: last year's same weeks are a design of their own: like days are paired, and what the town did over the year is taken off."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from telstraat_analytics import Calendar, Evaluation, Measure, Question, evaluate
from telstraat_analytics.checks import Verdict
from telstraat_analytics.errors import QuestionError

ZONE = "Europe/Brussels"
HOURS = np.arange(8, 18)
DATE = dt.date(2025, 4, 7)  # Easter holidays begin; the year before they began on 1 April
SCHOOL = ((dt.date(2024, 4, 1), dt.date(2024, 4, 14)), (dt.date(2025, 4, 7), dt.date(2025, 4, 21)))
CALENDAR = Calendar("BE", school=SCHOOL)
LAST_YEAR = Question("car", hours=tuple(range(8, 18)), against="last year")
STREETS = ("a", "b", "c", "d")


def two_stretches(
    seed: int, change: float = 0.0, town: float = 0.0, holiday: float = -0.5, streets: tuple[str, ...] = STREETS
) -> pd.DataFrame:
    """Counts of ten weeks a year apart and nothing between; street a changes by `change`, all by `town` over the year."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp(DATE) - pd.Timedelta(days=7)
    then = pd.date_range(first - pd.Timedelta(days=385), periods=84, freq="D")
    now = pd.date_range(first, periods=49, freq="D")
    days = pd.DatetimeIndex(then.append(now))
    frames = []
    for segment in streets:
        level = rng.normal(0, 0.08, len(days)) + holiday * (CALENDAR.breaks(days)[:, 1] > 0)
        level = level + np.where(days.day_of_week >= 5, np.log(0.6), 0.0)
        level = level + (days >= pd.Timestamp(DATE)) * (town + (change if segment == "a" else 0.0))
        start = (days.repeat(len(HOURS)) + pd.to_timedelta(np.tile(HOURS, len(days)), unit="h")).tz_localize(ZONE)
        counts = rng.poisson(90 * np.exp(level).repeat(len(HOURS)))
        frames.append(pd.DataFrame({"segment": segment, "start": start, "uptime": 1.0, "car": counts}))
    return pd.concat(frames, ignore_index=True)


def evaluated(frame: pd.DataFrame, treated: tuple[str, ...] = ("a",), question: Question = LAST_YEAR) -> Evaluation:
    controls = tuple(value for value in STREETS if value not in treated)
    measure = Measure("m", DATE, treated, controls, timezone=ZONE, calendar=CALENDAR, after_days=42)
    return evaluate(frame, measure, question)


@pytest.mark.parametrize("change", [0.0, -0.25])
def test_a_change_from_year_to_year_is_found_and_none_is_not_claimed(change: float) -> None:
    answer = evaluated(two_stretches(1, change))
    assert answer.effect is not None
    assert answer.effect.low < np.expm1(change) < answer.effect.high
    assert answer.effect.claimed == (change < 0)
    assert answer.effect.detectable > -0.3, "power is stated, and is some"


def test_holidays_that_moved_are_compared_with_holidays() -> None:
    for holiday in (0.0, -0.9):
        effect = evaluated(two_stretches(2, -0.25, holiday=holiday)).effect
        assert effect is not None
        assert effect.estimate == pytest.approx(np.expm1(-0.25), abs=0.06)


def test_what_the_whole_town_did_over_the_year_is_taken_off() -> None:
    answer = evaluated(two_stretches(3, town=-0.12))
    assert answer.effect is not None
    assert not answer.effect.claimed
    assert answer.effect.estimate > np.expm1(-0.12) / 2
    assert answer.streets[0].controls


def test_the_sentence_says_against_what_and_the_checks_what_was_not_looked_at() -> None:
    answer = evaluated(two_stretches(1, -0.25))
    words = {
        "en": "the same weeks of the year before",
        "nl": "dezelfde weken van het jaar ervoor",
        "fr": "mêmes semaines",
        "de": "denselben Wochen des Vorjahres",
    }
    for language, phrase in words.items():
        assert phrase in answer.sentence(language)
    results = {item.name: item for item in answer.checks["a"]}
    assert results["odd_level"].verdict == results["weather"].verdict == Verdict.UNKNOWN
    assert results["leave_one_control_out"].reason == "range"
    assert results["season"].reason == "last_year"


def test_several_streets_are_summed_with_what_they_share() -> None:
    frame = two_stretches(4, -0.3)
    frame["car"] = frame["car"].astype(float)
    frame.loc[(frame["segment"] == "b") & (frame["start"] >= pd.Timestamp(DATE, tz=ZONE)), "car"] *= 0.75
    answer = evaluated(frame, ("a", "b"))
    assert answer.network is not None
    assert answer.network.area.high < 0
    changes = [street.effect.estimate for street in answer.streets if street.effect is not None]
    assert min(changes) - 0.05 < answer.network.area.estimate < max(changes) + 0.05


def test_without_a_year_before_there_is_a_refusal_and_speeds_are_no_counts() -> None:
    frame = two_stretches(5)
    answer = evaluated(frame[frame["start"] >= pd.Timestamp("2025-01-01", tz="UTC")])
    assert answer.effect is None
    assert "can be paired with a like day of the year before" in answer.sentence("en")
    assert "année précédente" in answer.sentence("fr")
    with pytest.raises(QuestionError, match="last year"):
        Question("v85", against="last year")


def test_without_a_control_nothing_is_said_to_be_taken_off() -> None:
    measure = Measure("m", DATE, ("a",), (), timezone=ZONE, calendar=CALENDAR, after_days=42)
    answer = evaluate(two_stretches(1, -0.7), measure, LAST_YEAR)
    assert answer.effect is not None
    assert answer.effect.claimed
    taken_off = {"en": "taken off", "nl": "aftrek", "fr": "déduction", "de": "bereinigt"}
    alone = {
        "en": "no control street",
        "nl": "zonder controlestraat",
        "fr": "sans rue témoin",
        "de": "ohne Vergleichsstraße",
    }
    for language, phrase in alone.items():
        text = answer.sentence(language)
        assert taken_off[language] not in text
        assert phrase in text
        assert taken_off[language] in evaluated(two_stretches(1, -0.7)).sentence(language)
