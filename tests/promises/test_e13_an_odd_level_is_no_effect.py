"""E13: a level that was already odd is no effect. Where a street stood apart before the measure, the answer covers both its levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Evaluation, Measure, Question, evaluate
from telstraat_analytics.checks import Verdict

STREETS = ("a", "b", "c", "d")
HISTORY_DAYS = 200
ODD = 1.83  # as it was seen on a detector


def weeks_of(frame: pd.DataFrame) -> pd.Series:
    return (frame["start"] - pd.Timestamp(MEASURE, tz=ZONE)).dt.days / 7


def times(frame: pd.DataFrame, segment: str, first: float, last: float, factor: float) -> pd.DataFrame:
    """The counts with those of a street multiplied from week `first` until before `last`."""
    weeks = weeks_of(frame)
    hit = (frame["segment"] == segment) & (weeks >= first) & (weeks < last)
    return frame.assign(car=np.where(hit, np.rint(frame["car"] * factor), frame["car"]))


def evaluated(frame: pd.DataFrame, controls: tuple[str, ...] = STREETS[1:], what: str = "car") -> Evaluation:
    measure = Measure("m", MEASURE, ("a",), controls, timezone=ZONE, after_days=28)
    return evaluate(frame, measure, Question(what, hours=tuple(range(8, 19))))


def verdict(answer: Evaluation) -> Verdict:
    return {item.name: item.verdict for item in answer.checks["a"]}["odd_level"]


@pytest.mark.parametrize(("weeks", "factor"), [(3, ODD), (7, 1 / ODD), (12, ODD)])
def test_going_back_from_an_odd_level_is_not_claimed(weeks: int, factor: float) -> None:
    frame = town(2, STREETS, before=HISTORY_DAYS)
    plain, answer = evaluated(frame), evaluated(times(frame, "a", -weeks, 0, factor))
    assert plain.effect is not None
    assert answer.effect is not None
    assert verdict(answer) == Verdict.FAILED
    assert answer.effect.low < 0 < answer.effect.high, "the usual level"
    assert answer.effect.low < (1 + plain.effect.estimate) / factor - 1 < answer.effect.high, "the last level"
    assert answer.effect.chance > 0.05


def test_the_sentence_says_that_the_level_was_odd_and_since_when() -> None:
    answer = evaluated(times(town(1, STREETS, before=HISTORY_DAYS), "a", -4, 0, ODD))
    nobody = {
        "en": "nobody can tell",
        "nl": "kan niemand zeggen",
        "fr": "Nul ne peut le dire",
        "de": "kann niemand sagen",
    }
    for language, phrase in nobody.items():
        assert "2025" in answer.sentence(language)
        assert phrase in answer.sentence(language)
    [odd] = [item for item in answer.checks["a"] if item.name == "odd_level"]
    assert odd.figures["date"] == "2025-08-25"
    assert odd.figures["size"] == pytest.approx(ODD - 1, abs=0.15)
    assert float(odd.figures["usual"]) > -0.2 > float(odd.figures["last"])


@pytest.mark.parametrize("weeks", [1, 2])
def test_a_fall_shortly_before_the_date_is_not_laid_to_the_measure(weeks: int) -> None:
    answer = evaluated(times(town(weeks, STREETS, before=HISTORY_DAYS), "a", -weeks, 99, 0.55))
    assert answer.effect is not None
    assert not answer.effect.claimed


@pytest.mark.parametrize("first", [-4, 0, 1])
def test_a_step_of_the_only_control_is_no_effect_on_the_street(first: int) -> None:
    frame = town(2, STREETS, before=HISTORY_DAYS)
    plain, answer = (evaluated(value, ("b",)) for value in (frame, times(frame, "b", first, 99, ODD)))
    assert plain.effect is not None
    assert answer.effect is not None
    assert not answer.effect.claimed
    if first < -2:
        assert abs(answer.effect.estimate - plain.effect.estimate) < 0.05


def test_what_street_and_control_did_together_at_the_date_is_not_laid_to_the_measure() -> None:
    frame = town(2, STREETS, before=HISTORY_DAYS)
    answer = evaluated(times(times(frame, "a", 0, 99, 0.6), "b", 0, 99, 0.6), ("b",))
    assert answer.effect is not None
    assert not answer.effect.claimed


def learns(frame: pd.DataFrame) -> pd.DataFrame:
    grown = np.exp(-1.2 * np.exp(-(weeks_of(frame) + 14).clip(lower=0) / 8))
    return frame.assign(heavy=np.where(frame["segment"] == "a", np.rint(frame["heavy"] * grown), frame["heavy"]))


def grows(frame: pd.DataFrame) -> pd.DataFrame:
    grown = np.exp(-0.1 * (-weeks_of(frame)).clip(lower=0, upper=12))
    return frame.assign(car=np.where(frame["segment"] == "a", np.rint(frame["car"] * grown), frame["car"]))


@pytest.mark.parametrize(("change", "what"), [(learns, "heavy"), (grows, "car")])
def test_a_class_that_was_being_learnt_is_not_claimed_to_rise(
    change: Callable[[pd.DataFrame], pd.DataFrame], what: str
) -> None:
    answer = evaluated(change(town(2, STREETS, before=HISTORY_DAYS)), what=what)
    assert answer.effect is None or not answer.effect.claimed


def test_a_third_less_on_a_street_at_its_usual_level_is_still_found() -> None:
    answer = evaluated(times(town(2, STREETS, before=HISTORY_DAYS), "a", 0, 99, 0.67))
    assert answer.effect is not None
    assert answer.effect.high < 0
    assert verdict(answer) == Verdict.PASSED


def test_a_level_that_the_controls_share_is_not_odd() -> None:
    frame = town(1, STREETS, before=HISTORY_DAYS)
    for segment in STREETS:
        frame = times(frame, segment, -5, 0, 1.4)
    assert verdict(evaluated(frame)) != Verdict.FAILED
