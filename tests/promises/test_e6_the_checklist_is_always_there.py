"""E6: holidays, weather and trend are in the model, or the report says that they are not."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Calendar, Measure, Question, evaluate
from telstraat_analytics.checks import CHECKS, Verdict
from telstraat_analytics.report.content import evaluation_content
from telstraat_analytics.report.write import html
from telstraat_analytics.words import word
from telstraat_contract.languages import LANGUAGES

ASKED = Question("car", hours=tuple(range(8, 19)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_stands_in_every_report(language: str) -> None:
    measure = Measure("m", MEASURE, ("a",), ("b",), timezone=ZONE, after_days=28)
    page = html(evaluation_content([evaluate(town(41, ("a", "b")), measure, ASKED)], language)).replace("&#39;", "'")
    for check in CHECKS:
        assert word(check.name, language) in page


def test_weather_that_is_not_in_the_model_is_said() -> None:
    measure = Measure("m", MEASURE, ("a",), (), timezone=ZONE, after_days=28)
    answer = evaluate(town(42, ("a",)), measure, ASKED)
    verdict = {item.name: item for item in answer.checks["a"]}["weather"]
    assert verdict.verdict == Verdict.UNKNOWN
    assert "Not in the model" in word(f"weather.{verdict.reason}", "en")


def test_weather_that_is_given_is_in_the_model() -> None:
    frame = town(43, ("a", "b"))
    days = pd.date_range("2025-01-01", "2025-12-31", freq="D")
    weather = pd.DataFrame({"day": days, "temperature_c": 12.0 + 8 * (days.day_of_year % 11) / 11, "rain_mm": 1.0})
    measure = Measure("m", MEASURE, ("a",), ("b",), timezone=ZONE, after_days=28)
    answer = evaluate(frame, measure, ASKED, weather=weather)
    assert {item.name: item.reason for item in answer.checks["a"]}["weather"] in {"in_model", "too_short"}


def test_a_town_without_known_holidays_is_told_so() -> None:
    measure = Measure("m", MEASURE, ("a",), (), timezone=ZONE, after_days=28, calendar=Calendar())
    answer = evaluate(town(44, ("a",)), measure, ASKED)
    assert {item.name: item.reason for item in answer.checks["a"]}["holidays"] == "no_country"
