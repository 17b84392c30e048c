from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from telstraat_analytics import Measure, Question, read_measure
from telstraat_analytics.errors import MeasureError, QuestionError

GOOD = """
[measure]
name = "m"
date = 2025-09-22
treated = ["a"]
controls = ["b"]
[calendar]
country = "BE"
school = [["2025-10-27", "2025-11-02"]]
[[excluded]]
first = 2025-10-10
last = 2025-10-12
reason = "fair"
[names]
a = "Station Street"
[question]
what = "bike"
"""


def test_a_measure_is_read_with_its_calendar_and_the_rest_is_handed_back(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(GOOD, encoding="utf-8")
    measure, rest = read_measure(path)
    assert measure.called("a") == "Station Street"
    assert measure.days.school == ((dt.date(2025, 10, 27), dt.date(2025, 11, 2)),)
    assert measure.excluded[0].reason == "fair"
    assert rest == {"question": {"what": "bike"}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('treated = ["a"]', 'treeted = ["a"]'), "did you mean 'treated'"),
        (('treated = ["a"]', "treated = []"), "treated is empty"),
        (('controls = ["b"]', 'controls = ["a"]'), "only one of them"),
        (("date = 2025-09-22", 'date = "soon"'), "write a date"),
        (("[measure]", "[mesure]"), "no table"),
        (("[measure]", "[measure"), "is not TOML"),
        (('country = "BE"', 'contry = "BE"'), "did you mean 'country'"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(MeasureError, match=says):
        read_measure(path)


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(MeasureError, match="no time zone"):
        Measure("m", dt.date(2025, 9, 22), ("a",), timezone="Europe/Brusels")


@pytest.mark.parametrize("wrong", [{"what": "cars"}, {"direction": "left"}, {"hours": (24,)}, {"days": "sunday"}])
def test_a_question_that_cannot_be_asked_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(QuestionError):
        Question(**wrong)  # type: ignore[arg-type]
