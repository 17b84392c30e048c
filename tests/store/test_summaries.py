"""The summary of a street: which days are usual, what is said of few, dark, moved and holiday streets, and what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from tests.api.streets import add_hours, add_segment, add_sensor

from telstraat_store.summaries.counted_hours import StreetHours
from telstraat_store.summaries.refreshing import days_before, refresh_all, refresh_some
from telstraat_store.summaries.street_summary import DayKind, StreetSummary, Why
from telstraat_store.summaries.summarise import share_above, summarise
from telstraat_store.summaries.summary_table import (
    StreetPlace,
    StreetState,
    SummaryQuery,
    SummaryRow,
    due_streets,
    place_among,
    read_summaries,
)
from telstraat_store.summaries.usual_days import spread

SUNDAY = date(2026, 3, 1)
BRUSSELS = ZoneInfo("Europe/Brussels")
Per = Callable[[date, int], Sequence[float | None] | None]


def all_term(_timezone: str, days: Sequence[date]) -> list[DayKind]:
    return [DayKind.TERM for _ in days]


def a_street(per_hour: Per, through: date = SUNDAY, years: bool = False, **more: object) -> StreetHours:
    """A street whose hours are what a function says: pedestrians, bikes, cars, heavy, dark; None where nobody watched."""
    street = StreetHours(1, "Europe/Brussels", 30, through, **more)  # type: ignore[arg-type]
    for day in days_before(through)[: None if years else 84]:
        hours = {hour: tuple(counts) for hour in range(24) if (counts := per_hour(day, hour)) is not None}
        if hours:
            street.hours[day] = hours
    street.first_day = min(street.hours, default=None)
    return street


def summary_for(street: StreetHours, kinds: dict[date, DayKind] | None = None) -> StreetSummary:
    return summarise(street, dict.fromkeys(days_before(street.through_day), DayKind.TERM) | (kinds or {}))


def steady(day: date, _hour: int) -> list[float]:
    return [1, 2, 7 if day.weekday() < 5 else 4, 0, 0]


def test_a_usual_day_is_the_mean_of_the_weekdays_medians() -> None:
    summary = summary_for(a_street(steady))
    assert summary.day == pytest.approx(24 * (5 * 10 + 2 * 7) / 7)
    assert summary.working
    assert (summary.working.usual, summary.working.days) == (240, 40)
    assert summary.weekend
    assert (summary.weekend.usual, summary.weekend.days) == (168, 16)
    assert summary.shares["bike"] == pytest.approx(2 / (64 / 7))
    assert sum(summary.shares.values()) == pytest.approx(1)
    assert not summary.night_blind
    assert summary.why is None
    assert summary.good_days == 56


def test_a_fair_does_not_move_the_usual_day_but_its_range() -> None:
    fair = date(2026, 2, 17)
    summary = summary_for(a_street(lambda day, hour: [1, 2, 700 if day == fair else 7, 0, 0]))
    tuesday = summary.weekdays[1]
    assert tuesday
    assert (tuesday.usual, tuesday.low, tuesday.high, tuesday.days) == (240, 240, 24 * 703, 8)


def test_two_days_of_a_weekday_are_too_few_for_a_figure() -> None:
    began = SUNDAY - timedelta(days=13)
    summary = summary_for(a_street(lambda day, hour: steady(day, hour) if day >= began else None))
    assert summary.weekdays == (None,) * 7
    assert summary.day is None
    assert summary.why is Why.TOO_FEW_DAYS
    assert summary.per_class == {}
    assert summary.working is not None
    assert summary.working.days == 10
    assert summary_for(a_street(lambda day, hour: None)).why is Why.NOTHING_COUNTED


def test_a_badly_watched_day_is_left_out_and_a_missing_hour_filled_in() -> None:
    bad, holed = date(2026, 2, 17), date(2026, 2, 18)

    def per_hour(day: date, hour: int) -> list[float] | None:
        return None if (day == bad and hour < 6) or (day == holed and hour == 8) else [0, 0, 10, 0, 0]

    summary = summary_for(a_street(per_hour))
    tuesday, wednesday = summary.weekdays[1], summary.weekdays[2]
    assert tuesday
    assert wednesday
    assert (tuesday.days, wednesday.days) == (8, 8)  # of twelve weeks, the latest good eight
    assert summary.good_days == 55
    assert wednesday.low == 240  # with the hour that is missing it would be 230


def test_holidays_are_left_out_and_stand_in_when_there_is_no_term() -> None:
    holidays = dict.fromkeys(days_before(SUNDAY)[:14], DayKind.SCHOOL_HOLIDAY)

    def per_hour(day: date, _hour: int) -> list[float]:
        return [0, 0, 1 if day in holidays else 10, 0, 0]

    summary = summary_for(a_street(per_hour), holidays)
    assert summary.day == 240
    assert summary.kind is DayKind.TERM
    assert summary.good_days == 42
    long = dict.fromkeys(days_before(SUNDAY)[:77], DayKind.SCHOOL_HOLIDAY)
    summary = summary_for(a_street(per_hour), long)
    assert summary.kind is DayKind.SCHOOL_HOLIDAY
    assert summary.day is not None
    assert summary.school.why is Why.NO_SCHOOL_DAYS


def test_nobody_is_called_blind_in_the_dark_for_a_pause_at_noon_or_for_having_come_yesterday() -> None:
    for first_day, unseen in ((date.min, range(12, 17)), (SUNDAY, range(15))):

        def per_hour(day: date, hour: int, first: date = first_day, away: range = unseen) -> list[float] | None:
            return None if day < first or hour in away else steady(day, hour)

        assert not summary_for(a_street(per_hour)).night_blind


def test_a_window_that_is_blind_in_the_dark_says_so() -> None:
    summary = summary_for(a_street(lambda day, hour: steady(day, hour) if 7 <= hour < 18 else None))
    assert summary.night_blind
    assert summary.hours == tuple(range(7, 18))
    assert summary.working
    assert summary.working.usual == 110


def test_the_day_on_which_summer_time_begins_has_an_hour_less() -> None:
    def per_hour(day: date, hour: int) -> list[float] | None:
        begins = day == date(2026, 3, 29) and hour == 2
        return None if begins else [0, 0, 10, 0, 0]

    summary = summary_for(a_street(per_hour, through=date(2026, 4, 5)))
    sunday = summary.weekdays[6]
    assert sunday
    assert (sunday.low, sunday.usual) == (230, 240)


def test_a_class_that_is_not_counted_has_no_share_and_no_zero() -> None:
    summary = summary_for(a_street(lambda day, hour: [None, 5, 5, 0, None]))
    assert summary.shares == {"bike": 0.5, "car": 0.5, "heavy": 0}
    assert "pedestrian" not in summary.per_class
    assert summary.school.pedestrian is None


def test_only_lights_in_the_dark_give_a_day_and_no_shares() -> None:
    summary = summary_for(a_street(lambda day, hour: [0, 0, 0, 0, 3]))
    assert summary.day == 72
    assert summary.shares == {}


def test_a_change_has_its_interval_and_rests_on_pairs_of_weeks() -> None:
    def per_hour(day: date, hour: int) -> list[float]:
        scatter = (day.toordinal() * 7919) % 11 / 100
        return [0, 0, (12 if day > date(2025, 6, 1) else 10) * (1 + scatter), 0, 0]

    same = frozenset({"sensor 101"})
    change = summary_for(a_street(per_hour, years=True, counted_by=(same, same))).last_year
    assert change.change is not None
    assert change.low is not None
    assert change.high is not None
    assert change.low < 0.2 < change.high
    assert change.high - change.low < 0.1
    assert change.weeks == 8
    moved = summary_for(a_street(per_hour, years=True, counted_by=(same, frozenset({"sensor 7"})))).last_year
    assert moved.change is None
    assert moved.why is Why.ANOTHER_SENSOR
    assert summary_for(a_street(per_hour, counted_by=(same, same))).last_year.why is Why.NO_LAST_YEAR


def test_a_week_of_a_leap_year_is_compared_weekday_by_weekday() -> None:
    same = frozenset({"sensor 101"})
    street = a_street(steady, through=date(2028, 2, 29), years=True, counted_by=(same, same))
    change = summary_for(street).last_year
    assert change.change == pytest.approx(0)
    assert change.weeks == 8


def test_pairs_of_term_and_holiday_are_not_compared() -> None:
    same = frozenset({"sensor 101"})
    street = a_street(steady, years=True, counted_by=(same, same))
    away = dict.fromkeys(days_before(SUNDAY)[:40], DayKind.SCHOOL_HOLIDAY)
    change = summary_for(street, away).last_year
    assert change.change is None
    assert change.why is Why.TOO_FEW_WEEKS


def test_school_hours_stand_beside_the_hours_between() -> None:
    def per_hour(day: date, hour: int) -> list[float]:
        return [4, 6 if hour in {8, 15} else 0, 30 if hour in {8, 15} else 10, 0, 0]

    school = summary_for(a_street(per_hour)).school
    assert school.car
    assert school.bike
    assert school.pedestrian
    assert (school.car.per_hour, school.car.between, school.car.times) == (30, 10, 3)
    assert school.bike.times is None
    assert school.pedestrian.times == 1


def test_few_cars_give_no_speed_and_an_unknown_limit_no_share() -> None:
    bins = [0.0] * 25
    bins[6] = 99.0  # 30 to 35 km/h
    assert summary_for(a_street(steady, speeds=bins)).speed.why is Why.TOO_FEW_CARS
    bins[6] = 100.0
    speed = summary_for(a_street(steady, speeds=bins)).speed
    assert speed.above_limit == 1
    assert speed.cars == 100
    assert speed.v85_kmh is not None
    street = a_street(steady, speeds=bins)
    street.limit_kmh = None
    assert summary_for(street).speed.why_above is Why.NO_LIMIT
    assert summary_for(a_street(steady)).speed.why is Why.NO_SPEEDS


def test_a_share_above_a_limit_inside_a_bin_is_in_proportion() -> None:
    bins = [0.0] * 25
    bins[5], bins[6] = 50.0, 50.0  # 25 to 30, 30 to 35
    assert share_above(bins, 30) == 0.5
    assert share_above(bins, 32.5) == 0.25
    assert share_above([0, 0, 0, 0, 0, 0, 0, 10.0], 90) is None  # 70 and more, nobody knows how much


def test_ten_values_are_told_by_their_inner_quantiles() -> None:
    of = spread(list(range(1, 12)))
    assert of
    assert (of.low, of.usual, of.high) == (2, 6, 10)
    assert spread([1, 2]) is None


HOURS = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def rows_of(dsn: str, query: SummaryQuery | None = None) -> list[SummaryRow]:
    async def read() -> list[SummaryRow]:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            return (await read_summaries(connection, query or SummaryQuery()))[0]

    return asyncio.run(read())


def place_of(dsn: str, segment: int) -> StreetPlace | None:
    async def read() -> StreetPlace | None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            return await place_among(connection, segment)

    return asyncio.run(read())


def test_summaries_are_made_once_a_day_and_read_in_any_order(database: str, connection: psycopg.Connection) -> None:
    quiet, busy, empty = (add_segment(connection, name) for name in ("Quiet", "Busy", "Empty"))
    add_hours(connection, quiet, 60, 2, HOURS)
    add_hours(connection, busy, 60, 20, HOURS)
    assert refresh_some(connection, all_term, HOURS) == 3
    assert refresh_some(connection, all_term, HOURS) == 0
    assert due_streets(connection, HOURS + timedelta(hours=12), 10) == []
    assert len(due_streets(connection, HOURS + timedelta(days=1), 10)) == 3
    rows = rows_of(database, SummaryQuery(sort="day", descending=True))
    assert [row.segment_id for row in rows] == [busy, quiet, empty]
    assert [row.summary.day for row in rows if row.summary] == [960, 96, None]
    assert rows[0].summary
    assert rows[0].summary.through == {
        "pedestrian": 0,
        "bike": 0,
        "car": 960,
        "heavy": 0,
        "night": 0,
    }
    assert rows[0].summary.speed.above_limit == 1
    assert rows[0].summary.uptime == 1
    assert rows[2].state is StreetState.NOTHING
    assert place_of(database, busy) == StreetPlace(1, 1)
    assert place_of(database, quiet) == StreetPlace(0, 1)
    assert place_of(database, empty) is None


def test_another_limit_or_new_counts_make_a_summary_due(connection: psycopg.Connection) -> None:
    segment = add_segment(connection)
    refresh_all(connection, all_term, HOURS)
    connection.execute("update segment set speed_limit_kmh = 50 where segment_id = %s", (segment,))
    assert len(due_streets(connection, HOURS, 10)) == 1


def test_an_hour_that_is_not_public_is_in_no_summary(database: str, connection: psycopg.Connection) -> None:
    segment = add_segment(connection)
    installation = add_hours(connection, segment, 60, 5, HOURS)
    connection.execute(
        "update rollup_hour set quarters = 3, car_lft_seen = 999, car_lft = 999 where installation_id = %s"
        " and extract(hour from hour_start) = 12",
        (installation,),
    )
    refresh_all(connection, all_term, HOURS)
    summary = rows_of(database)[0].summary
    assert summary
    assert summary.working
    assert summary.working.high == 230
    assert len(summary.hours) == 23


def test_a_day_that_was_marked_in_public_is_left_out(database: str, connection: psycopg.Connection) -> None:
    segment = add_segment(connection)
    add_hours(connection, segment, 60, 5, HOURS)
    row = connection.execute(
        "insert into account (email, role) values ('a@b.c', 'citizen') returning account_id"
    ).fetchone()
    assert row
    for published, days in ((True, 1), (False, 5)):
        connection.execute(
            "insert into street_event (account_id, segment_id, kind, title, from_at, until_at, excludes, published)"
            " values (%s, %s, 'works', 'pipes', %s, %s, true, %s)",
            (row[0], segment, HOURS - timedelta(days=10), HOURS - timedelta(days=10 - days), published),
        )
    refresh_all(connection, all_term, HOURS)
    summary = rows_of(database)[0].summary
    assert summary
    assert summary.good_days == 54


@pytest.mark.parametrize(
    ("age", "state"), [(timedelta(hours=1), "counting"), (timedelta(hours=9), "late"), (timedelta(days=3), "silent")]
)
def test_a_street_tells_whether_it_counts_now(
    database: str, connection: psycopg.Connection, age: timedelta, state: str
) -> None:
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - age
    add_hours(connection, add_segment(connection), 3, 5, end)
    new = add_segment(connection, "New")
    add_sensor(connection, "new-1", new)
    states = {row.name: row.state for row in rows_of(database)}
    assert states == {"Lindenstraat": state, "New": "setting_up"}


def test_a_name_is_searched_as_it_is_written(database: str, connection: psycopg.Connection) -> None:
    for name in ("Kerkstraat", "100%straat", "شارع الكنيسة", "<script>"):
        add_segment(connection, name)
    assert [row.name for row in rows_of(database, SummaryQuery(name="KERK"))] == ["Kerkstraat"]
    assert [row.name for row in rows_of(database, SummaryQuery(name="%"))] == ["100%straat"]
    assert [row.name for row in rows_of(database, SummaryQuery(name="الكنيسة"))] == ["شارع الكنيسة"]
