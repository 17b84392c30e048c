"""R19: no date ends it. What a table, a library or a certificate knows only for a while says so when a day lies beyond.

The whole line (device, broker, ingest, database, API) lives through the turn to a leap day and the last second of 32 bits.
`make test-moved` takes every other test of the project to any date.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from tests.analytics.streets import MEASURE, ZONE, town
from tests.harness.demos import left_over
from tests.harness.moved_clock import NOT_HERE, MovedClock

from telstraat_analytics import Calendar, Evaluation, Measure, Question, evaluate
from telstraat_analytics.checks import Verdict
from telstraat_analytics.report.sentence import check_sentence
from telstraat_contract.languages import LANGUAGES
from telstraat_demo.stack.home import Home

MOMENTS = {
    "leap day": "2028-02-28T23:59:40+00:00",
    "32 bits of seconds": "2038-01-19T03:14:00+00:00",
}
MEASURED = Measure("m", MEASURE, ("a",), (), timezone=ZONE, after_days=28)
ASKED = Question("car", hours=tuple(range(8, 19)))
LAST_SUMMER = (dt.date(2025, 7, 1), dt.date(2025, 8, 31))


@pytest.mark.skipif(bool(NOT_HERE), reason=NOT_HERE)
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_the_whole_line_counts_stores_and_proves_it_at_any_date(
    reachable_folder: Path, tmp_path: Path, moment: str
) -> None:
    folder = reachable_folder / f"line-{moment[:4]}"
    clock = MovedClock(reachable_folder)
    clock.set(dt.datetime.fromisoformat(moment))
    command = [
        sys.executable,
        "-m",
        "telstraat_cli",
        "demo",
        "--headless",
        "--json",
        "--minutes",
        "1",
        "--dir",
        str(folder),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, **clock.environment, "COLUMNS": "300"}
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["ok"] is True
    assert result["sensor"].startswith(f"headless-{moment[:3]}")
    assert result["reports"]["closed"] == result["reports"]["stored"] >= 1
    assert left_over(folder) == []
    Home(folder).forget()


def holidays(evaluation: Evaluation, name: str = "holidays") -> tuple[str, Verdict, list[str]]:
    """Return what the check says: its reason, its verdict and the sentence in each language."""
    results = {item.name: item for item in evaluation.checks["a"]}[name]
    return results.reason, results.verdict, [check_sentence(results, language) for language in LANGUAGES]


def evaluated(calendar: Calendar, shift: int = 0) -> Evaluation:
    """Evaluate a street as many years later or earlier."""
    frame = town(44, ("a",))
    frame["start"] = frame["start"] + pd.Timedelta(weeks=52 * shift)
    date = MEASURE + dt.timedelta(weeks=52 * shift)
    return evaluate(frame, dataclasses.replace(MEASURED, date=date, calendar=calendar), ASKED)


@pytest.mark.parametrize(
    ("calendar", "shift", "where"),
    [
        (Calendar("DE"), -40, "DE"),
        (Calendar("IN"), 12, "IN"),
        (Calendar("XX"), 0, "XX"),
        (Calendar("BE", "none"), 0, "BE-none"),
    ],
    ids=["before the table begins", "after a part of it has ended", "no such country", "no such region"],
)
def test_a_year_whose_public_holidays_are_not_known_is_named(calendar: Calendar, shift: int, where: str) -> None:
    reason, verdict, sentences = holidays(evaluated(calendar, shift))
    assert (reason, verdict) == ("unknown_years", Verdict.DOUBT)
    year = str((MEASURE + dt.timedelta(weeks=52 * shift)).year)
    assert all(year in sentence and where in sentence for sentence in sentences)


@pytest.mark.parametrize("country", ["BE", "NL", "FR", "DE", "GB", "ES", "IT", "US", "CA", "AU", "NZ"])
def test_the_public_holidays_of_the_next_decades_are_known(country: str) -> None:
    today = dt.datetime.now(dt.UTC).date()
    assert Calendar(country).unknown_years(today, today.replace(day=1, year=today.year + 30)) == ()


def test_a_table_of_school_holidays_that_has_ended_is_said() -> None:
    ended = Calendar("BE", school=(LAST_SUMMER,))
    reason, verdict, sentences = holidays(evaluated(ended, shift=1))
    assert (reason, verdict) == ("table_ends", Verdict.DOUBT)
    assert all("2025" in sentence and "31" in sentence for sentence in sentences)


def test_a_table_of_school_holidays_that_begins_too_late_is_said() -> None:
    late = Calendar("BE", school=((dt.date(2026, 10, 26), dt.date(2026, 11, 1)),))
    assert holidays(evaluated(late))[:2] == ("table_begins", Verdict.DOUBT)


def test_a_table_that_covers_what_is_compared_raises_no_doubt_of_its_end() -> None:
    school = (LAST_SUMMER, (dt.date(2025, 10, 27), dt.date(2025, 11, 2)))
    assert holidays(evaluated(Calendar("BE", school=school)))[0] == "table"


def test_weather_that_ends_inside_the_time_compared_is_said() -> None:
    days = pd.date_range("2025-01-01", MEASURE + dt.timedelta(days=9), freq="D")
    weather = pd.DataFrame({"day": days, "temperature_c": 12.0 + 8 * (days.day_of_year % 11) / 11, "rain_mm": 1.0})
    answer = evaluate(town(43, ("a",)), MEASURED, ASKED, weather=weather)
    reason, verdict, sentences = holidays(answer, "weather")
    assert (reason, verdict) == ("part", Verdict.DOUBT)
    assert all("36" in sentence for sentence in sentences)  # 10 of 28 days
