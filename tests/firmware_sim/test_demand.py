"""The demand of a town: what a measure changes is exactly what was asked, and the rest is as real streets are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import pytest

from telstraat_firmware_sim.demand.calendar import (
    calendar_of,
    easter,
    is_school_holiday,
    public_holidays,
    sun_elevation,
)
from telstraat_firmware_sim.demand.demand import Demand, SimulatedMeasure, Town, TownStreet
from telstraat_firmware_sim.demand.profiles import CLASSES, DAYLIGHT_HOURS, STREET_KINDS, bells, week_profile
from telstraat_firmware_sim.errors import DemandError
from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet

CAR, BIKE = CLASSES.index("car"), CLASSES.index("bike")
STREETS = tuple(TownStreet(f"Street {at}") for at in range(4))
PLAN = SimulatedMeasure(
    "plan",
    date(2025, 4, 1),
    ("Street 0",),
    {"car": -0.4, "bike": 0.2},
    shifted=0.5,
    shifted_to={"Street 1": 3, "Street 2": 1},
)


@lru_cache
def demand(seed: int = 7, measured: bool = True) -> Demand:
    return Demand(Town("Here", STREETS), date(2025, 1, 6), 182, measures=(PLAN,) if measured else (), seed=seed)


def after() -> slice:
    return slice(demand().calendar.quarter_of(date(2025, 4, 1), "Europe/Brussels"), None)


def test_a_measure_changes_its_street_by_exactly_what_was_asked() -> None:
    street = demand().street("Street 0")
    ratio = street.expected_with[after()].sum(axis=(0, 2)) / street.expected_without[after()].sum(axis=(0, 2))
    assert ratio == pytest.approx([1.0, 1.2, 0.6, 1.0])


def test_before_its_first_local_day_a_measure_changes_nothing() -> None:
    street = demand().street("Street 0")
    first = after().start
    assert demand().calendar.starts()[first] == np.datetime64("2025-03-31T22:00:00")
    assert np.array_equal(street.expected_with[:first], street.expected_without[:first])
    assert (street.expected_with[first, CAR] < street.expected_without[first, CAR]).all()


def test_what_leaves_a_street_arrives_in_its_neighbours_in_the_parts_that_were_asked() -> None:
    gone = demand().street("Street 0").expected_without[after(), CAR].sum() * 0.4
    gained = [demand().street(name) for name in ("Street 1", "Street 2", "Street 3")]
    more = [float((s.expected_with - s.expected_without)[after(), CAR].sum()) for s in gained]
    assert more == pytest.approx([gone * 0.5 * 0.75, gone * 0.5 * 0.25, 0.0])
    assert all((s.expected_with[:, BIKE] == s.expected_without[:, BIKE]).all() for s in gained)


def test_a_measure_that_ends_gives_the_traffic_back() -> None:
    trial = SimulatedMeasure("trial", date(2025, 2, 1), ("Street 0",), {"car": -1.0}, until_day=date(2025, 3, 1))
    street = Demand(Town("Here", STREETS), date(2025, 1, 6), 90, measures=(trial,), seed=1).street("Street 0")
    cars_a_month = [
        float(street.expected_with[first * 96 : last * 96, CAR].sum()) for first, last in ((0, 26), (27, 53), (55, 89))
    ]
    assert cars_a_month[0] > 0
    assert cars_a_month[1] == 0
    assert cars_a_month[2] > 0


def test_the_same_seed_gives_the_same_street_and_another_seed_another() -> None:
    again = Demand(Town("Here", STREETS), date(2025, 1, 6), 182, measures=(PLAN,), seed=7)
    assert again.street("Street 3").passed.tobytes() == demand().street("Street 3").passed.tobytes()
    assert demand(seed=8).street("Street 3").passed.tobytes() != demand().street("Street 3").passed.tobytes()


def test_a_street_does_not_depend_on_which_others_there_are() -> None:
    alone = Demand(Town("Here", STREETS[3:]), date(2025, 1, 6), 182, seed=7).street("Street 3")
    assert np.array_equal(alone.passed, demand().street("Street 3").passed)


def test_who_passes_is_drawn_around_what_is_expected() -> None:
    street = demand().street("Street 3")
    expected, passed = street.expected_with.sum(axis=(0, 2)), street.passed.sum(axis=(0, 2))
    assert np.abs(passed / expected - 1).max() < 0.05


def test_a_v1_counts_with_the_scatter_that_was_measured_on_real_ones() -> None:
    """Variance / mean of raw counts in an hour of the week over 13 weeks; quartiles over 100 sensors of the design study."""
    created = made_up_fleet(FleetSettings(sensors=12, start=date(2025, 8, 18), days=91, kinds={"v1": 1.0}, seed=2))
    rows = created.hourly("raw")
    local = rows["start"].dt.tz_convert("Europe/Brussels")
    rows = rows[(rows["uptime"] >= 0.5) & local.dt.hour.between(8, 17)].assign(
        slot=local.dt.day_of_week * 24 + local.dt.hour
    )
    quartiles = {"pedestrian": (2.1, 4.8), "bike": (2.9, 8.0), "car": (2.2, 14.0), "heavy": (1.6, 9.1)}
    for class_name, (low, high) in quartiles.items():
        counts = (rows[f"{class_name}_lft"] + rows[f"{class_name}_rgt"]).groupby([rows["sensor"], rows["slot"]])
        ratio = (counts.var() / counts.mean())[counts.size() >= 8].groupby("sensor").median().median()
        assert low < ratio < high, class_name


def test_streets_of_one_town_go_up_and_down_together_as_far_as_measured() -> None:
    """Correlation of daily log counts after removing four weeks' level: car 0.32-0.36, bike 0.36-0.40, heavy 0.30, pedestrian 0.18."""
    town = Town("Up", tuple(TownStreet(f"s{at}", "through") for at in range(10)))
    results = []
    for seed in (0, 1):
        created = Demand(town, date(2025, 9, 1), 140, seed=seed)
        daily = np.array(
            [
                created.street(street.name).passed.sum(axis=2).reshape(140, 96, 4)[:, 32:76].sum(axis=1)
                for street in town.streets
            ]
        )
        log = np.log(daily[:, (created.calendar.weekday[48::96] < 5) & ~created.calendar.holiday[48::96]])
        level = np.apply_along_axis(lambda series: np.convolve(series, np.ones(20) / 20, "same"), 1, log)
        rest = (log - level)[:, 10:-10]
        results.append([np.corrcoef(rest[:, :, at])[np.triu_indices(10, 1)].mean() for at in range(len(CLASSES))])
    pedestrian, bike, car, heavy = np.mean(results, axis=0)
    assert 0.08 < pedestrian < 0.30
    assert 0.25 < bike < 0.55
    assert 0.22 < car < 0.48
    assert 0.18 < heavy < 0.45


@pytest.mark.parametrize("class_name", CLASSES)
@pytest.mark.parametrize("commute", [False, True])
def test_a_profile_has_mean_one_over_the_daylight_hours_of_a_week(class_name: str, commute: bool) -> None:
    shape, _ = week_profile(class_name, STREET_KINDS["cycle-route" if commute else "through"])
    day = slice(DAYLIGHT_HOURS.start * 4, DAYLIGHT_HOURS.stop * 4)
    mean = (5 * shape[0, day].mean() + shape[1, day].mean() + shape[2, day].mean()) / 7
    assert mean == pytest.approx(1.0, abs=0.02)


def test_bells_are_periodic_over_the_day() -> None:
    late, early = bells(np.array([23.999])), bells(np.array([0.0]))
    assert late == pytest.approx(early, abs=1e-3)


def test_quarters_know_their_local_hour_on_both_clock_changes() -> None:
    calendar = calendar_of(
        date(2025, 3, 1), 275, timezone="Europe/Brussels", country="BE", subdivision=None, latitude=51, longitude=4
    )
    starts = calendar.starts()
    spring = int(np.flatnonzero(starts == np.datetime64("2025-03-30T01:00:00"))[0])
    autumn = int(np.flatnonzero(starts == np.datetime64("2025-10-26T01:00:00"))[0])
    assert calendar.slot[spring - 1] == 7  # 01:45
    assert calendar.slot[spring] == 12  # 03:00
    assert calendar.slot[autumn - 1] == 11  # 02:45, for the first time
    assert calendar.slot[autumn] == 8  # 02:00, once more


@pytest.mark.parametrize(("country", "day"), [("DE", date(1985, 5, 1)), ("BE", date(2101, 5, 1))])
def test_a_year_whose_holidays_nobody_knows_is_refused(country: str, day: date) -> None:
    with pytest.raises(DemandError, match=f"public holidays of {country} are known from"):
        public_holidays(country, None, [day])


def test_holidays_are_no_school_days() -> None:
    calendar = demand().calendar
    named = dict(calendar.holidays)
    assert named[date(2025, 4, 21)] == "Easter Monday"
    monday = calendar.quarter_of(date(2025, 4, 21), "Europe/Brussels") + 40
    assert calendar.holiday[monday]
    assert not calendar.school_day[monday]
    assert calendar.school_day[calendar.quarter_of(date(2025, 4, 22), "Europe/Brussels") + 40]


@pytest.mark.parametrize(
    ("year", "day"),
    [(2024, date(2024, 3, 31)), (2025, date(2025, 4, 20)), (2026, date(2026, 4, 5)), (2038, date(2038, 4, 25))],
)
def test_easter_is_where_the_church_has_it(year: int, day: date) -> None:
    assert easter(year) == day


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        ("2025-10-27", True),
        ("2025-11-03", False),
        ("2025-12-22", True),
        ("2026-01-04", True),
        ("2026-01-05", False),
        ("2026-02-16", True),
        ("2026-04-06", True),
        ("2026-04-20", False),
        ("2026-07-01", True),
        ("2026-09-01", False),
    ],
)
def test_school_holidays_follow_the_flemish_calendar(day: str, closed: bool) -> None:
    assert is_school_holiday(date.fromisoformat(day)) is closed


def test_the_sun_rises_and_sets_when_the_almanac_says() -> None:
    """Brussels, 21 June 2025: sunrise 05:29, sunset 22:00 (CEST); the disc's edge and refraction make it -0.83 degrees."""
    for at, expected in (
        (datetime(2025, 6, 21, 3, 29, tzinfo=UTC), -0.83),
        (datetime(2025, 6, 21, 20, 0, tzinfo=UTC), -0.83),
    ):
        value = float(sun_elevation(np.array([int(at.timestamp())]), 50.85, 4.35)[0])
        assert value == pytest.approx(expected, abs=0.5)


def test_weather_has_seasons_showers_and_cold_winters() -> None:
    weather = Demand(Town("Here", STREETS), date(2025, 1, 1), 365, seed=2).weather
    july, january = weather.temperature_c[181 * 24 : 212 * 24].mean(), weather.temperature_c[: 31 * 24].mean()
    assert july - january > 10
    assert 0.05 < weather.wet.mean() < 0.2
    assert 500 < weather.rain_mm.sum() < 1400


def test_rain_keeps_cyclists_at_home() -> None:
    created = Demand(Town("Rain", STREETS), date(2025, 5, 1), 92, seed=4)
    wet = np.repeat(created.weather.wet > 0, 4)
    by_day = (created.calendar.slot > 36) & (created.calendar.slot < 68)
    bikes = sum(created.street(street.name).passed[:, BIKE].sum(axis=1) for street in STREETS)
    assert bikes[wet & by_day].mean() < 0.85 * bikes[~wet & by_day].mean()


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (SimulatedMeasure("x", date(2025, 1, 1), ("Nowhere",), {"car": -0.1}), "no street 'Nowhere'"),
        (SimulatedMeasure("x", date(2025, 1, 1), ("Street 0",), {"lorry": -0.1}), "'lorry'"),
        (SimulatedMeasure("x", date(2025, 1, 1), ("Street 0",), {"car": -1.5}), "less than nothing"),
        (SimulatedMeasure("x", date(2025, 1, 1), ("Street 0",), {"car": -0.5}, shifted=0.5), "to nowhere"),
    ],
)  # fmt: skip
def test_a_measure_that_cannot_be_is_refused_in_words(measure: SimulatedMeasure, message: str) -> None:
    with pytest.raises(DemandError, match=message):
        Demand(Town("Here", STREETS), date(2025, 1, 1), 7, measures=(measure,))


def test_a_period_needs_a_day() -> None:
    with pytest.raises(DemandError, match="0 days"):
        Demand(Town("Here", STREETS), date(2025, 1, 1), 0)
    assert timedelta(days=182) / timedelta(minutes=15) == demand().calendar.quarters
