"""An hour that is not over counts what it has, not what it may come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from telstraat_api.web.street.shown_counts import without_what_is_to_come
from telstraat_contract.road_users import COUNT_COLUMNS
from telstraat_store.counts.period import Period
from telstraat_store.counts.windows import Window

MIDNIGHT = datetime(2026, 5, 4, tzinfo=UTC)
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)


def period(start: datetime, quarters: int, corrected: float | None) -> Period:
    seconds = 900 * quarters
    values = None if corrected is None else (corrected,) * len(COUNT_COLUMNS)
    return Period(7, start, quarters, seconds, seconds, 1, 0, values, (1,) * len(COUNT_COLUMNS))


def test_the_hour_that_is_not_over_counts_its_quarters_and_so_does_its_day() -> None:
    at = MIDNIGHT + 9 * HOUR
    quarters = [period(at - QUARTER, 1, 5.0), period(at, 1, 6.0), period(at + QUARTER, 1, 8.0)]
    hours = [period(at - HOUR, 1, 20.0), period(at, 2, 28.0)]  # 4 / 2 * (6 + 8)
    days = [period(MIDNIGHT, 3, 48.0)]
    window = Window(MIDNIGHT, at + 2 * QUARTER)
    hours_now, days_now = without_what_is_to_come(quarters, hours, days, window)
    assert [hour.corrected and hour.corrected[0] for hour in hours_now] == [20.0, 14.0]
    assert [day.corrected and day.corrected[0] for day in days_now] == [34.0]


def test_an_hour_that_is_over_stays_what_the_rule_says() -> None:
    at = MIDNIGHT + 9 * HOUR
    quarters = [period(at - QUARTER, 1, 5.0)]
    hours, days = [period(at - HOUR, 1, 20.0)], [period(MIDNIGHT, 1, 20.0)]
    assert without_what_is_to_come(quarters, hours, days, Window(MIDNIGHT, at)) == (hours, days)


def test_a_blind_quarter_of_the_running_hour_adds_nothing() -> None:
    at = MIDNIGHT + 9 * HOUR
    quarters = [period(at, 0, None), period(at + QUARTER, 1, 8.0)]
    hours, days = [period(at, 1, 32.0)], [period(MIDNIGHT, 1, 32.0)]
    hours_now, days_now = without_what_is_to_come(quarters, hours, days, Window(MIDNIGHT, at + 2 * QUARTER))
    assert hours_now[0].corrected == days_now[0].corrected == (8.0,) * len(COUNT_COLUMNS)
