from __future__ import annotations

import pytest

from telstraat_analytics.checks import CHECKS
from telstraat_analytics.errors import ReportError
from telstraat_analytics.quality.findings import KINDS
from telstraat_analytics.question import COUNTS, SHARES, SPEEDS
from telstraat_analytics.report.charts import KIND_COLOURS
from telstraat_analytics.report.numbers import chart_locale, whole
from telstraat_analytics.report.sentence import chance, percent, size
from telstraat_analytics.words import word


def test_everything_that_can_be_asked_or_found_has_words() -> None:
    for name in (*COUNTS, *SPEEDS, *SHARES, *(f"kind.{kind}" for kind in KINDS), *(f"short.{kind}" for kind in KINDS)):
        assert word(name, "nl")
    assert all(word(check.name, "fr") for check in CHECKS)


@pytest.mark.parametrize(
    ("language", "sunday", "march"), [("en", "Sunday", "March"), ("nl", "zondag", "maart"), ("fr", "dimanche", "mars")]
)
def test_charts_know_the_days_and_months_of_a_language(language: str, sunday: str, march: str) -> None:
    time = chart_locale(language)["time"]
    assert (time["days"][0], time["months"][2], len(time["days"]), len(time["months"])) == (sunday, march, 7, 12)


@pytest.mark.parametrize(("language", "text"), [("en", "−12,345"), ("nl", "−12.345"), ("fr", "−12\u202f345")])
def test_thousands_are_marked_as_people_do(language: str, text: str) -> None:
    assert whole(-12345.4, language) == text


def test_every_kind_of_finding_has_a_colour_on_the_timeline() -> None:
    assert set(KIND_COLOURS) == set(KINDS)


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(ReportError, match="language 'xx': there are en, "):
        word("car", "xx")


@pytest.mark.parametrize(("value", "text"), [(-0.234, "−23%"), (0.051, "+5%"), (-0.001, "0%"), (0.0, "0%")])
def test_percent_is_written_as_people_do(value: float, text: str) -> None:
    assert percent(value, "en", signed=True) == text


def test_speeds_and_points_keep_one_decimal_and_the_comma() -> None:
    assert size(-2.34, "km/h", "nl", signed=True) == "−2,3 km/h"
    assert size(0.052, "points", "en") == "5.2 percentage points"


@pytest.mark.parametrize(("value", "text"), [(0.005, "1 of 200"), (0.0001, "fewer than 1 of 1000"), (0.3, "1 of 3")])
def test_chance_is_one_of_so_many(value: float, text: str) -> None:
    assert chance(value, "en") == text
